//! Brings callbacks to merchants: again if they are not taken, and late, twice, out of order or
//! never if it is told to.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Client, Response};
use serde::Serialize;
use tokio::sync::Semaphore;

use super::fault::Fault;
use super::provider::Provider;
use super::wire::{hmac_sha256, hmac_sha512};
use super::world::{World, held};

const AT_ONCE_MAX: usize = 256;
const REMEMBERED_MAX: usize = 20_000;
/// How long a callback waits to be overtaken, in the provider's seconds.
const OVERTAKEN_WITHIN: u64 = 5;
const LATE: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Callback {
    pub(super) provider: Provider,
    pub(super) url: String,
    /// The merchant's.
    pub(super) reference: String,
    pub(super) payment: String,
    /// What it tells.
    pub(super) about: String,
    pub(super) content_type: &'static str,
    pub(super) body: String,
    pub(super) signature: Signature,
}

#[derive(Debug, Clone)]
pub(super) enum Signature {
    None,
    /// Each attempt anew, with each of the secrets.
    Stripe(Vec<String>),
    /// With a time that is long over.
    StripeOld(Vec<String>),
    Paystack(String),
}

/// One attempt, for those who want to know what was sent.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    pub at: DateTime<Utc>,
    pub provider: Provider,
    pub reference: String,
    pub payment: String,
    pub about: String,
    pub url: String,
    pub attempt: usize,
    /// `None` if nobody answered in time.
    pub status: Option<u16>,
}

/// What a callback says of the money, and may say wrongly.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) amount: i64,
    pub(super) currency: String,
}

#[derive(Debug)]
pub(super) struct Courier {
    client: Client,
    deadline: Duration,
    at_once: Semaphore,
    under_way: AtomicUsize,
    held_back: Mutex<HashMap<Provider, Callback>>,
    deliveries: Mutex<VecDeque<Delivery>>,
}

impl Courier {
    pub(super) fn new(client: Client, deadline: Duration) -> Self {
        Self {
            client,
            deadline,
            at_once: Semaphore::new(AT_ONCE_MAX),
            under_way: AtomicUsize::new(0),
            held_back: Mutex::default(),
            deliveries: Mutex::default(),
        }
    }

    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Acquire)
    }

    pub(super) fn deliveries(&self) -> Vec<Delivery> {
        held(&self.deliveries).iter().cloned().collect()
    }

    fn remember(&self, delivery: Delivery) {
        let mut deliveries = held(&self.deliveries);
        if deliveries.len() == REMEMBERED_MAX {
            deliveries.pop_front();
        }
        deliveries.push_back(delivery);
    }
}

impl World {
    /// Sends what `written` makes of the truth, or of a lie.
    pub(super) fn tell(self: &Arc<Self>, truth: Told, written: impl Fn(&Told) -> Callback) {
        let mut told = truth;
        let honest = written(&told);
        if honest.url.is_empty() {
            return;
        }
        let lie = |fault| self.hit(fault, honest.provider, &honest.reference, &honest.about);
        let mut wrong = false;
        if told.amount > 0 && lie(Fault::WrongAmount).is_some() {
            told.amount += if told.amount > 100 { -100 } else { 100 };
            wrong = true;
        }
        if !told.currency.is_empty() && lie(Fault::WrongCurrency).is_some() {
            let other = if told.currency.eq_ignore_ascii_case("USD") {
                "ZAR"
            } else {
                "USD"
            };
            told.currency = if told.currency.chars().all(char::is_lowercase) {
                other.to_lowercase()
            } else {
                other.to_owned()
            };
            wrong = true;
        }
        self.send(if wrong { written(&told) } else { honest });
    }

    pub(super) fn send(self: &Arc<Self>, callback: Callback) {
        if callback.url.is_empty() {
            return;
        }
        let hit = |fault| {
            self.hit(
                fault,
                callback.provider,
                &callback.reference,
                &callback.about,
            )
        };
        if hit(Fault::CallbackLost).is_some() {
            return;
        }
        let delay = hit(Fault::CallbackLate).map_or(Duration::ZERO, |hit| hit.delay(LATE));
        if hit(Fault::CallbackDoubled).is_some() {
            self.dispatch(callback.clone(), delay, None);
        }
        if hit(Fault::CallbackReordered).is_some() {
            self.hold_back(callback);
            return;
        }
        let overtaken = held(&self.courier.held_back).remove(&callback.provider);
        self.dispatch(callback, delay, overtaken);
    }

    /// The next one goes first; if there is none, this one goes after a while.
    fn hold_back(self: &Arc<Self>, callback: Callback) {
        let provider = callback.provider;
        let (payment, about) = (callback.payment.clone(), callback.about.clone());
        self.courier.under_way.fetch_add(1, Ordering::AcqRel);
        if let Some(before) = held(&self.courier.held_back).insert(provider, callback) {
            self.dispatch(before, Duration::ZERO, None);
        }
        self.after(self.scaled(OVERTAKEN_WITHIN), move |world| {
            let mut waiting = held(&world.courier.held_back);
            let still = waiting
                .get(&provider)
                .is_some_and(|waits| waits.payment == payment && waits.about == about);
            let callback = if still {
                waiting.remove(&provider)
            } else {
                None
            };
            drop(waiting);
            if let Some(callback) = callback {
                world.dispatch(callback, Duration::ZERO, None);
            }
            world.courier.under_way.fetch_sub(1, Ordering::AcqRel);
        });
    }

    fn dispatch(self: &Arc<Self>, callback: Callback, delay: Duration, then: Option<Callback>) {
        let world = Arc::clone(self);
        self.courier.under_way.fetch_add(1, Ordering::AcqRel);
        self.spawn(async move {
            tokio::time::sleep(delay).await;
            let taken = world.bring(&callback, 0).await;
            if let Some(overtaken) = then {
                world.dispatch(overtaken, Duration::ZERO, None);
            }
            if !taken {
                world.bring_again(&callback).await;
            }
            world.courier.under_way.fetch_sub(1, Ordering::AcqRel);
        });
    }

    async fn bring_again(&self, callback: &Callback) {
        for (attempt, gap) in (1..).zip(self.gaps(callback)) {
            tokio::time::sleep(self.scaled(gap)).await;
            if self.bring(callback, attempt).await {
                return;
            }
        }
    }

    /// Whether it was taken.
    async fn bring(&self, callback: &Callback, attempt: usize) -> bool {
        let Ok(_permit) = self.courier.at_once.acquire().await else {
            return true;
        };
        let mut request = self
            .courier
            .client
            .post(&callback.url)
            .timeout(self.courier.deadline)
            .header("content-type", callback.content_type);
        if let Some((name, value)) = self.signature(callback) {
            request = request.header(name, value);
        }
        let answer = request.body(callback.body.clone()).send().await;
        let status = match answer {
            Ok(mut answer) => {
                // Read to its end, so that the connection can be used again.
                bounded(&mut answer).await;
                Some(answer.status().as_u16())
            }
            Err(_) => None,
        };
        self.courier.remember(Delivery {
            at: self.now(),
            provider: callback.provider,
            reference: callback.reference.clone(),
            payment: callback.payment.clone(),
            about: callback.about.clone(),
            url: callback.url.clone(),
            attempt,
            status,
        });
        match callback.provider {
            Provider::Paystack => status == Some(200),
            _ => status.is_some_and(|status| (200..300).contains(&status)),
        }
    }

    fn signature(&self, callback: &Callback) -> Option<(&'static str, String)> {
        let stripe = |secrets: &[String], time: i64| {
            let time = time.to_string();
            let body = callback.body.as_bytes();
            let mut value = format!("t={time}");
            for secret in secrets {
                value.push_str(",v1=");
                value.push_str(&hmac_sha256(secret, &[time.as_bytes(), b".", body]));
            }
            Some(("Stripe-Signature", value))
        };
        match &callback.signature {
            Signature::None => None,
            Signature::Stripe(secrets) => stripe(secrets, self.now().timestamp()),
            Signature::StripeOld(secrets) => stripe(secrets, self.now().timestamp() - 86_400),
            Signature::Paystack(key) => Some((
                "x-paystack-signature",
                hmac_sha512(key, callback.body.as_bytes()),
            )),
        }
    }

    /// After how many of the provider's seconds it tries again, and again.
    fn gaps(&self, callback: &Callback) -> Vec<u64> {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        match (callback.provider, &callback.signature) {
            (Provider::Stripe, _) => {
                let mut gaps = vec![MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR];
                gaps.extend([10 * HOUR; 6]);
                gaps
            }
            (Provider::Paystack, Signature::Paystack(key)) if key.starts_with("sk_live_") => {
                let mut gaps = vec![3 * MINUTE; 4];
                gaps.extend([HOUR; 72]);
                gaps
            }
            (Provider::Paystack, _) => vec![HOUR; 10],
            (Provider::Paynow, _) => vec![MINUTE; 10],
            // It may come again, and it may not.
            (Provider::Mpesa, _) if self.dice.coin(&["mpesa repeats", &callback.reference]) => {
                vec![MINUTE]
            }
            (Provider::Mpesa | Provider::Ecocash, _) => Vec::new(),
        }
    }

    /// Asks the merchant, and hears what it answers. `None` if it does not in time.
    pub(super) async fn ask_merchant(
        &self,
        url: &str,
        body: String,
        deadline: Duration,
    ) -> Option<Vec<u8>> {
        let request = self.courier.client.post(url).timeout(deadline);
        let sent = request
            .header("content-type", "application/json")
            .body(body)
            .send();
        let mut answer = sent
            .await
            .ok()
            .filter(|answer| answer.status().is_success())?;
        bounded(&mut answer).await
    }
}

/// `None` if it is more than anybody has to say.
async fn bounded(answer: &mut Response) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > ANSWER_BYTES_MAX {
            return None;
        }
    }
    Some(bytes)
}
