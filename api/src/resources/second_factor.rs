//! A code of an authenticator app beside the password.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_domain::AccountId;
use soko_domain::account::{Account, AccountCommand};

use super::auth::wrong;
use super::passwords::in_person;
use crate::app::App;
use crate::body::Body;
use crate::caller::{Caller, Place};
use crate::executing::unless_refused;
use crate::found::{Found, NoContent};
use crate::messages::Notice;
use crate::problem::{Code, Problem, Result};
use crate::schema::{answer, body};
use crate::second_factor::Shown;
use crate::secret::Secret;
use crate::sessions::EndReason;
use crate::tokens;

body! {
    pub(crate) struct AddSecondFactor {
        pub current_password: Secret,
    }

    pub(crate) struct ConfirmSecondFactor {
        /// Six digits, as the app shows them.
        pub code: Secret,
    }

    pub(crate) struct RemoveSecondFactor {
        pub current_password: Secret,
        /// Of the app, or a recovery code.
        pub code: Secret,
    }

    pub(crate) struct ShowSecondFactor {
        /// Of the app, or a recovery code.
        pub code: Secret,
    }
}

answer! {
    pub(crate) struct SecondFactorOffer {
        /// In base32, for who types it into the app.
        pub secret: String,
        /// `otpauth://…`, for a QR code.
        pub uri: String,
    }

    pub(crate) struct RecoveryCodes {
        /// For when the app is lost; each is good once, and none is ever shown again.
        pub recovery_codes: Vec<String>,
    }

    pub(crate) struct SteppedUp {
        /// A JWT that says when the second factor was shown.
        pub access_token: String,
        /// Always `Bearer`.
        pub token_type: String,
        /// Seconds.
        pub expires_in: u64,
    }
}

/// Offers a secret for an app; nothing changes before a code of it comes back.
pub(crate) async fn add(
    app: Data<App>,
    caller: Caller,
    add: Body<AddSecondFactor>,
) -> Result<Found<SecondFactorOffer>> {
    let bearer = caller.bearer()?;
    app.check_own_password(bearer, add.0.current_password, caller.now())
        .await?;
    let account = app.engine().read::<Account>(bearer.account_id).await?;
    let email = account.state.profile()?.email().value().ok_or_else(wrong)?;
    let offer = app
        .second_factors()
        .offer(bearer.account_id, email, caller.now())
        .await?;
    Ok(Found::new(SecondFactorOffer {
        secret: offer.secret.expose().to_owned(),
        uri: offer.uri.expose().to_owned(),
    }))
}

/// From here on a code is asked for. Ends all other sessions, which never showed one.
pub(crate) async fn confirm(
    app: Data<App>,
    caller: Caller,
    confirm: Body<ConfirmSecondFactor>,
) -> Result<Found<RecoveryCodes>> {
    let bearer = caller.bearer()?;
    let (account_id, now, code) = (bearer.account_id, caller.now(), confirm.0.code);
    let guess = app.login_throttle().at_second_factor(account_id);
    guess.count(app.pool(), now).await?;
    let factors = app.second_factors();
    if !factors.is_of_offer(account_id, &code, now).await? {
        return Err(Problem::invalid_at("/code", "is wrong"));
    }
    guess.was_right(app.pool()).await?;
    // On record first: what was begun and cut off can then be done again.
    record(&app, account_id, AccountCommand::AddSecondFactor, now).await?;
    let codes = factors.confirm(account_id, &code, now).await?;
    app.sessions().second_factor_shown(bearer, now).await?;
    app.sessions()
        .end_others(bearer, EndReason::SecondFactorChanged, now)
        .await?;
    app.messages()
        .post(&Notice::SecondFactorAdded { account_id }, now)
        .await?;
    Ok(Found::new(recovery_codes(&codes)))
}

/// Ends all other sessions.
pub(crate) async fn remove(
    app: Data<App>,
    caller: Caller,
    remove: Body<RemoveSecondFactor>,
) -> Result<NoContent> {
    let bearer = caller.bearer()?;
    let (account_id, now) = (bearer.account_id, caller.now());
    let RemoveSecondFactor {
        current_password,
        code,
    } = remove.0;
    app.check_own_password(bearer, current_password, now)
        .await?;
    app.show_second_factor(account_id, &code, now).await?;
    record(&app, account_id, AccountCommand::RemoveSecondFactor, now).await?;
    app.second_factors().remove(account_id).await?;
    app.sessions()
        .end_others(bearer, EndReason::SecondFactorChanged, now)
        .await?;
    app.messages()
        .post(&Notice::SecondFactorRemoved { account_id }, now)
        .await?;
    Ok(NoContent)
}

/// Other recovery codes; those before are good no more.
pub(crate) async fn replace_recovery_codes(
    app: Data<App>,
    caller: Caller,
    show: Body<ShowSecondFactor>,
) -> Result<Found<RecoveryCodes>> {
    let account_id = caller.bearer()?.account_id;
    app.show_second_factor(account_id, &show.0.code, caller.now())
        .await?;
    let codes = app.second_factors().replace_recovery_codes(account_id);
    Ok(Found::new(recovery_codes(&codes.await?)))
}

/// Shows the second factor once more, for what asks for a fresh one.
pub(crate) async fn step_up(
    app: Data<App>,
    caller: Caller,
    show: Body<ShowSecondFactor>,
) -> Result<Found<SteppedUp>> {
    let bearer = caller.bearer()?;
    let now = caller.now();
    caller.permit(Place::own()).await?;
    app.show_second_factor(bearer.account_id, &show.0.code, now)
        .await?;
    let bearer = app.sessions().second_factor_shown(bearer, now).await?;
    Ok(Found::new(SteppedUp {
        access_token: app.tokens().sign(bearer, now)?,
        token_type: "Bearer".to_owned(),
        expires_in: tokens::LIFETIME.as_secs(),
    }))
}

impl App {
    /// When a second factor was shown, for who has one.
    ///
    /// # Errors
    /// `second-factor-required` if there is no code, or it is wrong.
    pub(super) async fn second_factor_of(
        &self,
        account_id: AccountId,
        code: Option<&Secret>,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>> {
        if !self.second_factors().is_asked_of(account_id).await? {
            return Ok(None);
        }
        let asked = || Problem::new(Code::SecondFactorRequired);
        let code = code.ok_or_else(asked)?;
        match self.show_second_factor(account_id, code, now).await {
            Ok(()) => Ok(Some(now)),
            Err(problem) if problem.code() == Code::Validation => {
                Err(asked().with_detail("the code is wrong, or was used already"))
            }
            Err(problem) => Err(problem),
        }
    }

    /// Takes in a code of somebody who has shown already who they are.
    ///
    /// # Errors
    /// `validation` if it is wrong, `rate-limited` after several that were, `state-conflict` for who
    /// has no second factor.
    async fn show_second_factor(
        &self,
        account_id: AccountId,
        code: &Secret,
        now: DateTime<Utc>,
    ) -> Result<()> {
        if !self.second_factors().is_asked_of(account_id).await? {
            return Err(
                Problem::new(Code::StateConflict).with_detail("the account has no second factor")
            );
        }
        let guess = self.login_throttle().at_second_factor(account_id);
        guess.count(self.pool(), now).await?;
        let shown = self.second_factors().show(account_id, code, now).await?;
        let Some(shown) = shown else {
            tracing::info!(account.id = %account_id, "a wrong code of a second factor");
            return Err(Problem::invalid_at(
                "/code",
                "is wrong, or was used already",
            ));
        };
        guess.was_right(self.pool()).await?;
        if let Shown::ByRecoveryCode { left } = shown {
            let notice = Notice::RecoveryCodeUsed { account_id, left };
            self.messages().post(&notice, now).await?;
        }
        Ok(())
    }
}

/// What was done in part, and is done again, is on record already.
async fn record(
    app: &App,
    account_id: AccountId,
    command: AccountCommand,
    now: DateTime<Utc>,
) -> Result<()> {
    let context = in_person(account_id, now);
    let engine = app.engine();
    unless_refused(
        engine
            .execute::<Account>(account_id, command, &context)
            .await,
    )
}

fn recovery_codes(codes: &[Secret]) -> RecoveryCodes {
    RecoveryCodes {
        recovery_codes: codes.iter().map(|code| code.expose().to_owned()).collect(),
    }
}
