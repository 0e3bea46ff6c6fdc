use serde_json::{Value, json};
use soko_domain::{Currency, Money};

use super::super::super::testing::{Provider, Say, new_year, ok, operation, say};
use super::super::super::{
    AskMove, CallError, Credentials, Doubt, EcocashAccount, EcocashRefundBy, Handle, MoveOutcome,
    Moved, Refund, ReportedAmount,
};
use super::{REFERENCE, account, ecocash, operation_id};

fn refund() -> Refund {
    Refund {
        operation_id: operation(0x1f),
        charge: operation_id(),
        captured_by: "MP240226.1054.A45839".to_owned(),
        amount: Money::new(1_050, Currency::Zwg),
        phone: Some("+263774222475".parse().unwrap()),
        reason: "Broken mug".to_owned(),
    }
}

async fn refund_with(answer: Say) -> Result<MoveOutcome, CallError> {
    let provider = Provider::saying([answer]).await;
    let account = ecocash(&provider);
    let standing = account
        .refunds()
        .unwrap()
        .refund(&refund(), new_year())
        .await?;
    assert_eq!(standing.handle, Handle::new(&operation(0x1f).to_string()));
    Ok(standing.outcome)
}

const REFUNDED: &str = r#"{"sourceReference":"x","transactionStatus":"COMPLETED",
    "responseMessage":"done","amount":10.5,"currency":"ZiG",
    "ecocashReference":"MP240227.1054.A45840","destinationEcocashReference":"MP240226.1054.A45839"}"#;

#[tokio::test]
async fn a_refund_has_their_two_misspelt_names() {
    for (refund_by, original) in [
        (EcocashRefundBy::EcocashReference, "MP240226.1054.A45839"),
        (EcocashRefundBy::SourceReference, REFERENCE),
    ] {
        let provider = Provider::saying([ok(REFUNDED)]).await;
        let account = EcocashAccount {
            refund_by,
            ..account()
        };
        let account = provider.providers().account(Credentials::Ecocash(account));
        account
            .refunds()
            .unwrap()
            .refund(&refund(), new_year())
            .await
            .unwrap();
        let heard = provider.heard_last();
        let path = "POST /api/ecocash_pay/api/v2/refund/instant/c2b/sandbox";
        assert_eq!(heard.line, path);
        let ours = operation(0x1f).to_string();
        assert!(heard.body.contains(r#""amount":10.50"#));
        let mut body: Value = heard.json();
        body["amount"] = Value::Null;
        assert_eq!(
            body,
            json!({
                "origionalEcocashTransactionReference": original,
                "refundCorelator": ours,
                "sourceMobileNumber": "263774222475",
                "amount": null,
                "clientName": "Duka",
                "currency": "ZiG",
                "reasonForRefund": "Broken mug",
            })
        );
    }
}

#[tokio::test]
async fn a_refund_is_done_when_they_say_completed() {
    let done = MoveOutcome::Done(Moved {
        amount: Some(ReportedAmount::Exact(Money::new(1_050, Currency::Zwg))),
        fee: None,
        reference: "MP240227.1054.A45840".to_owned(),
    });
    assert_eq!(refund_with(ok(REFUNDED)).await, Ok(done.clone()));
    // With the capture's reference and the refund's in each other's place.
    let swapped = REFUNDED
        .replace("MP240227.1054.A45840", "x")
        .replace("MP240226.1054.A45839", "MP240227.1054.A45840")
        .replace(
            r#"ecocashReference":"x"#,
            r#"ecocashReference":"MP240226.1054.A45839"#,
        );
    assert_eq!(refund_with(ok(swapped)).await, Ok(done));
    let told = refund_with(ok(REFUNDED.replace("COMPLETED", "PENDING"))).await;
    assert!(matches!(told, Ok(MoveOutcome::Pending(_))));
    let told = refund_with(ok(REFUNDED.replace("COMPLETED", "FAILED"))).await;
    assert!(matches!(told, Ok(MoveOutcome::Failed(_))));
    let told = refund_with(ok(REFUNDED.replace("MP240227.1054.A45840", ""))).await;
    assert_eq!(told, Ok(MoveOutcome::Unknown(Doubt::Contradiction)));
    for (answer, doubt) in [
        (ok(""), Doubt::Unreadable),
        (ok("{}"), Doubt::Unreadable),
        (say("409 Conflict", ""), Doubt::Status(409)),
        (say("500 Internal Server Error", ""), Doubt::Status(500)),
        (Say::Silence, Doubt::NoAnswer),
        (Say::HangUp, Doubt::Broken),
    ] {
        assert_eq!(refund_with(answer).await, Err(CallError::Unknown(doubt)));
    }
}

#[tokio::test]
async fn a_refund_cannot_be_asked_about() {
    let provider = Provider::saying([]).await;
    let account = ecocash(&provider);
    let ask = AskMove {
        operation_id: operation(0x1f),
        handle: None,
        captured_by: None,
    };
    let standing = account
        .refunds()
        .unwrap()
        .ask_refund(&ask, new_year())
        .await
        .unwrap();
    assert_eq!(standing.outcome, MoveOutcome::Unknown(Doubt::CannotBeAsked));
}
