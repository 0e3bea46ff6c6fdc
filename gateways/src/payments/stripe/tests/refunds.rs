use serde_json::{Value, json};
use soko_domain::{Currency, Money};

use super::super::super::testing::{Provider, Say, new_year, ok, operation, say};
use super::super::super::{
    AskMove, CallError, Doubt, FailureReason, Handle, MoveOutcome, MoveStanding, Moved, Refund,
    ReportedAmount, Unfit,
};
use super::{elements, with};

fn refund() -> Refund {
    Refund {
        operation_id: operation(0x1f),
        charge: operation(0xb),
        captured_by: "pi_1".to_owned(),
        amount: Money::new(500, Currency::Zar),
        phone: None,
        reason: "Broken".to_owned(),
    }
}

fn told(changes: &Value) -> String {
    let object = json!({"id": "re_1", "object": "refund", "amount": 500, "currency": "zar",
        "payment_intent": "pi_1", "charge": "ch_1", "status": "succeeded"});
    with(object, changes)
}

async fn refund_with(answer: Say) -> Result<MoveStanding, CallError> {
    let provider = Provider::saying([answer]).await;
    let stripe = elements(&provider);
    stripe
        .refunds()
        .unwrap()
        .refund(&refund(), new_year())
        .await
}

#[tokio::test]
async fn a_part_is_given_back_under_our_key() {
    let provider = Provider::saying([ok(told(&json!({})))]).await;
    let stripe = elements(&provider);
    let standing = stripe
        .refunds()
        .unwrap()
        .refund(&refund(), new_year())
        .await
        .unwrap();
    assert_eq!(standing.handle, Handle::new("re_1"));
    let done = MoveOutcome::Done(Moved {
        amount: Some(ReportedAmount::Exact(Money::new(500, Currency::Zar))),
        fee: None,
        reference: "re_1".to_owned(),
    });
    assert_eq!(standing.outcome, done);
    let heard = provider.heard_last();
    let key = operation(0x1f).to_string();
    assert_eq!(heard.line, "POST /v1/refunds");
    assert_eq!(heard.header("idempotency-key"), key);
    assert_eq!(
        heard.body,
        format!(
            "payment_intent=pi_1&amount=500&reason=requested_by_customer\
             &metadata[operation_id]={key}"
        )
    );
}

#[tokio::test]
async fn each_status_of_a_refund_has_its_outcome() {
    for (status, wanted) in [
        ("pending", "Pending"),
        ("whatever", "Pending"),
        ("requires_action", "NeedsPerson"),
        ("failed", "Failed"),
        ("canceled", "Failed"),
        ("", "Unknown"),
    ] {
        let standing = refund_with(ok(told(&json!({"status": status}))))
            .await
            .unwrap();
        let outcome = format!("{:?}", standing.outcome);
        assert!(outcome.starts_with(wanted), "{status}: {outcome}");
    }
}

#[tokio::test]
async fn more_than_is_left_is_refused() {
    for (code, message, reason) in [
        (
            "charge_already_refunded",
            "has already been refunded",
            FailureReason::AlreadyReturned,
        ),
        (
            "",
            "Refund amount is greater than unrefunded amount",
            FailureReason::AmountNotAllowed,
        ),
    ] {
        let body = json!({"error": {"type": "invalid_request_error", "code": code,
            "message": message}});
        let Err(CallError::Refused(refusal)) =
            refund_with(say("400 Bad Request", body.to_string())).await
        else {
            panic!("it is refused");
        };
        assert_eq!(refusal.reason, reason);
    }
    for (answer, doubt) in [
        (Say::Silence, Doubt::NoAnswer),
        (say("500 Internal Server Error", ""), Doubt::Status(500)),
        (ok("{}"), Doubt::Unreadable),
    ] {
        assert_eq!(refund_with(answer).await, Err(CallError::Unknown(doubt)));
    }
}

#[tokio::test]
async fn a_refund_is_asked_about_by_its_id() {
    let failed = json!({"status": "failed", "failure_reason": "expired_or_canceled_card"});
    let provider = Provider::saying([ok(told(&failed))]).await;
    let stripe = elements(&provider);
    let mut ask = AskMove {
        operation_id: operation(0x1f),
        handle: Handle::new("re_1"),
        captured_by: None,
    };
    let refunds = stripe.refunds().unwrap();
    let standing = refunds.ask_refund(&ask, new_year()).await.unwrap();
    assert!(matches!(standing.outcome, MoveOutcome::Failed(_)));
    assert_eq!(provider.heard_last().line, "GET /v1/refunds/re_1");
    for wrong in [None, Handle::new("re_1/../x"), Handle::new("pi_1")] {
        ask.handle = wrong;
        let asked = refunds.ask_refund(&ask, new_year()).await;
        assert_eq!(asked, Err(CallError::Unfit(Unfit::Handle)));
    }
}
