use serde_json::{Value, json};
use soko_domain::{Currency, Money};

use super::super::super::testing::{Provider, new_year, ok, operation, say, start};
use super::super::super::{
    AskPayment, CallError, Capture, CapturePayment, Doubt, FailureReason, Handle, NextStep,
    Outcome, ReportedAmount, Standing, Unfit, VoidPayment,
};
use super::intents::intent;
use super::{checkout, with};

const URL: &str = "https://checkout.stripe.com/c/pay/cs_test_1";

pub(super) fn session(changes: &Value) -> String {
    let object = json!({
        "id": "cs_test_1", "object": "checkout.session", "url": URL, "status": "open",
        "payment_status": "unpaid", "amount_total": 1_999, "currency": "zar",
        "payment_intent": null, "metadata": {}, "livemode": false,
    });
    with(object, changes)
}

fn paid() -> String {
    session(
        &json!({"status": "complete", "payment_status": "paid", "payment_intent": "pi_1",
        "url": null}),
    )
}

fn captured() -> Outcome {
    Outcome::Captured(Capture {
        amount: ReportedAmount::Exact(Money::new(1_999, Currency::Zar)),
        fee: None,
        reference: "pi_1".to_owned(),
    })
}

async fn ask_with<const N: usize>(answers: [String; N]) -> Result<Standing, CallError> {
    let provider = Provider::saying(answers.map(ok)).await;
    let ask = AskPayment {
        operation_id: operation(0xb),
        handle: Handle::new("cs_test_1"),
        phone: None,
    };
    let asked = checkout(&provider).ask(&ask, new_year()).await;
    assert_eq!(provider.heard().len(), N);
    asked
}

#[tokio::test]
async fn a_page_is_opened_with_both_metadata_set() {
    let provider = Provider::saying([ok(session(&json!({})))]).await;
    let payment = start(1_999, Currency::Zar);
    let standing = checkout(&provider)
        .start(&payment, new_year())
        .await
        .unwrap();
    assert_eq!(standing.handle, Handle::new("cs_test_1"));
    assert_eq!(standing.next, NextStep::Redirect(URL.parse().unwrap()));
    let heard = provider.heard_last();
    let (payment_id, operation_id) = (payment.payment_id, operation(0xb));
    assert_eq!(heard.line, "POST /v1/checkout/sessions");
    assert_eq!(heard.header("idempotency-key"), operation_id.to_string());
    assert_eq!(
        heard.body,
        format!(
            "mode=payment&line_items[0][quantity]=1&line_items[0][price_data][currency]=zar\
             &line_items[0][price_data][unit_amount]=1999\
             &line_items[0][price_data][product_data][name]=Order+1001\
             &success_url=https%3A%2F%2Fshop.example%2Fback\
             &cancel_url=https%3A%2F%2Fshop.example%2Fback&client_reference_id={payment_id}\
             &customer_email=wanjiku%40example.com&metadata[payment_id]={payment_id}\
             &metadata[operation_id]={operation_id}\
             &payment_intent_data[metadata][payment_id]={payment_id}\
             &payment_intent_data[metadata][operation_id]={operation_id}"
        )
    );
    let mut nowhere = start(1_999, Currency::Zar);
    nowhere.return_url = None;
    let sent = checkout(&provider).start(&nowhere, new_year()).await;
    assert_eq!(sent, Err(CallError::Unfit(Unfit::ReturnUrl)));
}

#[tokio::test]
async fn only_paid_is_paid() {
    let standing = ask_with([session(&json!({}))]).await.unwrap();
    assert!(matches!(standing.outcome, Outcome::Pending(_)));
    assert_eq!(standing.next, NextStep::Redirect(URL.parse().unwrap()));
    let done = intent(&json!({"status": "succeeded", "amount_received": 1_999}));
    let standing = ask_with([paid(), done]).await.unwrap();
    assert_eq!(standing.outcome, captured());
    assert_eq!(standing.next, NextStep::None);
    let Outcome::Failed(failure) = ask_with([session(&json!({"status": "expired"}))])
        .await
        .unwrap()
        .outcome
    else {
        panic!("it expired");
    };
    assert_eq!(failure.reason, FailureReason::Expired);
    for odd in [
        json!({"payment_status": "no_payment_required", "status": "complete"}),
        json!({"payment_status": "paid", "status": "complete", "payment_intent": null}),
        json!({"id": "cs_test_2"}),
    ] {
        let standing = ask_with([session(&odd)]).await.unwrap();
        assert_eq!(
            standing.outcome,
            Outcome::Unknown(Doubt::Contradiction),
            "{odd}"
        );
    }
}

#[tokio::test]
async fn a_payer_who_is_through_may_not_have_paid_yet() {
    let through = json!({"status": "complete", "payment_intent": "pi_1", "url": null});
    let processing = intent(&json!({"status": "processing"}));
    let standing = ask_with([session(&through), processing]).await.unwrap();
    assert!(matches!(standing.outcome, Outcome::Pending(_)));
    let held = intent(&json!({"status": "requires_capture", "amount_capturable": 1_999}));
    let standing = ask_with([session(&through), held]).await.unwrap();
    assert!(matches!(standing.outcome, Outcome::Authorised(_)));
    assert_eq!(standing.handle, Handle::new("cs_test_1"));
}

#[tokio::test]
async fn of_what_was_authorised_a_part_may_have_been_captured() {
    let part = intent(&json!({"status": "succeeded", "amount_received": 1_000}));
    let standing = ask_with([paid(), part]).await.unwrap();
    let Outcome::Captured(capture) = standing.outcome else {
        panic!("it was captured");
    };
    let thousand = Money::new(1_000, Currency::Zar);
    assert_eq!(capture.amount, ReportedAmount::Exact(thousand));
}

#[tokio::test]
async fn what_was_authorised_on_the_page_is_captured_by_its_intent() {
    let through = json!({"status": "complete", "payment_intent": "pi_1"});
    let done = intent(&json!({"status": "succeeded", "amount_received": 1_999}));
    let provider = Provider::saying([ok(session(&through)), ok(done)]).await;
    let stripe = checkout(&provider);
    let capture = CapturePayment {
        operation_id: operation(0xc),
        handle: Handle::new("cs_test_1").unwrap(),
        amount: Money::new(1_999, Currency::Zar),
    };
    let outcome = stripe.captures().unwrap().capture(&capture).await;
    assert_eq!(outcome, Ok(captured()));
    let line = "POST /v1/payment_intents/pi_1/capture";
    assert_eq!(provider.heard_last().line, line);
}

#[tokio::test]
async fn a_page_that_nobody_paid_on_is_closed() {
    let void = VoidPayment {
        operation_id: operation(0xd),
        handle: Handle::new("cs_test_1").unwrap(),
    };
    let closed = session(&json!({"status": "expired", "url": null}));
    let refused = r#"{"error":{"type":"invalid_request_error","message":"Only open"}}"#;
    let done = intent(&json!({"status": "succeeded", "amount_received": 1_999}));
    let refusal = say("400 Bad Request", refused);
    let script = [ok(closed), refusal, ok(paid()), ok(done)];
    let provider = Provider::saying(script).await;
    let stripe = checkout(&provider);
    let captures = stripe.captures().unwrap();
    assert!(matches!(captures.void(&void).await, Ok(Outcome::Failed(_))));
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /v1/checkout/sessions/cs_test_1/expire");
    assert_eq!(captures.void(&void).await, Ok(captured()));
}
