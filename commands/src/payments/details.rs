//! What opens an account with a provider, as it is kept: sealed as a whole.

use serde::{Deserialize, Serialize, Serializer};
use soko_domain::payment::PaymentProvider;
use soko_domain::{Currency, StoreId};
use soko_gateways::payments::{
    Credentials, EcocashAccount, EcocashRefundBy, MpesaAccount, MpesaInitiator, MpesaTill,
    PaynowAccount, PaystackAccount, Secret, StripeAccount,
};

/// Where there are several of a kind, the first is what we use, and the others are only taken from
/// callbacks, while a provider still uses one that was replaced.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
pub enum AccountDetails {
    Ecocash {
        #[serde(serialize_with = "exposed")]
        api_key: Secret,
        /// Else their sandbox.
        is_live: bool,
        /// What the payer sees as whose refund it is.
        client_name: String,
        /// Whether refunds name a payment by our reference, or by theirs.
        refund_by_ours: bool,
        #[serde(serialize_with = "all_exposed")]
        callback_secrets: Vec<Secret>,
    },
    Mpesa {
        #[serde(serialize_with = "exposed")]
        consumer_key: Secret,
        #[serde(serialize_with = "exposed")]
        consumer_secret: Secret,
        short_code: String,
        #[serde(serialize_with = "exposed")]
        passkey: Secret,
        /// Of a till; a pay bill has none.
        till_number: Option<String>,
        /// Who may give money back and pay it out, and their sealed password.
        initiator: Option<Initiator>,
        #[serde(serialize_with = "all_exposed")]
        callback_secrets: Vec<Secret>,
    },
    Paynow {
        integration_id: String,
        #[serde(serialize_with = "all_exposed")]
        integration_keys: Vec<Secret>,
        currency: Currency,
        test_login: Option<String>,
    },
    Paystack {
        #[serde(serialize_with = "all_exposed")]
        secret_keys: Vec<Secret>,
    },
    Stripe {
        #[serde(serialize_with = "exposed")]
        secret_key: Secret,
        #[serde(serialize_with = "all_exposed")]
        webhook_secrets: Vec<Secret>,
    },
}

/// Of M-Pesa.
#[derive(Clone, Serialize, Deserialize)]
pub struct Initiator {
    pub name: String,
    #[serde(serialize_with = "exposed")]
    pub security_credential: Secret,
}

/// A hint shows so many of the last characters.
const HINT_CHARS: usize = 4;

impl AccountDetails {
    pub const fn provider(&self) -> PaymentProvider {
        match self {
            Self::Ecocash { .. } => PaymentProvider::Ecocash,
            Self::Mpesa { .. } => PaymentProvider::Mpesa,
            Self::Paynow { .. } => PaymentProvider::Paynow,
            Self::Paystack { .. } => PaymentProvider::Paystack,
            Self::Stripe { .. } => PaymentProvider::Stripe,
        }
    }

    /// What people tell one account from another by.
    pub fn hint(&self) -> String {
        match self {
            Self::Mpesa { short_code, .. } => short_code.clone(),
            Self::Paynow { integration_id, .. } => integration_id.clone(),
            Self::Ecocash { api_key, .. } => end_of(Some(api_key)),
            Self::Paystack { secret_keys } => end_of(secret_keys.first()),
            Self::Stripe { secret_key, .. } => end_of(Some(secret_key)),
        }
    }

    /// What the paths of callbacks are made with, where nobody signs them.
    pub(super) fn callback_secrets_mut(&mut self) -> Option<&mut Vec<Secret>> {
        match self {
            Self::Ecocash {
                callback_secrets, ..
            }
            | Self::Mpesa {
                callback_secrets, ..
            } => Some(callback_secrets),
            Self::Paynow { .. } | Self::Paystack { .. } | Self::Stripe { .. } => None,
        }
    }

    /// For one of the providers that share the account.
    pub(super) fn into_credentials(
        self,
        store_id: StoreId,
        provider: PaymentProvider,
    ) -> Credentials {
        match self {
            Self::Ecocash {
                api_key,
                is_live,
                client_name,
                refund_by_ours,
                callback_secrets,
            } => Credentials::Ecocash(EcocashAccount {
                store_id,
                api_key,
                is_live,
                client_name,
                refund_by: if refund_by_ours {
                    EcocashRefundBy::SourceReference
                } else {
                    EcocashRefundBy::EcocashReference
                },
                callback_secrets,
            }),
            Self::Mpesa {
                consumer_key,
                consumer_secret,
                short_code,
                passkey,
                till_number,
                initiator,
                callback_secrets,
            } => Credentials::Mpesa(MpesaAccount {
                store_id,
                consumer_key,
                consumer_secret,
                short_code,
                passkey,
                till: match till_number {
                    None => MpesaTill::PayBill,
                    Some(till_number) => MpesaTill::BuyGoods { till_number },
                },
                initiator: initiator.map(|initiator| MpesaInitiator {
                    name: initiator.name,
                    security_credential: initiator.security_credential,
                }),
                callback_secrets,
            }),
            Self::Paynow {
                integration_id,
                integration_keys,
                currency,
                test_login,
            } => Credentials::Paynow(PaynowAccount {
                integration_id,
                integration_keys,
                currency,
                test_login,
            }),
            Self::Paystack { secret_keys } => {
                Credentials::Paystack(PaystackAccount { secret_keys })
            }
            Self::Stripe {
                secret_key,
                webhook_secrets,
            } => {
                let account = StripeAccount {
                    secret_key,
                    webhook_secrets,
                };
                match provider {
                    PaymentProvider::StripeCheckout => Credentials::StripeCheckout(account),
                    _ => Credentials::Stripe(account),
                }
            }
        }
    }
}

fn end_of(secret: Option<&Secret>) -> String {
    let text = secret.map_or("", Secret::expose);
    let skipped = text.chars().count().saturating_sub(HINT_CHARS);
    format!("…{}", text.chars().skip(skipped).collect::<String>())
}

/// Only ever called where the whole is sealed at once.
fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

fn all_exposed<S: Serializer>(secrets: &[Secret], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(secrets.iter().map(Secret::expose))
}
