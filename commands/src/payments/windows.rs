//! How long a payer has, and when it is looked what became of money.

use chrono::TimeDelta;
use soko_domain::payment::PaymentProvider;

/// How long an order waits for its money, by the way it is paid.
#[derive(Debug, Clone, Copy)]
pub struct Windows {
    /// For a prompt on the phone: it is answered within two minutes or not at all, and then the payer
    /// may want to try again.
    pub prompt: TimeDelta,
    /// For a page, which may be left and come back to.
    pub page: TimeDelta,
    /// For a bank, and for who looks at its statements.
    pub bank: TimeDelta,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            prompt: TimeDelta::minutes(15),
            page: TimeDelta::minutes(60),
            bank: TimeDelta::days(3),
        }
    }
}

impl Windows {
    /// `None` of what is paid on delivery.
    pub const fn of(&self, provider: PaymentProvider) -> Option<TimeDelta> {
        match provider {
            PaymentProvider::CashOnDelivery => None,
            PaymentProvider::BankTransfer => Some(self.bank),
            PaymentProvider::Mpesa | PaymentProvider::Ecocash => Some(self.prompt),
            PaymentProvider::Paynow
            | PaymentProvider::Paystack
            | PaymentProvider::Stripe
            | PaymentProvider::StripeCheckout => Some(self.page),
        }
    }
}

/// How long what is not known yet is left alone before it is asked about again.
#[derive(Debug, Clone)]
pub struct Looks {
    /// After a payment was given up: whether money came all the same. Each is counted from then.
    pub given_up: Vec<TimeDelta>,
    /// Between two questions about a refund; the last repeats.
    pub refund: Vec<TimeDelta>,
}

impl Looks {
    pub(crate) fn at_refund(&self, round: u32) -> TimeDelta {
        let step = self.refund.get(round as usize).or(self.refund.last());
        step.copied().unwrap_or(TimeDelta::minutes(1))
    }
}
