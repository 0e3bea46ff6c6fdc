use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use soko_domain::{Currency, Money};

use super::super::super::testing::{at, new_year, operation};
use super::super::super::{
    Callback, CallbackRefusal, DisputeStage, DisputedMoney, Fact, FailureReason, Handle,
    MoveOutcome, Outcome, Report, ReportedAmount, StripeAccount,
};
use super::super::callbacks::read;
use super::account;
use super::checkout::session;
use super::intents::intent;

const EVENT: &str = r#"{"id":"evt_test_1","object":"event","type":"payment_intent.succeeded"}"#;
const MOMENT: i64 = 1_767_225_600;
const V1: &str = "45b8a95776fbf3619f8f4766a0af27089e752a5ba31acdc5a7e65b7c7f450dcc";

fn v1(secret: &str, moment: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{moment}.").as_bytes());
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn read_with(
    account: &StripeAccount,
    header: &str,
    body: &[u8],
    received_at: DateTime<Utc>,
) -> Result<Vec<Report>, CallbackRefusal> {
    let headers = [("Stripe-Signature", header.as_bytes())];
    let callback = Callback {
        path: "",
        headers: &headers,
        body,
        received_at,
    };
    read(account, &callback)
}

fn told(body: &str) -> Result<Vec<Report>, CallbackRefusal> {
    let signature = v1("whsec_test_secret", MOMENT, body.as_bytes());
    let header = format!("t={MOMENT},v1={signature}");
    read_with(&account(), &header, body.as_bytes(), new_year())
}

fn event(kind: &str, object: &str) -> String {
    let object: Value = serde_json::from_str(object).unwrap();
    json!({"id": "evt_1", "object": "event", "type": kind, "livemode": false,
        "data": {"object": object}})
    .to_string()
}

fn report(kind: &str, object: &str) -> Report {
    let mut reports = told(&event(kind, object)).unwrap();
    assert_eq!(reports.len(), 1, "{kind}");
    reports.remove(0)
}

fn ours() -> Value {
    json!({"payment_id": "00000000-0000-0000-0000-00000000000a",
        "operation_id": operation(0xb).to_string()})
}

fn zar(minor: i64) -> ReportedAmount {
    ReportedAmount::Exact(Money::new(minor, Currency::Zar))
}

#[test]
fn the_published_signature_is_theirs() {
    let header = format!("t={MOMENT},v1={V1}");
    // It has nothing in it, and so says nothing.
    let read = read_with(&account(), &header, EVENT.as_bytes(), new_year());
    assert_eq!(read, Ok(vec![]));
}

#[test]
fn any_signature_of_any_secret_counts_and_no_other_scheme() {
    let old = v1("whsec_old", MOMENT, EVENT.as_bytes());
    let mut both = account();
    both.webhook_secrets.push("whsec_old".into());
    for header in [
        format!("t={MOMENT},v1={old},v1={V1}"),
        format!("t={MOMENT},v1={V1},v1={old}"),
        format!("t={MOMENT}, v1=00, v1=zz, v0=1, v1={V1}"),
        format!("v1={V1},t={MOMENT}"),
    ] {
        let read = read_with(&account(), &header, EVENT.as_bytes(), new_year());
        assert_eq!(read, Ok(vec![]), "{header}");
    }
    let header = format!("t={MOMENT},v1={old}");
    assert!(read_with(&both, &header, EVENT.as_bytes(), new_year()).is_ok());
    let shorter = v1("test_secret", MOMENT, EVENT.as_bytes());
    for header in [
        String::new(),
        format!("v1={V1}"),
        format!("t={MOMENT}"),
        format!("t={MOMENT},v0={V1}"),
        format!("t={MOMENT},V1={V1}"),
        format!("t={MOMENT},v1={old}"),
        format!("t={MOMENT},v1={shorter}"),
        format!("t={MOMENT},v1={}", &V1[..62]),
        format!("t={MOMENT},t={MOMENT},v1={V1}"),
        format!("t=0{MOMENT},v1={V1}"),
        format!("t={},v1={V1}", MOMENT + 1),
        format!("t=,v1={}", v1("whsec_test_secret", 0, EVENT.as_bytes())),
    ] {
        let refused = read_with(&account(), &header, EVENT.as_bytes(), new_year());
        assert_eq!(refused, Err(CallbackRefusal::BadSignature), "{header}");
    }
    let nobody = StripeAccount {
        webhook_secrets: vec!["".into()],
        ..account()
    };
    let header = format!("t={MOMENT},v1={}", v1("", MOMENT, EVENT.as_bytes()));
    let refused = read_with(&nobody, &header, EVENT.as_bytes(), new_year());
    assert_eq!(refused, Err(CallbackRefusal::BadSignature));
}

#[test]
fn a_changed_body_and_a_doubled_header_are_refused() {
    let header = format!("t={MOMENT},v1={V1}");
    let changed = EVENT.replace("succeeded", "succeedee");
    let refused = read_with(&account(), &header, changed.as_bytes(), new_year());
    assert_eq!(refused, Err(CallbackRefusal::BadSignature));
    let newline = format!("{EVENT}\n");
    let refused = read_with(&account(), &header, newline.as_bytes(), new_year());
    assert_eq!(refused, Err(CallbackRefusal::BadSignature));
    let value = header.as_bytes();
    let headers = [("stripe-signature", value), ("Stripe-Signature", value)];
    let callback = Callback {
        path: "",
        headers: &headers,
        body: EVENT.as_bytes(),
        received_at: new_year(),
    };
    assert_eq!(
        read(&account(), &callback),
        Err(CallbackRefusal::BadSignature)
    );
}

#[test]
fn a_signature_is_good_for_five_minutes() {
    let header = format!("t={MOMENT},v1={V1}");
    let read = |seconds| {
        let received_at = new_year() + TimeDelta::seconds(seconds);
        read_with(&account(), &header, EVENT.as_bytes(), received_at)
    };
    for seconds in [-300, 0, 300] {
        assert_eq!(read(seconds), Ok(vec![]), "{seconds}");
    }
    for seconds in [-301, 301, 86_400] {
        assert_eq!(read(seconds), Err(CallbackRefusal::TooOld), "{seconds}");
    }
}

#[test]
fn a_test_event_is_nothing_to_a_live_key_nor_the_other_way_round() {
    let object = intent(&json!({}));
    let live = event("payment_intent.succeeded", &object).replace(
        r#""livemode":false,"object":"event""#,
        r#""livemode":true,"object":"event""#,
    );
    assert_eq!(told(&live), Err(CallbackRefusal::NotForUs));
    let account = StripeAccount {
        secret_key: "sk_live_key".into(),
        ..account()
    };
    let test = event("payment_intent.succeeded", &object);
    let header = format!(
        "t={MOMENT},v1={}",
        v1("whsec_test_secret", MOMENT, test.as_bytes())
    );
    let refused = read_with(&account, &header, test.as_bytes(), new_year());
    assert_eq!(refused, Err(CallbackRefusal::NotForUs));
}

#[test]
fn both_events_of_one_payment_name_the_same_money() {
    let changes = json!({"status": "succeeded", "amount_received": 1_999, "metadata": ours()});
    let of_intent = report("payment_intent.succeeded", &intent(&changes));
    let changes = json!({"status": "complete", "payment_status": "paid",
        "payment_intent": "pi_1", "metadata": ours()});
    let of_session = report("checkout.session.completed", &session(&changes));
    for report in [&of_intent, &of_session] {
        assert_eq!(report.delivery.as_deref(), Some("evt_1"));
        assert_eq!(report.about.operation_id, Some(operation(0xb)));
        assert!(report.about.payment_id.is_some());
        let Fact::Payment(Outcome::Captured(capture)) = &report.fact else {
            panic!("it is captured");
        };
        assert_eq!(capture.reference, "pi_1");
        assert_eq!(capture.amount, zar(1_999));
    }
    assert_eq!(of_session.about.handle, Handle::new("cs_test_1"));
}

#[test]
fn each_event_of_a_payment_has_its_outcome() {
    let slow = session(&json!({"status": "complete", "payment_intent": "pi_1"}));
    let declined = intent(&json!({"last_payment_error": {"code": "card_declined"}}));
    let held = intent(&json!({"status": "requires_capture", "amount_capturable": 1_999}));
    for (kind, object, wanted) in [
        ("checkout.session.completed", &slow, "Pending"),
        ("checkout.session.async_payment_failed", &slow, "Failed"),
        (
            "checkout.session.expired",
            &session(&json!({"status": "expired"})),
            "Failed",
        ),
        ("payment_intent.payment_failed", &declined, "Failed"),
        (
            "payment_intent.canceled",
            &intent(&json!({"status": "canceled"})),
            "Failed",
        ),
        (
            "payment_intent.processing",
            &intent(&json!({"status": "processing"})),
            "Pending",
        ),
        (
            "payment_intent.amount_capturable_updated",
            &held,
            "Authorised",
        ),
    ] {
        let fact = format!("{:?}", report(kind, object).fact);
        assert!(
            fact.starts_with(&format!("Payment({wanted}")),
            "{kind}: {fact}"
        );
    }
    let failed = report("payment_intent.payment_failed", &declined);
    let Fact::Payment(Outcome::Failed(failure)) = failed.fact else {
        panic!("it failed");
    };
    assert_eq!(
        (failure.reason, failure.is_final),
        (FailureReason::Declined, false)
    );
}

#[test]
fn a_refund_names_its_payment_and_may_fail_after_it_was_done() {
    let object = |status: &str| {
        json!({"id": "re_1", "amount": 500, "currency": "zar", "payment_intent": "pi_1",
            "status": status, "metadata": {"operation_id": operation(0x1f).to_string()}})
        .to_string()
    };
    for kind in ["refund.created", "refund.updated", "charge.refund.updated"] {
        let report = report(kind, &object("succeeded"));
        assert_eq!(report.about.captured_by.as_deref(), Some("pi_1"));
        assert_eq!(report.about.operation_id, Some(operation(0x1f)));
        let Fact::Refund(MoveOutcome::Done(moved)) = report.fact else {
            panic!("it is done");
        };
        assert_eq!(
            (moved.reference.as_str(), moved.amount),
            ("re_1", Some(zar(500)))
        );
    }
    let report = report("refund.failed", &object("failed"));
    assert!(matches!(report.fact, Fact::Refund(MoveOutcome::Failed(_))));
}

#[test]
fn a_dispute_has_a_stage_and_an_end_of_time() {
    for (status, stage) in [
        ("needs_response", DisputeStage::Open),
        ("under_review", DisputeStage::Open),
        ("warning_needs_response", DisputeStage::Open),
        ("appeal_whatever", DisputeStage::Open),
        ("prevented", DisputeStage::Open),
        ("won", DisputeStage::Won),
        ("warning_closed", DisputeStage::Won),
        ("lost", DisputeStage::Lost),
    ] {
        let object = json!({"id": "dp_1", "amount": 1_999, "currency": "zar", "charge": "ch_1",
            "payment_intent": "pi_1", "reason": "fraudulent", "status": status,
            "evidence_details": {"due_by": 1_767_312_000}});
        let report = report("charge.dispute.created", &object.to_string());
        assert_eq!(report.about.captured_by.as_deref(), Some("pi_1"));
        let Fact::Dispute(dispute) = report.fact else {
            panic!("it is a dispute");
        };
        assert_eq!(dispute.stage, stage, "{status}");
        assert_eq!(dispute.amount, zar(1_999));
        assert_eq!(dispute.answer_by, Some(at("2026-01-02T00:00:00Z")));
    }
}

#[test]
fn a_dispute_tells_when_its_money_goes_and_comes() {
    let object = json!({"id": "dp_1", "amount": 1_999, "currency": "zar", "status": "lost"});
    for (kind, money) in [
        ("charge.dispute.created", None),
        ("charge.dispute.closed", None),
        (
            "charge.dispute.funds_withdrawn",
            Some(DisputedMoney::Withdrawn),
        ),
        (
            "charge.dispute.funds_reinstated",
            Some(DisputedMoney::Reinstated),
        ),
    ] {
        let Fact::Dispute(dispute) = report(kind, &object.to_string()).fact else {
            panic!("it is a dispute");
        };
        assert_eq!(dispute.money, money, "{kind}");
    }
}

#[test]
fn what_we_do_not_use_says_nothing_and_what_cannot_be_read_is_malformed() {
    for kind in ["charge.refunded", "charge.failed", "customer.created", ""] {
        assert_eq!(told(&event(kind, "{}")), Ok(vec![]), "{kind}");
    }
    for body in [
        "",
        "[]",
        "{}",
        r#"{"id":"evt_1","type":"refund.created","data":{"object":5}}"#,
        r#"{"id":"evt_1","type":"charge.dispute.created","data":{"object":{}}}"#,
        r#"{"id":"evt_1","type":"a","type":"b"}"#,
    ] {
        assert_eq!(told(body), Err(CallbackRefusal::Malformed), "{body}");
    }
}

#[test]
fn any_bytes_are_read_without_harm() {
    let valid = event(
        "payment_intent.succeeded",
        &intent(&json!({"status": "succeeded"})),
    );
    bolero::check!()
        .with_type::<(Vec<u8>, usize, u8, String)>()
        .for_each(|(noise, place, byte, header)| {
            let mut edited = valid.clone().into_bytes();
            let place = place % edited.len();
            edited[place] = *byte;
            for body in [noise.as_slice(), &edited] {
                let signature = v1("whsec_test_secret", MOMENT, body);
                let signed = format!("t={MOMENT},v1={signature}");
                let _ = read_with(&account(), &signed, body, new_year());
                let unsigned = read_with(&account(), header, body, new_year());
                assert_eq!(unsigned, Err(CallbackRefusal::BadSignature));
            }
        });
}
