//! The accounts of a store with payment providers: set, never shown again.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_commands::payments::{AccountDetails, AccountError, Initiator, NewCallbackSecret};
use soko_domain::payment::PaymentProvider;
use soko_domain::store::{Store, StoreCommand};
use soko_domain::{AccountId, Currency, StoreId, Text};
use soko_event_log::Scope;
use soko_gateways::payments::Credentials;
use sqlx::Row;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::{Command, NoBody};
use crate::found::Found;
use crate::problem::{Code, Problem, Result};
use crate::query::Path;
use crate::recorded::Recorded;
use crate::schema::{answer, body};
use crate::secret::Secret;

body! {
    /// What opens the account; which members are needed depends on the provider.
    pub(crate) struct PaymentAccountDetails {
        /// Paystack and Stripe: `sk_…`.
        pub secret_key: Option<Secret>,
        /// Paystack: the one before, while callbacks that it signed are under way.
        pub previous_secret_key: Option<Secret>,
        /// Stripe: `whsec_…` of the endpoint.
        pub webhook_secret: Option<Secret>,
        /// Stripe: the one before, until it has expired.
        pub previous_webhook_secret: Option<Secret>,
        /// M-Pesa.
        pub consumer_key: Option<Secret>,
        /// M-Pesa.
        pub consumer_secret: Option<Secret>,
        /// M-Pesa: of the pay bill, or of the till's head office.
        pub short_code: Option<Text<20>>,
        /// M-Pesa.
        pub passkey: Option<Secret>,
        /// M-Pesa: of a till; a pay bill has none.
        pub till_number: Option<Text<20>>,
        /// M-Pesa: who may give money back and pay it out.
        pub initiator: Option<Text<100>>,
        /// M-Pesa: the initiator's password, sealed with Safaricom's certificate.
        pub security_credential: Option<Secret>,
        /// EcoCash.
        pub api_key: Option<Secret>,
        /// EcoCash: their sandbox if false or left out.
        pub is_live: Option<bool>,
        /// EcoCash: what a payer sees as whose refund it is.
        pub client_name: Option<Text<100>>,
        /// Paynow.
        pub integration_id: Option<Text<40>>,
        /// Paynow.
        pub integration_key: Option<Secret>,
        /// Paynow: the one before.
        pub previous_integration_key: Option<Secret>,
        /// Paynow: the currency of the integration; the store's if left out.
        pub currency: Option<Currency>,
        /// Paynow: a login of the merchant's, while the integration is in test mode.
        pub test_login: Option<Text<254>>,
        /// M-Pesa and EcoCash: make another secret for the addresses that they call.
        pub new_callback_secret: Option<bool>,
    }
}

answer! {
    pub(crate) struct PaymentAccount {
        pub provider: PaymentProvider,
        /// What tells it from others; no secret.
        pub hint: String,
        pub set_at: DateTime<Utc>,
        pub set_by: AccountId,
        /// What is to be entered at the provider's as the address that it calls, if anything is.
        pub webhook_url: Option<String>,
    }

    pub(crate) struct PaymentAccounts {
        pub items: Vec<PaymentAccount>,
    }

    pub(crate) struct PaymentAccountSet {
        pub provider: PaymentProvider,
        pub webhook_url: Option<String>,
    }
}

pub(crate) async fn put(
    app: Data<App>,
    caller: Caller,
    path: Path<(StoreId, PaymentProvider)>,
    command: Command<PaymentAccountDetails>,
) -> Result<Recorded<PaymentAccountSet>> {
    let (store_id, provider) = path.0;
    let permit = caller.permit(Place::store(store_id)).await?;
    let context = permit.context(&command);
    let currency = {
        let store = app.engine().read::<Store>(store_id).await?;
        store.state.open()?.currency()
    };
    let replaces = command.body.new_callback_secret.unwrap_or(false);
    let details = details(provider, command.body, currency)?;
    let set_by = caller.account()?;
    if !context.dry_run {
        let callback_secret = NewCallbackSecret {
            secret: random_secret().as_str().into(),
            replaces,
        };
        let of = (permit.tenant_id(), store_id);
        let by = (set_by, context.now);
        let accounts = app.payments().teller.accounts();
        accounts.put(of, details, callback_secret, by).await?;
    }
    // What is set and not on record yet is on record when this is asked again.
    let webhook_url = webhook_url(&app, store_id, provider).await;
    let set = StoreCommand::SetPaymentAccount { provider };
    let answer = PaymentAccountSet {
        provider,
        webhook_url,
    };
    let done = app
        .execute_for::<Store, _>(store_id, set, answer, &context)
        .await;
    app.recorded_of::<Store, _, _, _>(store_id, done, &context)
        .await
}

pub(crate) async fn remove(
    app: Data<App>,
    caller: Caller,
    path: Path<(StoreId, PaymentProvider)>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let (store_id, provider) = path.0;
    let permit = caller.permit(Place::store(store_id)).await?;
    let context = permit.context(&command);
    let remove = StoreCommand::RemovePaymentAccount { provider };
    let done = app
        .execute_for::<Store, _>(store_id, remove, (), &context)
        .await;
    let recorded = app
        .recorded_of::<Store, _, _, _>(store_id, done, &context)
        .await?;
    if !context.dry_run {
        let accounts = app.payments().teller.accounts();
        accounts.remove(store_id, provider).await?;
    }
    Ok(recorded)
}

pub(crate) async fn list(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
) -> Result<Found<PaymentAccounts>> {
    let permit = caller.permit(Place::store(*store_id)).await?;
    let mut query = sqlx::QueryBuilder::new(
        "SELECT provider, hint, set_at, set_by FROM payment_accounts WHERE store_id = ",
    );
    query
        .push_bind(store_id.as_uuid())
        .push(" ORDER BY provider");
    let scope = Scope::Tenant(permit.tenant_id());
    let rows = app.reader().all(&scope, query).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let name: String = row.try_get("provider")?;
        let Some(provider) = PaymentProvider::parse(&name) else {
            continue;
        };
        items.push(PaymentAccount {
            provider,
            hint: row.try_get("hint")?,
            set_at: row.try_get("set_at")?,
            set_by: AccountId::from_uuid(row.try_get("set_by")?),
            webhook_url: webhook_url(&app, *store_id, provider).await,
        });
    }
    Ok(Found::new(PaymentAccounts { items }))
}

/// Has M-Pesa tell of payments that people make without having been asked.
pub(crate) async fn register_receipts(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let permit = caller.permit(Place::store(*store_id)).await?;
    let context = permit.context(&command);
    let teller = &app.payments().teller;
    let opened = teller.accounts().open(*store_id, PaymentProvider::Mpesa);
    let account = match opened.await {
        Ok(Credentials::Mpesa(account)) => account,
        Ok(_) | Err(AccountError::Missing(_)) => {
            return Err(Problem::new(Code::StateConflict)
                .with_detail("the store has no account with M-Pesa"));
        }
        Err(error) => return Err(error.into()),
    };
    if context.dry_run {
        return Ok(Recorded::without_position(()));
    }
    let mpesa = teller.providers().mpesa(account);
    let registered = mpesa.register_receipts(context.now).await;
    registered.map_err(|error| Problem::new(Code::StateConflict).with_detail(error))?;
    let head = soko_event_log::LogReader::new(app.pool().clone())
        .head()
        .await?;
    Ok(Recorded::without_position(()).at_position(head))
}

/// Of those who are told in their own portal; the others are told with each request.
async fn webhook_url(app: &App, store_id: StoreId, provider: PaymentProvider) -> Option<String> {
    let teller = &app.payments().teller;
    let base = &teller.providers().endpoints().callbacks;
    match provider {
        PaymentProvider::Stripe | PaymentProvider::Paystack => {
            Some(format!("{base}/{}/{store_id}", provider.as_str()))
        }
        PaymentProvider::Ecocash => match teller.accounts().open(store_id, provider).await {
            Ok(Credentials::Ecocash(account)) => teller.providers().ecocash_callback_url(&account),
            Ok(_) | Err(_) => None,
        },
        _ => None,
    }
}

fn random_secret() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

fn details(
    provider: PaymentProvider,
    body: PaymentAccountDetails,
    store_currency: Currency,
) -> Result<AccountDetails> {
    let text = |text: Option<Text<100>>| text.map(|text| text.to_string());
    Ok(match provider {
        PaymentProvider::Mpesa => AccountDetails::Mpesa {
            consumer_key: needed(body.consumer_key, "consumer_key")?,
            consumer_secret: needed(body.consumer_secret, "consumer_secret")?,
            short_code: word(body.short_code, "short_code")?,
            passkey: needed(body.passkey, "passkey")?,
            till_number: body.till_number.map(|number| number.to_string()),
            initiator: match (body.initiator, body.security_credential) {
                (Some(name), Some(credential)) => Some(Initiator {
                    name: name.to_string(),
                    security_credential: kept(&credential, "security_credential")?,
                }),
                (None, None) => None,
                (Some(_), None) => return Err(missing("security_credential")),
                (None, Some(_)) => return Err(missing("initiator")),
            },
            callback_secrets: vec![],
        },
        PaymentProvider::Ecocash => AccountDetails::Ecocash {
            api_key: needed(body.api_key, "api_key")?,
            is_live: body.is_live.unwrap_or(false),
            client_name: text(body.client_name).ok_or_else(|| missing("client_name"))?,
            refund_by_ours: true,
            callback_secrets: vec![],
        },
        PaymentProvider::Paynow => AccountDetails::Paynow {
            integration_id: word(body.integration_id, "integration_id")?,
            integration_keys: both(
                body.integration_key,
                "integration_key",
                body.previous_integration_key,
            )?,
            currency: body.currency.unwrap_or(store_currency),
            test_login: body.test_login.map(|login| login.to_string()),
        },
        PaymentProvider::Paystack => AccountDetails::Paystack {
            secret_keys: both(body.secret_key, "secret_key", body.previous_secret_key)?,
        },
        PaymentProvider::Stripe => AccountDetails::Stripe {
            secret_key: needed(body.secret_key, "secret_key")?,
            webhook_secrets: both(
                body.webhook_secret,
                "webhook_secret",
                body.previous_webhook_secret,
            )?,
        },
        PaymentProvider::StripeCheckout
        | PaymentProvider::BankTransfer
        | PaymentProvider::CashOnDelivery => return Err(Problem::new(Code::NotFound)),
    })
}

type Kept = soko_gateways::payments::Secret;

fn needed(secret: Option<Secret>, member: &str) -> Result<Kept> {
    let secret = secret.filter(is_there).ok_or_else(|| missing(member))?;
    kept(&secret, member)
}

fn both(now: Option<Secret>, member: &str, before: Option<Secret>) -> Result<Vec<Kept>> {
    let mut both = vec![needed(now, member)?];
    // What is signed with nothing would be signed by anybody.
    if let Some(before) = before.filter(is_there) {
        both.push(kept(&before, &format!("previous_{member}"))?);
    }
    Ok(both)
}

fn is_there(secret: &Secret) -> bool {
    !secret.expose().trim().is_empty()
}

/// No provider gives out a secret that cannot be typed.
fn kept(secret: &Secret, member: &str) -> Result<Kept> {
    let secret = secret.expose().trim();
    if secret
        .chars()
        .all(|char| char.is_ascii_graphic() || char == ' ')
    {
        Ok(secret.into())
    } else {
        let fault = "must be of printable ASCII characters";
        Err(Problem::invalid_at(format!("/{member}"), fault))
    }
}

fn word<const MAX: usize>(text: Option<Text<MAX>>, member: &str) -> Result<String> {
    let text = text.map(|text| text.to_string());
    text.ok_or_else(|| missing(member))
}

fn missing(member: &str) -> Problem {
    Problem::invalid_at(format!("/{member}"), "is needed by this provider")
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Database(error) => error.into(),
            AccountError::Missing(_) => Self::new(Code::NotFound),
            AccountError::Sealed(_) | AccountError::Form => Self::ours(Code::Internal, &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        text.to_owned().into()
    }

    #[test]
    fn a_secret_can_be_typed() {
        let kept = needed(Some(secret(" sk_live_1 \n")), "secret_key");
        assert_eq!(
            kept.map(|kept| kept.expose().to_owned()).ok(),
            Some("sk_live_1".into())
        );
        for text in ["", " ", "\0", "a\0b", "a\r\nX-Header: b", "ключ"] {
            assert!(
                needed(Some(secret(text)), "secret_key").is_err(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn nothing_is_no_previous_secret() {
        let secrets =
            |before| both(Some(secret("now")), "secret_key", before).map(|both| both.len());
        assert_eq!(secrets(Some(secret("before"))).ok(), Some(2));
        assert_eq!(secrets(Some(secret(" "))).ok(), Some(1));
        assert_eq!(secrets(None).ok(), Some(1));
        assert!(secrets(Some(secret("a\0b"))).is_err());
    }
}
