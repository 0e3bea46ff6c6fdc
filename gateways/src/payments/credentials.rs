//! What a store has from its providers. None of these has `Debug`, for they hold secrets.
//!
//! Where there are several of a kind, the first is what we use, and the others are taken from
//! callbacks only, while a provider still uses one that was replaced.

use soko_domain::{Currency, StoreId};

use super::Secret;

/// A store's account with one provider.
#[derive(Clone)]
pub enum Credentials {
    Ecocash(EcocashAccount),
    Mpesa(MpesaAccount),
    Paynow(PaynowAccount),
    Paystack(PaystackAccount),
    Stripe(StripeAccount),
    StripeCheckout(StripeAccount),
}

#[derive(Clone)]
pub struct MpesaAccount {
    pub store_id: StoreId,
    pub consumer_key: Secret,
    pub consumer_secret: Secret,
    /// The pay bill's number; of a till, the number of its head office or store.
    pub short_code: String,
    pub passkey: Secret,
    pub till: MpesaTill,
    /// Who may give money back and pay it out; none: nobody.
    pub initiator: Option<MpesaInitiator>,
    /// What the paths of callbacks are made with.
    pub callback_secrets: Vec<Secret>,
}

#[derive(Clone)]
pub enum MpesaTill {
    PayBill,
    /// The till's own number, which is not its short code.
    BuyGoods {
        till_number: String,
    },
}

#[derive(Clone)]
pub struct MpesaInitiator {
    pub name: String,
    /// Their password as [`super::seal_password`] makes it; the password itself is not needed again.
    pub security_credential: Secret,
}

#[derive(Clone)]
pub struct PaystackAccount {
    /// `sk_test_…` or `sk_live_…`. They sign callbacks too.
    pub secret_keys: Vec<Secret>,
}

#[derive(Clone)]
pub struct StripeAccount {
    /// `sk_…` or `rk_…`, of test or live.
    pub secret_key: Secret,
    /// `whsec_…`, of each endpoint.
    pub webhook_secrets: Vec<Secret>,
}

#[derive(Clone)]
pub struct PaynowAccount {
    pub integration_id: String,
    pub integration_keys: Vec<Secret>,
    /// An integration has one, and nothing that Paynow sends names it.
    pub currency: Currency,
    /// A login of the merchant's, without which nobody can complete a payment while the integration
    /// is in test mode.
    pub test_login: Option<String>,
}

#[derive(Clone)]
pub struct EcocashAccount {
    pub store_id: StoreId,
    pub api_key: Secret,
    /// Else their sandbox.
    pub is_live: bool,
    /// What the payer sees as whose refund it is.
    pub client_name: String,
    pub refund_by: EcocashRefundBy,
    /// What the path of callbacks is made with.
    pub callback_secrets: Vec<Secret>,
}

/// What a refund names the payment by: their text and their sample differ.
#[derive(Clone, Copy)]
pub enum EcocashRefundBy {
    /// Theirs, `MP…`, as the sample has it.
    EcocashReference,
    /// Ours, a UUID, as the text has it.
    SourceReference,
}
