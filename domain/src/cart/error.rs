//! Why a cart says no.

use super::Basket;
use crate::{Currency, Quantity, VariantId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartError {
    #[error("the cart belongs to somebody else or to another store")]
    AnotherCart,
    #[error("the cart is empty")]
    Empty,
    #[error("{variant_id} is not in the cart")]
    NotInCart { variant_id: VariantId },
    #[error("a cart has at most {} different items", Basket::ITEMS_MAX)]
    TooManyItems,
    #[error("a cart has at most {} of one item", Quantity::MAX)]
    TooManyOfOne,
    #[error("the cart is priced in {expected}, not in {found}")]
    CurrencyDiffers { expected: Currency, found: Currency },
}
