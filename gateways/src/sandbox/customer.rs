//! The customers, when nobody plays them by hand.

use serde::{Deserialize, Serialize};

/// What somebody does who is asked for money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Pay,
    Cancel,
    InsufficientFunds,
    WrongPin,
    /// The phone is off, or somewhere else.
    Unreachable,
    /// The card is refused.
    Decline,
    /// The page is opened, and nothing more.
    Open,
}

/// What an automatic customer does with what asks for money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "does")]
pub enum Behaviour {
    Acts {
        act: Act,
        after_ms: u64,
    },
    NeverAnswers,
    /// Somebody decides by hand, on a page or over HTTP.
    ByHand,
}

/// The first rule that fits decides; what is `None` fits everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    #[serde(default)]
    pub phone: Option<String>,
    /// Minor units.
    #[serde(default)]
    pub amount: Option<i64>,
    pub then: Behaviour,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    #[serde(default)]
    pub rules: Vec<Rule>,
    pub otherwise: Behaviour,
}

impl Customer {
    pub const fn by_hand() -> Self {
        Self {
            rules: Vec::new(),
            otherwise: Behaviour::ByHand,
        }
    }

    pub const fn never_answers() -> Self {
        Self {
            rules: Vec::new(),
            otherwise: Behaviour::NeverAnswers,
        }
    }

    pub const fn pays_after_ms(after_ms: u64) -> Self {
        Self::acts(Act::Pay, after_ms)
    }

    pub const fn cancels_after_ms(after_ms: u64) -> Self {
        Self::acts(Act::Cancel, after_ms)
    }

    const fn acts(act: Act, after_ms: u64) -> Self {
        Self {
            rules: Vec::new(),
            otherwise: Behaviour::Acts { act, after_ms },
        }
    }

    pub(super) fn behaviour(&self, phone: Option<&str>, amount: i64) -> Behaviour {
        let fits = |rule: &&Rule| {
            rule.phone
                .as_deref()
                .is_none_or(|wanted| phone == Some(wanted))
                && rule.amount.is_none_or(|wanted| wanted == amount)
        };
        self.rules
            .iter()
            .find(fits)
            .map_or(self.otherwise, |rule| rule.then)
    }
}
