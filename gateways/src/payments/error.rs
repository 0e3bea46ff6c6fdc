//! Why a provider did not do what it was asked for, and whether it may have done it all the same.

use std::time::Duration;

use super::{FailureReason, Words};

/// Why a call has no outcome. None of them shows a secret, or whom it was about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It cannot be asked of this provider. Nothing was sent.
    #[error("it cannot be asked for: {0}")]
    Unfit(#[from] Unfit),
    /// The request surely did not reach the provider: the same may be sent again.
    #[error("the provider was not reached: {0}")]
    NotSent(NotSent),
    /// The provider surely did nothing, and will take the same request later.
    #[error("the provider asks to wait: {words}")]
    NotNow {
        words: Words,
        after: Option<Duration>,
    },
    /// The provider surely did nothing, and will not.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// It may have been done: ask, and never repeat it under another key.
    #[error("whether it was done is not known: {0}")]
    Unknown(Doubt),
}

/// What a request lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("the provider does not carry this currency")]
    Currency,
    #[error("the amount is not one that the provider carries")]
    Amount,
    #[error("a phone number that the provider serves is needed")]
    Phone,
    #[error("an e-mail address is needed")]
    Email,
    #[error("an address to come back to is needed")]
    ReturnUrl,
    #[error("the provider cannot take it later")]
    CaptureLater,
    #[error("the provider serves no such wallet")]
    Wallet,
    #[error("the provider cannot pay such a payee")]
    Payee,
    #[error("there is no handle that the provider can be asked by")]
    Handle,
    #[error("the store's account lacks what is needed")]
    Account,
    #[error("the address for callbacks is not one that the provider calls")]
    CallbackUrl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    #[error("there is no connection")]
    NoConnection,
    #[error("no token was to be had")]
    NoToken,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {words}", reason.code())]
pub struct Refusal {
    pub reason: FailureReason,
    pub words: Words,
}

/// Why it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    #[error("no answer in time")]
    NoAnswer,
    #[error("the connection broke")]
    Broken,
    #[error("the provider answered {0}")]
    Status(u16),
    #[error("the answer cannot be understood")]
    Unreadable,
    #[error("the answer's signature is wrong")]
    BadSignature,
    #[error("the answer contradicts itself, or what was asked")]
    Contradiction,
    #[error("the provider cannot be asked")]
    CannotBeAsked,
}

impl CallError {
    /// Whether it can be given up, or sent again under another key, without a risk of doing it twice.
    pub const fn surely_did_nothing(&self) -> bool {
        match self {
            Self::Unfit(_) | Self::NotSent(_) | Self::NotNow { .. } | Self::Refused(_) => true,
            Self::Unknown(_) => false,
        }
    }

    /// Whether the very same request, under the same key, may be taken later.
    pub const fn may_be_sent_again(&self) -> bool {
        match self {
            Self::NotSent(_) | Self::NotNow { .. } => true,
            Self::Unfit(_) | Self::Refused(_) | Self::Unknown(_) => false,
        }
    }

    pub(super) fn refused(reason: FailureReason, words: &str) -> Self {
        Self::Refused(Refusal {
            reason,
            words: Words::of(words),
        })
    }

    pub(super) fn not_now(words: &str, after: Option<Duration>) -> Self {
        Self::NotNow {
            words: Words::of(words),
            after,
        }
    }

    pub(super) const fn unreadable() -> Self {
        Self::Unknown(Doubt::Unreadable)
    }
}
