//! Setting another password: by who knows the one before, and by who has forgotten it.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_commands::CommandContext;
use soko_domain::account::{Account, AccountCommand, Profile};
use soko_domain::{AccountId, EmailAddress, TenantId};
use soko_event_log::Actor;
use uuid::Uuid;

use super::auth::wrong;
use crate::app::App;
use crate::body::Body;
use crate::caller::{Caller, Place};
use crate::credentials;
use crate::executing::unless_refused;
use crate::found::{Accepted, NoContent};
use crate::messages::Notice;
use crate::passwords::{NewPassword, Verdict};
use crate::problem::{Problem, Result};
use crate::proofs::{Proofs, Purpose};
use crate::recorded::Recorded;
use crate::schema::body;
use crate::secret::Secret;
use crate::sessions::{EndReason, Sessions};
use crate::tokens::Bearer;

body! {
    pub(crate) struct ChangePassword {
        pub current_password: Secret,
        /// At least 15 characters; 8 beside a second factor, or where accounts are open.
        pub new_password: Secret,
    }

    pub(crate) struct ForgotPassword {
        pub email: EmailAddress,
    }

    pub(crate) struct ResetPassword {
        /// What the link in the e-mail carries.
        pub token: Secret,
        pub new_password: Secret,
    }
}

/// Ends all other sessions: whoever else knew the password is out.
pub(crate) async fn change(
    app: Data<App>,
    caller: Caller,
    change: Body<ChangePassword>,
) -> Result<Recorded<()>> {
    let bearer = caller.bearer()?;
    let ChangePassword {
        current_password,
        new_password,
    } = change.0;
    let account = app.engine().read::<Account>(bearer.account_id).await?;
    let profile = account.state.profile().map_err(Problem::from)?;
    let email = profile.email().value().ok_or_else(wrong)?.clone();
    let new_password = new_password_of(&app, profile, &new_password)?;
    caller.permit(Place::own()).await?;
    app.check_own_password(bearer, current_password, caller.now())
        .await?;
    let hash = app.passwords().hash(new_password).await?;
    app.credentials()
        .set(bearer.account_id, &hash, caller.now())
        .await?;
    app.login_throttle()
        .open(&email, bearer.account_id, app.pool())
        .await?;
    app.sessions()
        .end_others(bearer, EndReason::PasswordChanged, caller.now())
        .await?;
    app.messages()
        .post(
            &Notice::PasswordChanged {
                account_id: bearer.account_id,
            },
            caller.now(),
        )
        .await?;
    let context = in_person(bearer.account_id, caller.now());
    let command = AccountCommand::ChangePassword;
    let changed = app
        .engine()
        .execute::<Account>(bearer.account_id, command, &context)
        .await?;
    Ok(Recorded::new(changed, false))
}

/// Whoever asks is told the same, whether or not the e-mail has an account.
pub(crate) async fn forgot(
    app: Data<App>,
    caller: Caller,
    forgot: Body<ForgotPassword>,
) -> Result<Accepted> {
    let email = forgot.0.email;
    let reset = Notice::ResetPassword {
        email: email.clone(),
    };
    app.write_to_whoever_has(&email, &reset, &caller).await?;
    Ok(Accepted)
}

/// Ends all sessions. A second factor stays what it was.
pub(crate) async fn reset(
    app: Data<App>,
    caller: Caller,
    reset: Body<ResetPassword>,
) -> Result<NoContent> {
    let ResetPassword {
        token,
        new_password,
    } = reset.0;
    let now = caller.now();
    let purpose = Purpose::ResetPassword;
    let account_id = app.proofs().account_of(purpose, &token, now).await?;
    let account_id = account_id.ok_or_else(not_good)?;
    let account = app.engine().read::<Account>(account_id).await?;
    let profile = account.state.profile().map_err(|_| not_good())?;
    let new_password = new_password_of(&app, profile, &new_password)?;
    let hash = app.passwords().hash(new_password).await?;

    let mut transaction = app.pool().begin().await?;
    if !Proofs::spend(&mut transaction, purpose, &token, now).await? {
        return Err(not_good());
    }
    credentials::set(&mut transaction, account_id, &hash, now).await?;
    let ended =
        Sessions::end_all(&mut transaction, account_id, EndReason::PasswordReset, now).await?;
    transaction.commit().await?;
    app.sessions().note_ended(ended);

    if let Some(email) = profile.email().value() {
        app.login_throttle()
            .open(email, account_id, app.pool())
            .await?;
    }
    app.messages()
        .post(&Notice::PasswordChanged { account_id }, now)
        .await?;
    // The link reached the mailbox, and through it whoever set the password.
    let engine = app.engine();
    for command in [AccountCommand::ChangePassword, AccountCommand::VerifyEmail] {
        let context = in_person(account_id, now);
        unless_refused(
            engine
                .execute::<Account>(account_id, command, &context)
                .await,
        )?;
    }
    Ok(NoContent)
}

impl App {
    /// That whoever is logged in knows their password.
    ///
    /// # Errors
    /// `validation` if it is wrong, `rate-limited` after several that were.
    pub(super) async fn check_own_password(
        &self,
        bearer: Bearer,
        password: Secret,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let place = self.passwords().place()?;
        let guess = self.login_throttle().at_own_password(bearer.session_id);
        guess.count(self.pool(), now).await?;
        let credential = self.credentials().of(bearer.account_id).await?;
        let hash = credential.map(|credential| credential.password_hash);
        let verdict = self.passwords().verify(place, password, hash).await?;
        if verdict == Verdict::Wrong {
            return Err(Problem::invalid_at("/current_password", "is wrong"));
        }
        guess.was_right(self.pool()).await
    }
}

/// What people do with how they come in; it belongs to no business.
pub(super) fn in_person(account_id: AccountId, now: DateTime<Utc>) -> CommandContext {
    let actor = Actor::Account(account_id);
    CommandContext::new(TenantId::PLATFORM, actor, Uuid::now_v7(), now)
}

fn new_password_of(app: &App, profile: &Profile, password: &Secret) -> Result<NewPassword> {
    let email = profile.email().value().map(ToString::to_string);
    let name = profile.name().value().map(ToString::to_string);
    let known: Vec<&str> = [&email, &name]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let length = app
        .account_rules()
        .password_length(profile.has_second_factor());
    NewPassword::parse(password, &known, length)
        .map_err(|fault| Problem::invalid_at("/new_password", fault))
}

/// The same for a token that was used, is too old, or never was.
fn not_good() -> Problem {
    Problem::invalid_at("/token", "is not good, or not any more")
}
