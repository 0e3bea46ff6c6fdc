//! What waits for a customer: a question on a phone, or a page in a browser.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::provider::Provider;
use super::world::held;

#[derive(Debug, Clone, Serialize)]
pub struct Prompt {
    pub provider: Provider,
    pub payment: String,
    pub reference: String,
    /// `None` for a page.
    pub phone: Option<String>,
    pub amount: i64,
    pub currency: String,
    pub text: String,
    /// A code that the customer was sent, to be passed on to the merchant.
    pub code: Option<String>,
    /// Where the browser goes once it is over.
    pub return_url: Option<String>,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Default)]
pub(super) struct Prompts(Mutex<BTreeMap<(Provider, String), Prompt>>);

impl Prompts {
    pub(super) fn show(&self, prompt: Prompt) {
        held(&self.0).insert((prompt.provider, prompt.payment.clone()), prompt);
    }

    pub(super) fn remove(&self, provider: Provider, payment: &str) {
        held(&self.0).remove(&(provider, payment.to_owned()));
    }

    pub(super) fn get(&self, provider: Provider, payment: &str) -> Option<Prompt> {
        held(&self.0).get(&(provider, payment.to_owned())).cloned()
    }

    /// At most so many.
    pub(super) fn list(&self, limit: usize) -> Vec<Prompt> {
        held(&self.0).values().take(limit).cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        held(&self.0).len()
    }
}
