//! Why a tenant says no.

use crate::TeamError;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantError {
    #[error("there is no such tenant")]
    NotCreated,
    #[error("the tenant is created already")]
    AlreadyCreated,
    #[error(transparent)]
    Team(#[from] TeamError),
}
