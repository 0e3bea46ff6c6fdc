//! `soko sandbox`: the payment providers, played on this machine.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use clap::{Args, ValueEnum};
use soko_gateways::sandbox::{Customer, Merchants, Options, Sandbox, StartError};

use crate::config::PublicUrl;
use crate::stop_signals::StopSignals;

/// How the sandbox starts. All but the address can be changed while it runs, see docs/sandbox.md.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Where it listens. It asks nobody for a password.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Where browsers and merchants find it, if not there.
    #[arg(long, value_name = "URL", value_parser = public_url)]
    public_url: Option<PublicUrl>,
    /// Ids, receipts and chance follow from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seconds of a provider's waiting pass in one.
    #[arg(long, default_value_t = NonZeroU32::MIN)]
    speed: NonZeroU32,
    /// Where a `soko` is whose webhooks Stripe and Paystack are to call; the others are told with
    /// each request.
    #[arg(long, value_name = "URL", value_parser = public_url)]
    callbacks: Option<PublicUrl>,
    /// Who answers what asks for money.
    #[arg(long, value_enum, default_value_t = Customers::ByHand)]
    customers: Customers,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Customers {
    /// You, at `/phone` and on the card pages.
    ByHand,
    Pay,
    Cancel,
    NeverAnswer,
}

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the runtime could not be started")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Start(#[from] StartError),
}

fn public_url(text: &str) -> Result<PublicUrl, &'static str> {
    let what = "scheme and host are wanted, without a path: https://sandbox.example";
    text.parse().map_err(|()| what)
}

/// As long as a person takes, nearly.
const AFTER_MS: u64 = 2_000;

fn merchants(callbacks: Option<&PublicUrl>) -> Merchants {
    let mut merchants = Merchants::demo();
    if let Some(url) = callbacks {
        let webhook = |provider| Some(format!("{}/api/v1/webhooks/{provider}", url.as_str()));
        for merchant in &mut merchants.stripe {
            merchant.webhook_url = webhook("stripe");
        }
        for merchant in &mut merchants.paystack {
            merchant.webhook_url = webhook("paystack");
        }
    }
    merchants
}

/// Runs until the process is asked to stop.
///
/// # Errors
/// Why it could not be started.
pub fn run(arguments: &Arguments) -> Result<(), SandboxError> {
    let options = Options {
        listen: arguments.listen,
        public_url: arguments
            .public_url
            .as_ref()
            .map(|url| url.as_str().to_owned()),
        speed: arguments.speed,
        customer: match arguments.customers {
            Customers::ByHand => Customer::by_hand(),
            Customers::Pay => Customer::pays_after_ms(AFTER_MS),
            Customers::Cancel => Customer::cancels_after_ms(AFTER_MS),
            Customers::NeverAnswer => Customer::never_answers(),
        },
        merchants: merchants(arguments.callbacks.as_ref()),
        ..Options::new(arguments.seed)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(SandboxError::Runtime)?;
    runtime.block_on(async {
        let mut stop = StopSignals::new().map_err(SandboxError::Runtime)?;
        let sandbox = Sandbox::start(&options)?;
        let origin = sandbox.origin();
        tracing::info!(origin, "the payment providers are played here");
        stop.received().await;
        sandbox.stop().await;
        Ok(())
    })
}
