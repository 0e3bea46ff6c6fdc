//! What Stripe posts to us.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::loose_json::Loose;
use super::super::outcome::unix_time;
use super::super::{
    Callback, CallbackRefusal, Fact, FailureReason, Outcome, Report, StripeAccount, Words, crypto,
};
use super::objects::{DisputeTold, Intent, RefundTold, Session};

/// How far a signature's moment may be from now, to either side.
const TOLERANCE: TimeDelta = TimeDelta::seconds(300);

/// Two while a secret is replaced; nobody makes us try many.
const SIGNATURES_MAX: usize = 8;

#[derive(Deserialize)]
struct Event<'a> {
    id: Loose,
    #[serde(rename = "type")]
    kind: Loose,
    #[serde(default)]
    livemode: Loose,
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
}

pub(super) fn read(
    account: &StripeAccount,
    callback: &Callback<'_>,
) -> Result<Vec<Report>, CallbackRefusal> {
    callback.check_length()?;
    let signature = callback.header("stripe-signature");
    let signature = signature.ok_or(CallbackRefusal::BadSignature)?;
    check(account, signature, callback)?;
    let event: Event<'_> =
        serde_json::from_slice(callback.body).map_err(|_| CallbackRefusal::Malformed)?;
    let is_live = !account.secret_key.expose().contains("_test_");
    // An event that does not say it is neither.
    if event
        .livemode
        .get()
        .is_some_and(|mode| (mode == "true") != is_live)
    {
        return Err(CallbackRefusal::NotForUs);
    }
    let Some(data) = &event.data else {
        return Ok(Vec::new());
    };
    let report = report(event.kind.as_str(), data.object)?;
    let delivery = event.id.get().map(str::to_owned);
    Ok(report
        .map(|report| Report { delivery, ..report })
        .into_iter()
        .collect())
}

/// `t=1767225600,v1=…,v1=…,v0=…`, where only `v1` counts.
fn check(
    account: &StripeAccount,
    header: &str,
    callback: &Callback<'_>,
) -> Result<(), CallbackRefusal> {
    let parts = || {
        header
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
    };
    let mut moments = parts().filter(|(name, _)| *name == "t");
    let (Some((_, moment)), None) = (moments.next(), moments.next()) else {
        return Err(CallbackRefusal::BadSignature);
    };
    let signed = |hex: &str| {
        account.webhook_secrets.iter().any(|secret| {
            let key = secret.expose().as_bytes();
            crypto::is_hmac_sha256(key, &[moment.as_bytes(), b".", callback.body], hex)
        })
    };
    let mut signatures = parts()
        .filter(|(name, _)| *name == "v1")
        .take(SIGNATURES_MAX);
    if !signatures.any(|(_, hex)| signed(hex)) {
        return Err(CallbackRefusal::BadSignature);
    }
    let signed_at = unix_time(moment).ok_or(CallbackRefusal::BadSignature)?;
    if is_near(signed_at, callback.received_at) {
        Ok(())
    } else {
        Err(CallbackRefusal::TooOld)
    }
}

fn is_near(signed_at: DateTime<Utc>, received_at: DateTime<Utc>) -> bool {
    (received_at - signed_at).abs() <= TOLERANCE
}

fn report(kind: &str, object: &RawValue) -> Result<Option<Report>, CallbackRefusal> {
    let report = match kind {
        "checkout.session.async_payment_failed" => {
            let session: Session = parse(object)?;
            let failed = Outcome::failed(FailureReason::Declined, Words::of(kind));
            Report::new(session.about(), Fact::Payment(failed))
        }
        _ if kind.starts_with("checkout.session.") => {
            let session: Session = parse(object)?;
            Report::new(session.about(), Fact::Payment(session.outcome()))
        }
        _ if kind.starts_with("payment_intent.") => {
            let intent: Intent = parse(object)?;
            Report::new(intent.about(), Fact::Payment(intent.outcome()))
        }
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            let refund: RefundTold = parse(object)?;
            Report::new(refund.about(), Fact::Refund(refund.outcome()))
        }
        _ if kind.starts_with("charge.dispute.") => {
            let told: DisputeTold = parse(object)?;
            let dispute = told.dispute(kind).ok_or(CallbackRefusal::Malformed)?;
            Report::new(told.about(), Fact::Dispute(dispute))
        }
        // What else there is, these tell too.
        _ => return Ok(None),
    };
    Ok(Some(report))
}

fn parse<'a, T: Deserialize<'a>>(object: &'a RawValue) -> Result<T, CallbackRefusal> {
    serde_json::from_str(object.get()).map_err(|_| CallbackRefusal::Malformed)
}
