//! Messages to people: kept until they are sent, whatever crashes meanwhile.
//!
//! What is to be said is kept sealed, and says whom it is for only as far as is known. What a message
//! carries, such as the token of a link, is made when it is sent: so it lies nowhere before, and a
//! second try carries another. Whoever asks for a message learns nothing from how long that takes:
//! it is kept, and all looking is done later.

mod courier;
mod letters;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::{AccountId, EmailAddress};
use soko_event_log::MasterKeys;
use sqlx::PgPool;
use tokio::sync::Notify;
use uuid::Uuid;

pub(crate) use self::courier::{Carriers, Courier};
use crate::master_keys::Sealed;
use crate::problem::{Code, Problem, Result};

/// What a message is sealed for.
const PURPOSE: &str = "message";

/// Where those lie.
pub(crate) const SEALED: Sealed = Sealed {
    table: "messages",
    id: "message_id",
    column: "sealed",
    purpose: PURPOSE,
};

/// What somebody is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Notice {
    /// How to show that the e-mail reaches them; nothing to whoever has shown it already.
    VerifyEmail {
        email: EmailAddress,
    },
    /// Somebody wanted to register with an e-mail that has an account.
    AlreadyRegistered {
        email: EmailAddress,
    },
    /// How to set another password; nothing to who has no account.
    ResetPassword {
        email: EmailAddress,
    },
    /// How to show that the phone reaches them.
    VerifyPhone {
        account_id: AccountId,
    },
    PasswordChanged {
        account_id: AccountId,
    },
    SecondFactorAdded {
        account_id: AccountId,
    },
    SecondFactorRemoved {
        account_id: AccountId,
    },
    RecoveryCodeUsed {
        account_id: AccountId,
        left: i64,
    },
    /// A refresh token came twice, so two had it.
    TokenReused {
        account_id: AccountId,
    },
    /// The money of a vendor whose owner they are is to go elsewhere.
    PayoutAccountSet {
        account_id: AccountId,
    },
    /// Somebody logged in from a device that never had.
    NewDevice {
        account_id: AccountId,
    },
}

impl Notice {
    const fn account_id(&self) -> Option<AccountId> {
        match self {
            Self::VerifyEmail { .. }
            | Self::AlreadyRegistered { .. }
            | Self::ResetPassword { .. } => None,
            Self::VerifyPhone { account_id }
            | Self::PasswordChanged { account_id }
            | Self::SecondFactorAdded { account_id }
            | Self::SecondFactorRemoved { account_id }
            | Self::RecoveryCodeUsed { account_id, .. }
            | Self::TokenReused { account_id }
            | Self::PayoutAccountSet { account_id }
            | Self::NewDevice { account_id } => Some(*account_id),
        }
    }

    /// For metrics and logs.
    const fn kind(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => "verify_email",
            Self::AlreadyRegistered { .. } => "already_registered",
            Self::ResetPassword { .. } => "reset_password",
            Self::VerifyPhone { .. } => "verify_phone",
            Self::PasswordChanged { .. } => "password_changed",
            Self::SecondFactorAdded { .. } => "second_factor_added",
            Self::SecondFactorRemoved { .. } => "second_factor_removed",
            Self::RecoveryCodeUsed { .. } => "recovery_code_used",
            Self::TokenReused { .. } => "token_reused",
            Self::PayoutAccountSet { .. } => "payout_account_set",
            Self::NewDevice { .. } => "new_device",
        }
    }

    /// After which it is of no use: who waits for a link or a code has asked for another.
    const fn useful_for(&self) -> Duration {
        match self {
            Self::VerifyPhone { .. } => Duration::minutes(10),
            Self::ResetPassword { .. } => Duration::minutes(30),
            Self::VerifyEmail { .. } | Self::AlreadyRegistered { .. } => Duration::hours(6),
            Self::PasswordChanged { .. }
            | Self::SecondFactorAdded { .. }
            | Self::SecondFactorRemoved { .. }
            | Self::RecoveryCodeUsed { .. }
            | Self::TokenReused { .. }
            | Self::PayoutAccountSet { .. }
            | Self::NewDevice { .. } => Duration::days(3),
        }
    }
}

/// The messages that are still to be sent.
pub(crate) struct Messages {
    pool: PgPool,
    masters: MasterKeys,
    /// Wakes the courier of this process.
    news: Notify,
}

impl Messages {
    pub(crate) fn new(pool: PgPool, masters: MasterKeys) -> Self {
        Self {
            pool,
            masters,
            news: Notify::new(),
        }
    }

    /// Keeps a message until it is sent.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn post(&self, notice: &Notice, now: DateTime<Utc>) -> Result<()> {
        let message_id = Uuid::now_v7();
        let text = serde_json::to_vec(notice);
        let text = text.map_err(|cause| Problem::ours(Code::Internal, &cause))?;
        sqlx::query(
            "INSERT INTO messages (message_id, account_id, sealed, due_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(message_id)
        .bind(notice.account_id().map(|id| id.as_uuid()))
        .bind(self.masters.seal(PURPOSE, message_id.as_bytes(), &text))
        .bind(now)
        .bind(now + notice.useful_for())
        .execute(&self.pool)
        .await?;
        self.news.notify_one();
        Ok(())
    }
}
