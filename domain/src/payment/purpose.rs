//! What money is for, and by which way it moves.

use super::{Demand, Payment, PaymentEvent, PaymentProvider};
use crate::{OrderId, StoreId};
use serde::{Deserialize, Serialize};

/// Said again whenever money moves: who keeps books sees one event at a time, and need not look for
/// what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose {
    pub order_id: OrderId,
    pub store_id: StoreId,
    pub provider: PaymentProvider,
}

impl Payment {
    /// Has every event by which money moves say what it is for.
    pub(super) fn with_purpose(&self, mut decided: Vec<PaymentEvent>) -> Vec<PaymentEvent> {
        if let Self::Initiated(demand) = self {
            for purpose in decided.iter_mut().filter_map(PaymentEvent::purpose_mut) {
                *purpose = Some(demand.purpose());
            }
        }
        decided
    }
}

impl Demand {
    const fn purpose(&self) -> Purpose {
        Purpose {
            order_id: self.order_id,
            store_id: self.store_id,
            provider: self.provider,
        }
    }
}

impl PaymentEvent {
    /// Where it says what the money is for; `None` if no money moves.
    fn purpose_mut(&mut self) -> Option<&mut Option<Purpose>> {
        match self {
            Self::Captured { purpose, .. } | Self::RefundReturned { purpose, .. } => Some(purpose),
            Self::Refunded(refund) => Some(&mut refund.purpose),
            Self::Disputed(dispute) => Some(&mut dispute.purpose),
            Self::Initiated { .. }
            | Self::Started { .. }
            | Self::PutOff { .. }
            | Self::Authorised { .. }
            | Self::Doubted { .. }
            | Self::Resumed {}
            | Self::ReferenceLearned { .. }
            | Self::ReferenceContested { .. }
            | Self::Failed { .. }
            | Self::Expired {}
            | Self::RefundRequested { .. }
            | Self::RefundStarted { .. }
            | Self::RefundDoubted { .. }
            | Self::RefundFailed { .. }
            | Self::CreditHeld { .. }
            | Self::Cancelled { .. } => None,
        }
    }
}
