//! What may be asked of an order.

use super::{CancelledBy, Placement};
use crate::{Money, PaymentId, RefundId, Text, VendorId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderCommand {
    Place(Box<Placement>),
    /// The money is there.
    RecordPayment {
        payment_id: PaymentId,
        amount: Money,
    },
    /// Some of the money went back, or all of it.
    RecordRefund {
        payment_id: PaymentId,
        refund_id: RefundId,
        amount: Money,
        /// What of the payment is left.
        kept: Money,
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
    },
}
