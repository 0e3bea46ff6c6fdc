//! How people get in: register, log in, stay in, and leave.

use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use soko_commands::handlers::{RegisterAccount, register_account};
use soko_commands::{CommandContext, CommandError, IdempotencyKey};
use soko_domain::account::{Account, AccountError};
use soko_domain::{AccountId, EmailAddress, Personal, PhoneNumber, SubjectId, Text};
use uuid::Uuid;

use crate::app::App;
use crate::body::Body;
use crate::caller::{Caller, Place};
use crate::command::{Command, Key, NoBody};
use crate::found::{Found, NoContent};
use crate::gate::until_next_step;
use crate::messages::Notice;
use crate::passwords::{Length, NewPassword, Verdict};
use crate::problem::{Code, Problem, Result};
use crate::recorded::{New, Recorded};
use crate::schema::{answer, body};
use crate::secret::Secret;
use crate::sessions::{self, Continued, EndReason, Refreshed};
use crate::tokens;

body! {
    pub(crate) struct Register {
        pub email: EmailAddress,
        /// At least 15 characters, 8 where accounts are open, and not one of those that everybody tries
        /// first.
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
        /// Of the authenticator app, or a recovery code: where the account has a second factor.
        pub code: Option<Secret>,
    }

    pub(crate) struct Refresh {
        pub refresh_token: Secret,
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
    let started = Instant::now();
    let known = [command.body.email.as_str(), command.body.name.as_str()];
    let rules = app.account_rules();
    let password = NewPassword::parse(&command.body.password, &known, rules.password_length(false))
        .map_err(|fault| Problem::invalid_at("/password", fault))?;
    let mut context = caller.permit(Place::own()).await?.context(&command);
    context.idempotency = context.idempotency.map(|key| IdempotencyKey {
        digest: digest_without_password(&command.body),
        ..key
    });
    if rules.is_strict() {
        if context.dry_run {
            return Err(Problem::invalid_parameter(
                "dry_run",
                "would tell whose e-mail is known",
            ));
        }
        // An answer that is given again would be one to who was registered.
        context.idempotency = None;
    }
    let account_id = AccountId::from_uuid(Uuid::now_v7());
    let subject = SubjectId::from(account_id);
    let Register {
        email, name, phone, ..
    } = command.body;
    let request = RegisterAccount {
        account_id,
        name: Personal::new(subject, name),
        email: Personal::new(subject, email.clone()),
        phone: phone.map(|phone| Personal::new(subject, phone)),
        platform_roles: vec![],
    };
    let hash = app.passwords().hash(password).await?;
    let registered = app.register(request, &hash, &context).await;
    if !rules.is_strict() {
        let registered = registered?;
        if !context.dry_run {
            app.write_to(
                Notice::VerifyEmail {
                    email: email.clone(),
                },
                &email,
                context.now,
            )
            .await?;
        }
        return Ok(registered);
    }
    let (notice, account_id) = match registered {
        Ok(registered) => {
            let email = email.clone();
            (Notice::VerifyEmail { email }, registered.body().account_id)
        }
        // Nobody learns here that somebody has an account; its owner is told. The id is nobody's.
        Err(problem) if problem.code() == Code::AlreadyExists => {
            let email = email.clone();
            (Notice::AlreadyRegistered { email }, account_id)
        }
        Err(problem) => return Err(problem),
    };
    app.write_to(notice, &email, context.now).await?;
    until_next_step(started).await;
    // Where in the log it stands would tell whether it stands there.
    Ok(Recorded::without_position(Registered { account_id }))
}

impl App {
    /// Unless that mailbox was written to too often; nobody is told whether it was.
    async fn write_to(
        &self,
        notice: Notice,
        email: &EmailAddress,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let attempt = self.login_throttle().at_mailbox(email);
        match attempt.count(self.pool(), now).await {
            Ok(()) => self.messages().post(&notice, now).await,
            Err(problem) if problem.code() == Code::RateLimited => Ok(()),
            Err(problem) => Err(problem),
        }
    }

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
        code,
    } = login.0;
    let started = Instant::now();
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
        until_next_step(started).await;
        return Err(wrong());
    };
    let account_id = credential.account_id;
    let account = app.engine().read::<Account>(account_id).await?;
    let profile = account.state.profile().map_err(|_| wrong())?;
    if app.account_rules().is_strict() && !profile.email_is_verified() {
        // In all as who registered with an e-mail that has an account already: the guess counts as a
        // wrong one, too.
        until_next_step(started).await;
        return Err(wrong());
    }
    guess.was_right(app.pool()).await?;
    let second_factor_at = app.second_factor_of(account_id, code.as_ref(), now).await?;
    if verdict == Verdict::RightButOld
        && let Ok(same) = NewPassword::parse(&password, &[], Length::WithSecondFactor)
    {
        let hash = app.passwords().hash(same).await?;
        app.credentials().set(account_id, &hash, now).await?;
    }
    let user_agent = request
        .headers()
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let session = app
        .sessions()
        .start(account_id, user_agent, second_factor_at, now)
        .await?;
    if device.is_none() && profile.email_is_verified() {
        app.messages()
            .post(&Notice::NewDevice { account_id }, now)
            .await?;
    }
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
    let refreshed = app
        .sessions()
        .refresh(&refresh.refresh_token, key.0.as_deref(), caller.now())
        .await?;
    match refreshed {
        Refreshed::Continued(session) => logged_in(&app, &caller, &session).map(Found::new),
        Refreshed::Stolen(account_id) => {
            let notice = Notice::TokenReused { account_id };
            app.messages().post(&notice, caller.now()).await?;
            Err(sessions::refused())
        }
    }
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

fn logged_in(app: &App, caller: &Caller, session: &Continued) -> Result<LoggedIn> {
    Ok(LoggedIn {
        access_token: app.tokens().sign(session.bearer, caller.now())?,
        token_type: "Bearer".to_owned(),
        expires_in: tokens::LIFETIME.as_secs(),
        refresh_token: session.refresh_token.expose().to_owned(),
        device_token: None,
    })
}

/// The same for an e-mail that nobody has, and for one that is not verified where it has to be.
pub(super) fn wrong() -> Problem {
    Problem::new(Code::Unauthenticated).with_detail(
        "the e-mail or the password is wrong, or the e-mail is not verified where it has to be",
    )
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let code = match &error {
            AccountError::NotRegistered | AccountError::Erased | AccountError::NoSuchAddress => {
                Code::NotFound
            }
            AccountError::AlreadyRegistered => Code::AlreadyExists,
            AccountError::HoldsPlatformRole { .. }
            | AccountError::OtherPhone
            | AccountError::TooManyAddresses
            | AccountError::HasSecondFactor
            | AccountError::NoSecondFactor => Code::StateConflict,
        };
        Self::new(code).with_detail(error)
    }
}
