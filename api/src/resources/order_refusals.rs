//! Why an order is not placed, not called off or not brought, as clients are told.

use soko_commands::handlers::{CancelOrderError, FulfilOrderError, PlaceOrderError, ShortLine};
use soko_domain::order::OrderError;
use soko_domain::promotion::PromotionError;

use crate::problem::{Code, Fault, Place, Problem};

impl From<PlaceOrderError> for Problem {
    fn from(error: PlaceOrderError) -> Self {
        let detail = error.to_string();
        match error {
            PlaceOrderError::OutOfStock { lines } => {
                let faults = lines.iter().map(
                    |ShortLine {
                         variant_id,
                         requested,
                         available,
                     }| Fault {
                        place: Place::Pointer("/lines".to_owned()),
                        message: format!(
                            "{variant_id}: {requested} asked for, {available} available"
                        ),
                    },
                );
                Self::new(Code::OutOfStock)
                    .with_detail(detail)
                    .with_faults(faults.collect())
                    .with_member("lines", &lines)
            }
            PlaceOrderError::NotOnSale { variant_ids } => Self::new(Code::StateConflict)
                .with_detail(detail)
                .with_member("variant_ids", variant_ids),
            PlaceOrderError::ProviderNotOffered { .. }
            | PlaceOrderError::ProviderNotCarried { .. } => {
                Self::invalid_at("/payment/provider", detail)
            }
            PlaceOrderError::Promotion(PromotionError::NotCreated) => {
                Self::invalid_at("/coupon", "is not a coupon of the store")
            }
            PlaceOrderError::CouponUsedUp => Self::new(Code::CouponExhausted).with_detail(detail),
            PlaceOrderError::CouponNeedsAccount | PlaceOrderError::NothingLeftToPay => {
                Self::new(Code::StateConflict).with_detail(detail)
            }
            PlaceOrderError::Promotion(error) => error.into(),
            PlaceOrderError::Store(error) => error.into(),
            PlaceOrderError::Cart(error) => error.into(),
            PlaceOrderError::Order(error) => error.into(),
            PlaceOrderError::Payment(error) => error.into(),
            PlaceOrderError::Stock(error) => error.into(),
            PlaceOrderError::TooManyOfOne { .. } | PlaceOrderError::Price(_) => {
                Self::invalid_at("/lines", detail)
            }
        }
    }
}

impl From<CancelOrderError> for Problem {
    fn from(error: CancelOrderError) -> Self {
        match error {
            CancelOrderError::Order(error) => error.into(),
            CancelOrderError::Payment(error) => error.into(),
            CancelOrderError::Stock(error) => error.into(),
            CancelOrderError::Promotion(error) => error.into(),
        }
    }
}

impl From<FulfilOrderError> for Problem {
    fn from(error: FulfilOrderError) -> Self {
        match error {
            FulfilOrderError::Order(error) => error.into(),
            FulfilOrderError::Stock(error) => error.into(),
        }
    }
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        let code = match &error {
            OrderError::NotPlaced => Code::NotFound,
            _ => Code::StateConflict,
        };
        Self::new(code).with_detail(error)
    }
}
