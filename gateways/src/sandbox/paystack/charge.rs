//! Taking money: by a page of Paystack's, or by a prompt on a phone.

use serde_json::{Value, json};

use super::transaction::Transaction;
use super::{Call, Paystack, done, refused, text};
use crate::sandbox::deal::Deal;
use crate::sandbox::prompt::Prompt;
use crate::sandbox::provider::Provider;
use crate::sandbox::wire::Reply;
use crate::sandbox::world::held;

const WRONG_CODES_MAX: u8 = 3;

impl Paystack {
    pub(super) fn initialize(&self, call: &Call<'_>) -> Result<Reply, Reply> {
        let transaction = Self::opened(call, "card", "abandoned")?;
        let Deal {
            payment, reference, ..
        } = &transaction.deal;
        let url = format!("{}/pay/paystack/{payment}", call.world.origin);
        let access_code = format!("ac{payment:0>13}");
        let data = json!({
            "authorization_url": url,
            "access_code": access_code,
            "reference": reference,
        });
        let reply = done("Authorization URL created", &data).about(reference);
        self.put(call, transaction, None)?;
        Ok(reply)
    }

    pub(super) fn charge(&self, call: &Call<'_>) -> Result<Reply, Reply> {
        let wallet = call.fields.get("mobile_money").and_then(Value::as_object);
        let Some(wallet) = wallet else {
            return Err(refused(
                400,
                "missing_params",
                "Please provide a payment method",
            ));
        };
        let network = text(wallet.get("provider"));
        let currency = call.currency()?;
        let phone = text(wallet.get("phone"));
        let local = phone.len() == 10 && phone.starts_with('0');
        let kenyan = matches!(phone.trim_start_matches('+').as_bytes(), [b'2', b'5', b'4', rest @ ..] if rest.len() == 9);
        let (status, fits, message) = match (&*currency, &*network) {
            ("GHS", "mtn" | "atl" | "tgo") => (
                "pay_offline",
                local,
                "Please complete the authorization process by inputting your PIN on your mobile device",
            ),
            ("GHS", "vod") => (
                "send_otp",
                local,
                "Please dial *110# to generate a voucher, then enter it",
            ),
            ("KES", "mpesa") => (
                "pay_offline",
                kenyan,
                "Please complete authorization process on your mobile phone",
            ),
            ("KES", "mpesa_offline") => ("pay_offline", true, "Please pay to the account shown"),
            ("KES", "mptill") => (
                "pay_offline",
                !text(wallet.get("account")).is_empty(),
                "Please complete the payment at the till",
            ),
            _ => {
                return Err(refused(
                    400,
                    "invalid_provider",
                    "Invalid mobile money provider",
                ));
            }
        };
        if !fits {
            return Err(refused(400, "invalid_phone", "Invalid phone number"));
        }
        let mut transaction = Self::opened(call, "mobile_money", status)?;
        if status == "send_otp" {
            let digits = call.world.dice.roll(&["otp", &transaction.deal.payment]) % 1_000_000;
            transaction.otp = Some((format!("{digits:06}"), 0));
        }
        let mut data = charge_shown(call, &transaction, status, message);
        if network == "mpesa_offline" {
            data["account_number"] = json!("4123455");
            data["account_reference"] = json!(transaction.deal.payment);
        }
        let reply = done("Charge attempted", &data).about(&transaction.deal.reference);
        self.put(call, transaction, Some(phone))?;
        Ok(reply)
    }

    pub(super) fn submit_otp(&self, call: &Call<'_>) -> Result<Reply, Reply> {
        let reference = call.required("reference")?;
        let code = call.required("otp")?;
        let mut state = held(&self.0);
        let found = state
            .by_reference(&call.merchant.account, &reference)
            .ok_or_else(|| refused(400, "transaction_not_found", "Transaction not found"))?;
        let Some((right, wrong)) = &mut found.otp else {
            return Err(refused(
                400,
                "invalid_status",
                "Charge is not waiting for a code",
            ));
        };
        let message = if *right == code && found.status == "send_otp" {
            found.otp = None;
            found.succeed(call.world, call.merchant);
            ""
        } else if *wrong + 1 >= WRONG_CODES_MAX {
            found.fail(call.world, "Incorrect code");
            ""
        } else {
            *wrong += 1;
            "The code is not right, please try again"
        };
        let data = charge_shown(call, found, found.status, message);
        Ok(done("Charge attempted", &data).about(&reference))
    }

    pub(super) fn pending_charge(&self, call: &Call<'_>, reference: &str) -> Result<Reply, Reply> {
        let mut state = held(&self.0);
        let found = state
            .by_reference(&call.merchant.account, reference)
            .ok_or_else(|| refused(400, "transaction_not_found", "Transaction not found"))?;
        let data = charge_shown(call, found, found.status_told(), "");
        Ok(done("Reference check successful", &data).about(reference))
    }

    fn opened(
        call: &Call<'_>,
        channel: &'static str,
        status: &'static str,
    ) -> Result<Transaction, Reply> {
        // Money that would go to others is not played here: better refused than kept.
        if let Some(name) = ["subaccount", "split", "split_code"]
            .into_iter()
            .find(|name| call.fields.contains_key(*name))
        {
            let message = format!("The sandbox splits nothing: {name}");
            return Err(refused(400, "invalid_params", &message));
        }
        let email = call.required("email")?;
        if !email.contains('@') {
            return Err(refused(
                400,
                "invalid_email_address",
                "Invalid Email Address Passed",
            ));
        }
        let asked = call.amount()?;
        let currency = call.currency()?;
        let number = 302_960 + call.world.dice.number();
        let reference = match call.text("reference") {
            named if named.is_empty() => call.world.dice.id(15).to_lowercase(),
            named => named,
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.=".contains(&byte);
        if !reference.bytes().all(allowed) {
            return Err(refused(
                400,
                "invalid_reference",
                "Invalid transaction reference",
            ));
        }
        let fee = call.merchant.fee.of(asked);
        let charged = if call.merchant.payer_bears_fee {
            asked + fee
        } else {
            asked
        };
        Ok(Transaction {
            deal: Deal {
                provider: Provider::Paystack,
                account: call.merchant.account.clone(),
                payment: number.to_string(),
                reference,
                currency,
                asked,
                captured: 0,
                refunded: 0,
                charged_back: 0,
            },
            charged,
            fee,
            status,
            channel,
            gateway_response: "The transaction was not completed",
            email,
            metadata: call
                .fields
                .get("metadata")
                .cloned()
                .unwrap_or_else(|| Value::from("")),
            created_at: call.now,
            paid_at: None,
            otp: None,
        })
    }

    /// The reference is what keeps a charge from being made twice.
    fn put(
        &self,
        call: &Call<'_>,
        transaction: Transaction,
        phone: Option<String>,
    ) -> Result<(), Reply> {
        let Deal {
            account,
            payment,
            reference,
            currency,
            ..
        } = transaction.deal.clone();
        let prompt = Prompt {
            provider: Provider::Paystack,
            payment: payment.clone(),
            reference: reference.clone(),
            phone: phone.filter(|phone| !phone.is_empty()),
            amount: transaction.charged,
            currency,
            text: format!("Pay {account} for {reference}"),
            code: transaction.otp.as_ref().map(|(code, _)| code.clone()),
            return_url: Some(returning(&call.text("callback_url"), &reference)),
            at: call.now,
        };
        {
            let mut state = held(&self.0);
            let key = (account, reference.clone());
            if state.references.contains_key(&key) {
                let message = "Duplicate Transaction Reference";
                return Err(refused(400, "duplicate_reference", message).about(&reference));
            }
            state.references.insert(key, payment.clone());
            transaction.forge(call.world, call.merchant);
            state.transactions.insert(payment, transaction);
        }
        call.world.ask(prompt);
        Ok(())
    }
}

/// Both names are sent, as they are in reality.
fn returning(callback_url: &str, reference: &str) -> String {
    let Ok(mut url) = url::Url::parse(callback_url) else {
        return String::new();
    };
    url.query_pairs_mut()
        .append_pair("trxref", reference)
        .append_pair("reference", reference);
    url.to_string()
}

fn charge_shown(call: &Call<'_>, found: &Transaction, status: &str, message: &str) -> Value {
    let mut data = if matches!(status, "success" | "failed") {
        found.shown(call.merchant, status)
    } else {
        json!({ "reference": found.deal.reference, "status": status })
    };
    if !message.is_empty() {
        data["display_text"] = Value::from(message);
    }
    data
}
