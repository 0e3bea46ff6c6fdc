//! The demo stores' accounts with the providers that the sandbox plays.

use chrono::Utc;
use soko_commands::payments::{AccountDetails, Initiator, NewCallbackSecret};
use soko_domain::payment::PaymentProvider;
use soko_domain::store::{Store, StoreCommand};
use soko_domain::{Currency, StoreId};
use soko_gateways::payments::Secret;
use soko_gateways::sandbox::Merchants;

use super::market::Shop;
use super::{By, Seed, SeedError, done, failed};

/// What a store of this currency is paid by; nothing where the real providers would be asked.
pub(super) fn providers(seed: &Seed<'_>, currency: Currency) -> Vec<PaymentProvider> {
    if seed.app.config().payment_sandbox.is_none() {
        return vec![];
    }
    match currency {
        Currency::Kes => vec![
            PaymentProvider::Mpesa,
            PaymentProvider::Paystack,
            PaymentProvider::Stripe,
            PaymentProvider::StripeCheckout,
        ],
        Currency::Usd => vec![
            PaymentProvider::Ecocash,
            PaymentProvider::Paynow,
            PaymentProvider::StripeCheckout,
        ],
        Currency::Zar => vec![PaymentProvider::Paystack, PaymentProvider::StripeCheckout],
        Currency::Zwg => vec![],
    }
}

pub(super) async fn open_accounts(
    seed: &Seed<'_>,
    owner: By,
    (store_id, shop): (StoreId, &Shop),
    step: &str,
) -> Result<(), SeedError> {
    let mut accounts: Vec<_> = providers(seed, shop.currency)
        .into_iter()
        .map(PaymentProvider::account)
        .collect();
    accounts.sort_unstable();
    accounts.dedup();
    for provider in accounts {
        let step = format!("{step}-{}", provider.as_str());
        let Some(details) = details(provider, shop) else {
            continue;
        };
        let callback_secret = NewCallbackSecret {
            secret: Secret::from(hex::encode(rand::random::<[u8; 32]>())),
            replaces: false,
        };
        let accounts = seed.app.payments().teller.accounts();
        let of = (owner.tenant_id, store_id);
        accounts
            .put(of, details, callback_secret, (owner.account_id, Utc::now()))
            .await
            .map_err(|cause| failed(&step, cause))?;
        let set = StoreCommand::SetPaymentAccount { provider };
        let context = seed.context(owner, &step);
        done(
            &step,
            seed.engine()
                .execute::<Store>(store_id, set, &context)
                .await,
        )?;
    }
    Ok(())
}

/// Of the demo merchant that each provider in the sandbox knows.
fn details(provider: PaymentProvider, shop: &Shop) -> Option<AccountDetails> {
    let demo = Merchants::demo();
    let secret = |text: &String| Secret::from(text.as_str());
    Some(match provider {
        PaymentProvider::Mpesa => {
            let merchant = demo.mpesa.first()?;
            AccountDetails::Mpesa {
                consumer_key: secret(&merchant.consumer_key),
                consumer_secret: secret(&merchant.consumer_secret),
                short_code: merchant.short_code.clone(),
                passkey: secret(&merchant.passkey),
                till_number: None,
                initiator: Some(Initiator {
                    name: merchant.initiator.clone(),
                    // The sandbox takes anything of this length.
                    security_credential: Secret::from(format!("{}==", "A".repeat(342))),
                }),
                callback_secrets: vec![],
            }
        }
        PaymentProvider::Paystack => AccountDetails::Paystack {
            secret_keys: vec![secret(&demo.paystack.first()?.secret_key)],
        },
        PaymentProvider::Stripe => {
            let merchant = demo.stripe.first()?;
            AccountDetails::Stripe {
                secret_key: secret(&merchant.secret_key),
                webhook_secrets: merchant.webhook_secrets.iter().map(secret).collect(),
            }
        }
        PaymentProvider::Paynow => {
            let merchant = demo.paynow.first()?;
            AccountDetails::Paynow {
                integration_id: merchant.id.clone(),
                integration_keys: vec![secret(&merchant.key)],
                currency: shop.currency,
                test_login: None,
            }
        }
        PaymentProvider::Ecocash => AccountDetails::Ecocash {
            api_key: secret(&demo.ecocash.first()?.api_key),
            is_live: false,
            client_name: shop.name.to_owned(),
            refund_by_ours: true,
            callback_secrets: vec![],
        },
        PaymentProvider::BankTransfer
        | PaymentProvider::CashOnDelivery
        | PaymentProvider::StripeCheckout => return None,
    })
}
