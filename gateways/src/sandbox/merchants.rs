//! Whom the providers know. As JSON they can be read and replaced while the sandbox runs.

use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Merchants {
    pub mpesa: Vec<MpesaMerchant>,
    pub paystack: Vec<PaystackMerchant>,
    pub stripe: Vec<StripeMerchant>,
    pub paynow: Vec<PaynowMerchant>,
    pub ecocash: Vec<EcocashMerchant>,
}

/// What a provider keeps of each payment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fee {
    /// Hundredths of a percent, rounded half up.
    pub basis_points: u32,
    /// Minor units.
    pub fixed: u32,
}

impl Fee {
    pub(super) fn of(self, amount: i64) -> i64 {
        let share = (i128::from(amount) * i128::from(self.basis_points) + 5_000) / 10_000;
        let fee = share + i128::from(self.fixed);
        i64::try_from(fee).unwrap_or(amount).clamp(0, amount.max(0))
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MpesaMerchant {
    pub short_code: String,
    /// Set if customers buy goods at a till; payments then name it as `PartyB`.
    #[serde(default)]
    pub till: Option<String>,
    pub consumer_key: String,
    pub consumer_secret: String,
    pub passkey: String,
    pub initiator: String,
    /// How the initiator's password is checked; without it, anything is taken that has the length
    /// of a sealed one.
    #[serde(default)]
    pub sealed: Option<SealedPassword>,
    /// Whether customers' own payments are put to the validation URL first.
    #[serde(default)]
    pub validates: bool,
    /// Whether a new token ends the one before.
    #[serde(default = "yes")]
    pub new_token_ends_old: bool,
}

/// What an initiator seals, and the private half of what it is sealed to.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedPassword {
    pub password: String,
    /// PKCS #8, in PEM.
    pub private_key: String,
}

impl fmt::Debug for SealedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedPassword")
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaystackMerchant {
    pub account: String,
    pub secret_key: String,
    #[serde(default)]
    pub webhook_url: Option<String>,
    #[serde(default)]
    pub fee: Fee,
    #[serde(default)]
    pub payer_bears_fee: bool,
    /// Whether each transfer waits for a code.
    #[serde(default)]
    pub transfers_need_otp: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StripeMerchant {
    pub account: String,
    pub secret_key: String,
    #[serde(default)]
    pub webhook_url: Option<String>,
    /// Two while one is being rolled: every event is signed with each.
    #[serde(default)]
    pub webhook_secrets: Vec<String>,
    #[serde(default)]
    pub fee: Fee,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaynowMerchant {
    pub id: String,
    pub key: String,
    /// Nothing on the wire says it.
    pub currency: String,
    /// Whether the money is held until delivery is confirmed.
    #[serde(default)]
    pub holds_until_delivery: bool,
    /// Whether names come capitalised, as in some of the documentation's samples.
    #[serde(default)]
    pub capitalised_names: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EcocashMerchant {
    pub account: String,
    pub api_key: String,
    #[serde(default)]
    pub callback_url: Option<String>,
}

const fn yes() -> bool {
    true
}

impl Merchants {
    /// One at each provider, with the credentials that the README tells of.
    pub fn demo() -> Self {
        Self {
            mpesa: vec![MpesaMerchant {
                short_code: "174379".to_owned(),
                till: None,
                consumer_key: "ck_demo".to_owned(),
                consumer_secret: "cs_demo".to_owned(),
                passkey: "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
                    .to_owned(),
                initiator: "testapi".to_owned(),
                sealed: None,
                validates: false,
                new_token_ends_old: true,
            }],
            paystack: vec![PaystackMerchant {
                account: "demo".to_owned(),
                secret_key: "sk_test_demo".to_owned(),
                webhook_url: None,
                fee: Fee {
                    basis_points: 290,
                    fixed: 100,
                },
                payer_bears_fee: false,
                transfers_need_otp: false,
            }],
            stripe: vec![StripeMerchant {
                account: "acct_demo".to_owned(),
                secret_key: "sk_test_demo".to_owned(),
                webhook_url: None,
                webhook_secrets: vec!["whsec_test_secret".to_owned()],
                fee: Fee {
                    basis_points: 290,
                    fixed: 30,
                },
            }],
            paynow: vec![PaynowMerchant {
                id: "1201".to_owned(),
                key: "3e9fed89-60e1-4ce5-ab6e-6b1eb2d4f977".to_owned(),
                currency: "USD".to_owned(),
                holds_until_delivery: false,
                capitalised_names: false,
            }],
            ecocash: vec![EcocashMerchant {
                account: "demo".to_owned(),
                api_key: "ecocash_demo_key".to_owned(),
                callback_url: None,
            }],
        }
    }
}
