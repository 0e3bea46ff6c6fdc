use serde_json::json;
use soko_domain::Currency;

use super::super::super::testing::{Provider, Say, at, new_year, ok, operation, say, start};
use super::super::super::{
    AskPayment, CallError, Doubt, FailureReason, Handle, MpesaTill, NextStep, NotSent, Outcome,
    PaymentAccount, Standing, Unfit,
};
use super::{account, mpesa, path_in, token};

const CHECKOUT: &str = "ws_CO_191220191020363925";

fn queued() -> Say {
    ok(format!(
        r#"{{"MerchantRequestID":"29115-34620561-1","CheckoutRequestID":"{CHECKOUT}",
        "ResponseCode":"0","ResponseDescription":"Success. Request accepted for processing",
        "CustomerMessage":"Success. Request accepted for processing"}}"#
    ))
}

fn error(status: &'static str, code: &str, message: &str) -> Say {
    let body = json!({"requestId": "1-2-3", "errorCode": code, "errorMessage": message});
    say(status, body.to_string())
}

async fn start_with(answer: Say) -> Result<Standing, CallError> {
    let provider = Provider::saying([token(), answer]).await;
    let payment = start(1_000, Currency::Kes);
    mpesa(&provider).start(&payment, new_year()).await
}

async fn ask_with(answer: Say) -> Result<Outcome, CallError> {
    let provider = Provider::saying([token(), answer]).await;
    let asked = ask();
    let standing = mpesa(&provider).ask(&asked, new_year()).await?;
    assert_eq!(standing.handle, asked.handle);
    Ok(standing.outcome)
}

fn ask() -> AskPayment {
    AskPayment {
        operation_id: operation(0xb),
        handle: Handle::new(CHECKOUT),
        phone: None,
    }
}

fn query_answer(code: &str, words: &str) -> String {
    json!({
        "ResponseCode": "0", "ResponseDescription": "ok", "MerchantRequestID": "1",
        "CheckoutRequestID": CHECKOUT, "ResultCode": code, "ResultDesc": words,
    })
    .to_string()
}

#[tokio::test]
async fn a_prompt_is_sent_as_the_published_client_sends_it() {
    let provider = Provider::saying([token(), queued()]).await;
    let moment = at("2026-01-01T09:30:45Z");
    let payment = start(1_000, Currency::Kes);
    let standing = mpesa(&provider).start(&payment, moment).await.unwrap();
    assert_eq!(standing.handle, Handle::new(CHECKOUT));
    assert!(matches!(standing.outcome, Outcome::Pending(_)));
    assert_eq!(standing.next, NextStep::AwaitPhonePrompt(None));

    let heard = provider.heard();
    assert_eq!(
        heard[0].line,
        "GET /oauth/v1/generate?grant_type=client_credentials"
    );
    assert_eq!(
        heard[0].header("authorization"),
        "Basic Y2tfZGVtbzpjc19kZW1v"
    );
    assert_eq!(heard[1].line, "POST /mpesa/stkpush/v1/processrequest");
    assert_eq!(heard[1].header("authorization"), "Bearer token-1");
    assert_eq!(heard[1].header("content-type"), "application/json");
    let path = path_in(&heard[1], "CallBackURL");
    assert_eq!(
        heard[1].json(),
        json!({
            "BusinessShortCode": "174379",
            "Password": "MTc0Mzc5YmZiMjc5ZjlhYTliZGJjZjE1OGU5N2RkNzFhNDY3Y2QyZTBjODkzMDU5YjEwZjc\
                4ZTZiNzJhZGExZWQyYzkxOTIwMjYwMTAxMTIzMDQ1",
            "Timestamp": "20260101123045",
            "TransactionType": "CustomerPayBillOnline",
            "Amount": 10,
            "PartyA": "254708374149",
            "PartyB": "174379",
            "PhoneNumber": "254708374149",
            "CallBackURL": format!("https://shop.example/webhooks/mpesa/{path}"),
            "AccountReference": "1001",
            "TransactionDesc": "Order 1001",
        })
    );
}

#[tokio::test]
async fn a_till_is_paid_under_its_own_number() {
    let provider = Provider::saying([token(), queued()]).await;
    let mut account = account();
    account.till = MpesaTill::BuyGoods {
        till_number: "5002".to_owned(),
    };
    let mpesa = provider.providers().mpesa(account);
    let payment = start(1_000, Currency::Kes);
    mpesa.start(&payment, new_year()).await.unwrap();
    let body = provider.heard_last().json();
    assert_eq!(body["TransactionType"], "CustomerBuyGoodsOnline");
    assert_eq!(body["BusinessShortCode"], "174379");
    assert_eq!(body["PartyB"], "5002");
}

#[tokio::test]
async fn what_mpesa_does_not_carry_is_not_sent() {
    let provider = Provider::saying([]).await;
    let mpesa = mpesa(&provider);
    for (minor, currency, unfit) in [
        (1_050, Currency::Kes, Unfit::Amount),
        (0, Currency::Kes, Unfit::Amount),
        (-100, Currency::Kes, Unfit::Amount),
        (25_000_100, Currency::Kes, Unfit::Amount),
        (1_000, Currency::Usd, Unfit::Currency),
    ] {
        let sent = mpesa.start(&start(minor, currency), new_year()).await;
        assert_eq!(sent, Err(CallError::Unfit(unfit)), "{minor}");
    }
    for phone in [
        None,
        Some("+263771111111"),
        Some("+254208374149"),
        Some("+25470837414"),
    ] {
        let mut payment = start(1_000, Currency::Kes);
        payment.phone = phone.map(|phone| phone.parse().unwrap());
        let sent = mpesa.start(&payment, new_year()).await;
        assert_eq!(sent, Err(CallError::Unfit(Unfit::Phone)), "{phone:?}");
    }
    let mut later = start(1_000, Currency::Kes);
    later.capture_later = true;
    let sent = mpesa.start(&later, new_year()).await;
    assert_eq!(sent, Err(CallError::Unfit(Unfit::CaptureLater)));
    assert!(provider.heard().is_empty());
}

#[tokio::test]
async fn live_it_is_called_by_https_only() {
    let provider = Provider::saying([]).await;
    let mut endpoints = provider.endpoints();
    endpoints.mpesa = "https://localhost".to_owned();
    endpoints.callbacks = "http://shop.example".to_owned();
    let providers = super::super::super::Providers::new(endpoints).unwrap();
    let sent = providers
        .mpesa(account())
        .start(&start(1_000, Currency::Kes), new_year())
        .await;
    assert_eq!(sent, Err(CallError::Unfit(Unfit::CallbackUrl)));
}

#[tokio::test]
async fn a_reply_that_never_came_is_not_known() {
    for (answer, doubt) in [
        (Say::Silence, Doubt::NoAnswer),
        (Say::HangUp, Doubt::Broken),
        (
            Say::Truncated(r#"{"ResponseCode":"0","#.to_owned()),
            Doubt::Broken,
        ),
        (say("503 Service Unavailable", "<html>"), Doubt::Status(503)),
        (say("500 Internal Server Error", ""), Doubt::Status(500)),
        (say("403 Forbidden", "<html>"), Doubt::Status(403)),
        (say("302 Found", ""), Doubt::Status(302)),
        (ok("<html>"), Doubt::Unreadable),
        (ok(""), Doubt::Unreadable),
        (ok(r#"{"ResponseCode":"0"}"#), Doubt::Unreadable),
        (ok(r#"{"ResponseCode":null}"#), Doubt::Unreadable),
        (
            error(
                "500 Internal Server Error",
                "500.003.1001",
                "Internal Server Error",
            ),
            Doubt::Status(500),
        ),
        (
            error(
                "500 Internal Server Error",
                "500.001.1001",
                "[1001] Something",
            ),
            Doubt::Status(500),
        ),
    ] {
        let told = format!("{answer:?}");
        let sent = start_with(answer).await;
        assert_eq!(sent, Err(CallError::Unknown(doubt)), "{told}");
        assert!(!sent.unwrap_err().surely_did_nothing());
    }
}

#[tokio::test]
async fn who_is_not_there_was_not_asked() {
    let provider = Provider::absent().await;
    let sent = mpesa(&provider)
        .start(&start(1_000, Currency::Kes), new_year())
        .await
        .unwrap_err();
    assert_eq!(sent, CallError::NotSent(NotSent::NoConnection));
    assert!(sent.may_be_sent_again() && sent.surely_did_nothing());
}

#[tokio::test]
async fn each_documented_error_says_what_it_means() {
    let bad = "400 Bad Request";
    let fault = "500 Internal Server Error";
    for (answer, reason) in [
        (
            error(bad, "400.002.02", "Bad Request - Invalid PhoneNumber"),
            FailureReason::WrongPhone,
        ),
        (
            error(bad, "400.002.02", "Bad Request - Invalid Amount"),
            FailureReason::AmountNotAllowed,
        ),
        (
            error(bad, "400.002.02", "Bad Request - Invalid Timestamp"),
            FailureReason::OurSetUp,
        ),
        (
            error("404 Not Found", "404.001.01", "Resource not found"),
            FailureReason::OurSetUp,
        ),
        (
            error("405 Method Not Allowed", "405.001", "Method Not Allowed"),
            FailureReason::OurSetUp,
        ),
        (
            error(fault, "500.001.1001", "Wrong credentials"),
            FailureReason::OurSetUp,
        ),
        (
            error(fault, "500.001.1001", "Merchant does not exist"),
            FailureReason::OurSetUp,
        ),
        (
            error(fault, "500.001.1001", "Unable to lock subscriber"),
            FailureReason::PayerBusy,
        ),
        (
            ok(r#"{"ResponseCode":"17","ResponseDescription":"Wait"}"#),
            FailureReason::Repeated,
        ),
    ] {
        let told = format!("{answer:?}");
        let Err(CallError::Refused(refusal)) = start_with(answer).await else {
            panic!("it is refused: {told}");
        };
        assert_eq!(refusal.reason, reason, "{told}");
    }
    let gateway = r#"{"fault":{"faultstring":"Spike arrest violation","detail":
        {"errorcode":"policies.ratelimit.SpikeArrestViolation"}}}"#;
    for answer in [
        error(fault, "500.003.02", "Spike arrest"),
        error(fault, "500.003.03", "Quota violation"),
        say(fault, gateway),
        say("429 Too Many Requests", ""),
    ] {
        let sent = start_with(answer).await.unwrap_err();
        assert!(matches!(sent, CallError::NotNow { .. }), "{sent}");
    }
}

#[tokio::test]
async fn a_question_goes_by_the_id_of_the_prompt() {
    let provider = Provider::saying([token(), ok(query_answer("0", "done"))]).await;
    let mpesa = mpesa(&provider);
    mpesa.ask(&ask(), at("2026-01-01T09:30:45Z")).await.unwrap();
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /mpesa/stkpushquery/v1/query");
    assert_eq!(heard.json()["CheckoutRequestID"], CHECKOUT);
    assert_eq!(heard.json()["Timestamp"], "20260101123045");
    let lost = AskPayment {
        handle: None,
        ..ask()
    };
    let asked = mpesa.ask(&lost, new_year()).await;
    assert_eq!(asked, Err(CallError::Unfit(Unfit::Handle)));
}

#[tokio::test]
async fn success_by_query_is_without_amount_and_receipt() {
    let asked = ask_with(ok(query_answer("0", "done"))).await.unwrap();
    assert!(matches!(asked, Outcome::Confirmed(_)));
    let number = query_answer("0", "done").replace(r#""ResultCode":"0""#, r#""ResultCode":0"#);
    let asked = ask_with(ok(number)).await.unwrap();
    assert!(matches!(asked, Outcome::Confirmed(_)));
}

#[tokio::test]
async fn an_open_prompt_is_pending_in_all_three_words_for_it() {
    let fault = "500 Internal Server Error";
    for answer in [
        error(fault, "500.001.1001", "The transaction is being processed"),
        ok(query_answer(
            "4999",
            "The transaction is still under processing",
        )),
        ok(query_answer(
            "1",
            "The transaction is still under processing",
        )),
    ] {
        let asked = ask_with(answer).await.unwrap();
        assert!(matches!(asked, Outcome::Pending(_)), "{asked:?}");
    }
}

#[tokio::test]
async fn each_result_code_has_its_reason() {
    for (code, reason) in [
        ("1", FailureReason::NotEnoughMoney),
        ("2", FailureReason::AmountNotAllowed),
        ("3", FailureReason::AmountNotAllowed),
        ("4", FailureReason::LimitReached),
        ("8", FailureReason::ReceiverLimitReached),
        ("17", FailureReason::Repeated),
        ("26", FailureReason::ProviderBusy),
        ("1001", FailureReason::PayerBusy),
        ("1019", FailureReason::Expired),
        ("1025", FailureReason::ProviderBusy),
        ("1032", FailureReason::CancelledByPayer),
        ("1037", FailureReason::PayerNotReached),
        ("2001", FailureReason::WrongPin),
        ("2028", FailureReason::OurSetUp),
        ("8006", FailureReason::PayerLocked),
        ("9999", FailureReason::ProviderBusy),
        ("SFC_IC0003", FailureReason::OurSetUp),
        ("77777", FailureReason::Other),
    ] {
        let Outcome::Failed(failure) = ask_with(ok(query_answer(code, "why"))).await.unwrap()
        else {
            panic!("{code} is a failure");
        };
        assert_eq!(failure.reason, reason, "{code}");
        assert_eq!(failure.words.as_str(), "why");
    }
}

#[tokio::test]
async fn a_question_that_failed_says_nothing_of_the_payment() {
    for answer in [
        Say::Silence,
        Say::HangUp,
        ok("{}"),
        ok("<html>"),
        say("502 Bad Gateway", ""),
        error(
            "500 Internal Server Error",
            "500.001.1001",
            "Wrong credentials",
        ),
        error("500 Internal Server Error", "500.003.02", "Spike arrest"),
    ] {
        let told = format!("{answer:?}");
        assert!(ask_with(answer).await.is_err(), "{told}");
    }
    let other = query_answer("0", "done").replace(CHECKOUT, "ws_CO_other");
    let asked = ask_with(ok(other)).await.unwrap();
    assert_eq!(asked, Outcome::Unknown(Doubt::Contradiction));
}
