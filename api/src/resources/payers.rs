//! Who pays, and by what: whether a provider can be asked with what is known of them.

use chrono::{DateTime, Utc};
use soko_commands::handlers::Ask;
use soko_domain::payment::{Payer, PaymentProvider, Wallet};
use soko_domain::{Account, AccountId, Currency, EmailAddress, PhoneNumber, Text};
use soko_gateways::payments::capabilities_of;
use url::Url;

use crate::app::App;
use crate::problem::{Problem, Result};

/// What somebody says who wants to pay.
pub(crate) struct Paying {
    pub(crate) provider: PaymentProvider,
    pub(crate) phone: Option<PhoneNumber>,
    pub(crate) email: Option<EmailAddress>,
    pub(crate) return_url: Option<Text<500>>,
    pub(crate) wallet: Option<Wallet>,
    pub(crate) capture_later: bool,
}

impl Paying {
    /// How the provider is to ask; `None` where nobody is asked. `within` is where all this stands in
    /// the body.
    ///
    /// # Errors
    /// `validation`, with what the provider needs and was not told.
    pub(crate) fn ask(
        self,
        app: &App,
        currency: Currency,
        now: DateTime<Utc>,
        within: &str,
    ) -> Result<Option<Ask>> {
        let (Some(can), Some(window)) = (
            capabilities_of(self.provider),
            app.payments().windows.of(self.provider),
        ) else {
            return Ok(None);
        };
        let fault = |member: &str, message: &str| {
            Err(Problem::invalid_at(format!("{within}/{member}"), message))
        };
        if !can.currencies.contains(&currency) {
            return fault("provider", "does not carry the store's currency");
        }
        if self.capture_later && !can.captures_later {
            return fault("capture_later", "the provider takes money at once");
        }
        let is_web = |text: &Text<500>| {
            Url::parse(text.as_str()).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        };
        if self.return_url.as_ref().is_some_and(|url| !is_web(url)) {
            return fault("return_url", "must be an http or https address");
        }
        let Needs {
            phone,
            email,
            return_url,
        } = self.needs();
        if let Some(prefixes) = phone {
            let serves = |phone: &PhoneNumber| {
                prefixes.is_empty() || prefixes.iter().any(|one| phone.as_str().starts_with(one))
            };
            match &self.phone {
                None => return fault("phone", "is needed by this provider"),
                Some(phone) if !serves(phone) => {
                    return fault("phone", "is not one that this provider serves");
                }
                Some(_) => (),
            }
        }
        if email && self.email.is_none() {
            return fault("email", "is needed by this provider");
        }
        if return_url && self.return_url.is_none() {
            return fault("return_url", "is needed by this provider");
        }
        Ok(Some(Ask {
            payer: Payer {
                phone: self.phone,
                email: self.email,
                return_url: self.return_url,
                wallet: self.wallet,
            },
            pay_by: now + window,
            capture_later: self.capture_later,
        }))
    }

    /// What the provider needs; of a phone, how its numbers begin.
    fn needs(&self) -> Needs {
        const KENYA: &[&str] = &["+254"];
        const ZIMBABWE: &[&str] = &["+2637"];
        let (phone, email, return_url) = match self.provider {
            PaymentProvider::Mpesa => (Some(KENYA), false, false),
            PaymentProvider::Ecocash => (Some(&["+26377", "+26378"][..]), false, false),
            PaymentProvider::Paynow if self.wallet.is_some() => (Some(ZIMBABWE), true, false),
            PaymentProvider::Paystack if self.wallet.is_some() => (Some(&[][..]), true, false),
            PaymentProvider::Paystack => (None, true, false),
            PaymentProvider::Paynow | PaymentProvider::StripeCheckout => (None, false, true),
            PaymentProvider::Stripe
            | PaymentProvider::BankTransfer
            | PaymentProvider::CashOnDelivery => (None, false, false),
        };
        Needs {
            phone,
            email,
            return_url,
        }
    }
}

struct Needs {
    phone: Option<&'static [&'static str]>,
    email: bool,
    return_url: bool,
}

/// The e-mail of whoever is logged in.
pub(crate) async fn email_of(
    app: &App,
    account_id: Option<AccountId>,
) -> Result<Option<EmailAddress>> {
    let Some(account_id) = account_id else {
        return Ok(None);
    };
    let account = app.engine().read::<Account>(account_id).await?;
    let profile = account.state.profile().ok();
    Ok(profile.and_then(|profile| profile.email().value().cloned()))
}
