//! What Paystack posts to us.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::loose_json::Loose;
use super::super::{
    About, Callback, CallbackRefusal, Dispute, DisputeStage, Fact, Handle, OperationId,
    PaystackAccount, Report, ReportedAmount, Secret, Words, crypto,
};
use super::answers::Transaction;
use super::is_live;
use super::moves::{RefundTold, TransferTold};

#[derive(Deserialize)]
struct Event<'a> {
    event: Loose,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Mode {
    domain: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DisputeTold {
    id: Loose,
    refund_amount: Loose,
    currency: Loose,
    status: Loose,
    resolution: Loose,
    category: Loose,
    #[serde(alias = "due_at", rename = "dueAt")]
    due_at: Loose,
    transaction: Disputed,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Disputed {
    id: Loose,
    reference: Loose,
    amount: Loose,
    currency: Loose,
}

pub(super) fn read(
    account: &PaystackAccount,
    callback: &Callback<'_>,
) -> Result<Vec<Report>, CallbackRefusal> {
    callback.check_length()?;
    let signer = signer(account, callback).ok_or(CallbackRefusal::BadSignature)?;
    let event: Event<'_> = parse(callback.body)?;
    let mode: Mode = serde_json::from_str(event.data.get()).unwrap_or_default();
    // Whoever has the test key must not make live money of it.
    if mode
        .domain
        .get()
        .is_some_and(|mode| (mode == "live") != is_live(signer))
    {
        return Err(CallbackRefusal::NotForUs);
    }
    let name = event.event.as_str();
    let report = match name.split_once('.') {
        Some(("charge", "success")) => Some(charge(event.data)?),
        Some(("charge", dispute)) if dispute.starts_with("dispute.") => {
            Some(disputed(event.data, dispute)?)
        }
        Some(("refund", status)) => Some(refund(event.data, status)?),
        Some(("transfer", status)) => transfer(event.data, status)?,
        // Of things that we do not use.
        _ => None,
    };
    Ok(report.into_iter().collect())
}

/// The key of ours that signed it.
fn signer<'a>(account: &'a PaystackAccount, callback: &Callback<'_>) -> Option<&'a Secret> {
    let signature = callback.header("x-paystack-signature")?;
    account.secret_keys.iter().find(|key| {
        let key = key.expose().as_bytes();
        crypto::is_hmac_sha512(key, &[callback.body], signature)
    })
}

fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, CallbackRefusal> {
    serde_json::from_slice(json).map_err(|_| CallbackRefusal::Malformed)
}

fn data<'a, T: Deserialize<'a>>(data: &'a RawValue) -> Result<T, CallbackRefusal> {
    serde_json::from_str(data.get()).map_err(|_| CallbackRefusal::Malformed)
}

fn charge(raw: &RawValue) -> Result<Report, CallbackRefusal> {
    let transaction: Transaction = data(raw)?;
    let about = About {
        operation_id: OperationId::parse(transaction.reference.as_str()),
        handle: Handle::new(transaction.reference.as_str()),
        ..About::default()
    };
    Ok(Report::new(about, Fact::Payment(transaction.outcome())))
}

/// Which refund it is, only their own id tells, and not every event has one.
fn refund(raw: &RawValue, status: &str) -> Result<Report, CallbackRefusal> {
    let told: RefundTold = data(raw)?;
    let about = About {
        handle: Handle::new(told.id.as_str()),
        charge: OperationId::parse(told.transaction_reference.as_str()),
        ..About::default()
    };
    Ok(Report::new(about, Fact::Refund(told.outcome(status))))
}

fn transfer(raw: &RawValue, status: &str) -> Result<Option<Report>, CallbackRefusal> {
    if !matches!(status, "success" | "failed" | "reversed") {
        return Ok(None);
    }
    let told: TransferTold = data(raw)?;
    let about = About {
        operation_id: OperationId::parse(told.reference.as_str()),
        handle: Handle::new(told.transfer_code.as_str()),
        ..About::default()
    };
    Ok(Some(Report::new(
        about,
        Fact::Transfer(told.outcome(status)),
    )))
}

fn disputed(raw: &RawValue, name: &str) -> Result<Report, CallbackRefusal> {
    let told: DisputeTold = data(raw)?;
    let transaction = &told.transaction;
    let amount = told.refund_amount.get().or(transaction.amount.get());
    let currency = told.currency.get().or(transaction.currency.get());
    let amount = amount.unwrap_or_default();
    let words = format!(
        "{} {} {}",
        told.category.as_str(),
        told.status.as_str(),
        told.resolution.as_str()
    );
    let dispute = Dispute {
        reference: told.id.get().ok_or(CallbackRefusal::Malformed)?.to_owned(),
        amount: ReportedAmount::of_minor(amount, currency.unwrap_or_default()),
        stage: stage(name, told.resolution.as_str()),
        money: None,
        words: Words::of(&words),
        answer_by: time(told.due_at.as_str()),
    };
    let about = About {
        charge: OperationId::parse(transaction.reference.as_str()),
        captured_by: transaction.id.get().map(str::to_owned),
        ..About::default()
    };
    Ok(Report::new(about, Fact::Dispute(dispute)))
}

/// A resolution that we do not know is no end of it.
fn stage(name: &str, resolution: &str) -> DisputeStage {
    match (name, resolution) {
        ("dispute.resolve", "merchant-accepted" | "auto-accepted") => DisputeStage::Lost,
        ("dispute.resolve", "declined") => DisputeStage::Won,
        _ => DisputeStage::Open,
    }
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    text.parse().ok()
}
