//! A demo market, made by the same handlers that serve: people, stores, vendors, goods and a brisk
//! trade. Its contents are always the same.
//!
//! Each step has an idempotency key and ids made of its name, so a run that was cut off is finished
//! by the next one.

mod goods;
mod market;
mod offers;
mod payments;
mod promotions;
mod trade;

use std::collections::BTreeMap;
use std::error::Error;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use soko_commands::handlers::{RegisterAccount, register_account};
use soko_commands::{CommandContext, CommandError, Committed, Engine, IdempotencyKey};
use soko_domain::account::AccountCommand;
use soko_domain::{Account, AccountId, Personal, SubjectId, TenantId};
use soko_event_log::Actor;
use uuid::Uuid;

use crate::app::App;
use crate::passwords::{Length, NewPassword};

/// Of everybody in the market but the platform's admin.
pub const PASSWORD: &str = "karibu-sokoni";

/// Under which the keys of the steps are kept.
const SCOPE: &str = "seed";

/// What is done last: where it stands, everything stands.
const LAST_STEP: &str = "market-is-open";

/// Steps that are on their way at once.
const AT_ONCE: usize = 16;

/// Names within which ids are made of names.
const IDS: Uuid = Uuid::from_u128(0x6b61_7269_6275_8000_9000_736f_6b6f_6e69);

/// Why there is no market.
#[derive(Debug, thiserror::Error)]
#[error("the demo market could not be made: {step}")]
pub struct SeedError {
    step: String,
    #[source]
    cause: Box<dyn Error + Send + Sync>,
}

/// Who does a step, and in whose business.
#[derive(Debug, Clone, Copy)]
struct By {
    tenant_id: TenantId,
    account_id: AccountId,
}

struct Seed<'a> {
    app: &'a App,
    now: DateTime<Utc>,
    password_hash: String,
}

/// Makes the market, if it is not there, and tells who can log in.
///
/// # Errors
/// [`SeedError`].
pub async fn run(app: &App) -> Result<String, SeedError> {
    let is_there = app.engine().outcome_of(SCOPE, LAST_STEP).await;
    let is_there = is_there
        .map_err(|cause| failed(LAST_STEP, cause))?
        .is_some();
    let news = if is_there {
        "The demo market is there already.".to_owned()
    } else {
        let password =
            NewPassword::parse(&PASSWORD.to_owned().into(), &[], Length::WithSecondFactor);
        let password = password.map_err(|cause| failed("the password", cause))?;
        let hash = app.passwords().hash(password).await;
        let password_hash = hash.map_err(|cause| failed("the password", cause))?;
        let seed = Seed {
            app,
            now: Utc::now(),
            password_hash,
        };
        let market = market::open(&seed).await?;
        promotions::promote(&seed, &market).await?;
        let orders = trade::trade(&seed, &market).await?;
        market::finish(&seed, &market).await?;
        format!(
            "The demo market is open: {} stores, {} vendors, {} products, {orders} orders.",
            market.stores.len(),
            market.vendors.len(),
            market.products.len(),
        )
    };
    Ok(format!("{news}\n\n{}", log_ins(app)))
}

fn log_ins(app: &App) -> String {
    let config = app.config();
    let admin = config
        .admin_email
        .as_ref()
        .zip(config.admin_password.as_ref());
    let admin =
        admin.map(|(email, password)| ("platform admin", email.as_str(), password.expose()));
    let others = [
        ("tenant owner", market::OWNER, PASSWORD),
        ("store manager", market::MANAGER, PASSWORD),
        ("vendor owner", goods::VENDORS[0].email, PASSWORD),
        ("customer", trade::CUSTOMER, PASSWORD),
    ];
    let line = |(who, email, password)| format!("  {who:<14} {email:<28} {password}");
    let lines: Vec<String> = admin.into_iter().chain(others).map(line).collect();
    format!("Log in as\n{}", lines.join("\n"))
}

impl Seed<'_> {
    fn engine(&self) -> &Engine {
        self.app.engine()
    }

    /// The context of a step that is done once, however often it is asked for.
    fn context(&self, by: By, step: &str) -> CommandContext {
        let actor = Actor::Account(by.account_id);
        let mut context = CommandContext::new(by.tenant_id, actor, Uuid::now_v7(), self.now);
        context.idempotency = Some(IdempotencyKey {
            scope: SCOPE.to_owned(),
            key: step.to_owned(),
            digest: Sha256::digest(step).into(),
        });
        context
    }

    async fn account(&self, name: &str, email: &str) -> Result<AccountId, SeedError> {
        let step = format!("account-{email}");
        let account_id: AccountId = id(&step);
        let subject = SubjectId::from(account_id);
        let kept = self
            .app
            .credentials()
            .set(account_id, &self.password_hash, self.now)
            .await;
        kept.map_err(|cause| failed(&step, cause))?;
        let request = RegisterAccount {
            account_id,
            name: Personal::new(subject, parsed(name)?),
            email: Personal::new(subject, parsed(email)?),
            phone: None,
            platform_roles: vec![],
        };
        let by = By {
            tenant_id: TenantId::PLATFORM,
            account_id,
        };
        let context = self.context(by, &step);
        let registered = register_account(self.engine(), request, &context).await;
        let account_id = done(&step, registered)?;
        // So that they can log in wherever the market is opened.
        let step = format!("account-{email}-verified");
        let context = self.context(by, &step);
        let verify = AccountCommand::VerifyEmail;
        let verified = self
            .engine()
            .execute::<Account>(account_id, verify, &context);
        done(&step, verified.await)?;
        Ok(account_id)
    }
}

/// An id that is always the same for a name.
fn id<I: From<Uuid>>(name: &str) -> I {
    I::from(Uuid::new_v5(&IDS, name.as_bytes()))
}

fn parsed<T: FromStr>(text: &str) -> Result<T, SeedError>
where
    T::Err: Error + Send + Sync + 'static,
{
    text.parse().map_err(|cause| failed(text, cause))
}

fn done<T, R>(step: &str, outcome: Result<Committed<T>, CommandError<R>>) -> Result<T, SeedError>
where
    R: Error + Send + Sync + 'static,
{
    outcome
        .map(|committed| committed.value)
        .map_err(|cause| failed(step, cause))
}

fn failed(step: &str, cause: impl Error + Send + Sync + 'static) -> SeedError {
    SeedError {
        step: step.to_owned(),
        cause: Box::new(cause),
    }
}

/// What the market consists of.
struct Market {
    owner: By,
    stores: Vec<soko_domain::StoreId>,
    vendors: Vec<market::Seller>,
    products: Vec<market::Article>,
    customers: BTreeMap<usize, AccountId>,
}
