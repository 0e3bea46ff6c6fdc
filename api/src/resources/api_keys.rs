//! Keys for programs that speak for an account.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use actix_web::web::Data;
use chrono::{DateTime, Duration, Utc};
use soko_commands::Committed;
use soko_domain::permission::Permission;
use soko_domain::{AccountId, Text};
use uuid::Uuid;

use crate::api_keys::{ApiKey, Wanted, is_grantable};
use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::Command;
use crate::found::{NoContent, Page, Part};
use crate::problem::{Code, Problem, Result};
use crate::query::{Path, Query};
use crate::recorded::{New, Recorded};
use crate::schema::{answer, body};

const DAYS_MAX: u16 = 365;
const DAYS_UNLESS_SAID: u16 = 90;

body! {
    pub(crate) struct CreateApiKey {
        /// What it is for.
        pub name: Text<120>,
        /// What it may do of what the account may do. The account itself, the people of a team and
        /// payouts are not to be had.
        pub permissions: Vec<Permission>,
        /// How long it is good: 1 to 365, 90 if nothing is said.
        pub expires_in_days: Option<u16>,
    }
}

answer! {
    pub(crate) struct MyApiKey {
        pub key_id: Uuid,
        pub name: String,
        /// How the key begins.
        pub prefix: String,
        pub permissions: BTreeSet<Permission>,
        pub created_at: DateTime<Utc>,
        pub expires_at: DateTime<Utc>,
        /// To the minute.
        pub last_used_at: Option<DateTime<Utc>>,
    }

    pub(crate) struct NewApiKey {
        pub key_id: Uuid,
        /// The key itself, to be sent as `Authorization: Bearer …`. It is not shown again.
        pub key: String,
        pub expires_at: DateTime<Utc>,
    }
}

pub(crate) async fn create(
    app: Data<App>,
    caller: Caller,
    command: Command<CreateApiKey>,
) -> Result<New<NewApiKey>> {
    let bearer = caller.bearer()?;
    let account_id = bearer.account_id;
    caller.permit(Place::own()).await?;
    let Command { body, conditions } = command;
    if body.permissions.is_empty() {
        return Err(Problem::invalid_at("/permissions", "must not be empty"));
    }
    if let Some(own) = body.permissions.iter().position(|p| !is_grantable(*p)) {
        let pointer = format!("/permissions/{own}");
        return Err(Problem::invalid_at(pointer, "is not for keys"));
    }
    let days = body.expires_in_days.unwrap_or(DAYS_UNLESS_SAID);
    if !(1..=DAYS_MAX).contains(&days) {
        let range = format!("must be 1 to {DAYS_MAX}");
        return Err(Problem::invalid_at("/expires_in_days", range));
    }
    let wanted = Wanted {
        account_id,
        name: body.name,
        permissions: body.permissions.into_iter().collect(),
        expires_at: caller.now() + Duration::days(days.into()),
        with_second_factor: bearer.second_factor_at.is_some(),
        request: conditions
            .idempotency_key
            .map(|key| (key, conditions.digest)),
        is_dry_run: conditions.is_dry_run,
    };
    let secrets = app.tokens().keys();
    let made = app.api_keys().make(wanted, &secrets, caller.now()).await?;
    tracing::info!(account.id = %account_id, key.id = %made.key.key_id, "an API key was made");
    let committed = Committed {
        value: NewApiKey {
            key_id: made.key.key_id,
            key: made.text.expose().to_owned(),
            expires_at: made.key.expires_at,
        },
        // The log knows nothing of keys.
        position: None,
        recorded_at: None,
        replayed: made.is_replayed,
        dry_run_events: vec![],
        versions: vec![],
    };
    Ok(Recorded::new(committed, conditions.is_dry_run))
}

/// The newest first.
pub(crate) async fn list(
    app: Data<App>,
    caller: Caller,
    asked: Query<Part>,
) -> Result<Page<MyApiKey>> {
    let keys = of(&app, caller.bearer()?.account_id, caller.now()).await?;
    let newest_first = |key: &MyApiKey| Reverse((key.created_at, key.key_id));
    Page::within(keys, newest_first, &asked, "api keys")
}

pub(super) async fn of(
    app: &App,
    account_id: AccountId,
    now: DateTime<Utc>,
) -> Result<Vec<MyApiKey>> {
    let keys = app.api_keys().of(account_id, now).await?;
    Ok(keys.into_iter().map(MyApiKey::from).collect())
}

pub(crate) async fn revoke(
    app: Data<App>,
    caller: Caller,
    key_id: Path<Uuid>,
) -> Result<NoContent> {
    let account_id = caller.bearer()?.account_id;
    let revoked = app
        .api_keys()
        .revoke(account_id, *key_id, caller.now())
        .await?;
    if !revoked {
        return Err(Problem::new(Code::NotFound));
    }
    tracing::info!(account.id = %account_id, key.id = %*key_id, "an API key was revoked");
    Ok(NoContent)
}

impl From<ApiKey> for MyApiKey {
    fn from(key: ApiKey) -> Self {
        Self {
            key_id: key.key_id,
            name: key.name,
            prefix: key.prefix,
            permissions: key.permissions,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
        }
    }
}
