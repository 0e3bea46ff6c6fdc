//! Where a vendor's money is to go.

use crate::payment::PaymentProvider;
use crate::{AccountId, Currency, Personal, PhoneNumber, Text};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// By which way a vendor is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutMethod {
    /// Somebody of the store pays it, and puts that on record.
    ByHand,
    /// From the store's M-Pesa to a phone (B2C).
    Mpesa,
    /// A transfer from the store's balance at Paystack.
    Paystack,
}

/// What it takes to pay the vendor: personal, so it stands in events sealed only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutDetails {
    ByHand {
        name: Text<120>,
        /// Such as a bank, its branch and the number of an account: for who pays, and nobody else.
        account: Text<200>,
    },
    Mpesa {
        phone: PhoneNumber,
    },
    /// In Paystack's own words.
    Paystack {
        /// As `basa` for a bank in South Africa, `mobile_money` for a wallet in Kenya.
        kind: Text<50>,
        name: Text<120>,
        account_number: Text<50>,
        bank_code: Text<50>,
    },
}

/// The account that counts now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutAccount {
    pub method: PayoutMethod,
    pub details: Personal<PayoutDetails>,
    /// Before that nothing is paid out.
    pub usable_from: DateTime<Utc>,
    pub set_by: AccountId,
}

impl PayoutMethod {
    pub const ALL: [Self; 3] = [Self::ByHand, Self::Mpesa, Self::Paystack];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByHand => "by_hand",
            Self::Mpesa => "mpesa",
            Self::Paystack => "paystack",
        }
    }

    /// Who carries it; nobody, if people do.
    pub const fn provider(self) -> Option<PaymentProvider> {
        match self {
            Self::ByHand => None,
            Self::Mpesa => Some(PaymentProvider::Mpesa),
            Self::Paystack => Some(PaymentProvider::Paystack),
        }
    }

    /// Of how many minor units it pays a multiple: M-Pesa carries whole shillings.
    pub const fn unit(self) -> i64 {
        match self {
            Self::ByHand | Self::Paystack => 1,
            Self::Mpesa => 100,
        }
    }

    /// Whether it carries that currency at all; whether a store has an account there is another
    /// question.
    pub const fn pays_in(self, currency: Currency) -> bool {
        match self {
            Self::ByHand => true,
            Self::Mpesa => matches!(currency, Currency::Kes),
            Self::Paystack => matches!(currency, Currency::Kes | Currency::Usd | Currency::Zar),
        }
    }
}

impl PayoutDetails {
    pub const fn method(&self) -> PayoutMethod {
        match self {
            Self::ByHand { .. } => PayoutMethod::ByHand,
            Self::Mpesa { .. } => PayoutMethod::Mpesa,
            Self::Paystack { .. } => PayoutMethod::Paystack,
        }
    }
}

impl PayoutAccount {
    /// How long nothing is paid out once an account was set, the first one too, where the operator
    /// does not say otherwise.
    pub const HELD_FOR: TimeDelta = TimeDelta::hours(24);
}

impl fmt::Display for PayoutMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
