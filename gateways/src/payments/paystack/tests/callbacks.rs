use hmac::{Hmac, Mac};
use sha2::Sha512;
use soko_domain::{Currency, Money};

use super::super::super::testing::{new_year, operation};
use super::super::super::{
    Callback, CallbackRefusal, DisputeStage, Fact, Handle, MoveOutcome, Outcome, PaystackAccount,
    Report, ReportedAmount,
};
use super::super::callbacks::read;
use super::account;

const EVENT: &str = r#"{"event":"charge.success","data":{"id":302961,"domain":"test","status":"success","reference":"ord_1001","amount":14950,"currency":"ZAR","channel":"card"}}"#;
const SIGNATURE: &str = "e5b9eb79f65779dd2873c40a40d7ca8fe34156c6c0eaa1b5209f331be939f2ca\
    bf75a93c40a83a98b6b4e937ef7f48de9c643a890e649aae2c39b584b9cff113";

fn signed(key: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn read_as(
    account: &PaystackAccount,
    body: &[u8],
    headers: &[(&str, &str)],
) -> Result<Vec<Report>, CallbackRefusal> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    let callback = Callback {
        path: "",
        headers: &headers,
        body,
        received_at: new_year(),
    };
    read(account, &callback)
}

fn told(body: &str) -> Result<Vec<Report>, CallbackRefusal> {
    let signature = signed("sk_test_demo", body.as_bytes());
    read_as(
        &account(),
        body.as_bytes(),
        &[("x-paystack-signature", &signature)],
    )
}

fn fact(body: &str) -> Fact {
    let mut reports = told(body).unwrap();
    assert_eq!(reports.len(), 1);
    reports.remove(0).fact
}

fn zar(minor: i64) -> ReportedAmount {
    ReportedAmount::Exact(Money::new(minor, Currency::Zar))
}

#[test]
fn the_published_signature_is_theirs() {
    let headers = [("X-Paystack-Signature", SIGNATURE)];
    let reports = read_as(&account(), EVENT.as_bytes(), &headers).unwrap();
    assert_eq!(reports[0].about.operation_id, None);
    assert_eq!(reports[0].about.handle, Handle::new("ord_1001"));
    let Fact::Payment(Outcome::Captured(capture)) = &reports[0].fact else {
        panic!("it is captured");
    };
    assert_eq!(capture.amount, zar(14_950));
    assert_eq!(capture.reference, "302961");
}

#[test]
fn a_wrong_signature_is_refused_before_anything_is_read() {
    let other_key = signed("sk_test_other", EVENT.as_bytes());
    let empty_key = signed("", EVENT.as_bytes());
    let other_body = signed("sk_test_demo", b"{}");
    let name = "x-paystack-signature";
    for headers in [
        vec![],
        vec![(name, "")],
        vec![(name, other_key.as_str())],
        vec![(name, empty_key.as_str())],
        vec![(name, other_body.as_str())],
        vec![(name, &SIGNATURE[..64])],
        vec![(name, SIGNATURE), (name, SIGNATURE)],
        vec![("x-paystack", SIGNATURE)],
    ] {
        let refused = read_as(&account(), EVENT.as_bytes(), &headers);
        assert_eq!(refused, Err(CallbackRefusal::BadSignature), "{headers:?}");
    }
    let changed = EVENT.replace("14950", "14951");
    let refused = read_as(&account(), changed.as_bytes(), &[(name, SIGNATURE)]);
    assert_eq!(refused, Err(CallbackRefusal::BadSignature));
    let nobody = PaystackAccount {
        secret_keys: vec!["".into()],
    };
    let refused = read_as(&nobody, EVENT.as_bytes(), &[(name, &empty_key)]);
    assert_eq!(refused, Err(CallbackRefusal::BadSignature));
}

#[test]
fn a_key_that_was_replaced_still_signs() {
    let both = PaystackAccount {
        secret_keys: vec!["sk_test_new".into(), "sk_test_demo".into()],
    };
    let headers = [("x-paystack-signature", SIGNATURE)];
    assert!(read_as(&both, EVENT.as_bytes(), &headers).is_ok());
}

#[test]
fn a_test_event_is_nothing_to_a_live_key_nor_the_other_way_round() {
    let live = PaystackAccount {
        secret_keys: vec!["sk_live_demo".into()],
    };
    let signature = signed("sk_live_demo", EVENT.as_bytes());
    let headers = [("x-paystack-signature", signature.as_str())];
    let refused = read_as(&live, EVENT.as_bytes(), &headers);
    assert_eq!(refused, Err(CallbackRefusal::NotForUs));
    let refused = told(&EVENT.replace(r#""test""#, r#""live""#));
    assert_eq!(refused, Err(CallbackRefusal::NotForUs));
}

#[test]
fn escapes_and_odd_metadata_change_nothing() {
    for metadata in [
        r#""""#,
        "0",
        "null",
        "{}",
        r#"{"a":"https:\/\/x"}"#,
        r#""é""#,
    ] {
        let body = EVENT.replace(r#""id""#, &format!(r#""metadata":{metadata},"id""#));
        assert!(
            matches!(fact(&body), Fact::Payment(Outcome::Captured(_))),
            "{metadata}"
        );
    }
}

#[test]
fn a_refund_tells_of_its_payment() {
    let charge = operation(0xb).to_string();
    let body = |status: &str, amount: &str| {
        format!(
            r#"{{"event":"refund.{status}","data":{{"status":"{status}","id":77,"domain":"test",
            "transaction_reference":"{charge}","refund_reference":null,"amount":{amount},
            "currency":"ZAR"}}}}"#
        )
    };
    for amount in ["5000", r#""5000""#] {
        let reports = told(&body("processed", amount)).unwrap();
        assert_eq!(reports[0].about.charge, Some(operation(0xb)));
        assert_eq!(reports[0].about.operation_id, None);
        let Fact::Refund(MoveOutcome::Done(moved)) = &reports[0].fact else {
            panic!("it is done");
        };
        assert_eq!(moved.amount, Some(zar(5_000)));
        assert_eq!(moved.reference, "77");
    }
    for (status, wanted) in [
        ("pending", "Pending"),
        ("processing", "Pending"),
        ("failed", "Failed"),
        ("needs-attention", "NeedsPerson"),
    ] {
        let fact = format!("{:?}", fact(&body(status, "5000")));
        assert!(fact.starts_with(&format!("Refund({wanted}")), "{fact}");
    }
}

#[test]
fn a_transfer_may_come_back_after_it_was_done() {
    let ours = operation(0x2f).to_string();
    let body = |status: &str| {
        format!(
            r#"{{"event":"transfer.{status}","data":{{"reference":"{ours}","status":"success",
            "transfer_code":"TRF_1","amount":5000,"currency":"ZAR"}}}}"#
        )
    };
    let reports = told(&body("success")).unwrap();
    assert_eq!(reports[0].about.operation_id, Some(operation(0x2f)));
    assert!(matches!(
        reports[0].fact,
        Fact::Transfer(MoveOutcome::Done(_))
    ));
    assert!(matches!(
        fact(&body("reversed")),
        Fact::Transfer(MoveOutcome::Returned(_))
    ));
    assert!(matches!(
        fact(&body("failed")),
        Fact::Transfer(MoveOutcome::Failed(_))
    ));
    assert_eq!(told(&body("approval_requested")), Ok(vec![]));
}

#[test]
fn a_dispute_has_a_stage_and_an_end_of_time() {
    let charge = operation(0xb).to_string();
    let body = |event: &str, resolution: &str| {
        format!(
            r#"{{"event":"charge.dispute.{event}","data":{{"id":358950,"refund_amount":5800,
            "currency":"ZAR","status":"awaiting-merchant-feedback","resolution":{resolution},
            "category":"chargeback","dueAt":"2026-01-05T12:00:00.000Z","domain":"test",
            "transaction":{{"id":302961,"reference":"{charge}","amount":14950}}}}}}"#
        )
    };
    let stage = |event: &str, resolution: &str| {
        let reports = told(&body(event, resolution)).unwrap();
        assert_eq!(reports[0].about.charge, Some(operation(0xb)));
        assert_eq!(reports[0].about.captured_by.as_deref(), Some("302961"));
        let Fact::Dispute(dispute) = &reports[0].fact else {
            panic!("it is a dispute");
        };
        assert_eq!(dispute.reference, "358950");
        assert_eq!(dispute.amount, zar(5_800));
        assert!(dispute.answer_by.is_some());
        dispute.stage
    };
    assert_eq!(stage("create", "null"), DisputeStage::Open);
    assert_eq!(stage("remind", "null"), DisputeStage::Open);
    assert_eq!(
        stage("resolve", r#""merchant-accepted""#),
        DisputeStage::Lost
    );
    assert_eq!(stage("resolve", r#""declined""#), DisputeStage::Won);
    assert_eq!(stage("resolve", r#""whatever""#), DisputeStage::Open);
}

#[test]
fn what_we_do_not_use_says_nothing_and_what_cannot_be_read_is_malformed() {
    assert_eq!(told(r#"{"event":"invoice.create","data":{}}"#), Ok(vec![]));
    assert_eq!(told(r#"{"event":"charge.dispute","data":{}}"#), Ok(vec![]));
    for body in [
        "",
        "[]",
        "{}",
        r#"{"event":"charge.success"}"#,
        r#"{"event":"charge.success","data":5}"#,
    ] {
        assert_eq!(told(body), Err(CallbackRefusal::Malformed), "{body}");
    }
}

#[test]
fn any_bytes_are_read_without_harm() {
    bolero::check!()
        .with_type::<(Vec<u8>, usize, u8, String)>()
        .for_each(|(noise, place, byte, header)| {
            let mut edited = EVENT.as_bytes().to_vec();
            let place = place % edited.len();
            edited[place] = *byte;
            for body in [noise.as_slice(), &edited] {
                let signature = signed("sk_test_demo", body);
                let _ = read_as(&account(), body, &[("x-paystack-signature", &signature)]);
                let unsigned = read_as(&account(), body, &[("x-paystack-signature", header)]);
                assert_eq!(unsigned, Err(CallbackRefusal::BadSignature));
            }
        });
}
