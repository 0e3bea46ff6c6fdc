use serde_json::{Value, json};
use soko_domain::Currency;

use super::super::super::testing::{Provider, Say, new_year, ok, operation, say, start};
use super::super::super::{
    AskPayment, CallError, Capture, Doubt, FailureReason, Handle, NextStep, Outcome, Standing,
    Unfit, Wallet,
};
use super::paystack;

fn reference() -> String {
    operation(0xb).to_string()
}

fn page() -> Value {
    json!({"status": true, "message": "Authorization URL created", "data": {
        "authorization_url": "https://checkout.paystack.com/0peioxfhpn",
        "access_code": "0peioxfhpn", "reference": reference(),
    }})
}

fn transaction(changes: &Value) -> String {
    let mut data = json!({
        "id": 302_961, "domain": "test", "status": "success", "reference": reference(),
        "amount": 14_950, "currency": "ZAR", "channel": "card", "fees": 283,
        "gateway_response": "Successful", "metadata": 0, "requested_amount": 14_950,
    });
    for (name, value) in changes.as_object().unwrap() {
        data[name] = value.clone();
    }
    json!({"status": true, "message": "ok", "data": data}).to_string()
}

fn refusal(code: &str, message: &str) -> String {
    json!({"status": false, "message": message, "type": "validation_error", "code": code,
        "meta": {"nextStep": "Check"}})
    .to_string()
}

async fn start_with(answer: Say) -> Result<Standing, CallError> {
    let provider = Provider::saying([answer]).await;
    let payment = start(14_950, Currency::Zar);
    paystack(&provider).start(&payment, new_year()).await
}

fn ask() -> AskPayment {
    AskPayment {
        operation_id: operation(0xb),
        handle: None,
        phone: None,
    }
}

async fn ask_with(answer: Say) -> Result<Outcome, CallError> {
    let provider = Provider::saying([answer]).await;
    let standing = paystack(&provider).ask(&ask(), new_year()).await?;
    let line = format!("GET /transaction/verify/{}", reference());
    assert_eq!(provider.heard_last().line, line);
    Ok(standing.outcome)
}

#[tokio::test]
async fn a_page_is_opened_under_our_reference() {
    let provider = Provider::saying([ok(page().to_string())]).await;
    let payment = start(14_950, Currency::Zar);
    let standing = paystack(&provider)
        .start(&payment, new_year())
        .await
        .unwrap();
    let url = "https://checkout.paystack.com/0peioxfhpn".parse().unwrap();
    assert_eq!(standing.next, NextStep::Redirect(url));
    assert!(matches!(standing.outcome, Outcome::Pending(_)));
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /transaction/initialize");
    assert_eq!(heard.header("authorization"), "Bearer sk_test_demo");
    assert_eq!(heard.header("content-type"), "application/json");
    assert_eq!(
        heard.json(),
        json!({
            "email": "wanjiku@example.com",
            "amount": 14_950,
            "currency": "ZAR",
            "reference": reference(),
            "callback_url": "https://shop.example/back",
            "metadata": {"payment_id": payment.payment_id.to_string()},
        })
    );
}

#[tokio::test]
async fn a_prompt_goes_to_the_phone() {
    let reply = transaction(&json!({"status": "pay_offline", "currency": "KES",
        "display_text": "Please approve on your phone"}));
    let provider = Provider::saying([ok(reply)]).await;
    let mut payment = start(14_950, Currency::Kes);
    payment.wallet = Some(Wallet::Mpesa);
    let standing = paystack(&provider)
        .start(&payment, new_year())
        .await
        .unwrap();
    let prompt = NextStep::await_phone_prompt("Please approve on your phone");
    assert_eq!(standing.next, prompt);
    assert!(matches!(standing.outcome, Outcome::Pending(_)));
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /charge");
    let body = heard.json();
    assert_eq!(
        body["mobile_money"],
        json!({"phone": "254708374149", "provider": "mpesa"})
    );
    assert_eq!(body["reference"], reference());
}

#[tokio::test]
async fn each_next_step_is_told() {
    for (changes, next) in [
        (
            json!({"status": "send_otp"}),
            NextStep::EnterCode(Handle::new(&reference()).unwrap()),
        ),
        (
            json!({"status": "open_url", "url": "https://bank.example/1"}),
            NextStep::Redirect("https://bank.example/1".parse().unwrap()),
        ),
        (json!({"status": "open_url", "url": "no"}), NextStep::None),
        (
            json!({"status": "open_url", "url": "javascript:1"}),
            NextStep::None,
        ),
        (json!({"status": "pending"}), NextStep::None),
        (json!({"status": "send_birthday"}), NextStep::None),
    ] {
        let provider = Provider::saying([ok(transaction(&changes))]).await;
        let mut payment = start(14_950, Currency::Kes);
        payment.wallet = Some(Wallet::Mpesa);
        let standing = paystack(&provider)
            .start(&payment, new_year())
            .await
            .unwrap();
        assert_eq!(standing.next, next, "{changes}");
        assert!(matches!(standing.outcome, Outcome::Pending(_)), "{changes}");
    }
}

#[tokio::test]
async fn a_code_goes_back_under_our_reference() {
    let provider = Provider::saying([ok(transaction(&json!({"status": "success"})))]).await;
    let account = paystack(&provider);
    let codes = account.codes().unwrap();
    let standing = codes.submit_code(&ask(), &"123456".into()).await.unwrap();
    assert!(matches!(standing.outcome, Outcome::Captured(_)));
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /charge/submit_otp");
    assert_eq!(
        heard.json(),
        json!({"otp": "123456", "reference": reference()})
    );
}

#[tokio::test]
async fn a_second_start_asks_what_became_of_the_first() {
    let repeat = refusal("duplicate_reference", "Duplicate Transaction Reference");
    let script = [say("400 Bad Request", repeat), ok(transaction(&json!({})))];
    let provider = Provider::saying(script).await;
    let payment = start(14_950, Currency::Zar);
    let standing = paystack(&provider)
        .start(&payment, new_year())
        .await
        .unwrap();
    assert!(matches!(standing.outcome, Outcome::Captured(_)));
    let line = format!("GET /transaction/verify/{}", reference());
    assert_eq!(provider.heard_last().line, line);
}

#[tokio::test]
async fn what_paystack_does_not_carry_is_not_sent() {
    let provider = Provider::saying([]).await;
    let paystack = paystack(&provider);
    let mut nobody = start(14_950, Currency::Zar);
    nobody.email = None;
    let mut nowhere = start(14_950, Currency::Zar);
    nowhere.return_url = None;
    let mut wallet = start(14_950, Currency::Zar);
    wallet.wallet = Some(Wallet::Ecocash);
    let mut later = start(14_950, Currency::Zar);
    later.capture_later = true;
    for (payment, unfit) in [
        (start(14_950, Currency::Zwg), Unfit::Currency),
        (start(0, Currency::Zar), Unfit::Amount),
        (start(-1, Currency::Zar), Unfit::Amount),
        (nobody, Unfit::Email),
        (nowhere, Unfit::ReturnUrl),
        (wallet, Unfit::Wallet),
        (later, Unfit::CaptureLater),
    ] {
        let sent = paystack.start(&payment, new_year()).await;
        assert_eq!(sent, Err(CallError::Unfit(unfit)));
    }
    assert!(provider.heard().is_empty());
}

#[tokio::test]
async fn a_start_without_an_answer_is_not_known() {
    let mut other = page();
    other["data"]["reference"] = json!("ord_1001");
    let mut nowhere = page();
    nowhere["data"]["authorization_url"] = json!("no");
    let mut untrue = page();
    untrue["status"] = json!("false");
    for (answer, doubt) in [
        (Say::Silence, Doubt::NoAnswer),
        (Say::HangUp, Doubt::Broken),
        (Say::Truncated("{".to_owned()), Doubt::Broken),
        (
            say("500 Internal Server Error", refusal("x", "Oops")),
            Doubt::Status(500),
        ),
        (say("502 Bad Gateway", "<html>"), Doubt::Status(502)),
        (say("400 Bad Request", "<html>"), Doubt::Status(400)),
        (ok("<html>"), Doubt::Unreadable),
        (ok(r#"{"status":true}"#), Doubt::Unreadable),
        (ok(r#"{"status":true,"data":[]}"#), Doubt::Unreadable),
        (ok(untrue.to_string()), Doubt::Contradiction),
        (ok(other.to_string()), Doubt::Contradiction),
        (ok(nowhere.to_string()), Doubt::Unreadable),
    ] {
        let told = format!("{answer:?}");
        assert_eq!(
            start_with(answer).await,
            Err(CallError::Unknown(doubt)),
            "{told}"
        );
    }
}

#[tokio::test]
async fn each_error_says_what_it_means() {
    let bad = "400 Bad Request";
    for (answer, reason) in [
        (
            say(bad, refusal("missing_params", "Invalid key")),
            FailureReason::OurSetUp,
        ),
        (
            say("401 Unauthorized", refusal("invalid_Key", "Invalid key")),
            FailureReason::OurSetUp,
        ),
        (say("401 Unauthorized", ""), FailureReason::OurSetUp),
        (
            say(bad, refusal("invalid_params", "Invalid phone number")),
            FailureReason::WrongPhone,
        ),
    ] {
        let Err(CallError::Refused(refusal)) = start_with(answer).await else {
            panic!("it is refused");
        };
        assert_eq!(refusal.reason, reason);
    }
    let busy = Say::Answer(
        "429 Too Many Requests",
        vec![("retry-after".to_owned(), "7".to_owned())],
        refusal("rate_limited", "Slow down"),
    );
    let Err(CallError::NotNow { words, after }) = start_with(busy).await else {
        panic!("it is to wait");
    };
    assert_eq!(words.as_str(), "Slow down");
    assert_eq!(after, Some(std::time::Duration::from_secs(7)));
}

#[tokio::test]
async fn only_the_status_of_the_money_counts() {
    let captured = |outcome: Outcome| match outcome {
        Outcome::Captured(capture) => capture,
        other => panic!("{other:?}"),
    };
    let asked = start(14_950, Currency::Zar).amount;
    let told = captured(ask_with(ok(transaction(&json!({})))).await.unwrap());
    assert!(told.amount.is(asked));
    assert_eq!(told.reference, "302961");
    assert_eq!(told.fee.and_then(|fee| fee.money()).unwrap().amount(), 283);

    let fee_on_payer = json!({"amount": 15_233, "requested_amount": "14950"});
    let Capture { amount, .. } = captured(ask_with(ok(transaction(&fee_on_payer))).await.unwrap());
    assert!(amount.is(asked));
    let no_request = json!({"requested_amount": null});
    let Capture { amount, .. } = captured(ask_with(ok(transaction(&no_request))).await.unwrap());
    assert!(amount.is(asked));
    for wrong in [
        json!({"requested_amount": 14_949}),
        json!({"currency": "NGN"}),
        json!({"currency": "USD"}),
        json!({"requested_amount": 149.5}),
    ] {
        let told = captured(ask_with(ok(transaction(&wrong))).await.unwrap());
        assert!(!told.amount.is(asked), "{wrong}");
    }
}

#[tokio::test]
async fn each_status_has_its_outcome() {
    for (gateway, reason) in [
        ("Insufficient Funds", FailureReason::NotEnoughMoney),
        ("Declined", FailureReason::Declined),
        ("Cancelled by user", FailureReason::CancelledByPayer),
        ("Timed out", FailureReason::Expired),
    ] {
        let told = json!({"status": "failed", "gateway_response": gateway});
        let Outcome::Failed(failure) = ask_with(ok(transaction(&told))).await.unwrap() else {
            panic!("it failed");
        };
        assert_eq!((failure.reason, failure.is_final), (reason, true));
    }
    for status in [
        "abandoned",
        "ongoing",
        "pending",
        "processing",
        "queued",
        "whatever",
    ] {
        let asked = ask_with(ok(transaction(&json!({"status": status}))))
            .await
            .unwrap();
        assert!(matches!(asked, Outcome::Pending(_)), "{status}");
    }
    let asked = ask_with(ok(transaction(&json!({"status": "reversed"}))))
        .await
        .unwrap();
    assert!(matches!(asked, Outcome::Returned(_)));
}

#[tokio::test]
async fn another_reference_mode_or_no_id_is_no_capture() {
    for wrong in [
        json!({"reference": operation(0xc).to_string()}),
        json!({"reference": "ord_1001"}),
        json!({"domain": "live"}),
        json!({"id": null}),
    ] {
        let asked = ask_with(ok(transaction(&wrong))).await.unwrap();
        assert_eq!(asked, Outcome::Unknown(Doubt::Contradiction), "{wrong}");
    }
}

#[tokio::test]
async fn what_they_do_not_know_was_never_seen() {
    for status in ["400 Bad Request", "404 Not Found"] {
        let body = refusal("transaction_not_found", "Transaction reference not found");
        let asked = ask_with(say(status, body)).await.unwrap();
        assert_eq!(asked, Outcome::NeverSeen);
    }
    // Not theirs.
    let asked = ask_with(say("404 Not Found", "<html>")).await;
    assert_eq!(asked, Err(CallError::Unknown(Doubt::Status(404))));
    assert!(ask_with(Say::Silence).await.is_err());
    assert!(ask_with(say("503 Service Unavailable", "")).await.is_err());
}
