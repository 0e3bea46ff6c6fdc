//! Why the stock of a variant says no.

use crate::{OrderId, Quantity};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockError {
    #[error("no stock is kept of this variant")]
    NotTracked,
    #[error("stock of this variant is kept already")]
    AlreadyTracked,
    #[error("{requested} asked for, {available} available")]
    OutOfStock { requested: Quantity, available: u32 },
    #[error("order {order_id} holds another quantity of it")]
    AlreadyReserved { order_id: OrderId },
    #[error("order {order_id} holds none of it")]
    NotReserved { order_id: OrderId },
    #[error("{reserved} are reserved at this place, more than {on_hand} would cover")]
    BelowReserved { reserved: u32, on_hand: i64 },
    #[error("there cannot be more than {} in one place", u32::MAX)]
    TooMany,
}
