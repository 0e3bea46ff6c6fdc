//! One line of a statement, what makes it the same line in another, and what lines come to.

use super::StatementProvider;
use crate::{Money, MoneyError, StatementLineId, StoreId, Text};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use uuid::Uuid;

/// What kind of movement a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// A payer's money came.
    Capture,
    /// It went back, or what went back came again.
    Refund,
    /// A payer's bank took it back, or returned it.
    Chargeback,
    /// It went on to somebody else, or to the store's own bank.
    Payout,
    /// What the provider keeps, where that has a line of its own.
    Fee,
    /// The store's own money put in, and the like.
    Other,
}

impl LineKind {
    pub const ALL: [Self; 6] = [
        Self::Capture,
        Self::Refund,
        Self::Chargeback,
        Self::Payout,
        Self::Fee,
        Self::Other,
    ];

    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Chargeback => "chargeback",
            Self::Payout => "payout",
            Self::Fee => "fee",
            Self::Other => "other",
        }
    }

    /// Whether it is money of a payment, and so to be found in our books. The rest is summed up.
    pub const fn is_of_a_payment(self) -> bool {
        match self {
            Self::Capture | Self::Refund | Self::Chargeback => true,
            Self::Payout | Self::Fee | Self::Other => false,
        }
    }
}

/// From when to when; both ends are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl Period {
    pub fn contains(&self, time: DateTime<Utc>) -> bool {
        (self.from..=self.to).contains(&time)
    }
}

/// One movement, as the provider tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementLine {
    /// The provider's own of this line, or of what it is about.
    pub reference: Text<100>,
    /// By which our books know the movement, if it is one that they have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<100>>,
    /// By which they may know it, if not by the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_name: Option<Text<100>>,
    pub kind: LineKind,
    /// What came to the store is above zero.
    pub amount: Money,
    /// What the provider kept of it, where that stands in the same line; below zero if it gave back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Money>,
    pub happened_at: DateTime<Utc>,
    /// The provider's word for it. Nothing that is about a person.
    pub words: Text<60>,
}

impl StatementLine {
    /// Its kind, its amount, and what was kept of it: what sums are made of.
    pub fn movement(&self) -> (LineKind, Money, Option<Money>) {
        (self.kind, self.amount, self.fee)
    }
}

/// A line, and what it is known by over all statements of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentifiedLine {
    pub line_id: StatementLineId,
    pub line: StatementLine,
}

/// The lines of one file with their ids. Statements overlap: the same reference, kind and amount is
/// the same line in whichever file, and the second such line of one file is the second of another.
pub fn identified(
    store_id: StoreId,
    provider: StatementProvider,
    lines: impl IntoIterator<Item = StatementLine>,
) -> Vec<IdentifiedLine> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let identify = |line: StatementLine| {
        let amount = line.amount;
        let mut same = format!(
            "{provider}/{}/{}/{}/{}",
            line.kind.as_str(),
            line.reference,
            amount.currency(),
            amount.amount(),
        );
        if !provider.names_each_line() {
            same = format!("{same}/{}", line.happened_at.timestamp_micros());
        }
        let occurrence = seen.entry(same.clone()).or_default();
        *occurrence = occurrence.saturating_add(1);
        let name = format!("{same}/{occurrence}");
        let line_id = Uuid::new_v5(&store_id.as_uuid(), name.as_bytes());
        IdentifiedLine {
            line_id: StatementLineId::from_uuid(line_id),
            line,
        }
    };
    lines.into_iter().map(identify).collect()
}

/// What the lines of one kind in one currency come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub kind: LineKind,
    pub lines: u32,
    pub amount: Money,
    /// What the provider kept, as their lines say.
    pub fees: Money,
}

/// What these come to, by kind and currency: of each its kind, its amount, and what was kept of it.
///
/// # Errors
/// A sum beyond 64 bits.
pub fn tallies(
    movements: impl IntoIterator<Item = (LineKind, Money, Option<Money>)>,
) -> Result<Vec<Tally>, MoneyError> {
    let mut sums = Vec::new();
    for (kind, amount, fee) in movements {
        count(&mut sums, kind, amount, fee)?;
    }
    Ok(sums)
}

/// Adds a movement; nothing is changed if it does not fit. The order is that of kinds and
/// currencies, so that the same movements come to the same, byte for byte.
pub(super) fn count(
    sums: &mut Vec<Tally>,
    kind: LineKind,
    amount: Money,
    fee: Option<Money>,
) -> Result<(), MoneyError> {
    let nothing = Money::zero(amount.currency());
    let fee = fee.unwrap_or(nothing);
    let place = sums.binary_search_by_key(&(kind, amount.currency()), |tally| {
        (tally.kind, tally.amount.currency())
    });
    match place {
        Ok(index) => {
            let tally = sums[index];
            sums[index] = Tally {
                kind,
                lines: tally.lines.saturating_add(1),
                amount: tally.amount.add(amount)?,
                fees: tally.fees.add(fee)?,
            };
        }
        Err(index) => {
            let tally = Tally {
                kind,
                lines: 1,
                amount,
                fees: nothing.add(fee)?,
            };
            sums.insert(index, tally);
        }
    }
    Ok(())
}
