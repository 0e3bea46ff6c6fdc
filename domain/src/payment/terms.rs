//! On what terms a payer is asked by a provider, and what the payer has to do.

use crate::{EmailAddress, Personal, PhoneNumber, Text};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How a provider is to ask for the money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub payer: Personal<Payer>,
    /// When somebody chose to pay.
    pub asked_at: DateTime<Utc>,
    /// Until when the payer may pay. Money that comes later is taken all the same, and goes back if
    /// nobody needs it any more.
    pub pay_by: DateTime<Utc>,
    /// Whether the payer only agrees now, and a person decides what is taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub capture_later: bool,
}

/// What a provider needs to know of who pays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<PhoneNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailAddress>,
    /// Where the provider's page leads back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<Text<500>>,
    /// Which wallet is prompted, where a provider serves several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet: Option<Wallet>,
}

/// A mobile wallet that a provider can prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wallet {
    Ecocash,
    Innbucks,
    Mpesa,
    Omari,
    Onemoney,
}

/// What the payer has to do so that the payment goes on. It is for the payer alone: whoever has it
/// can pay, or see what is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextAction {
    /// To answer the prompt on the phone, as the provider explains it if it does.
    AwaitPhonePrompt {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instructions: Option<String>,
    },
    /// To go to the provider's page.
    Redirect { url: String },
    /// To fill in the provider's own form.
    ClientSecret { client_secret: String },
    /// To enter a code in the wallet's own app, until then if the provider says so.
    ShowCode {
        code: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<String>,
    },
    /// To tell us the code that the wallet sent; where it goes is the provider's handle for it.
    EnterCode { handle: String },
}
