//! Somebody becomes known.

use super::claims::Name;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes};
use soko_domain::account::{AccountCommand, AccountError, PlatformRole};
use soko_domain::{Account, AccountId, EmailAddress, Personal, PhoneNumber, Text};

#[derive(Debug, Clone)]
pub struct RegisterAccount {
    pub account_id: AccountId,
    pub name: Personal<Text<120>>,
    pub email: Personal<EmailAddress>,
    pub phone: Option<Personal<PhoneNumber>>,
    /// Of the platform's first people; of nobody else.
    pub platform_roles: Vec<PlatformRole>,
}

/// Answers with the account's id, which is another than that of the request if the request was made
/// before with the same idempotency key.
///
/// # Errors
/// [`AccountError`], and [`CommandError::ClaimTaken`] for an e-mail that another account has.
pub async fn register_account(
    engine: &Engine,
    request: RegisterAccount,
    context: &CommandContext,
) -> Result<Committed<AccountId>, CommandError<AccountError>> {
    let account_id = request.account_id;
    let lanes = Lanes::new().with_new::<Account>(account_id);
    engine
        .transact(context, lanes, |unit| {
            let register = AccountCommand::Register {
                name: request.name.clone(),
                email: request.email.clone(),
                phone: request.phone.clone(),
            };
            unit.execute::<Account>(account_id, register)?;
            for role in request.platform_roles.iter().copied() {
                unit.execute::<Account>(account_id, AccountCommand::GrantPlatformRole { role })?;
            }
            if let Some(email) = request.email.value() {
                unit.claim(Name::email(email).claimed_by(account_id));
            }
            Ok(account_id)
        })
        .await
}
