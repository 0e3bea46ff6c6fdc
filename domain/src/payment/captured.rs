//! Money that came at once, and how far the reference is to be relied on by which it goes.

use crate::{Money, Text};
use serde::{Deserialize, Serialize};

/// Money that came at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    pub amount: Money,
    pub reference: Text<200>,
    pub standing: ReferenceStanding,
    /// What it was called before the provider told its own reference.
    pub once_called: Option<Text<200>>,
}

/// Whose word a reference is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferenceSource {
    /// Ours: the provider says that the money is there, and has not told its own reference.
    Provisional,
    /// A callback's that nobody signed: the provider confirms the money, and not that this is its
    /// reference. Whoever is asked like this is asked for one sum of money at most.
    Hearsay,
    /// The provider's, who answered or signed it.
    Provider,
    /// Somebody's who has seen it at the provider's.
    Person {
        /// What the money has gone by until now, if that was wrong.
        instead_of: Option<Text<200>>,
    },
}

/// How far a reference is to be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceStanding {
    Provisional,
    Hearsay,
    /// Two callbacks name two, and both cannot be: a person has to look.
    Contested,
    Certain,
}

impl ReferenceStanding {
    /// As the two flags of an event say it.
    pub(super) const fn told(is_provisional: bool, is_hearsay: bool) -> Self {
        match (is_provisional, is_hearsay) {
            (true, _) => Self::Provisional,
            (false, true) => Self::Hearsay,
            (false, false) => Self::Certain,
        }
    }

    /// Whether the provider can be told by it which money is meant.
    pub const fn names_the_money(self) -> bool {
        match self {
            Self::Provisional | Self::Contested => false,
            Self::Hearsay | Self::Certain => true,
        }
    }
}

impl Captured {
    /// Whether it is known under this reference, or was before its own was told.
    pub fn is_called(&self, reference: &Text<200>) -> bool {
        self.reference == *reference || self.once_called.as_ref() == Some(reference)
    }

    pub(super) fn is_learned(&mut self, reference: &Text<200>, is_hearsay: bool) {
        let once = std::mem::replace(&mut self.reference, reference.clone());
        self.once_called = Some(once);
        self.standing = ReferenceStanding::told(false, is_hearsay);
    }
}
