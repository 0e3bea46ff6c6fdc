//! The wire, end to end: what we send, and what we make of each answer.

mod callbacks;
mod refunds;

use serde_json::json;
use soko_domain::{Currency, Money};
use uuid::Uuid;

use super::super::testing::{Provider, Say, new_year, ok, operation, say, start};
use super::super::{
    AskPayment, CallError, Capture, Credentials, Doubt, EcocashAccount, EcocashRefundBy,
    FailureReason, NextStep, NotSent, OperationId, Outcome, PaymentAccount, ReportedAmount,
    Standing, StartPayment, Unfit,
};

const REFERENCE: &str = "581af738-f459-4629-a72e-8388e0acdb5e";

fn account() -> EcocashAccount {
    EcocashAccount {
        store_id: Uuid::from_u128(0x5).into(),
        api_key: "api key".into(),
        is_live: false,
        client_name: "Duka".to_owned(),
        refund_by: EcocashRefundBy::EcocashReference,
        callback_secrets: vec!["path secret".into()],
    }
}

fn ecocash(provider: &Provider) -> Box<dyn PaymentAccount> {
    provider
        .providers()
        .account(Credentials::Ecocash(account()))
}

fn operation_id() -> OperationId {
    OperationId::parse(REFERENCE).unwrap()
}

fn payment(currency: Currency) -> StartPayment {
    let mut payment = start(14_950, currency);
    payment.operation_id = operation_id();
    payment.phone = Some("+263774222475".parse().unwrap());
    payment
}

fn usd(minor: i64) -> ReportedAmount {
    ReportedAmount::Exact(Money::new(minor, Currency::Usd))
}

async fn start_with(answer: Say) -> Result<Standing, CallError> {
    let provider = Provider::saying([answer]).await;
    ecocash(&provider)
        .start(&payment(Currency::Usd), new_year())
        .await
}

fn ask() -> AskPayment {
    AskPayment {
        operation_id: operation_id(),
        handle: None,
        phone: Some("+263774222475".parse().unwrap()),
    }
}

async fn ask_with(answer: Say) -> Result<Outcome, CallError> {
    let provider = Provider::saying([answer]).await;
    let asked = ecocash(&provider).ask(&ask(), new_year()).await;
    Ok(asked?.outcome)
}

fn found(amount: &str, currency: &str, status: &str) -> String {
    format!(
        r#"{{"amount":{{"amount":{amount},"currency":"{currency}"}},
        "customerMsisdn":"263774222475","reference":"{REFERENCE}",
        "ecocashReference":"MP240226.1054.A45839","status":"{status}",
        "transactionDateTime":"2024-02-26 10:54:41"}}"#
    )
}

#[tokio::test]
async fn a_charge_is_sent_as_it_is_published() {
    for (currency, word) in [(Currency::Usd, "USD"), (Currency::Zwg, "ZiG")] {
        let provider = Provider::saying([ok("")]).await;
        let standing = ecocash(&provider)
            .start(&payment(currency), new_year())
            .await
            .unwrap();
        assert!(matches!(standing.outcome, Outcome::Pending(_)));
        assert_eq!(standing.next, NextStep::AwaitPhonePrompt(None));
        let heard = provider.heard_last();
        let path = "POST /api/ecocash_pay/api/v2/payment/instant/c2b/sandbox";
        assert_eq!(heard.line, path);
        assert_eq!(heard.header("x-api-key"), "api key");
        assert_eq!(heard.header("content-type"), "application/json");
        assert_eq!(
            heard.body,
            format!(
                r#"{{"customerMsisdn":"263774222475","amount":149.50,"reason":"Order 1001","currency":"{word}","sourceReference":"{REFERENCE}"}}"#
            )
        );
    }
}

#[tokio::test]
async fn live_is_another_path() {
    let provider = Provider::saying([ok("{}")]).await;
    let account = EcocashAccount {
        is_live: true,
        ..account()
    };
    let account = provider.providers().account(Credentials::Ecocash(account));
    account
        .start(&payment(Currency::Usd), new_year())
        .await
        .unwrap();
    assert!(provider.heard_last().line.ends_with("/c2b/live"));
}

#[tokio::test]
async fn any_success_and_a_conflict_mean_that_it_was_sent() {
    for answer in [
        ok(""),
        ok("{}"),
        ok("<html>"),
        ok(r#"{"status":"SUCCESS"}"#),
        say("409 Conflict", ""),
    ] {
        let standing = start_with(answer).await.unwrap();
        assert!(matches!(standing.outcome, Outcome::Pending(_)));
    }
}

#[tokio::test]
async fn each_code_of_a_charge_says_what_it_means() {
    for (answer, reason) in [
        (
            say("400 Bad Request", r#"{"message":"x"}"#),
            FailureReason::OurSetUp,
        ),
        (
            say("400 Bad Request", r#"{"message":"Bad customerMsisdn"}"#),
            FailureReason::WrongPhone,
        ),
        (say("401 Unauthorized", ""), FailureReason::OurSetUp),
        (say("402 Payment Required", ""), FailureReason::Declined),
        (say("403 Forbidden", ""), FailureReason::OurSetUp),
        (say("404 Not Found", ""), FailureReason::OurSetUp),
    ] {
        let Err(CallError::Refused(refusal)) = start_with(answer).await else {
            panic!("it is refused");
        };
        assert_eq!(refusal.reason, reason);
    }
    let sent = start_with(say("429 Too Many Requests", "")).await;
    assert!(matches!(sent, Err(CallError::NotNow { .. })));
    for (answer, doubt) in [
        (say("500 Internal Server Error", ""), Doubt::Status(500)),
        (say("302 Found", ""), Doubt::Status(302)),
        (Say::Silence, Doubt::NoAnswer),
        (Say::HangUp, Doubt::Broken),
        (Say::Truncated("{".to_owned()), Doubt::Broken),
    ] {
        assert_eq!(start_with(answer).await, Err(CallError::Unknown(doubt)));
    }
    let nobody = Provider::absent().await;
    let sent = ecocash(&nobody)
        .start(&payment(Currency::Usd), new_year())
        .await;
    assert_eq!(sent, Err(CallError::NotSent(NotSent::NoConnection)));
}

#[tokio::test]
async fn what_ecocash_does_not_carry_is_not_sent() {
    let provider = Provider::saying([]).await;
    let ecocash = ecocash(&provider);
    let change = |change: fn(&mut StartPayment)| {
        let mut payment = payment(Currency::Usd);
        change(&mut payment);
        payment
    };
    for (payment, unfit) in [
        (
            change(|p| p.amount = Money::new(100, Currency::Kes)),
            Unfit::Currency,
        ),
        (
            change(|p| p.amount = Money::new(0, Currency::Usd)),
            Unfit::Amount,
        ),
        (change(|p| p.phone = None), Unfit::Phone),
        (
            change(|p| p.phone = Some("+263712345678".parse().unwrap())),
            Unfit::Phone,
        ),
        (
            change(|p| p.phone = Some("+26377422247".parse().unwrap())),
            Unfit::Phone,
        ),
        (change(|p| p.capture_later = true), Unfit::CaptureLater),
    ] {
        let sent = ecocash.start(&payment, new_year()).await;
        assert_eq!(sent, Err(CallError::Unfit(unfit)));
    }
    assert!(ecocash.transfers().is_none() && ecocash.captures().is_none());
    assert!(provider.heard().is_empty());
}

#[tokio::test]
async fn a_payment_is_looked_up_by_phone_and_reference() {
    let provider = Provider::saying([ok(found("149.50", "USD", "SUCCESS"))]).await;
    let standing = ecocash(&provider).ask(&ask(), new_year()).await.unwrap();
    let captured = Outcome::Captured(Capture {
        amount: usd(14_950),
        fee: None,
        reference: "MP240226.1054.A45839".to_owned(),
    });
    assert_eq!(standing.outcome, captured);
    let heard = provider.heard_last();
    let path = "POST /api/ecocash_pay/api/v1/transaction/c2b/status/sandbox";
    assert_eq!(heard.line, path);
    let body = json!({"sourceMobileNumber": "263774222475", "sourceReference": REFERENCE});
    assert_eq!(heard.json(), body);
}

#[tokio::test]
async fn amounts_are_read_as_they_are_written() {
    let amount =
        async |amount: &str, currency: &str| match ask_with(ok(found(amount, currency, "SUCCESS")))
            .await
        {
            Ok(Outcome::Captured(capture)) => capture.amount,
            other => panic!("{other:?}"),
        };
    for text in ["10", "10.0", "10.00", r#""10.00""#] {
        assert_eq!(amount(text, "USD").await, usd(1_000), "{text}");
    }
    assert_eq!(amount("10.50", "USD").await, usd(1_050));
    let gold = ReportedAmount::Exact(Money::new(1_050, Currency::Zwg));
    assert_eq!(amount("10.50", "ZiG").await, gold);
    let old = ReportedAmount::Other("ZWL 10.50".to_owned());
    assert_eq!(amount("10.50", "ZWL").await, old);
    let fine = ReportedAmount::Other("USD 10.505".to_owned());
    assert_eq!(amount("10.505", "USD").await, fine);
}

#[tokio::test]
async fn each_status_has_its_outcome() {
    for status in ["PENDING", "AWAITING_USER_VALIDATION", "Whatever"] {
        let asked = ask_with(ok(found("149.50", "USD", status))).await.unwrap();
        assert!(matches!(asked, Outcome::Pending(_)), "{status}");
    }
    for (status, reason) in [
        ("USER_CANCELLED", FailureReason::CancelledByPayer),
        ("FAILED", FailureReason::Declined),
    ] {
        let Outcome::Failed(failure) = ask_with(ok(found("149.50", "USD", status))).await.unwrap()
        else {
            panic!("it failed");
        };
        assert_eq!(failure.reason, reason);
    }
    let asked = ask_with(say("404 Not Found", "")).await;
    assert_eq!(asked, Ok(Outcome::NeverSeen));
}

#[tokio::test]
async fn a_success_that_contradicts_is_not_known() {
    let good = found("149.50", "USD", "SUCCESS");
    for odd in [
        good.replace(REFERENCE, &operation(1).to_string()),
        good.replace(REFERENCE, "ORD-1"),
        good.replace("MP240226.1054.A45839", ""),
        r#"{"status":"SUCCESS","ecocashReference":"MP1","amount":null}"#.to_owned(),
    ] {
        let asked = ask_with(ok(odd)).await;
        assert_eq!(asked, Ok(Outcome::Unknown(Doubt::Contradiction)));
    }
    for answer in [
        ok("{}"),
        ok("<html>"),
        ok(""),
        Say::Silence,
        say("500 Internal Server Error", ""),
    ] {
        let asked = ask_with(answer).await;
        assert!(matches!(asked, Err(CallError::Unknown(_))), "{asked:?}");
    }
}
