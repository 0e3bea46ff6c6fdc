//! Why a store says no.

use super::PayoutRulesError;
use crate::commission::CommissionError;
use crate::{LocationId, TeamError};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreError {
    #[error("there is no such store")]
    NotOpened,
    #[error("the store is open already")]
    AlreadyOpened,
    #[error("the store is closed")]
    Closed,
    #[error("a store must take payment in at least one way")]
    NoPaymentMethod,
    #[error("location {location_id} has another name already")]
    LocationExists { location_id: LocationId },
    #[error("the store has no location {location_id}")]
    UnknownLocation { location_id: LocationId },
    #[error("a store cannot have more than {max} locations")]
    TooManyLocations { max: usize },
    #[error("a store cannot have more than {max} web origins")]
    TooManyWebOrigins { max: usize },
    #[error("nobody has an account of that kind")]
    NoSuchAccount,
    #[error(transparent)]
    Commission(#[from] CommissionError),
    #[error(transparent)]
    PayoutRules(#[from] PayoutRulesError),
    #[error(transparent)]
    Team(#[from] TeamError),
}
