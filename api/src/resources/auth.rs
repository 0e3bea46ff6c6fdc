//! How people get in: register, log in, stay in, and leave.

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
use actix_web::web::Data;
use sha2::{Digest, Sha256};
use soko_commands::handlers::{RegisterAccount, register_account};
use soko_commands::{CommandContext, CommandError, IdempotencyKey};
use soko_domain::account::{Account, AccountCommand, AccountError};
use soko_domain::{AccountId, EmailAddress, Personal, PhoneNumber, SubjectId, TenantId, Text};
use soko_event_log::Actor;
use uuid::Uuid;

use crate::app::App;
use crate::body::Body;
use crate::caller::{Caller, Place};
use crate::command::{Command, Key, NoBody};
use crate::found::{Found, NoContent};
use crate::passwords::{NewPassword, Verdict};
use crate::problem::{Code, Problem, Result};
use crate::recorded::{New, Recorded};
use crate::schema::{answer, body};
use crate::secret::Secret;
use crate::sessions::{Continued, EndReason};
use crate::tokens;

body! {
    pub(crate) struct Register {
        pub email: EmailAddress,
        /// At least 8 characters, and not one of those that everybody tries first.
        pub password: Secret,
        pub name: Text<120>,
        pub phone: Option<PhoneNumber>,
    }

    pub(crate) struct Login {
        pub email: String,
        pub password: Secret,
        /// What an earlier log-in on this device answered: with it, nobody else's wrong passwords
        /// keep this device waiting.
        pub device_token: Option<Secret>,
    }

    pub(crate) struct Refresh {
        pub refresh_token: Secret,
    }

    pub(crate) struct ChangePassword {
        pub current_password: Secret,
        pub new_password: Secret,
    }
}

answer! {
    pub(crate) struct Registered {
        pub account_id: AccountId,
    }

    pub(crate) struct LoggedIn {
        /// A JWT, to be sent as `Authorization: Bearer …`.
        pub access_token: String,
        /// Always `Bearer`.
        pub token_type: String,
        /// Seconds.
        pub expires_in: u64,
        /// Good once: the answer to it has the next.
        pub refresh_token: String,
        /// After a log-in: to be kept on this device, and sent with the next one. It opens nothing.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub device_token: Option<String>,
    }
}

pub(crate) async fn register(
    app: Data<App>,
    caller: Caller,
    command: Command<Register>,
) -> Result<New<Registered>> {
    let known = [command.body.email.as_str(), command.body.name.as_str()];
    let password = NewPassword::parse(&command.body.password, &known)
        .map_err(|fault| Problem::invalid_at("/password", fault))?;
    let mut context = caller.permit(Place::own()).await?.context(&command);
    context.idempotency = context.idempotency.map(|key| IdempotencyKey {
        digest: digest_without_password(&command.body),
        ..key
    });
    let account_id = AccountId::from_uuid(Uuid::now_v7());
    let subject = SubjectId::from(account_id);
    let Register {
        email, name, phone, ..
    } = command.body;
    let request = RegisterAccount {
        account_id,
        name: Personal::new(subject, name),
        email: Personal::new(subject, email),
        phone: phone.map(|phone| Personal::new(subject, phone)),
        platform_roles: vec![],
    };
    let hash = app.passwords().hash(password).await?;
    app.register(request, &hash, &context).await
}

impl App {
    /// Keeps the password first: a crash between the two leaves one that nobody can reach, and
    /// never an account that nobody can enter.
    pub(crate) async fn register(
        &self,
        request: RegisterAccount,
        password_hash: &str,
        context: &CommandContext,
    ) -> Result<New<Registered>> {
        let account_id = request.account_id;
        if !context.dry_run {
            self.credentials()
                .set(account_id, password_hash, context.now)
                .await?;
        }
        let registered = register_account(self.engine(), request, context).await;
        let is_in_use = match &registered {
            Ok(committed) => committed.value == account_id,
            // It may have been registered all the same.
            Err(CommandError::Unavailable(_) | CommandError::Defect(_)) => true,
            Err(_) => false,
        };
        if !is_in_use {
            self.credentials().forget(account_id).await?;
        }
        let recorded = Recorded::new(registered?, context.dry_run);
        Ok(recorded.map(|account_id| Registered { account_id }))
    }
}

/// A digest is kept for long and is quickly computed, so it must not tell whether a guess at a
/// password is right.
fn digest_without_password(register: &Register) -> [u8; 32] {
    let phone = register.phone.as_ref().map_or("", PhoneNumber::as_str);
    Sha256::digest(format!("{}\n{}\n{phone}", register.email, register.name)).into()
}

pub(crate) async fn login(
    app: Data<App>,
    caller: Caller,
    login: Body<Login>,
    request: HttpRequest,
) -> Result<Found<LoggedIn>> {
    let Login {
        email,
        password,
        device_token,
    } = login.0;
    // What is no e-mail is nobody's.
    let email: EmailAddress = email.parse().map_err(|_| wrong())?;
    let now = caller.now();
    let place = app.passwords().place()?;
    let throttle = app.login_throttle();
    let device = device_token.and_then(|token| throttle.device(token.expose(), &email));
    let network = caller.client().network();
    let guess = throttle.at_password(&email, &password, network, device.as_ref());
    guess.count(app.pool(), now).await?;
    let credential = app.credentials().of_email(&email).await?;
    let hash = credential
        .as_ref()
        .map(|credential| credential.password_hash.clone());
    let verdict = app
        .passwords()
        .verify(place, password.clone(), hash)
        .await?;
    let (Some(credential), Verdict::Right | Verdict::RightButOld) = (credential, verdict) else {
        tracing::info!("a log-in with a wrong e-mail or password");
        return Err(wrong());
    };
    let account = app.engine().read::<Account>(credential.account_id).await?;
    account.state.profile().map_err(|_| wrong())?;
    guess.was_right(app.pool()).await?;
    if verdict == Verdict::RightButOld
        && let Ok(same) = NewPassword::parse(&password, &[])
    {
        let hash = app.passwords().hash(same).await?;
        app.credentials()
            .set(credential.account_id, &hash, now)
            .await?;
    }
    let user_agent = request
        .headers()
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let session = app
        .sessions()
        .start(credential.account_id, user_agent, now)
        .await?;
    let device = device.unwrap_or_else(|| throttle.new_device(rand::random(), &email));
    let mut answer = logged_in(&app, &caller, &session)?;
    answer.device_token = Some(device.token().expose().to_owned());
    Ok(Found::new(answer))
}

pub(crate) async fn refresh(
    app: Data<App>,
    caller: Caller,
    key: Key,
    refresh: Body<Refresh>,
) -> Result<Found<LoggedIn>> {
    let session = app
        .sessions()
        .refresh(&refresh.refresh_token, key.0.as_deref(), caller.now())
        .await?;
    logged_in(&app, &caller, &session).map(Found::new)
}

/// Ends the session that the access token belongs to.
pub(crate) async fn logout(
    app: Data<App>,
    caller: Caller,
    _nothing: Body<NoBody>,
) -> Result<NoContent> {
    app.sessions()
        .end(caller.bearer()?, EndReason::Logout, caller.now())
        .await?;
    Ok(NoContent)
}

/// Ends all other sessions: whoever else knew the password is out.
pub(crate) async fn change_password(
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
    let name = profile
        .name()
        .value()
        .map(ToString::to_string)
        .unwrap_or_default();
    let new_password = NewPassword::parse(&new_password, &[email.as_str(), &name])
        .map_err(|fault| Problem::invalid_at("/new_password", fault))?;
    let place = app.passwords().place()?;
    let guess = app.login_throttle().at_own_password(bearer.session_id);
    guess.count(app.pool(), caller.now()).await?;
    let credential = app.credentials().of(bearer.account_id).await?;
    let hash = credential.map(|credential| credential.password_hash);
    if app
        .passwords()
        .verify(place, current_password, hash)
        .await?
        == Verdict::Wrong
    {
        return Err(Problem::invalid_at("/current_password", "is wrong"));
    }
    guess.was_right(app.pool()).await?;
    let hash = app.passwords().hash(new_password).await?;
    app.credentials()
        .set(bearer.account_id, &hash, caller.now())
        .await?;
    app.login_throttle().open(&email, app.pool()).await?;
    app.sessions()
        .end_others(bearer, EndReason::PasswordChanged, caller.now())
        .await?;
    let context = CommandContext::new(
        TenantId::PLATFORM,
        Actor::Account(bearer.account_id),
        Uuid::now_v7(),
        caller.now(),
    );
    let command = AccountCommand::ChangePassword;
    let changed = app
        .engine()
        .execute::<Account>(bearer.account_id, command, &context)
        .await?;
    Ok(Recorded::new(changed, false))
}

fn logged_in(app: &App, caller: &Caller, session: &Continued) -> Result<LoggedIn> {
    Ok(LoggedIn {
        access_token: app.tokens().sign(session.bearer, caller.now())?,
        token_type: "Bearer".to_owned(),
        expires_in: tokens::LIFETIME.as_secs(),
        refresh_token: session.refresh_token.expose().to_owned(),
        device_token: None,
    })
}

/// The same for an e-mail that nobody has.
fn wrong() -> Problem {
    Problem::new(Code::Unauthenticated).with_detail("the e-mail or the password is wrong")
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let code = match &error {
            AccountError::NotRegistered | AccountError::Erased => Code::NotFound,
            AccountError::AlreadyRegistered => Code::AlreadyExists,
            AccountError::HoldsPlatformRole { .. } => Code::StateConflict,
        };
        Self::new(code).with_detail(error)
    }
}
