//! Sends what is due, and again later what could not be sent.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{self, StreamExt};
use metrics::counter;
use soko_commands::Engine;
use soko_domain::account::Profile;
use soko_domain::{Account, AccountId, EmailAddress, Personal};
use soko_gateways::messages::{Mail, Mailer, ProviderError, SendError, TextMessage, TextMessenger};
use sqlx::Row;
use uuid::Uuid;

use super::letters::Letters;
use super::{Messages, Notice, PURPOSE};
use crate::config::Config;
use crate::credentials::Credentials;
use crate::problem::Problem;
use crate::proofs::{Proofs, Purpose};

/// Messages that are taken at once, and sent side by side.
const BATCH: i64 = 32;
const AT_ONCE: usize = 8;

/// How long a message is left to whoever took it; longer than providers may take to answer.
const LEASE: TimeDelta = TimeDelta::seconds(90);

/// How often it is looked for what others posted, or could not send.
const POLL: Duration = Duration::from_secs(1);

/// The pause after the first failed try; it doubles each time.
const RETRY_MIN: TimeDelta = TimeDelta::seconds(2);
const RETRY_MAX: TimeDelta = TimeDelta::minutes(5);

/// Who carries messages to people.
pub(crate) struct Carriers {
    mailer: Box<dyn Mailer>,
    messenger: Box<dyn TextMessenger>,
}

impl Carriers {
    /// # Errors
    /// A provider cannot be set up.
    pub(crate) fn new(config: &Config) -> Result<Self, ProviderError> {
        let outbox = config.data_dir.join("outbox");
        for (is_outbox, setting) in [
            (config.mail.is_outbox(), "SOKO_MAIL"),
            (config.sms.is_outbox(), "SOKO_SMS"),
        ] {
            if is_outbox && config.account_rules().is_strict() {
                let folder = outbox.display();
                tracing::warn!(%folder, "{setting} is not set: messages lie in a folder, and reach nobody");
            }
        }
        Ok(Self {
            mailer: config.mail.mailer(&outbox, config.mail_from.clone())?,
            messenger: config.sms.messenger(&outbox, config.mail_from.clone())?,
        })
    }
}

/// The courier of this process; there may be others, and each message has one.
pub(crate) struct Courier<'a> {
    messages: &'a Messages,
    engine: &'a Engine,
    credentials: &'a Credentials,
    proofs: &'a Proofs,
    carriers: &'a Carriers,
    letters: Letters,
}

/// A message that this courier has taken.
struct Taken {
    message_id: Uuid,
    attempts: i32,
    notice: Notice,
}

/// Why nobody was told.
enum Failure {
    /// What there is to say has become nothing: it is said already, or there is nobody to tell.
    Moot,
    Send(SendError),
    Ours(Problem),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Ours(problem)
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

/// What a notice has become.
enum Ready {
    Mail(Mail),
    Text(TextMessage),
}

impl<'a> Courier<'a> {
    pub(crate) fn new(
        messages: &'a Messages,
        engine: &'a Engine,
        credentials: &'a Credentials,
        proofs: &'a Proofs,
        carriers: &'a Carriers,
        config: &Config,
    ) -> Self {
        Self {
            messages,
            engine,
            credentials,
            proofs,
            carriers,
            letters: Letters::new(config),
        }
    }

    /// Never ends.
    pub(crate) async fn run(&self) {
        loop {
            match self.deliver_due(Utc::now()).await {
                Ok(0) => {
                    let news = self.messages.news.notified();
                    let _ = tokio::time::timeout(POLL, news).await;
                }
                Ok(_) => (),
                Err(error) => {
                    tracing::warn!(%error, "messages cannot be read");
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    /// How many were due.
    async fn deliver_due(&self, now: DateTime<Utc>) -> Result<usize, sqlx::Error> {
        let taken = self.take(now).await?;
        let count = taken.len();
        stream::iter(taken)
            .for_each_concurrent(AT_ONCE, |message| self.deliver(message))
            .await;
        Ok(count)
    }

    async fn take(&self, now: DateTime<Utc>) -> Result<Vec<Taken>, sqlx::Error> {
        let messages = self.messages;
        sqlx::query("DELETE FROM messages WHERE due_at <= $1 AND expires_at <= $1")
            .bind(now)
            .execute(&messages.pool)
            .await?;
        let rows = sqlx::query(
            "UPDATE messages SET due_at = $2, attempts = attempts + 1 WHERE message_id IN \
             (SELECT message_id FROM messages WHERE due_at <= $1 ORDER BY due_at LIMIT $3 \
              FOR UPDATE SKIP LOCKED) RETURNING message_id, attempts, sealed",
        )
        .bind(now)
        .bind(now + LEASE)
        .bind(BATCH)
        .fetch_all(&messages.pool)
        .await?;
        let mut taken = Vec::with_capacity(rows.len());
        for row in rows {
            let (message_id, attempts): (Uuid, i32) = (row.try_get(0)?, row.try_get(1)?);
            let Some(notice) = self.read(message_id, row.try_get(2)?) else {
                // It expires where it lies.
                tracing::error!(message.id = %message_id, "a message cannot be opened");
                continue;
            };
            taken.push(Taken {
                message_id,
                attempts,
                notice,
            });
        }
        Ok(taken)
    }

    fn read(&self, message_id: Uuid, sealed: &[u8]) -> Option<Notice> {
        let masters = &self.messages.masters;
        let text = masters.open(PURPOSE, message_id.as_bytes(), sealed).ok()?;
        serde_json::from_slice(&text).ok()
    }

    async fn deliver(&self, message: Taken) {
        let Taken {
            message_id,
            attempts,
            notice,
        } = message;
        let kind = notice.kind();
        let now = Utc::now();
        let (outcome, again_at) = match self.send(notice, now).await {
            Ok(()) => ("sent", None),
            Err(Failure::Moot) => ("moot", None),
            Err(Failure::Send(error @ SendError::Refused(_))) => {
                tracing::warn!(message.id = %message_id, kind, %error, "a message is not sent");
                ("refused", None)
            }
            // Twice is better than never: none of them is worth more than the first time.
            Err(Failure::Send(error @ (SendError::NotSent(_) | SendError::Unknown(_)))) => {
                tracing::warn!(message.id = %message_id, kind, attempts, %error, "a message has to wait");
                ("failed", Some(now + retry_after(attempts)))
            }
            Err(Failure::Ours(problem)) => {
                tracing::warn!(message.id = %message_id, kind, attempts, %problem, "a message has to wait");
                ("failed", Some(now + retry_after(attempts)))
            }
        };
        counter!("soko_messages_total", "kind" => kind, "outcome" => outcome).increment(1);
        // If this fails, the lease ends, and it is sent once more.
        let noted = match again_at {
            None => {
                sqlx::query("DELETE FROM messages WHERE message_id = $1")
                    .bind(message_id)
                    .execute(&self.messages.pool)
                    .await
            }
            Some(again_at) => {
                sqlx::query("UPDATE messages SET due_at = $2 WHERE message_id = $1")
                    .bind(message_id)
                    .bind(again_at)
                    .execute(&self.messages.pool)
                    .await
            }
        };
        if let Err(error) = noted {
            tracing::warn!(message.id = %message_id, %error, "what became of a message is not noted");
        }
    }

    async fn send(&self, notice: Notice, now: DateTime<Utc>) -> Result<(), Failure> {
        match self.ready(notice, now).await? {
            Ready::Mail(mail) => self.carriers.mailer.send(&mail).await?,
            Ready::Text(message) => self.carriers.messenger.send(&message).await?,
        }
        Ok(())
    }

    async fn ready(&self, notice: Notice, now: DateTime<Utc>) -> Result<Ready, Failure> {
        let letters = &self.letters;
        let mail = match notice {
            Notice::VerifyEmail { email } => {
                let (account_id, profile, email) = self.who_has(&email).await?;
                if profile.email_is_verified() {
                    return Err(Failure::Moot);
                }
                let token = self.proofs.token(Purpose::VerifyEmail, account_id, now);
                letters.verify_email(email, &token.await?)
            }
            Notice::AlreadyRegistered { email } => {
                letters.already_registered(self.who_has(&email).await?.2)
            }
            Notice::ResetPassword { email } => {
                let (account_id, _, email) = self.who_has(&email).await?;
                let token = self.proofs.token(Purpose::ResetPassword, account_id, now);
                letters.reset_password(email, &token.await?)
            }
            Notice::VerifyPhone { account_id } => {
                let profile = self.profile(account_id).await?;
                let phone = profile.phone().and_then(Personal::value);
                let phone = phone.ok_or(Failure::Moot)?.clone();
                if profile.phone_is_verified() {
                    return Err(Failure::Moot);
                }
                let code = self.proofs.code(account_id, &phone, now).await?;
                return Ok(Ready::Text(letters.verify_phone(phone, &code)));
            }
            Notice::PasswordChanged { account_id } => {
                letters.password_changed(self.email(account_id).await?)
            }
            Notice::PayoutAccountSet { account_id } => {
                letters.payout_account_set(self.email(account_id).await?)
            }
            Notice::SecondFactorAdded { account_id } => {
                letters.second_factor_added(self.email(account_id).await?)
            }
            Notice::SecondFactorRemoved { account_id } => {
                letters.second_factor_removed(self.email(account_id).await?)
            }
            Notice::RecoveryCodeUsed { account_id, left } => {
                letters.recovery_code_used(self.email(account_id).await?, left)
            }
            Notice::TokenReused { account_id } => {
                letters.token_reused(self.email(account_id).await?)
            }
            Notice::NewDevice { account_id } => letters.new_device(self.email(account_id).await?),
        };
        Ok(Ready::Mail(mail))
    }

    /// And the e-mail as its owner wrote it: to what a stranger typed nothing is sent, for a mailbox
    /// may tell cases apart that we do not.
    async fn who_has(
        &self,
        typed: &EmailAddress,
    ) -> Result<(AccountId, Box<Profile>, EmailAddress), Failure> {
        let credential = self.credentials.of_email(typed).await?;
        let account_id = credential.ok_or(Failure::Moot)?.account_id;
        let profile = self.profile(account_id).await?;
        let email = email_of(&profile)?;
        Ok((account_id, profile, email))
    }

    async fn email(&self, account_id: AccountId) -> Result<EmailAddress, Failure> {
        email_of(&*self.profile(account_id).await?)
    }

    async fn profile(&self, account_id: AccountId) -> Result<Box<Profile>, Failure> {
        let account = self.engine.read::<Account>(account_id).await;
        let account = account.map_err(Problem::from)?;
        let profile = account.state.profile().map_err(|_| Failure::Moot)?;
        Ok(Box::new(profile.clone()))
    }
}

fn email_of(profile: &Profile) -> Result<EmailAddress, Failure> {
    profile.email().value().cloned().ok_or(Failure::Moot)
}

fn retry_after(attempts: i32) -> TimeDelta {
    let doublings = attempts.saturating_sub(1).clamp(0, 16);
    (RETRY_MIN * (1 << doublings)).min(RETRY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        let seconds = |attempts| retry_after(attempts).num_seconds();
        assert_eq!([1, 2, 3, 4].map(seconds), [2, 4, 8, 16]);
        assert_eq!(seconds(i32::MAX), 300);
    }
}
