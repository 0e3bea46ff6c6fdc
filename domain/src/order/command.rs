//! What may be asked of an order.

use super::{CancelledBy, Placement};
use crate::payment::PaymentProvider;
use crate::{Money, PaymentId, RefundId, Text, VendorId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderCommand {
    Place(Box<Placement>),
    /// The buyer tries to pay, once more or another way.
    AttemptPayment {
        payment_id: PaymentId,
        provider: PaymentProvider,
    },
    /// Money is there.
    RecordPayment {
        payment_id: PaymentId,
        /// All that this payment brought so far, as far as the order needs it: see
        /// [`accepts`](super::Progress::accepts).
        brought: Money,
    },
    /// Some of the money went back, or all of it.
    RecordRefund {
        payment_id: PaymentId,
        refund_id: RefundId,
        amount: Money,
    },
    /// One vendor's part is ready to go.
    Pack {
        vendor_id: VendorId,
    },
    /// One vendor's part is on its way, whether it was said to be packed or not.
    Ship {
        vendor_id: VendorId,
        carrier: Option<Text<100>>,
        tracking_number: Option<Text<100>>,
    },
    Deliver {
        vendor_id: VendorId,
    },
    Cancel {
        by: CancelledBy,
        reason: Option<Text<500>>,
        /// Whether what was paid goes back with it. Without, a paid order is not called off.
        refund_follows: bool,
    },
    /// Nobody paid in time.
    Expire {},
}
