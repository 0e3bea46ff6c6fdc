use serde_json::json;
use soko_domain::{Currency, Money};

use super::super::super::testing::{Provider, Say, new_year, ok, operation, say};
use super::super::super::{
    AskMove, AskReceipt, CallError, CallbackKind, CallbackToken, Doubt, FailureReason, Handle,
    MPESA_OFFER_ACCEPTED, MPESA_OFFER_REFUSED, MoveOutcome, MoveStanding, NewPayee, Payee,
    PaymentAccount, Refund, Refunds, Transfer, Transfers, Unfit,
};
use super::{account, mpesa, path_in, token};

const ACCEPTED: &str = r#"{"OriginatorConversationID":"71840-27539181-07","ConversationID":
    "AG_20210709_12346c8e6f8858d7b70a","ResponseCode":"0","ResponseDescription":"Accept"}"#;

fn refund() -> Refund {
    Refund {
        operation_id: operation(0x1f),
        charge: operation(0xb),
        captured_by: "NLJ7RT61SV".to_owned(),
        amount: Money::new(1_000, Currency::Kes),
        phone: None,
        reason: "Broken".to_owned(),
    }
}

fn payout() -> Transfer {
    Transfer {
        operation_id: operation(0x2f),
        amount: Money::new(100_000, Currency::Kes),
        to: Payee::Phone("+254708374149".parse().unwrap()),
        reason: "Sales of May".to_owned(),
    }
}

fn ask(number: u128, handle: Option<&str>) -> AskMove {
    AskMove {
        operation_id: operation(number),
        handle: handle.and_then(Handle::new),
        captured_by: None,
    }
}

fn pending(standing: &MoveStanding) -> bool {
    matches!(standing.outcome, MoveOutcome::Pending(_))
}

#[tokio::test]
async fn a_refund_is_a_reversal_of_the_receipt() {
    let provider = Provider::saying([token(), ok(ACCEPTED)]).await;
    let standing = mpesa(&provider)
        .refund(&refund(), new_year())
        .await
        .unwrap();
    assert!(pending(&standing));
    assert_eq!(standing.handle, Handle::new("71840-27539181-07"));
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /mpesa/reversal/v1/request");
    let (result, time_out) = (
        path_in(&heard, "ResultURL"),
        path_in(&heard, "QueueTimeOutURL"),
    );
    let token = CallbackToken::parse(&result).unwrap();
    assert_eq!(
        (token.kind(), token.id()),
        (CallbackKind::Refund, operation(0x1f).as_uuid())
    );
    let token = CallbackToken::parse(&time_out).unwrap();
    assert_eq!(token.kind(), CallbackKind::RefundTimeOut);
    assert_eq!(
        heard.json(),
        json!({
            "Initiator": "testapi",
            "SecurityCredential": "c2VhbGVk",
            "CommandID": "TransactionReversal",
            "TransactionID": "NLJ7RT61SV",
            "Amount": 10,
            "ReceiverParty": "174379",
            "RecieverIdentifierType": "11",
            "ResultURL": format!("https://shop.example/webhooks/mpesa/{result}"),
            "QueueTimeOutURL": format!("https://shop.example/webhooks/mpesa/{time_out}"),
            "Remarks": "Broken",
        })
    );
}

#[tokio::test]
async fn a_payout_goes_under_our_own_id() {
    let provider = Provider::saying([token(), ok(ACCEPTED)]).await;
    let standing = mpesa(&provider)
        .transfer(&payout(), new_year())
        .await
        .unwrap();
    assert!(pending(&standing));
    let ours = operation(0x2f).to_string();
    assert_eq!(standing.handle, Handle::new(&ours));
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /mpesa/b2c/v3/paymentrequest");
    let (result, time_out) = (
        path_in(&heard, "ResultURL"),
        path_in(&heard, "QueueTimeOutURL"),
    );
    assert_eq!(
        CallbackToken::parse(&result).unwrap().kind(),
        CallbackKind::Transfer
    );
    assert_eq!(
        heard.json(),
        json!({
            "OriginatorConversationID": ours,
            "InitiatorName": "testapi",
            "SecurityCredential": "c2VhbGVk",
            "CommandID": "BusinessPayment",
            "Amount": 1_000,
            "PartyA": "174379",
            "PartyB": "254708374149",
            "Remarks": "Sales of May",
            "QueueTimeOutURL": format!("https://shop.example/webhooks/mpesa/{time_out}"),
            "ResultURL": format!("https://shop.example/webhooks/mpesa/{result}"),
            "Occassion": "",
        })
    );
}

#[tokio::test]
async fn a_payout_sent_twice_is_one_payout() {
    let repeat = r#"{"requestId":"1","errorCode":"500.002.1001",
        "errorMessage":"Duplicate OriginatorConversationID."}"#;
    let provider = Provider::saying([token(), say("500 Internal Server Error", repeat)]).await;
    let standing = mpesa(&provider)
        .transfer(&payout(), new_year())
        .await
        .unwrap();
    assert!(pending(&standing));
    assert_eq!(standing.handle, Handle::new(&operation(0x2f).to_string()));
}

#[tokio::test]
async fn a_question_has_a_path_of_its_own() {
    let provider = Provider::saying([token(), ok(ACCEPTED), ok(ACCEPTED)]).await;
    let mpesa = mpesa(&provider);
    let standing = mpesa
        .ask_transfer(&ask(0x2f, None), new_year())
        .await
        .unwrap();
    assert!(pending(&standing));
    let ours = operation(0x2f).to_string();
    assert_eq!(standing.handle, Handle::new(&ours));
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /mpesa/transactionstatus/v1/query");
    let result = path_in(&heard, "ResultURL");
    assert_eq!(
        CallbackToken::parse(&result).unwrap().kind(),
        CallbackKind::TransferStatus
    );
    let body = heard.json();
    assert_eq!(body["CommandID"], "TransactionStatusQuery");
    assert_eq!(body["OriginalConversationID"], ours);
    assert_eq!(body["PartyA"], "174379");
    assert_eq!(body["IdentifierType"], "4");
    assert_eq!(body["Occasion"], "");

    let refund = ask(0x1f, Some("71840-27539181-07"));
    let standing = mpesa.ask_refund(&refund, new_year()).await.unwrap();
    assert_eq!(standing.handle, refund.handle);
    let heard = provider.heard_last();
    assert_eq!(heard.json()["OriginalConversationID"], "71840-27539181-07");
    let result = path_in(&heard, "ResultURL");
    assert_eq!(
        CallbackToken::parse(&result).unwrap().kind(),
        CallbackKind::RefundStatus
    );
    let lost = mpesa.ask_refund(&ask(0x1f, None), new_year()).await;
    assert_eq!(lost, Err(CallError::Unfit(Unfit::Handle)));
}

#[tokio::test]
async fn money_that_may_have_left_is_not_known() {
    for (answer, doubt) in [
        (Say::Silence, Doubt::NoAnswer),
        (Say::HangUp, Doubt::Broken),
        (ok("<html>"), Doubt::Unreadable),
        (say("503 Service Unavailable", ""), Doubt::Status(503)),
    ] {
        let told = format!("{answer:?}");
        let provider = Provider::saying([token(), answer.clone(), answer]).await;
        let mpesa = mpesa(&provider);
        let unknown = Err(CallError::Unknown(doubt));
        assert_eq!(mpesa.refund(&refund(), new_year()).await, unknown, "{told}");
        assert_eq!(
            mpesa.transfer(&payout(), new_year()).await,
            unknown,
            "{told}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_moved_is_not_sent() {
    let provider = Provider::saying([]).await;
    let mpesa = mpesa(&provider);
    for (minor, currency, unfit) in [
        (900, Currency::Kes, Unfit::Amount),
        (1_050, Currency::Kes, Unfit::Amount),
        (100_000, Currency::Zar, Unfit::Currency),
    ] {
        let payout = Transfer {
            amount: Money::new(minor, currency),
            ..payout()
        };
        let sent = mpesa.transfer(&payout, new_year()).await;
        assert_eq!(sent, Err(CallError::Unfit(unfit)));
    }
    let bank = Transfer {
        to: Payee::Recipient("RCP_1".to_owned()),
        ..payout()
    };
    let sent = mpesa.transfer(&bank, new_year()).await;
    assert_eq!(sent, Err(CallError::Unfit(Unfit::Payee)));
    let mut nobody = account();
    nobody.initiator = None;
    let mpesa = provider.providers().mpesa(nobody);
    let sent = mpesa.refund(&refund(), new_year()).await;
    assert_eq!(sent, Err(CallError::Unfit(Unfit::Account)));
    assert!(provider.heard().is_empty());
}

#[tokio::test]
async fn a_refusal_says_why() {
    let provider = Provider::saying([
        token(),
        ok(r#"{"ResponseCode":"1","ResponseDescription":"The balance is insufficient"}"#),
    ])
    .await;
    let sent = mpesa(&provider).transfer(&payout(), new_year()).await;
    let Err(CallError::Refused(refusal)) = sent else {
        panic!("it is refused");
    };
    assert_eq!(refusal.reason, FailureReason::NotEnoughMoneyOfOurs);
}

#[tokio::test]
async fn receipts_are_registered_where_no_forbidden_word_stands() {
    let done = r#"{"OriginatorCoversationID":"1","ResponseCode":"0","ResponseDescription":"ok"}"#;
    let provider = Provider::saying([token(), ok(done)]).await;
    mpesa(&provider)
        .register_receipts(new_year())
        .await
        .unwrap();
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /mpesa/c2b/v2/registerurl");
    let body = heard.json();
    assert_eq!(body["ShortCode"], "174379");
    assert_eq!(body["ResponseType"], "Completed");
    let url = body["ConfirmationURL"].as_str().unwrap();
    let path = url.strip_prefix("https://shop.example/receipts/").unwrap();
    assert_eq!(
        CallbackToken::parse(path).unwrap().kind(),
        CallbackKind::Receipt
    );

    let mut endpoints = provider.endpoints();
    endpoints.receipts = "https://shop.example/webhooks/MPesa".to_owned();
    let providers = super::super::super::Providers::new(endpoints).unwrap();
    let sent = providers
        .mpesa(account())
        .register_receipts(new_year())
        .await;
    assert_eq!(sent, Err(CallError::Unfit(Unfit::CallbackUrl)));
}

#[tokio::test]
async fn a_receipt_is_asked_about_by_what_it_is_called() {
    let provider = Provider::saying([token(), ok(ACCEPTED)]).await;
    let ask = AskReceipt {
        question: operation(0x3f),
        reference: "NLJ7RT61SV".to_owned(),
    };
    let mpesa = mpesa(&provider);
    let receipts = mpesa.receipts().unwrap();
    receipts.ask_receipt(&ask, new_year()).await.unwrap();
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /mpesa/transactionstatus/v1/query");
    let (result, time_out) = (
        path_in(&heard, "ResultURL"),
        path_in(&heard, "QueueTimeOutURL"),
    );
    for (path, kind) in [
        (&result, CallbackKind::ReceiptStatus),
        (&time_out, CallbackKind::ReceiptStatusTimeOut),
    ] {
        let token = CallbackToken::parse(path).unwrap();
        assert_eq!(
            (token.kind(), token.id()),
            (kind, operation(0x3f).as_uuid())
        );
    }
    assert_eq!(
        heard.json(),
        json!({
            "Initiator": "testapi",
            "SecurityCredential": "c2VhbGVk",
            "CommandID": "TransactionStatusQuery",
            "TransactionID": "NLJ7RT61SV",
            "PartyA": "174379",
            "IdentifierType": "4",
            "ResultURL": format!("https://shop.example/webhooks/mpesa/{result}"),
            "QueueTimeOutURL": format!("https://shop.example/webhooks/mpesa/{time_out}"),
            "Remarks": "Status",
            "Occasion": "",
        })
    );
}

#[tokio::test]
async fn who_has_no_initiator_asks_about_no_receipt() {
    let provider = Provider::saying([]).await;
    let providers = super::super::super::Providers::new(provider.endpoints()).unwrap();
    let mut account = account();
    account.initiator = None;
    assert!(providers.mpesa(account).receipts().is_none());
}

#[test]
fn what_we_answer_is_json() {
    let accepted = super::super::super::capabilities::MPESA.acknowledgement;
    for answer in [accepted.unwrap(), MPESA_OFFER_ACCEPTED, MPESA_OFFER_REFUSED] {
        let json: serde_json::Value = serde_json::from_str(answer).unwrap();
        assert_eq!(json.as_object().unwrap().len(), 2, "{answer}");
    }
}

#[tokio::test]
async fn a_phone_is_known_as_it_is() {
    let provider = Provider::saying([]).await;
    let mpesa = mpesa(&provider);
    let enrolled = async |phone: &str| {
        let phone = NewPayee::Phone(phone.parse().unwrap());
        mpesa
            .enrol(&phone)
            .await
            .map(|payee| matches!(payee, Payee::Phone(_)))
    };
    assert_eq!(enrolled("+254708374149").await, Ok(true));
    let refused = Err(CallError::Unfit(Unfit::Phone));
    assert_eq!(enrolled("+263771111111").await, refused);
}
