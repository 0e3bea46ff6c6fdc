//! Why an account says no.

use super::{ADDRESSES_MAX, PlatformRole};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountError {
    #[error("there is no such account")]
    NotRegistered,
    #[error("the account is registered already")]
    AlreadyRegistered,
    #[error("the account was erased")]
    Erased,
    /// It was changed after the code was sent.
    #[error("the account has another phone number")]
    OtherPhone,
    #[error("the account has {ADDRESSES_MAX} addresses, which is as many as it may")]
    TooManyAddresses,
    #[error("the account has no such address")]
    NoSuchAddress,
    #[error("the account has a second factor already")]
    HasSecondFactor,
    #[error("the account has no second factor")]
    NoSecondFactor,
    /// Else the platform could lose its last admin unnoticed.
    #[error("the account still is {role} of the platform")]
    HoldsPlatformRole { role: PlatformRole },
}
