//! What follows the log in this process: workers, each of which keeps one read model at its head,
//! and process managers, each of which reacts to it.

use std::sync::Arc;

use soko_commands::process_managers::{
    self, AbandonCarts, CarryPayments, PayOutVendors, ProcessManager, RunnerOptions, SendPayouts,
    SettleVendors,
};
use soko_event_log::Feed;
use soko_projections::{AnyReadModel, Workplace};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::payment_parts::PaymentParts;

/// Running followers; they stop when this is dropped, and in order when they are stopped.
#[derive(Default)]
pub struct Followers {
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
    feeds: Vec<Feed>,
}

/// A name that no read model has.
#[derive(Debug, thiserror::Error)]
#[error("there is no read model {unknown:?}; there are {known}")]
pub struct UnknownModel {
    unknown: String,
    known: String,
}

/// The read models with these names; all of them if there are none.
///
/// # Errors
/// [`UnknownModel`]
pub fn models_named(names: &[String]) -> Result<Vec<Box<dyn AnyReadModel>>, UnknownModel> {
    let mut models = soko_projections::all();
    let known: Vec<_> = models.iter().map(|model| model.name()).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(UnknownModel {
            unknown: unknown.clone(),
            known: known.join(", "),
        });
    }
    models.retain(|model| names.is_empty() || names.iter().any(|name| name == model.name()));
    Ok(models)
}

impl Followers {
    pub fn start_models(&mut self, models: Vec<Box<dyn AnyReadModel>>, workplace: Workplace) {
        self.feeds.push(workplace.feed.clone());
        let workplace = Arc::new(workplace);
        for model in models {
            let (workplace, shutdown) = (Arc::clone(&workplace), self.shutdown.clone());
            self.tasks
                .spawn(async move { model.run(&workplace, &shutdown).await });
        }
    }

    /// Every process manager there is, and who works the callbacks of payment providers that nobody
    /// else does.
    pub fn start_process_managers(
        &mut self,
        workplace: process_managers::Workplace,
        payments: &PaymentParts,
    ) {
        self.feeds.push(workplace.feed.clone());
        let looks = payments.looks.clone();
        let carry = CarryPayments::new(payments.teller.clone(), payments.windows, looks);
        self.start_process_manager(carry, workplace.clone());
        self.start_process_manager(AbandonCarts::default(), workplace.clone());
        self.start_process_manager(SettleVendors, workplace.clone());
        self.start_process_manager(PayOutVendors, workplace.clone());
        let send = SendPayouts::new(payments.teller.clone());
        self.start_process_manager(send, workplace);
        self.start_callbacks(payments);
    }

    /// Works what payment providers tell this process.
    pub fn start_callbacks(&mut self, payments: &PaymentParts) {
        let (callbacks, shutdown) = (payments.callbacks.clone(), self.shutdown.clone());
        self.tasks
            .spawn(async move { callbacks.run(&shutdown).await });
    }

    fn start_process_manager<M: ProcessManager>(
        &mut self,
        manager: M,
        workplace: process_managers::Workplace,
    ) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            let options = RunnerOptions::default();
            process_managers::run(&manager, &workplace, &options, &shutdown).await;
        });
    }

    /// Anything else that runs until it is told to stop.
    pub fn start(&mut self, run: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(run);
    }

    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Lets each finish its batch.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        for feed in &self.feeds {
            feed.close();
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
