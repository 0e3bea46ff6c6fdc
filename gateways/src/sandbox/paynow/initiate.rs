//! How a payment begins: with a page, or on the customer's phone.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{PROVIDER, Paynow, Transaction, error, signed, signed_in};
use crate::sandbox::customer::Act;
use crate::sandbox::deal::Deal;
use crate::sandbox::fault::Fault;
use crate::sandbox::form::Form;
use crate::sandbox::major::minor;
use crate::sandbox::merchants::PaynowMerchant;
use crate::sandbox::prompt::Prompt;
use crate::sandbox::wire::{Reply, Request};
use crate::sandbox::world::{World, held};

const WRONG_CODES_MAX: u8 = 5;
/// In Paynow's seconds.
const QUICK: u64 = 5;
const SLOW: u64 = 30;
const TRACE_LENGTH_MAX: usize = 32;

/// What a test wallet or test card does by itself.
#[derive(Clone, Copy)]
enum Scripted {
    Acts(Act, u64),
    RefusesAtOnce,
}

impl Paynow {
    pub(super) fn initiate(
        &self,
        world: &Arc<World>,
        request: &Request<'_>,
        form: &Form,
        express: bool,
    ) -> Result<Reply, Reply> {
        let merchants = world.merchants();
        let merchant = signed_in(&merchants.paynow, form)?;
        let reference = required(form, "reference")?;
        let amount = minor(form.text("amount")).filter(|amount| *amount > 0);
        let amount = amount.ok_or_else(|| error("Invalid amount field"))?;
        required(form, "returnurl")?;
        let result_url = required(form, "resulturl")?;
        let email = form.text("authemail");
        if express && email.is_empty() || !email.is_empty() && !email.contains('@') {
            return Err(error("Invalid authemail field"));
        }
        let method = if express {
            required(form, "method")?.to_lowercase()
        } else {
            String::new()
        };
        let scripted = Self::method_of(form, &method, express)?;
        if let Some(Scripted::RefusesAtOnce) = scripted {
            return Err(error("Insufficient balance"));
        }
        let number = (1_000 + world.dice.number()).to_string();
        let guid = world.dice.uuid();
        let deal = Deal {
            provider: PROVIDER,
            account: merchant.id.clone(),
            payment: number.clone(),
            reference: reference.clone(),
            currency: merchant.currency.clone(),
            asked: amount,
            captured: 0,
            refunded: 0,
            charged_back: 0,
        };
        let otp = (method == "omari").then(|| {
            let digits = world.dice.roll(&["omari", &number]) % 1_000_000;
            (format!("{digits:06}"), 0)
        });
        let transaction = Transaction {
            deal,
            guid,
            status: "Created",
            result_url,
            otp,
            created_at: request.now,
        };
        let prompt = prompt(form, &transaction, express);
        let reply = accepted(world, merchant, &transaction, &method, express).about(&reference);
        self.put(form, transaction)?;
        self.forge(world, &number);
        if express {
            self.sent(world, &number);
        }
        match scripted {
            Some(Scripted::Acts(act, seconds)) => {
                world.prompts.show(prompt);
                world.after(world.scaled(seconds), move |world| {
                    let _ = world.act(PROVIDER, &number, act);
                });
            }
            _ => world.ask(prompt),
        }
        Ok(reply)
    }

    fn method_of(form: &Form, method: &str, express: bool) -> Result<Option<Scripted>, Reply> {
        if !express {
            return Ok(None);
        }
        let phone = form.text("phone");
        match method {
            "ecocash" | "onemoney" | "innbucks" | "omari" => {
                let local = phone.len() == 10
                    && phone.starts_with("07")
                    && phone.bytes().all(|byte| byte.is_ascii_digit());
                if !local {
                    return Err(error("Invalid phone number"));
                }
                Ok(match phone {
                    "0771111111" => Some(Scripted::Acts(Act::Pay, QUICK)),
                    "0772222222" => Some(Scripted::Acts(Act::Pay, SLOW)),
                    "0773333333" => Some(Scripted::Acts(Act::Cancel, SLOW)),
                    "0774444444" => Some(Scripted::RefusesAtOnce),
                    _ => None,
                })
            }
            "vmc" | "zimswitch" => {
                let token = form.text("token").trim_matches(['{', '}']);
                let digit = token.chars().next().unwrap_or_default();
                let same = |letter: char| letter == digit || letter == '-';
                match digit {
                    '1' if token.len() == 36 && token.chars().all(same) => {
                        Ok(Some(Scripted::Acts(Act::Pay, QUICK)))
                    }
                    '2' if token.len() == 36 && token.chars().all(same) => {
                        Ok(Some(Scripted::Acts(Act::Pay, SLOW)))
                    }
                    '3' if token.len() == 36 && token.chars().all(same) => {
                        Ok(Some(Scripted::Acts(Act::Cancel, SLOW)))
                    }
                    '4' if token.len() == 36 && token.chars().all(same) => {
                        Ok(Some(Scripted::RefusesAtOnce))
                    }
                    _ => Err(error("Invalid token field")),
                }
            }
            _ => Err(error("Invalid payment method")),
        }
    }

    fn put(&self, form: &Form, transaction: Transaction) -> Result<(), Reply> {
        let mut state = held(&self.0);
        let number = transaction.deal.payment.clone();
        let trace = form.text("merchanttrace");
        if trace.len() > TRACE_LENGTH_MAX {
            return Err(error("Invalid merchanttrace field"));
        }
        if !trace.is_empty() {
            let key = (transaction.deal.account.clone(), trace.to_owned());
            if state.traces.contains_key(&key) {
                return Err(error("Duplicate merchanttrace").about(&transaction.deal.reference));
            }
            state.traces.insert(key, number.clone());
        }
        state.guids.insert(transaction.guid.clone(), number.clone());
        state.transactions.insert(number, transaction);
        Ok(())
    }

    /// The code that O'mari sent to the customer.
    pub(super) fn submit_otp(
        &self,
        world: &Arc<World>,
        request: &Request<'_>,
        form: &Form,
    ) -> Result<Reply, Reply> {
        let merchants = world.merchants();
        let merchant = signed_in(&merchants.paynow, form)?;
        let query = Form::parse(request.query);
        let (number, reference, right) = {
            let mut state = held(&self.0);
            let number = state
                .guids
                .get(query.text("guid"))
                .cloned()
                .unwrap_or_default();
            let found = state.transactions.get_mut(&number);
            let found = found.filter(|found| found.deal.account == merchant.id && found.is_open());
            let found = found.ok_or_else(|| error("Invalid transaction"))?;
            let reference = found.deal.reference.clone();
            let Some((code, wrong)) = &mut found.otp else {
                return Err(error("Invalid transaction"));
            };
            if code == form.text("otp") {
                found.otp = None;
                (number, reference, true)
            } else {
                *wrong += 1;
                if *wrong < WRONG_CODES_MAX {
                    return Err(error("Invalid OTP").about(&reference));
                }
                (number, reference, false)
            }
        };
        let act = if right { Act::Pay } else { Act::WrongPin };
        let _ = world.act(PROVIDER, &number, act);
        if right {
            return Ok(signed(merchant, &[("status", "Ok")]).about(&reference));
        }
        Err(error("Invalid OTP").about(&reference))
    }

    /// A success that never was, with a hash under another key.
    fn forge(&self, world: &Arc<World>, number: &str) {
        let state = held(&self.0);
        let Some(found) = state.transactions.get(number) else {
            return;
        };
        let reference = &found.deal.reference;
        if world
            .hit(Fault::CallbackForged, PROVIDER, reference, number)
            .is_none()
        {
            return;
        }
        let merchants = world.merchants();
        let Some(merchant) = super::merchant(&merchants.paynow, &found.deal.account) else {
            return;
        };
        let other = PaynowMerchant {
            key: world.dice.uuid(),
            ..merchant.clone()
        };
        let mut forged = found.update(world, &other, "Paid", found.deal.asked);
        "forged".clone_into(&mut forged.about);
        world.send(forged);
    }
}

fn required(form: &Form, name: &str) -> Result<String, Reply> {
    let value = form.text(name);
    if value.is_empty() {
        return Err(error(&format!("Invalid {name} field")));
    }
    Ok(value.to_owned())
}

fn prompt(form: &Form, transaction: &Transaction, express: bool) -> Prompt {
    let deal = &transaction.deal;
    Prompt {
        provider: PROVIDER,
        payment: deal.payment.clone(),
        reference: deal.reference.clone(),
        phone: Some(form.text("phone").to_owned()).filter(|phone| express && !phone.is_empty()),
        amount: deal.asked,
        currency: deal.currency.clone(),
        text: match form.text("additionalinfo") {
            "" => format!("Pay {} for {}", deal.account, deal.reference),
            text => text.to_owned(),
        },
        code: transaction.otp.as_ref().map(|(code, _)| code.clone()),
        return_url: Some(form.text("returnurl").to_owned()).filter(|_| !express),
        at: transaction.created_at,
    }
}

fn accepted(
    world: &World,
    merchant: &PaynowMerchant,
    transaction: &Transaction,
    method: &str,
    express: bool,
) -> Reply {
    let number = &transaction.deal.payment;
    let poll_url = transaction.poll_url(world);
    let page = format!("{}/pay/paynow/{number}", world.origin);
    let otp_url = format!(
        "{}/paynow/Interface/RemoteOtp/?guid={}",
        world.origin, transaction.guid
    );
    let code = world.dice.roll(&["innbucks", number]) % 1_000_000_000;
    let code = format!("{code:09}");
    let expires = transaction.created_at + TimeDelta::minutes(10);
    let expires = expires.format("%-d-%b-%Y %H:%M").to_string();
    let mut pairs = vec![("status", "Ok")];
    if !express {
        pairs.push(("browserurl", &page));
    }
    match method {
        "innbucks" => {
            pairs.push(("authorizationcode", &code));
            pairs.push(("authorizationexpires", &expires));
        }
        "omari" => {
            pairs.push(("otpreference", &transaction.guid));
            pairs.push(("remoteotpurl", &otp_url));
        }
        "ecocash" => pairs.push(("instructions", "Dial *151*2*4# and enter your EcoCash PIN. Once you have authorized the payment via your handset, please click Check For Payment below to conclude this transaction")),
        _ => (),
    }
    pairs.push(("pollurl", &poll_url));
    pairs.push(("paynowreference", number));
    signed(merchant, &pairs)
}
