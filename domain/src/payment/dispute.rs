//! Money that a payer's bank wants back.

use super::Purpose;
use crate::{Money, Text};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What is told of a dispute, each time that something of it has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Under which the provider knows the dispute.
    pub reference: Text<200>,
    pub amount: Money,
    pub stage: DisputeStage,
    /// What has happened to the money just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<DisputedMoney>,
    /// Why, in the provider's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Text<200>>,
    /// Until when the bank hears what the store has to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<DateTime<Utc>>,
    /// The payment says it of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStage {
    /// It is not decided.
    Open,
    Won,
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputedMoney {
    Withdrawn,
    /// It was withdrawn, and is the store's again.
    Reinstated,
}

/// A dispute as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeState {
    pub reference: Text<200>,
    pub amount: Money,
    pub stage: DisputeStage,
    /// Both are told once, in whatever order.
    was_withdrawn: bool,
    was_reinstated: bool,
}

impl DisputeState {
    pub(super) fn new(told: &Dispute) -> Self {
        let mut state = Self {
            reference: told.reference.clone(),
            amount: told.amount,
            stage: DisputeStage::Open,
            was_withdrawn: false,
            was_reinstated: false,
        };
        state.take(told);
        state
    }

    /// Whether the bank has the money.
    pub fn is_withdrawn(&self) -> bool {
        self.was_withdrawn && !self.was_reinstated
    }

    /// Whether what is told is nothing new.
    pub(super) fn knows(&self, told: &Dispute) -> bool {
        let money_is_known = match told.money {
            None => true,
            Some(DisputedMoney::Withdrawn) => self.was_withdrawn,
            Some(DisputedMoney::Reinstated) => self.was_reinstated,
        };
        money_is_known && self.stage_after(told) == self.stage
    }

    pub(super) fn stage_after(&self, told: &Dispute) -> DisputeStage {
        match told.stage {
            DisputeStage::Open => self.stage,
            decided @ (DisputeStage::Won | DisputeStage::Lost) => decided,
        }
    }

    pub(super) fn take(&mut self, told: &Dispute) {
        self.stage = self.stage_after(told);
        match told.money {
            None => (),
            Some(DisputedMoney::Withdrawn) => self.was_withdrawn = true,
            Some(DisputedMoney::Reinstated) => self.was_reinstated = true,
        }
    }
}
