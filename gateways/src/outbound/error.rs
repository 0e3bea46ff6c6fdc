//! Why a user's address was not called, or did not answer.

/// What it says may be shown to whoever gave the address. Whether a name is not known, or known
/// inside only, is not told apart: that would be a list of what is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    #[error("the address is not one that may be called")]
    Refused,
    /// The source is for our own log.
    #[error("there is no public address by this name")]
    NoPublicAddress(#[source] Unusable),
    #[error("no secure connection could be made")]
    NotConnected,
    #[error("there was no answer in time")]
    TimedOut,
    #[error("the answer broke off or was not HTTP")]
    Broken,
    #[error("the call could not be made")]
    Ours,
}

/// What is wrong with a name; not for tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("the name is not known")]
    Unknown,
    #[error("the name stands for an address that is not public")]
    NotPublic,
    #[error("the name stands for too many addresses")]
    TooMany,
}

impl OutboundError {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::TimedOut
        } else if error.is_connect() {
            Self::NotConnected
        } else if error.is_builder() {
            Self::Ours
        } else {
            Self::Broken
        }
    }
}
