//! What may be asked of a payment.

use super::{PaymentProvider, Refund};
use crate::{AccountId, Money, OrderId, StoreId, Text};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentCommand {
    Initiate {
        order_id: OrderId,
        store_id: StoreId,
        provider: PaymentProvider,
        amount: Money,
    },
    /// The money is there, by the reference under which its carrier knows it.
    Capture {
        amount: Money,
        reference: Text<200>,
        /// Who took the cash.
        collected_by: Option<AccountId>,
    },
    /// Money goes back; it has been handed over, or sent, by whoever says so.
    Refund(Refund),
    Cancel {
        reason: Text<500>,
    },
}
