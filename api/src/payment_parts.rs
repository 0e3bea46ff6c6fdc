//! What payments by providers are made of in this process.

use std::time::Duration;

use chrono::TimeDelta;
use soko_commands::payments::{
    CallbackWorker, Cause, Evidence, Looks, PaymentAccounts, Teller, TellerError, Windows,
};
use soko_commands::{Clock, CommandContext, Engine};
use soko_domain::PaymentId;
use soko_event_log::Vault;
use soko_gateways::payments::{Endpoints, Providers};
use sqlx::PgPool;

use crate::config::{BaseUrl, Config, PublicUrl, SecondsList, Switch};

/// As long as who orders waits for a provider; whatever comes later, they ask for.
const STARTED_WITHIN: Duration = Duration::from_secs(10);

/// No HTTP client can be made.
#[derive(Debug, thiserror::Error)]
#[error("payment providers cannot be called")]
pub struct PaymentPartsError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Cheap to clone.
#[derive(Clone)]
pub struct PaymentParts {
    pub teller: Teller,
    pub callbacks: CallbackWorker,
    pub windows: Windows,
    pub looks: Looks,
    /// Whether what M-Pesa tells counts from its own addresses only.
    pub checks_mpesa_addresses: bool,
}

impl PaymentParts {
    /// Call it within a runtime.
    ///
    /// # Errors
    /// [`PaymentPartsError`].
    pub fn new(
        config: &Config,
        engine: Engine,
        pool: PgPool,
        vault: &Vault,
    ) -> Result<Self, PaymentPartsError> {
        let endpoints = endpoints(config);
        let is_live = endpoints.mpesa == Endpoints::live("").mpesa;
        let check = config.mpesa_address_check;
        let checks_mpesa_addresses = check.map_or(is_live, |check| check == Switch::On);
        let providers = Providers::new(endpoints);
        let providers = providers.map_err(|error| PaymentPartsError(Box::new(error)))?;
        let masters = vault.masters().clone();
        let accounts = PaymentAccounts::new(pool.clone(), masters.clone());
        let evidence = Evidence::start(pool.clone());
        let clock = Clock::system();
        let teller = Teller::new(engine, providers, accounts, evidence, clock.clone());
        Ok(Self {
            callbacks: CallbackWorker::new(teller.clone(), pool, masters, clock),
            teller,
            windows: Windows {
                prompt: TimeDelta::seconds(config.prompt_seconds.get().into()),
                page: TimeDelta::seconds(config.page_seconds.get().into()),
                bank: TimeDelta::seconds(config.bank_seconds.get().into()),
            },
            looks: Looks {
                given_up: deltas(&config.look_again),
                refund: deltas(&config.refund_asked),
            },
            checks_mpesa_addresses,
        })
    }

    /// Asks the payer, and waits for a moment. Whatever fails here, the process manager goes on with.
    /// Of a request that was `replayed`, the first one may be asking still.
    pub(crate) async fn begin(
        &self,
        payment_id: PaymentId,
        replayed: bool,
        context: &CommandContext,
    ) {
        let (teller, cause) = (self.teller.clone(), Cause::from(context));
        let asking = tokio::spawn(async move {
            let asked = if replayed {
                teller.start_beside(payment_id, &cause).await
            } else {
                teller.start(payment_id, &cause).await
            };
            if let Err(error) = asked {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    payment.id = %payment_id,
                    "a payment could not be started and will be tried again"
                );
            }
        });
        // It goes on when nobody waits for it any more.
        let _ = tokio::time::timeout(STARTED_WITHIN, asking).await;
    }
}

fn endpoints(config: &Config) -> Endpoints {
    let callbacks = match &config.callback_url {
        Some(url) => url.as_str().to_owned(),
        None => config.issuer(),
    };
    let callbacks = format!("{callbacks}/api/v1/webhooks");
    let live = Endpoints::live(&callbacks);
    let sandbox = config.payment_sandbox.as_ref().map(PublicUrl::as_str);
    let address = |own: &Option<BaseUrl>, path: &str, live: String| match own {
        Some(url) => url.as_str().to_owned(),
        None => sandbox.map_or(live, |origin| format!("{origin}/{path}")),
    };
    Endpoints {
        ecocash: address(&config.ecocash_url, "ecocash", live.ecocash),
        mpesa: address(&config.mpesa_url, "mpesa", live.mpesa),
        paynow: address(&config.paynow_url, "paynow", live.paynow),
        paystack: address(&config.paystack_url, "paystack", live.paystack),
        stripe: address(&config.stripe_url, "stripe", live.stripe),
        // Without the provider's name, which M-Pesa refuses there.
        receipts: format!("{callbacks}/receipts"),
        callbacks,
        answered_within: config.provider_deadline.duration(),
    }
}

impl From<TellerError> for crate::problem::Problem {
    fn from(error: TellerError) -> Self {
        match error {
            TellerError::Payment(error) => error.into(),
            TellerError::ReferenceTaken => {
                Self::new(crate::problem::Code::AlreadyExists).with_detail(error)
            }
            TellerError::Database(error) => error.into(),
            TellerError::Account(_) | TellerError::Record(_) => {
                Self::ours(crate::problem::Code::Unavailable, &error)
            }
        }
    }
}

fn deltas(seconds: &SecondsList) -> Vec<TimeDelta> {
    let seconds = seconds.seconds();
    seconds
        .map(|seconds| TimeDelta::seconds(seconds.into()))
        .collect()
}
