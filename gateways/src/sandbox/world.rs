//! All that the parts share: the time, chance, the book, who waits for what.

use std::future::Future;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::book::{Book, Entry, Kind};
use super::clock::Clock;
use super::courier::Courier;
use super::customer::{Act, Behaviour, Customer};
use super::deal::Payment;
use super::dice::Dice;
use super::ecocash::Ecocash;
use super::fault::{Fault, Faults, Hit};
use super::merchants::Merchants;
use super::mpesa::Mpesa;
use super::paynow::Paynow;
use super::paystack::Paystack;
use super::prompt::{Prompt, Prompts};
use super::provider::Provider;
use super::stripe::Stripe;
use super::wire::{Reply, Request};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    #[error("the provider knows no such payment")]
    Unknown,
    #[error("the payment is not in a state for that")]
    NotNow,
    #[error("nobody can do that with this provider")]
    NotHere,
}

/// One provider's side of the wire.
pub(super) trait Speaks: Send + Sync {
    /// What a merchant's request is answered.
    fn answer(&self, world: &Arc<World>, request: &Request<'_>) -> Reply;

    /// How this provider says that it is out of order, or asked too often.
    fn failure(&self, world: &World, status: u16) -> Reply;

    /// What the customer does with a payment.
    fn act(&self, world: &Arc<World>, payment: &str, act: Act) -> Result<(), ActError>;

    /// The customer's bank takes the money back, or `None`: gives back what it took.
    fn dispute(
        &self,
        world: &Arc<World>,
        payment: &str,
        amount: Option<i64>,
    ) -> Result<(), ActError> {
        let _ = (world, payment, amount);
        Err(ActError::NotHere)
    }

    /// The merchant gives money back on the provider's own pages.
    fn refund_by_hand(
        &self,
        world: &Arc<World>,
        payment: &str,
        amount: Option<i64>,
    ) -> Result<(), ActError> {
        let _ = (world, payment, amount);
        Err(ActError::NotHere)
    }

    fn payments(&self) -> Vec<Payment>;

    /// An answer under a key is on its way to the merchant.
    fn answered(&self, key: &str, reply: &Reply) {
        let _ = (key, reply);
    }
}

#[derive(Debug)]
pub(super) struct World {
    clock: Clock,
    speed: NonZeroU32,
    runtime: Handle,
    pub(super) stopping: CancellationToken,
    pub(super) origin: String,
    pub(super) dice: Dice,
    pub(super) book: Book,
    pub(super) faults: Faults,
    pub(super) prompts: Prompts,
    pub(super) courier: Courier,
    pub(super) customer: RwLock<Customer>,
    pub(super) merchants: RwLock<Arc<Merchants>>,
    pub(super) mpesa: Mpesa,
    pub(super) paystack: Paystack,
    pub(super) stripe: Stripe,
    pub(super) paynow: Paynow,
    pub(super) ecocash: Ecocash,
}

impl World {
    pub(super) fn new(
        options: &super::Options,
        origin: String,
        courier: Courier,
        runtime: Handle,
    ) -> Self {
        let faults = Faults::default();
        faults.set(options.faults.clone());
        Self {
            clock: options.clock.clone(),
            speed: options.speed,
            runtime,
            stopping: CancellationToken::new(),
            origin,
            dice: Dice::new(options.seed),
            book: Book::default(),
            faults,
            prompts: Prompts::default(),
            courier,
            customer: RwLock::new(options.customer.clone()),
            merchants: RwLock::new(Arc::new(options.merchants.clone())),
            mpesa: Mpesa::default(),
            paystack: Paystack::default(),
            stripe: Stripe::default(),
            paynow: Paynow::default(),
            ecocash: Ecocash::default(),
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn provider(&self, provider: Provider) -> &dyn Speaks {
        match provider {
            Provider::Mpesa => &self.mpesa,
            Provider::Paystack => &self.paystack,
            Provider::Stripe => &self.stripe,
            Provider::Paynow => &self.paynow,
            Provider::Ecocash => &self.ecocash,
        }
    }

    pub(super) fn merchants(&self) -> Arc<Merchants> {
        Arc::clone(&reading(&self.merchants))
    }

    pub(super) fn hit(
        &self,
        fault: Fault,
        provider: Provider,
        reference: &str,
        about: &str,
    ) -> Option<Hit> {
        self.faults
            .hit(&self.dice, self.now(), fault, provider, reference, about)
    }

    /// How long so many of a provider's seconds take here.
    pub(super) fn scaled(&self, seconds: u64) -> Duration {
        Duration::from_micros(seconds.saturating_mul(1_000_000) / u64::from(self.speed.get()))
    }

    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping.clone();
        self.runtime.spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => (),
                () = work => (),
            }
        });
    }

    pub(super) fn after(
        self: &Arc<Self>,
        delay: Duration,
        then: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) {
        let world = Arc::clone(self);
        self.spawn(async move {
            tokio::time::sleep(delay).await;
            then(&world);
        });
    }

    /// Puts a question to the customer. An automatic one answers by itself.
    pub(super) fn ask(self: &Arc<Self>, prompt: Prompt) {
        let Prompt {
            provider, amount, ..
        } = prompt;
        let (payment, reference) = (prompt.payment.clone(), prompt.reference.clone());
        let usual = reading(&self.customer).behaviour(prompt.phone.as_deref(), amount);
        self.prompts.show(prompt);
        let hit = |fault| self.hit(fault, provider, &reference, &payment).is_some();
        let behaviour = if hit(Fault::CustomerNeverAnswers) {
            Behaviour::NeverAnswers
        } else if hit(Fault::CustomerCancels) {
            match usual {
                Behaviour::Acts { after_ms, .. } => Behaviour::Acts {
                    act: Act::Cancel,
                    after_ms,
                },
                _ => Behaviour::Acts {
                    act: Act::Cancel,
                    after_ms: 0,
                },
            }
        } else {
            usual
        };
        if let Behaviour::Acts { act, after_ms } = behaviour {
            self.after(Duration::from_millis(after_ms), move |world| {
                // Whoever was quicker has answered already.
                let _ = world.act(provider, &payment, act);
            });
        }
    }

    pub(super) fn act(
        self: &Arc<Self>,
        provider: Provider,
        payment: &str,
        act: Act,
    ) -> Result<(), ActError> {
        self.provider(provider).act(self, payment, act)
    }

    /// The merchant puts money of its own into its account.
    pub(super) fn top_up(&self, provider: Provider, account: &str, currency: &str, amount: i64) {
        let id = self.dice.id(12);
        self.book.write(&Entry {
            at: self.now(),
            provider,
            account,
            kind: Kind::TopUp,
            payment: &id,
            provider_reference: &id,
            reference: "",
            amount,
            currency,
        });
    }

    pub(super) fn payments(&self) -> Vec<Payment> {
        Provider::ALL
            .into_iter()
            .flat_map(|provider| self.provider(provider).payments())
            .collect()
    }
}

/// Nothing here breaks off half-way, so what a panic left behind is whole.
pub(super) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn reading<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn writing<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
