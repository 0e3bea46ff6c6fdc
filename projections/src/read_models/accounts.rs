//! Who logs in: names by id, and what the platform lets them do.

#[cfg(test)]
mod tests;

use crate::ReadModel;
use crate::query::rows;
use crate::row::Json;
use chrono::{DateTime, Utc};
use soko_domain::account::{AccountEvent, PlatformRole};
use soko_domain::{AccountId, AnyEvent, EmailAddress, Personal, PhoneNumber, Text};
use soko_event_log::{RecordedEvent, Scope, ScopedReader};
use sqlx::QueryBuilder;
use std::collections::BTreeSet;
use uuid::Uuid;

crate::row! {
    /// An account.
    pub struct Account in "accounts" {
        key { account_id: AccountId }
        name: Json<Personal<Text<120>>>,
        email: Json<Personal<EmailAddress>>,
        phone: Option<Json<Personal<PhoneNumber>>>,
        is_email_verified: bool,
        platform_roles: Json<BTreeSet<PlatformRole>>,
        /// Nothing personal is left of it.
        is_erased: bool,
        version: i64,
        registered_at: DateTime<Utc>,
    }
}

/// The read model.
#[derive(Debug)]
pub struct Accounts;

impl ReadModel for Accounts {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["account"];

    type Key = AccountId;
    type Row = Account;

    fn keys(recorded: &RecordedEvent) -> Vec<AccountId> {
        match &recorded.event {
            AnyEvent::Account(account_id, _) => vec![*account_id],
            _ => vec![],
        }
    }

    fn creates(recorded: &RecordedEvent) -> bool {
        recorded.sequence == 1
    }

    fn fold(
        row: Option<Account>,
        account_id: &AccountId,
        recorded: &RecordedEvent,
    ) -> Option<Account> {
        let AnyEvent::Account(_, event) = &recorded.event else {
            return row;
        };
        let mut account = match (row, event) {
            (None, AccountEvent::Registered { name, email, phone }) => Account {
                account_id: *account_id,
                name: Json(name.clone()),
                email: Json(email.clone()),
                phone: phone.clone().map(Json),
                is_email_verified: false,
                platform_roles: Json::default(),
                is_erased: false,
                version: 0,
                registered_at: recorded.recorded_at,
            },
            (row, _) => row?,
        };
        account.apply(event);
        account.version = super::version(recorded);
        Some(account)
    }

    fn sources(account_id: &AccountId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("account", account_id.as_uuid())])
    }
}

impl Account {
    fn apply(&mut self, event: &AccountEvent) {
        match event {
            // How somebody comes in, and where goods are sent, concerns nobody who lists people.
            AccountEvent::Registered { .. }
            | AccountEvent::AddressAdded { .. }
            | AccountEvent::AddressRemoved { .. }
            | AccountEvent::PhoneVerified {}
            | AccountEvent::PasswordChanged {}
            | AccountEvent::SecondFactorAdded {}
            | AccountEvent::SecondFactorRemoved {} => (),
            AccountEvent::ProfileChanged { name, phone } => {
                self.name = Json(name.clone());
                self.phone = phone.clone().map(Json);
            }
            AccountEvent::EmailVerified {} => self.is_email_verified = true,
            AccountEvent::PlatformRoleGranted { role } => {
                self.platform_roles.0.insert(*role);
            }
            AccountEvent::PlatformRoleRevoked { role } => {
                self.platform_roles.0.remove(role);
            }
            AccountEvent::Erased {} => {
                self.name = Json(Personal::erased(self.name.0.subject()));
                self.email = Json(Personal::erased(self.email.0.subject()));
                self.phone = None;
                self.is_erased = true;
            }
        }
    }
}

/// One account; whether the caller may see it is for the caller to have asked.
///
/// # Errors
/// The database failed.
pub async fn account(
    reader: &ScopedReader,
    account_id: AccountId,
) -> Result<Option<Account>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Account>());
    query
        .push(" WHERE account_id = ")
        .push_bind(account_id.as_uuid());
    rows::optional(query, reader, &Scope::Account(account_id)).await
}

/// Some accounts, in no order: who the ids in an answer are.
///
/// # Errors
/// The database failed.
pub async fn accounts(
    reader: &ScopedReader,
    scope: &Scope,
    account_ids: &[AccountId],
) -> Result<Vec<Account>, sqlx::Error> {
    let ids: Vec<_> = account_ids.iter().map(AccountId::as_uuid).collect();
    let mut query = QueryBuilder::new(rows::select::<Account>());
    query
        .push(" WHERE account_id = ANY(")
        .push_bind(ids)
        .push(")");
    rows::all(query, reader, scope).await
}
