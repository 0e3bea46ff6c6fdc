//! How far an order has come, and each vendor's part of it.

use crate::payment::PaymentProvider;
use serde::{Deserialize, Serialize};

/// In the order in which they follow each other; packing may be left out.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum FulfilmentStatus {
    #[default]
    Pending,
    Packed,
    Shipped,
    Delivered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    PendingPayment,
    /// To be paid in cash on delivery: the vendors need not wait for it.
    Confirmed,
    Paid,
    PartlyShipped,
    Shipped,
    Delivered,
    /// Delivered and paid.
    Completed,
    Cancelled,
    /// Never paid in time.
    Expired,
}

impl OrderStatus {
    /// Of an order that has not ended, by how far each vendor is with it.
    pub fn under_way(
        fulfilments: impl Iterator<Item = FulfilmentStatus>,
        is_paid: bool,
        provider: PaymentProvider,
    ) -> Self {
        let (mut last, mut first) = (FulfilmentStatus::Delivered, FulfilmentStatus::Pending);
        for fulfilment in fulfilments {
            last = last.min(fulfilment);
            first = first.max(fulfilment);
        }
        match (last, first) {
            (FulfilmentStatus::Delivered, _) => Self::Delivered,
            (FulfilmentStatus::Shipped, _) => Self::Shipped,
            (_, FulfilmentStatus::Delivered | FulfilmentStatus::Shipped) => Self::PartlyShipped,
            _ if is_paid => Self::Paid,
            _ if provider.is_paid_on_delivery() => Self::Confirmed,
            _ => Self::PendingPayment,
        }
    }

    /// Nothing more will happen to such an order.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Completed | Self::Cancelled | Self::Expired => true,
            Self::PendingPayment
            | Self::Confirmed
            | Self::Paid
            | Self::PartlyShipped
            | Self::Shipped
            | Self::Delivered => false,
        }
    }
}
