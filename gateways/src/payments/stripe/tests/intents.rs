use serde_json::{Value, json};
use soko_domain::{Currency, Money};

use super::super::super::testing::{Provider, Say, new_year, ok, operation, say, start};
use super::super::super::{
    AskPayment, CallError, Capture, CapturePayment, Doubt, FailureReason, Handle, NextStep,
    NotSent, Outcome, ReportedAmount, Standing, Unfit, VoidPayment,
};
use super::{elements, with};

pub(super) fn intent(changes: &Value) -> String {
    let object = json!({
        "id": "pi_1", "object": "payment_intent", "amount": 1_999, "amount_capturable": 0,
        "amount_received": 0, "currency": "zar", "status": "requires_payment_method",
        "client_secret": "pi_1_secret_2", "latest_charge": null, "last_payment_error": null,
        "metadata": {}, "livemode": false,
    });
    with(object, changes)
}

fn succeeded() -> String {
    intent(&json!({"status": "succeeded", "amount_received": 1_999, "latest_charge": "ch_1"}))
}

fn captured(minor: i64) -> Outcome {
    Outcome::Captured(Capture {
        amount: ReportedAmount::Exact(Money::new(minor, Currency::Zar)),
        fee: None,
        reference: "pi_1".to_owned(),
    })
}

fn handle() -> Handle {
    Handle::new("pi_1").unwrap()
}

fn ask(handle: Option<&str>) -> AskPayment {
    AskPayment {
        operation_id: operation(0xb),
        handle: handle.and_then(Handle::new),
        phone: None,
    }
}

async fn start_with(answer: Say) -> Result<Standing, CallError> {
    let provider = Provider::saying([answer]).await;
    elements(&provider)
        .start(&start(1_999, Currency::Zar), new_year())
        .await
}

async fn ask_with(answer: Say) -> Result<Standing, CallError> {
    let provider = Provider::saying([answer]).await;
    let asked = elements(&provider)
        .ask(&ask(Some("pi_1")), new_year())
        .await;
    assert_eq!(provider.heard_last().line, "GET /v1/payment_intents/pi_1");
    asked
}

fn error(kind: &str, code: &str, more: &Value) -> String {
    let error = with(json!({"type": kind, "code": code, "message": "why"}), more);
    format!(r#"{{"error":{error}}}"#)
}

#[tokio::test]
async fn an_intent_is_made_under_our_key_and_their_fixed_version() {
    let provider = Provider::saying([ok(intent(&json!({})))]).await;
    let payment = start(1_999, Currency::Zar);
    let standing = elements(&provider)
        .start(&payment, new_year())
        .await
        .unwrap();
    assert_eq!(standing.handle, Some(handle()));
    assert!(matches!(standing.outcome, Outcome::Pending(_)));
    assert_eq!(
        standing.next,
        NextStep::ClientSecret("pi_1_secret_2".into())
    );
    assert!(!format!("{standing:?}").contains("secret_2"));

    let heard = provider.heard_last();
    let (payment_id, operation_id) = (payment.payment_id, operation(0xb));
    assert_eq!(heard.line, "POST /v1/payment_intents");
    assert_eq!(heard.header("authorization"), "Bearer sk_test_key");
    assert_eq!(heard.header("stripe-version"), "2025-10-29.clover");
    assert_eq!(heard.header("idempotency-key"), operation_id.to_string());
    assert_eq!(
        heard.header("content-type"),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(
        heard.body,
        format!(
            "amount=1999&currency=zar&automatic_payment_methods[enabled]=true\
             &capture_method=automatic&description=Order+1001&metadata[payment_id]={payment_id}\
             &metadata[operation_id]={operation_id}"
        )
    );
}

#[tokio::test]
async fn repeated_it_is_the_very_same_request() {
    let provider = Provider::saying([ok(succeeded()), ok(succeeded())]).await;
    let stripe = elements(&provider);
    let payment = start(1_999, Currency::Zar);
    stripe.start(&payment, new_year()).await.unwrap();
    let later = new_year() + chrono::Duration::hours(1);
    stripe.start(&payment, later).await.unwrap();
    let heard = provider.heard();
    assert_eq!(heard[0].body, heard[1].body);
    assert_eq!(
        heard[0].header("idempotency-key"),
        heard[1].header("idempotency-key")
    );
}

#[tokio::test]
async fn what_stripe_does_not_carry_is_not_sent() {
    let provider = Provider::saying([]).await;
    let stripe = elements(&provider);
    for (minor, currency, unfit) in [
        (1_999, Currency::Zwg, Unfit::Currency),
        (0, Currency::Zar, Unfit::Amount),
        (49, Currency::Usd, Unfit::Amount),
        (100_000_000, Currency::Zar, Unfit::Amount),
    ] {
        let sent = stripe.start(&start(minor, currency), new_year()).await;
        assert_eq!(sent, Err(CallError::Unfit(unfit)));
    }
    for wrong in [
        None,
        Some("pi_1/cancel"),
        Some("../v1/refunds"),
        Some("ch_1"),
        Some("pi"),
    ] {
        let asked = stripe.ask(&ask(wrong), new_year()).await;
        assert_eq!(asked, Err(CallError::Unfit(Unfit::Handle)), "{wrong:?}");
    }
    assert!(provider.heard().is_empty());
}

#[tokio::test]
async fn each_status_has_its_outcome() {
    for status in [
        "requires_confirmation",
        "requires_action",
        "processing",
        "whatever",
    ] {
        let told = ask_with(ok(intent(&json!({"status": status}))))
            .await
            .unwrap();
        assert!(matches!(told.outcome, Outcome::Pending(_)), "{status}");
        assert!(matches!(told.next, NextStep::ClientSecret(_)));
    }
    let told = ask_with(ok(succeeded())).await.unwrap();
    assert_eq!(told.outcome, captured(1_999));
    assert_eq!(told.next, NextStep::None);
    let held = json!({"status": "requires_capture", "amount_capturable": 1_999});
    let told = ask_with(ok(intent(&held))).await.unwrap();
    let amount = ReportedAmount::Exact(Money::new(1_999, Currency::Zar));
    assert_eq!(told.outcome, Outcome::Authorised(amount));
    for (why, reason) in [
        ("requested_by_customer", FailureReason::CancelledByPayer),
        ("abandoned", FailureReason::Expired),
        ("duplicate", FailureReason::Other),
    ] {
        let gone = json!({"status": "canceled", "cancellation_reason": why});
        let told = ask_with(ok(intent(&gone))).await.unwrap();
        let Outcome::Failed(failure) = told.outcome else {
            panic!("it failed");
        };
        assert_eq!((failure.reason, failure.is_final), (reason, true));
    }
}

#[tokio::test]
async fn a_declined_card_is_not_the_end() {
    for (error, reason) in [
        (
            json!({"code": "card_declined", "decline_code": "insufficient_funds"}),
            FailureReason::NotEnoughMoney,
        ),
        (
            json!({"code": "card_declined", "decline_code": "generic_decline"}),
            FailureReason::Declined,
        ),
        (json!({"code": "expired_card"}), FailureReason::Declined),
        (
            json!({"code": "processing_error"}),
            FailureReason::ProviderBusy,
        ),
    ] {
        let told = ask_with(ok(intent(&json!({"last_payment_error": error}))))
            .await
            .unwrap();
        let Outcome::Failed(failure) = told.outcome else {
            panic!("it failed");
        };
        assert_eq!((failure.reason, failure.is_final), (reason, false));
        assert!(matches!(told.next, NextStep::ClientSecret(_)));
    }
}

#[tokio::test]
async fn another_amount_or_currency_is_told_as_it_came() {
    for wrong in [
        json!({"amount_received": 1_998}),
        json!({"currency": "usd"}),
        json!({"currency": "eur"}),
        json!({"amount_received": 19.99}),
    ] {
        let mut object: Value = serde_json::from_str(&succeeded()).unwrap();
        object = serde_json::from_str(&with(object, &wrong)).unwrap();
        let told = ask_with(ok(object.to_string())).await.unwrap();
        let Outcome::Captured(capture) = told.outcome else {
            panic!("it is captured");
        };
        assert!(
            !capture.amount.is(Money::new(1_999, Currency::Zar)),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn an_answer_about_something_else_is_none() {
    let told = ask_with(ok(succeeded().replace("pi_1", "pi_2")))
        .await
        .unwrap();
    assert_eq!(told.outcome, Outcome::Unknown(Doubt::Contradiction));
    let missing = error("invalid_request_error", "resource_missing", &json!({}));
    let told = ask_with(say("404 Not Found", missing)).await.unwrap();
    assert_eq!(told.outcome, Outcome::NeverSeen);
    let told = ask_with(say("404 Not Found", "<html>")).await;
    assert_eq!(told, Err(CallError::Unknown(Doubt::Status(404))));
}

#[tokio::test]
async fn a_start_without_an_answer_is_not_known() {
    for (answer, doubt) in [
        (Say::Silence, Doubt::NoAnswer),
        (Say::HangUp, Doubt::Broken),
        (Say::Truncated(succeeded()), Doubt::Broken),
        (
            say(
                "500 Internal Server Error",
                error("api_error", "", &json!({})),
            ),
            Doubt::Status(500),
        ),
        (say("503 Service Unavailable", "<html>"), Doubt::Status(503)),
        // Somebody is at work under the same key.
        (
            say(
                "409 Conflict",
                error("idempotency_error", "idempotency_key_in_use", &json!({})),
            ),
            Doubt::Status(409),
        ),
        (say("400 Bad Request", "<html>"), Doubt::Status(400)),
        (ok("<html>"), Doubt::Unreadable),
        (ok("{}"), Doubt::Unreadable),
    ] {
        let told = format!("{answer:?}");
        assert_eq!(
            start_with(answer).await,
            Err(CallError::Unknown(doubt)),
            "{told}"
        );
    }
    let nobody = Provider::absent().await;
    let sent = elements(&nobody)
        .start(&start(1_999, Currency::Zar), new_year())
        .await;
    assert_eq!(sent, Err(CallError::NotSent(NotSent::NoConnection)));
}

#[tokio::test]
async fn each_error_says_what_it_means() {
    let invalid = "invalid_request_error";
    for (status, body, reason) in [
        (
            "401 Unauthorized",
            error(invalid, "", &json!({})),
            FailureReason::OurSetUp,
        ),
        (
            "403 Forbidden",
            error(invalid, "", &json!({})),
            FailureReason::OurSetUp,
        ),
        (
            "400 Bad Request",
            error(invalid, "amount_too_small", &json!({})),
            FailureReason::AmountNotAllowed,
        ),
        (
            "400 Bad Request",
            error("idempotency_error", "", &json!({})),
            FailureReason::OurSetUp,
        ),
        (
            "402 Payment Required",
            error(
                "card_error",
                "card_declined",
                &json!({"decline_code": "insufficient_funds"}),
            ),
            FailureReason::NotEnoughMoney,
        ),
    ] {
        let Err(CallError::Refused(refusal)) = start_with(say(status, &*body)).await else {
            panic!("it is refused: {body}");
        };
        assert_eq!(refusal.reason, reason, "{body}");
    }
    let should_retry = vec![("stripe-should-retry".to_owned(), "true".to_owned())];
    for answer in [
        say(
            "429 Too Many Requests",
            error(invalid, "lock_timeout", &json!({})),
        ),
        say("400 Bad Request", error(invalid, "rate_limit", &json!({}))),
        Say::Answer(
            "400 Bad Request",
            should_retry,
            error(invalid, "x", &json!({})),
        ),
    ] {
        let sent = start_with(answer).await.unwrap_err();
        assert!(matches!(sent, CallError::NotNow { .. }), "{sent}");
    }
}

#[tokio::test]
async fn what_was_authorised_is_captured_in_part() {
    let part = json!({"status": "succeeded", "amount_received": 1_000});
    let provider = Provider::saying([ok(intent(&json!({}))), ok(intent(&part))]).await;
    let stripe = elements(&provider);
    let mut payment = start(1_999, Currency::Zar);
    payment.capture_later = true;
    stripe.start(&payment, new_year()).await.unwrap();
    assert!(
        provider
            .heard_last()
            .body
            .contains("&capture_method=manual&")
    );
    let capture = CapturePayment {
        operation_id: operation(0xc),
        handle: handle(),
        amount: Money::new(1_000, Currency::Zar),
    };
    let outcome = stripe.captures().unwrap().capture(&capture).await.unwrap();
    assert_eq!(outcome, captured(1_000));
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /v1/payment_intents/pi_1/capture");
    assert_eq!(heard.header("idempotency-key"), operation(0xc).to_string());
    assert_eq!(heard.body, "amount_to_capture=1000");
}

#[tokio::test]
async fn voiding_what_was_paid_meanwhile_says_that_it_was_paid() {
    let void = VoidPayment {
        operation_id: operation(0xd),
        handle: handle(),
    };
    let refused = |object: String| {
        let intent: Value = serde_json::from_str(&object).unwrap();
        let code = "payment_intent_unexpected_state";
        let body = error(
            "invalid_request_error",
            code,
            &json!({"payment_intent": intent}),
        );
        say("400 Bad Request", body)
    };
    let gone = intent(&json!({"status": "canceled", "cancellation_reason": "abandoned"}));
    let other = succeeded().replace("pi_1", "pi_2");
    let provider = Provider::saying([ok(gone), refused(succeeded()), refused(other)]).await;
    let stripe = elements(&provider);
    let captures = stripe.captures().unwrap();
    let outcome = captures.void(&void).await.unwrap();
    assert!(matches!(outcome, Outcome::Failed(_)));
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /v1/payment_intents/pi_1/cancel");
    assert_eq!(heard.body, "cancellation_reason=abandoned");
    assert_eq!(captures.void(&void).await, Ok(captured(1_999)));
    assert!(matches!(
        captures.void(&void).await,
        Err(CallError::Refused(_))
    ));
}
