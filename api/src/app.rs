//! All the wiring, shared by the program and the tests.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use soko_commands::handlers::{RegisterAccount, email_claim};
use soko_commands::{CommandContext, Engine, EngineOptions};
use soko_domain::account::{AccountCommand, PlatformRole};
use soko_domain::{
    Account, AccountId, EmailAddress, Personal, SubjectId, TenantId, Text, TextError,
};
use soko_event_log::{
    Actor, AppendError, Appender, AppenderOptions, Bus, ClaimKind, Claims, Position, ScopedReader,
    Vault,
};
use soko_gateways::messages::ProviderError;
use soko_projections::read_models::categories::Categories;
use soko_projections::read_models::products::Products;
use soko_projections::read_models::stock_levels::StockLevels;
use soko_projections::{Freshness, ReadModel};
use sqlx::PgPool;
use tokio::sync::watch;
use uuid::Uuid;

use crate::account_rules::AccountRules;
use crate::api_keys::ApiKeys;
use crate::caller::Standings;
use crate::config::Config;
use crate::credentials::Credentials;
use crate::database::Database;
use crate::executing::unless_refused;
use crate::gate::RateLimits;
use crate::kept_answers::KeptAnswers;
use crate::login_throttle::{self, LoginThrottle};
use crate::master_keys::{self, MasterKeysError};
use crate::messages::{Carriers, Courier, Messages};
use crate::passwords::{NewPassword, PasswordError, Passwords};
use crate::payment_parts::{PaymentParts, PaymentPartsError};
use crate::problem::Problem;
use crate::proofs::Proofs;
use crate::radar::Radar;
use crate::readiness::SoundBooks;
use crate::retention;
use crate::second_factor::SecondFactors;
use crate::secret::Secret;
use crate::sessions::Sessions;
use crate::signing_keys::{self, SigningKeysError};
use crate::telemetry::Metrics;
use crate::tokens::Tokens;
use crate::web_origins::WebOrigins;

/// What handlers work with.
pub struct App {
    config: Config,
    pool: PgPool,
    reader: ScopedReader,
    metrics: Metrics,
    rate_limits: Option<Arc<RateLimits>>,
    appender: Appender,
    engine: Engine,
    freshness: Freshness,
    bus: Option<Bus>,
    standings: Standings,
    tokens: Tokens,
    sessions: Sessions,
    credentials: Credentials,
    vault: Vault,
    api_keys: ApiKeys,
    passwords: Passwords,
    proofs: Proofs,
    second_factors: SecondFactors,
    messages: Messages,
    carriers: Carriers,
    login_throttle: LoginThrottle,
    payments: PaymentParts,
    shelves: KeptAnswers,
    web_origins: Arc<WebOrigins>,
    sound_books: SoundBooks,
    radar: Radar,
}

/// Why the parts could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("the database cannot be reached")]
    Database(#[from] sqlx::Error),
    #[error("the log cannot be appended to")]
    Appender(#[from] AppendError),
    #[error("personal data cannot be protected")]
    MasterKeys(#[from] MasterKeysError),
    #[error(transparent)]
    Payments(#[from] PaymentPartsError),
    #[error("nobody can send messages: SOKO_MAIL or SOKO_SMS cannot be used")]
    Carriers(#[from] ProviderError),
    #[error("there is no key to sign access tokens with")]
    SigningKeys(#[from] SigningKeysError),
    #[error("SOKO_ADMIN_PASSWORD {0}")]
    AdminPassword(#[from] PasswordError),
    #[error("the first platform admin cannot be called that")]
    AdminName(#[from] TextError),
    #[error("the first platform admin could not be registered")]
    Admin(#[from] Problem),
}

impl App {
    /// `freshness` is that of the workers, where they are in the same process; `bus` is there to
    /// tell whether it is.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn build(
        config: Config,
        database: &Database,
        freshness: Freshness,
        bus: Option<Bus>,
    ) -> Result<Arc<Self>, AppError> {
        let metrics = Metrics::installed();
        let pool = database.query_pool(&config);
        let appender =
            Appender::start(database.part("appender"), AppenderOptions::default()).await?;
        let vault = master_keys::vault(&config, &pool).await?;
        let options = EngineOptions::default();
        let engine = Engine::new(appender.clone(), pool.clone(), vault.clone(), options);
        let payments = PaymentParts::new(&config, engine.clone(), pool.clone(), &vault)?;
        let keys = signing_keys::ring(&config, &pool, vault.masters(), Utc::now()).await?;
        let reader = database.reader(&config);
        let web_origins = WebOrigins::new(config.cors_origins.clone(), reader.clone());
        // The pages of stores may call from the first request on.
        web_origins.learn_changed().await?;
        let app = Self {
            metrics,
            rate_limits: RateLimits::new(&config).map(Arc::new),
            standings: Standings::new(engine.clone()),
            tokens: Tokens::new(config.issuer(), keys),
            sessions: Sessions::new(pool.clone()),
            credentials: Credentials::new(pool.clone()),
            proofs: Proofs::new(pool.clone()),
            second_factors: second_factors(&config, &pool, &vault),
            messages: Messages::new(pool.clone(), vault.masters().clone()),
            carriers: Carriers::new(&config)?,
            vault,
            api_keys: ApiKeys::new(pool.clone()),
            passwords: Passwords::default(),
            login_throttle: LoginThrottle::new(&pool).await?,
            payments,
            shelves: KeptAnswers::of_models(&[Products::NAME, StockLevels::NAME, Categories::NAME]),
            appender,
            engine,
            freshness,
            bus,
            radar: Radar::new(database.part("radar"), pool.clone(), reader.clone()),
            reader,
            web_origins: Arc::new(web_origins),
            sound_books: SoundBooks::default(),
            pool,
            config,
        };
        app.register_first_admin().await?;
        Ok(Arc::new(app))
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// For what belongs to no tenant: credentials, sessions, keys, how far read models are.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// For all that is answered out of tables that tenants share.
    pub fn reader(&self) -> &ScopedReader {
        &self.reader
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub fn freshness(&self) -> &Freshness {
        &self.freshness
    }

    pub fn standings(&self) -> &Standings {
        &self.standings
    }

    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// What opens personal data.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    pub fn api_keys(&self) -> &ApiKeys {
        &self.api_keys
    }

    /// What is asked of accounts.
    pub(crate) fn account_rules(&self) -> AccountRules {
        self.config.account_rules()
    }

    pub(crate) fn proofs(&self) -> &Proofs {
        &self.proofs
    }

    pub(crate) fn second_factors(&self) -> &SecondFactors {
        &self.second_factors
    }

    /// What is to be told to people.
    pub(crate) fn messages(&self) -> &Messages {
        &self.messages
    }

    /// Whoever asks payment providers, and hears what they tell.
    pub fn payments(&self) -> &PaymentParts {
        &self.payments
    }

    /// The pages of the catalog that were asked for lately.
    pub fn shelves(&self) -> &KeptAnswers {
        &self.shelves
    }

    pub fn web_origins(&self) -> Arc<WebOrigins> {
        Arc::clone(&self.web_origins)
    }

    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    pub(crate) fn login_throttle(&self) -> &LoginThrottle {
        &self.login_throttle
    }

    /// Where it is used.
    pub(crate) fn bus(&self) -> Option<&Bus> {
        self.bus.as_ref()
    }

    pub(crate) fn sound_books(&self) -> &SoundBooks {
        &self.sound_books
    }

    pub(crate) fn rate_limits(&self) -> Option<Arc<RateLimits>> {
        self.rate_limits.clone()
    }

    /// The last position that this process appended, as it goes.
    pub fn head(&self) -> watch::Receiver<Position> {
        self.appender.head()
    }

    /// Appends what was taken, and takes nothing more.
    pub async fn close(&self) {
        self.appender.close().await;
    }

    /// Looks at what others may have changed, sends what is to be sent, and tidies what grows; never
    /// ends.
    pub async fn upkeep(&self) {
        let courier = Courier::new(
            &self.messages,
            &self.engine,
            &self.credentials,
            &self.proofs,
            &self.carriers,
            &self.config,
        );
        // Apart: what may take long must not keep a log-out from counting.
        tokio::join!(
            self.keep_watch(),
            self.tidy(),
            courier.run(),
            self.radar.run()
        );
    }

    async fn keep_watch(&self) {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for seconds in 0_u64.. {
            second.tick().await;
            // What fails here is tried again soon, and the next request says that it failed.
            let _ = tokio::join!(
                self.sessions.learn_ended(Utc::now()),
                self.web_origins.learn_changed()
            );
            if seconds % Metrics::UPKEEP_INTERVAL.as_secs() == 0 {
                self.metrics.upkeep();
                if let Some(limits) = &self.rate_limits {
                    limits.forget_idle();
                }
            }
            if seconds % KEYS_INTERVAL_SECONDS == KEYS_INTERVAL_SECONDS - 1 {
                let masters = self.vault.masters();
                match signing_keys::ring(&self.config, &self.pool, masters, Utc::now()).await {
                    Ok(keys) => self.tokens.replace_keys(keys),
                    Err(error) => tracing::warn!(%error, "the signing keys could not be read"),
                }
            }
        }
    }

    async fn tidy(&self) {
        master_keys::rotate(&self.vault, &self.pool).await;
        loop {
            tokio::time::sleep(TIDY_INTERVAL).await;
            let _ = self.sessions.forget_expired(Utc::now()).await;
            let _ = self.api_keys.forget_old(Utc::now()).await;
            let _ = self.proofs.forget_expired(Utc::now()).await;
            let _ = self
                .second_factors
                .forget_offers(Utc::now() - OFFERS_KEPT_FOR)
                .await;
            let _ = login_throttle::forget_old(&self.pool, Utc::now()).await;
            if let Err(problem) = retention::forget(self, Utc::now()).await {
                tracing::warn!(%problem, "people whom nobody has to know are not forgotten yet");
            }
        }
    }

    async fn register_first_admin(&self) -> Result<(), AppError> {
        let (Some(email), Some(password)) = (&self.config.admin_email, &self.config.admin_password)
        else {
            return Ok(());
        };
        let claims = Claims::new(self.pool.clone());
        if claims
            .find(ClaimKind::Email, &email_claim(email))
            .await?
            .is_some()
        {
            return Ok(());
        }
        self.register_admin(email, password).await
    }

    async fn register_admin(
        &self,
        email: &EmailAddress,
        password: &Secret,
    ) -> Result<(), AppError> {
        let account_id = AccountId::from_uuid(Uuid::now_v7());
        let subject = SubjectId::from(account_id);
        let name: Text<120> = "Platform admin".to_owned().try_into()?;
        let length = self.account_rules().password_length(false);
        let password = NewPassword::parse(password, &[email.as_str()], length)?;
        let hash = self.passwords.hash(password).await?;
        let request = RegisterAccount {
            account_id,
            name: Personal::new(subject, name),
            email: Personal::new(subject, email.clone()),
            phone: None,
            platform_roles: vec![PlatformRole::Admin],
        };
        let actor = Actor::System("setup".to_owned());
        let context = CommandContext::new(TenantId::PLATFORM, actor, Uuid::now_v7(), Utc::now());
        match self.register(request, &hash, &context).await {
            Ok(_) => {
                // Whoever may set it owns the whole service.
                let verify = AccountCommand::VerifyEmail;
                let verified = self.engine.execute::<Account>(account_id, verify, &context);
                unless_refused(verified.await)?;
                tracing::info!(account.id = %account_id, "the first platform admin is registered");
                Ok(())
            }
            // Another node was faster.
            Err(problem) if problem.code() == crate::problem::Code::AlreadyExists => Ok(()),
            Err(problem) => Err(problem.into()),
        }
    }
}

fn second_factors(config: &Config, pool: &PgPool, vault: &Vault) -> SecondFactors {
    let service_name = config.service_name.as_str().to_owned();
    SecondFactors::new(pool.clone(), vault.masters().clone(), service_name)
}

/// A new key has an hour until it signs; this leaves many looks.
const KEYS_INTERVAL_SECONDS: u64 = 300;

/// Who was shown a secret for an app, and never came back with a code of it.
const OFFERS_KEPT_FOR: chrono::Duration = chrono::Duration::days(1);

const TIDY_INTERVAL: Duration = Duration::from_secs(3600);
