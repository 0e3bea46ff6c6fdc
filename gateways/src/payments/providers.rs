//! All providers, as far as they are the same for every store.

use std::sync::Arc;
use std::time::Duration;

use super::exchange::Exchange;
use super::{
    CallbackKind, CallbackToken, Credentials, EcocashAccount, MpesaAccount, PaymentAccount,
};
use super::{ecocash::Ecocash, mpesa::Mpesa, paynow::Paynow, paystack::Paystack, stripe::Stripe};
use crate::http::ClientError;

/// Where providers are, and where they find us. No address ends in a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    pub ecocash: String,
    pub mpesa: String,
    pub paynow: String,
    pub paystack: String,
    pub stripe: String,
    /// Ours, under which each provider has a path; M-Pesa refuses it if certain words are in it.
    pub callbacks: String,
    /// Ours for what M-Pesa is told to call for payments that nobody was asked for.
    pub receipts: String,
    pub answered_within: Duration,
}

const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

impl Endpoints {
    /// The providers' own. `callbacks` is our address, without a slash at its end.
    pub fn live(callbacks: &str) -> Self {
        Self {
            ecocash: "https://developers.ecocash.co.zw/api/ecocash_pay".to_owned(),
            mpesa: "https://api.safaricom.co.ke".to_owned(),
            paynow: "https://www.paynow.co.zw".to_owned(),
            paystack: "https://api.paystack.co".to_owned(),
            stripe: "https://api.stripe.com".to_owned(),
            callbacks: callbacks.to_owned(),
            receipts: callbacks.to_owned(),
            answered_within: ANSWERED_WITHIN,
        }
    }
}

/// One for a process: it keeps connections open, and the tokens that stores must share.
#[derive(Clone)]
pub struct Providers {
    exchange: Exchange,
    endpoints: Arc<Endpoints>,
    tokens: Arc<super::mpesa::Tokens>,
}

impl Providers {
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(endpoints: Endpoints) -> Result<Self, ClientError> {
        Ok(Self {
            exchange: Exchange::new(endpoints.answered_within)?,
            endpoints: Arc::new(endpoints),
            tokens: Arc::default(),
        })
    }

    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// A store's account, as its credentials open it. It costs nothing, so that credentials need not
    /// be kept open between calls.
    pub fn account(&self, credentials: Credentials) -> Box<dyn PaymentAccount> {
        let (exchange, endpoints) = (self.exchange.clone(), Arc::clone(&self.endpoints));
        match credentials {
            Credentials::Ecocash(account) => Box::new(Ecocash::new(exchange, endpoints, account)),
            Credentials::Mpesa(account) => Box::new(self.mpesa(account)),
            Credentials::Paynow(account) => Box::new(Paynow::new(exchange, endpoints, account)),
            Credentials::Paystack(account) => Box::new(Paystack::new(exchange, endpoints, account)),
            Credentials::Stripe(account) => {
                Box::new(Stripe::elements(exchange, endpoints, account))
            }
            Credentials::StripeCheckout(account) => {
                Box::new(Stripe::checkout(exchange, endpoints, account))
            }
        }
    }

    /// As [`Providers::account`]; and it can be told where to tell of payments that nobody was asked
    /// for.
    pub fn mpesa(&self, account: MpesaAccount) -> Mpesa {
        let (exchange, endpoints) = (self.exchange.clone(), Arc::clone(&self.endpoints));
        Mpesa::new(exchange, endpoints, Arc::clone(&self.tokens), account)
    }

    /// Where EcoCash is to call for this account, to be set in their portal. None if the account has
    /// no secret to make it with.
    pub fn ecocash_callback_url(&self, account: &EcocashAccount) -> Option<String> {
        let secret = account.callback_secrets.first()?;
        let token = CallbackToken::new(secret, CallbackKind::Nudge, account.store_id.as_uuid())?;
        let callbacks = &self.endpoints.callbacks;
        Some(format!("{callbacks}/ecocash/{}", token.text()))
    }
}

#[cfg(test)]
mod tests {
    use soko_domain::Currency;
    use uuid::Uuid;

    use super::super::{
        AfterLostAnswer, EcocashRefundBy, MpesaTill, PaynowAccount, PaystackAccount, StripeAccount,
    };
    use super::*;

    fn everybody() -> [Credentials; 6] {
        let store_id = Uuid::from_u128(5).into();
        let stripe = StripeAccount {
            secret_key: "sk_test_1".into(),
            webhook_secrets: vec![],
        };
        [
            Credentials::Ecocash(EcocashAccount {
                store_id,
                api_key: "key".into(),
                is_live: false,
                client_name: "Duka".to_owned(),
                refund_by: EcocashRefundBy::EcocashReference,
                callback_secrets: vec![],
            }),
            Credentials::Mpesa(MpesaAccount {
                store_id,
                consumer_key: "key".into(),
                consumer_secret: "secret".into(),
                short_code: "174379".to_owned(),
                passkey: "passkey".into(),
                till: MpesaTill::PayBill,
                initiator: None,
                callback_secrets: vec![],
            }),
            Credentials::Paynow(PaynowAccount {
                integration_id: "1".to_owned(),
                integration_keys: vec![],
                currency: Currency::Usd,
                test_login: None,
            }),
            Credentials::Paystack(PaystackAccount {
                secret_keys: vec![],
            }),
            Credentials::Stripe(stripe.clone()),
            Credentials::StripeCheckout(stripe),
        ]
    }

    #[test]
    fn each_account_has_the_ports_that_its_capabilities_name() {
        let providers = Providers::new(Endpoints::live("https://shop.example")).unwrap();
        let mut names = std::collections::BTreeSet::new();
        for credentials in everybody() {
            let account = providers.account(credentials);
            let can = account.capabilities();
            assert_eq!(account.captures().is_some(), can.captures_later);
            assert_eq!(account.refunds().is_some(), can.refunds);
            assert_eq!(account.transfers().is_some(), can.transfers);
            // Who cannot be asked to move money cannot be asked to again.
            let never = AfterLostAnswer::AskPerson;
            assert!(can.refunds || can.lost_refund == never);
            assert!(can.transfers || can.lost_transfer == never);
            assert!(can.ask_after.is_sorted() && !can.ask_after.is_empty());
            names.insert(can.provider);
        }
        assert_eq!(names.len(), 6);
    }

    #[test]
    fn an_account_without_secrets_believes_nobody() {
        let providers = Providers::new(Endpoints::live("https://shop.example")).unwrap();
        for credentials in everybody() {
            let account = providers.account(credentials);
            let callback = super::super::Callback {
                path: "",
                headers: &[],
                body: b"status=Paid&hash=",
                received_at: chrono::DateTime::UNIX_EPOCH,
            };
            let refused = account.read(&callback);
            assert_eq!(refused, Err(super::super::CallbackRefusal::BadSignature));
        }
    }
}
