//! Why an order says no.

use super::Placement;
use crate::{Money, VariantId, VendorId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderError {
    #[error("there is no such order")]
    NotPlaced,
    #[error("another order was placed under this id")]
    AlreadyPlaced,
    #[error("an order has at least one line")]
    NoLines,
    #[error("an order has at most {} lines", Placement::LINES_MAX)]
    TooManyLines,
    #[error("{variant_id} is on two lines")]
    LineRepeated { variant_id: VariantId },
    #[error("the sums of the order do not add up")]
    SumsDiffer,
    #[error("an order is worth at most {} minor units", Placement::TOTAL_MAX)]
    TotalTooLarge,
    #[error("the order is cancelled")]
    Cancelled,
    #[error("the order was not paid in time")]
    Expired,
    #[error("an order has at most {} attempts to pay it", Placement::ATTEMPTS_MAX)]
    TooManyAttempts,
    #[error("the order is not paid yet")]
    AwaitsPayment,
    #[error("the order is paid already")]
    AlreadyPaid,
    #[error("it was not this payment that paid the order")]
    PaidOtherwise,
    #[error("{expected} is to be paid, not {found}")]
    AmountDiffers { expected: Money, found: Money },
    #[error("vendor {vendor_id} has no part in the order")]
    NoSuchVendor { vendor_id: VendorId },
    #[error("it is shipped already")]
    AlreadyShipped,
    #[error("it is not shipped yet")]
    NotShipped,
}
