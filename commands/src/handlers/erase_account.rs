//! Somebody wants to be forgotten.

use super::claims::Name;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes};
use soko_domain::account::{AccountCommand, AccountError};
use soko_domain::{Account, AccountId};

/// Destroys the key of all that is personal about them, in their account and in their orders, and
/// gives their e-mail free. What they bought, and what they paid, stays.
///
/// # Errors
/// [`AccountError`], and every other [`CommandError`].
pub async fn erase_account(
    engine: &Engine,
    account_id: AccountId,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<AccountError>> {
    let lanes = Lanes::new().with::<Account>(account_id);
    engine
        .transact(context, lanes, |unit| {
            let profile = unit.state::<Account>(account_id).profile()?;
            let email = profile.email().value().cloned();
            unit.execute::<Account>(account_id, AccountCommand::Erase)?;
            if let Some(email) = email {
                unit.release(Name::email(&email).given_back());
            }
            unit.erase(account_id.into());
            Ok(())
        })
        .await
}
