use serde_json::{Value, json};
use soko_domain::{Currency, Money};

use super::super::super::testing::{Provider, Say, new_year, ok, operation, say};
use super::super::super::{
    AskMove, CallError, Doubt, FailureReason, Handle, MoveOutcome, MoveStanding, Moved, NewPayee,
    Payee, PayeeAccount, Refund, ReportedAmount, Transfer, Unfit,
};
use super::paystack;

fn zar(minor: i64) -> Money {
    Money::new(minor, Currency::Zar)
}

fn refund() -> Refund {
    Refund {
        operation_id: operation(0x1f),
        charge: operation(0xb),
        captured_by: "302961".to_owned(),
        amount: zar(5_000),
        phone: None,
        reason: "Broken mug".to_owned(),
    }
}

fn transfer() -> Transfer {
    Transfer {
        operation_id: operation(0x2f),
        amount: zar(5_000),
        to: Payee::Recipient("RCP_gx2wn530m0i3w3m".to_owned()),
        reason: "Sales of May".to_owned(),
    }
}

fn envelope(data: &Value) -> Say {
    ok(json!({"status": true, "message": "ok", "data": data}).to_string())
}

fn told(status: &str) -> Value {
    json!({"transaction": {"id": 302_961}, "id": 77, "status": status, "amount": "5000",
        "currency": "ZAR", "merchant_note": operation(0x1f).to_string()})
}

fn done(reference: &str) -> MoveOutcome {
    MoveOutcome::Done(Moved {
        amount: Some(ReportedAmount::Exact(zar(5_000))),
        fee: None,
        reference: reference.to_owned(),
    })
}

async fn refund_with(answer: Say) -> Result<MoveStanding, CallError> {
    let provider = Provider::saying([answer]).await;
    let account = paystack(&provider);
    account
        .refunds()
        .unwrap()
        .refund(&refund(), new_year())
        .await
}

async fn transfer_with(answer: Say) -> Result<MoveStanding, CallError> {
    let provider = Provider::saying([answer]).await;
    let account = paystack(&provider);
    account
        .transfers()
        .unwrap()
        .transfer(&transfer(), new_year())
        .await
}

async fn ask_refund_with(
    answer: Say,
    handle: Option<&str>,
) -> (Result<MoveStanding, CallError>, String) {
    let provider = Provider::saying([answer]).await;
    let account = paystack(&provider);
    let ask = AskMove {
        operation_id: operation(0x1f),
        handle: handle.and_then(Handle::new),
        captured_by: Some("302961".to_owned()),
    };
    let asked = account
        .refunds()
        .unwrap()
        .ask_refund(&ask, new_year())
        .await;
    let line = provider
        .heard()
        .pop()
        .map_or_else(String::new, |heard| heard.line);
    (asked, line)
}

#[tokio::test]
async fn a_refund_carries_our_id_in_its_note() {
    let provider = Provider::saying([envelope(&told("pending"))]).await;
    let account = paystack(&provider);
    let standing = account
        .refunds()
        .unwrap()
        .refund(&refund(), new_year())
        .await
        .unwrap();
    assert_eq!(standing.handle, Handle::new("77"));
    assert!(matches!(standing.outcome, MoveOutcome::Pending(_)));
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /refund");
    assert_eq!(
        heard.json(),
        json!({
            "transaction": "302961",
            "amount": 5_000,
            "currency": "ZAR",
            "customer_note": "Broken mug",
            "merchant_note": operation(0x1f).to_string(),
        })
    );
}

#[tokio::test]
async fn each_state_of_a_refund_has_its_outcome() {
    let outcome = async |status: &str| {
        let (asked, line) = ask_refund_with(envelope(&told(status)), Some("77")).await;
        assert_eq!(line, "GET /refund/77");
        asked.unwrap().outcome
    };
    assert_eq!(outcome("processed").await, done("77"));
    for status in ["pending", "processing", "whatever"] {
        assert!(matches!(outcome(status).await, MoveOutcome::Pending(_)));
    }
    assert!(matches!(outcome("failed").await, MoveOutcome::Failed(_)));
    assert!(matches!(
        outcome("needs-attention").await,
        MoveOutcome::NeedsPerson(_)
    ));
    assert_eq!(outcome("").await, MoveOutcome::Unknown(Doubt::Unreadable));
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_found_by_its_note() {
    let mut other = told("processed");
    other["merchant_note"] = json!(operation(0x3f).to_string());
    other["id"] = json!(76);
    let list = json!([other, told("processed"), 5]);
    let (asked, line) = ask_refund_with(envelope(&list), None).await;
    assert_eq!(line, "GET /refund?transaction=302961&perPage=100");
    let standing = asked.unwrap();
    assert_eq!(standing.handle, Handle::new("77"));
    assert_eq!(standing.outcome, done("77"));
    let (asked, _) = ask_refund_with(envelope(&json!([other])), None).await;
    assert_eq!(asked.unwrap().outcome, MoveOutcome::NeverSeen);
    let (asked, line) = ask_refund_with(envelope(&list), Some("../balance")).await;
    assert_eq!(asked, Err(CallError::Unfit(Unfit::Handle)));
    assert_eq!(line, "");
}

#[tokio::test]
async fn a_transfer_goes_under_our_reference() {
    let data = json!({"status": "pending", "transfer_code": "TRF_1", "amount": 5_000,
        "currency": "ZAR", "reference": operation(0x2f).to_string()});
    let provider = Provider::saying([envelope(&data)]).await;
    let account = paystack(&provider);
    let transfers = account.transfers().unwrap();
    let standing = transfers.transfer(&transfer(), new_year()).await.unwrap();
    assert_eq!(standing.handle, Handle::new("TRF_1"));
    assert!(matches!(standing.outcome, MoveOutcome::Pending(_)));
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /transfer");
    assert_eq!(
        heard.json(),
        json!({
            "source": "balance",
            "amount": 5_000,
            "currency": "ZAR",
            "recipient": "RCP_gx2wn530m0i3w3m",
            "reference": operation(0x2f).to_string(),
            "reason": "Sales of May",
        })
    );
}

#[tokio::test]
async fn each_state_of_a_transfer_has_its_outcome() {
    let outcome = async |status: &str| {
        let data = json!({"status": status, "transfer_code": "TRF_1", "amount": 5_000,
            "currency": "ZAR", "reference": operation(0x2f).to_string()});
        transfer_with(envelope(&data)).await.unwrap().outcome
    };
    assert_eq!(outcome("success").await, done("TRF_1"));
    for status in ["pending", "received", "whatever"] {
        assert!(matches!(outcome(status).await, MoveOutcome::Pending(_)));
    }
    assert!(matches!(outcome("otp").await, MoveOutcome::NeedsPerson(_)));
    assert!(matches!(outcome("failed").await, MoveOutcome::Failed(_)));
    assert!(matches!(
        outcome("reversed").await,
        MoveOutcome::Returned(_)
    ));
}

#[tokio::test]
async fn a_transfer_is_asked_about_by_our_reference() {
    let repeat = r#"{"status":false,"code":"duplicate_reference","message":
        "Please provide a unique reference. Reference already exists on a transfer"}"#;
    let data = json!({"status": "success", "transfer_code": "TRF_1", "amount": 5_000,
        "currency": "ZAR", "reference": operation(0x2f).to_string()});
    let script = [
        say("400 Bad Request", repeat),
        envelope(&data),
        envelope(&data),
    ];
    let provider = Provider::saying(script).await;
    let account = paystack(&provider);
    let transfers = account.transfers().unwrap();
    let standing = transfers.transfer(&transfer(), new_year()).await.unwrap();
    assert_eq!(standing.outcome, done("TRF_1"));
    let line = format!("GET /transfer/verify/{}", operation(0x2f));
    assert_eq!(provider.heard_last().line, line);
    let mut ask = AskMove {
        operation_id: operation(0x3f),
        handle: None,
        captured_by: None,
    };
    let other = transfers.ask_transfer(&ask, new_year()).await;
    assert_eq!(other, Err(CallError::Unknown(Doubt::Contradiction)));

    let none = r#"{"status":false,"message":"Transfer not found","code":"not_found"}"#;
    let provider = Provider::saying([say("404 Not Found", none)]).await;
    ask.operation_id = operation(0x2f);
    let account = paystack(&provider);
    let asked = account
        .transfers()
        .unwrap()
        .ask_transfer(&ask, new_year())
        .await;
    assert_eq!(asked.unwrap().outcome, MoveOutcome::NeverSeen);
}

#[tokio::test]
async fn money_that_may_have_left_is_not_known() {
    for (answer, doubt) in [
        (Say::Silence, Doubt::NoAnswer),
        (Say::HangUp, Doubt::Broken),
        (ok("<html>"), Doubt::Unreadable),
        (say("503 Service Unavailable", ""), Doubt::Status(503)),
    ] {
        let unknown = Err(CallError::Unknown(doubt));
        assert_eq!(refund_with(answer.clone()).await, unknown, "{answer:?}");
        assert_eq!(transfer_with(answer.clone()).await, unknown, "{answer:?}");
    }
}

#[tokio::test]
async fn a_refusal_says_why() {
    for (message, reason) in [
        (
            "Your balance is not enough to fulfill this request",
            FailureReason::NotEnoughMoneyOfOurs,
        ),
        (
            "Transaction has been fully reversed",
            FailureReason::AlreadyReturned,
        ),
        ("Transaction not found", FailureReason::UnknownOriginal),
        ("Cannot refund less than USD 1", FailureReason::OurSetUp),
    ] {
        let body = json!({"status": false, "message": message}).to_string();
        let Err(CallError::Refused(refusal)) = refund_with(say("400 Bad Request", body)).await
        else {
            panic!("it is refused");
        };
        assert_eq!(refusal.reason, reason, "{message}");
    }
}

#[tokio::test]
async fn what_cannot_be_moved_is_not_sent() {
    let provider = Provider::saying([]).await;
    let account = paystack(&provider);
    let phone = Transfer {
        to: Payee::Phone("+254708374149".parse().unwrap()),
        ..transfer()
    };
    let sent = account
        .transfers()
        .unwrap()
        .transfer(&phone, new_year())
        .await;
    assert_eq!(sent, Err(CallError::Unfit(Unfit::Payee)));
    let nothing = Refund {
        amount: zar(0),
        ..refund()
    };
    let sent = account
        .refunds()
        .unwrap()
        .refund(&nothing, new_year())
        .await;
    assert_eq!(sent, Err(CallError::Unfit(Unfit::Amount)));
    assert!(provider.heard().is_empty());
}

#[tokio::test]
async fn a_bank_account_is_told_before_it_is_paid() {
    let account = PayeeAccount {
        kind: "basa".to_owned(),
        name: "Mugs Ltd".to_owned(),
        account_number: "01100".to_owned(),
        bank_code: "051001".to_owned(),
        currency: Currency::Zar,
    };
    let data = json!({"recipient_code": "RCP_gx2wn530m0i3w3m", "active": true});
    let provider = Provider::saying([envelope(&data), envelope(&json!({}))]).await;
    let paystack = paystack(&provider);
    let transfers = paystack.transfers().unwrap();
    let payee = NewPayee::Account(account);
    let Ok(Payee::Recipient(code)) = transfers.enrol(&payee).await else {
        panic!("it is enrolled");
    };
    assert_eq!(code, "RCP_gx2wn530m0i3w3m");
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /transferrecipient");
    assert_eq!(
        heard.json(),
        json!({"type": "basa", "name": "Mugs Ltd", "account_number": "01100",
            "bank_code": "051001", "currency": "ZAR"})
    );
    assert!(transfers.enrol(&payee).await.is_err());
    let phone = NewPayee::Phone("+254708374149".parse().unwrap());
    let refused = transfers.enrol(&phone).await.err();
    assert_eq!(refused, Some(CallError::Unfit(Unfit::Payee)));
}
