use soko_domain::{Currency, Money};
use uuid::Uuid;

use super::super::super::testing::{new_year, operation};
use super::super::super::{
    Callback, CallbackKind, CallbackRefusal, CallbackToken, Capture, Doubt, Fact, FailureReason,
    Handle, MoveOutcome, Moved, Outcome, Received, Report, ReportedAmount,
};
use super::super::callbacks::read;
use super::{account, store};

const PAID: &str = r#"{"Body":{"stkCallback":{"MerchantRequestID":"29115-34620561-1",
    "CheckoutRequestID":"ws_CO_191220191020363925","ResultCode":0,"ResultDesc":"…",
    "CallbackMetadata":{"Item":[{"Name":"Amount","Value":1.00},
    {"Name":"MpesaReceiptNumber","Value":"NLJ7RT61SV"},{"Name":"Balance"},
    {"Name":"TransactionDate","Value":20191219102115},
    {"Name":"PhoneNumber","Value":254708374149}]}}}}"#;

fn path(kind: CallbackKind, id: Uuid) -> String {
    CallbackToken::new(&"path secret".into(), kind, id)
        .unwrap()
        .text()
}

fn told(kind: CallbackKind, body: &str) -> Result<Report, CallbackRefusal> {
    let id = match kind {
        CallbackKind::Receipt | CallbackKind::Offer => store().as_uuid(),
        _ => operation(0xb).as_uuid(),
    };
    read_at(&path(kind, id), body)
}

fn read_at(path: &str, body: &str) -> Result<Report, CallbackRefusal> {
    let callback = Callback {
        path,
        headers: &[],
        body: body.as_bytes(),
        received_at: new_year(),
    };
    let mut reports = read(&account(), &callback)?;
    assert_eq!(reports.len(), 1);
    Ok(reports.remove(0))
}

fn kes(minor: i64) -> ReportedAmount {
    ReportedAmount::Exact(Money::new(minor, Currency::Kes))
}

fn prompt_fact(body: &str) -> Fact {
    told(CallbackKind::Prompt, body).unwrap().fact
}

fn captured() -> Fact {
    Fact::Payment(Outcome::Captured(Capture {
        amount: kes(100),
        fee: None,
        reference: "NLJ7RT61SV".to_owned(),
    }))
}

#[test]
fn a_paid_prompt_tells_amount_and_receipt() {
    let report = told(CallbackKind::Prompt, PAID).unwrap();
    assert_eq!(report.about.operation_id, Some(operation(0xb)));
    assert_eq!(report.about.handle, Handle::new("ws_CO_191220191020363925"));
    assert_eq!(report.fact, captured());
}

#[test]
fn numbers_may_be_texts_and_a_balance_may_be_anything() {
    for (from, to) in [
        (r#""ResultCode":0"#, r#""ResultCode":"0""#),
        (r#""Value":1.00"#, r#""Value":"1.00""#),
        (r#""Value":1.00"#, r#""Value":1"#),
        (r#"{"Name":"Balance"},"#, ""),
        (r#"{"Name":"Balance"}"#, r#"{"Name":"Balance","Value":""}"#),
        (
            r#"{"Name":"Balance"}"#,
            r#"{"Name":"Balance","Value":"{Amount={BasicAmount=1.00}}"}"#,
        ),
        (
            r#"{"Name":"Balance"}"#,
            r#"{"Name":"Balance","Value":{"a":[1]}}"#,
        ),
        (r#"{"Name":"Balance"}"#, r#"{"Name":"Amount"}"#),
    ] {
        assert_eq!(prompt_fact(&PAID.replace(from, to)), captured(), "{to}");
    }
}

#[test]
fn an_amount_is_told_as_it_came() {
    let other = PAID.replace("1.00", "2.005");
    let Fact::Payment(Outcome::Captured(capture)) = prompt_fact(&other) else {
        panic!("it is captured");
    };
    assert_eq!(
        capture.amount,
        ReportedAmount::Other("KES 2.005".to_owned())
    );
}

#[test]
fn success_without_a_receipt_is_no_capture() {
    let bare = r#"{"Body":{"stkCallback":{"CheckoutRequestID":"ws_1","ResultCode":0}}}"#;
    for body in [
        bare,
        &PAID.replace("MpesaReceiptNumber", "Other"),
        &PAID.replace("Amount", "A"),
    ] {
        assert!(matches!(
            prompt_fact(body),
            Fact::Payment(Outcome::Confirmed(_))
        ));
    }
}

#[test]
fn a_failed_prompt_tells_why() {
    let body = r#"{"Body":{"stkCallback":{"MerchantRequestID":"1","CheckoutRequestID":"ws_1",
        "ResultCode":1032,"ResultDesc":"Request cancelled by user."}}}"#;
    let Fact::Payment(Outcome::Failed(failure)) = prompt_fact(body) else {
        panic!("it failed");
    };
    assert_eq!(failure.reason, FailureReason::CancelledByPayer);
    assert_eq!(failure.words.as_str(), "Request cancelled by user.");
}

#[test]
fn only_the_path_that_we_gave_is_believed() {
    let id = operation(0xb).as_uuid();
    let good = path(CallbackKind::Prompt, id);
    assert!(read_at(&good, PAID).is_ok());
    let stolen = CallbackToken::new(&"other".into(), CallbackKind::Prompt, id)
        .unwrap()
        .text();
    let other_operation = path(CallbackKind::Prompt, Uuid::from_u128(1));
    let spliced = format!("{}{}", &other_operation[..33], &good[33..]);
    let other_kind = format!("3{}", &good[1..]);
    for wrong in ["", "secret", &stolen, &spliced, &other_kind, &good[1..]] {
        let refused = read_at(wrong, PAID);
        assert_eq!(refused, Err(CallbackRefusal::BadSignature), "{wrong}");
    }
}

#[test]
fn what_is_not_theirs_is_refused_by_its_kind() {
    let store_path = path(CallbackKind::Receipt, operation(0xb).as_uuid());
    assert_eq!(
        read_at(&store_path, RECEIPT),
        Err(CallbackRefusal::NotForUs)
    );
    let nudge = path(CallbackKind::Nudge, store().as_uuid());
    assert_eq!(read_at(&nudge, PAID), Err(CallbackRefusal::NotForUs));
}

#[test]
fn what_cannot_be_read_is_malformed() {
    for body in [
        "",
        "{}",
        "null",
        "[]",
        "<html>",
        r#"{"Body":{}}"#,
        r#"{"Body":{"stkCallback":{"CheckoutRequestID":"ws_1"}}}"#,
        r#"{"Body":{"stkCallback":{"ResultCode":0}}}"#,
        r#"{"Body":{"stkCallback":{"CheckoutRequestID":"","ResultCode":0}}}"#,
        r#"{"Body":{"stkCallback":{"CheckoutRequestID":"ws_1","ResultCode":null}}}"#,
        r#"{"Body":{"stkCallback":{"CheckoutRequestID":"ws_1","ResultCode":1,"ResultCode":0}}}"#,
        &PAID[..PAID.len() - 1],
        &format!("{PAID}{PAID}"),
    ] {
        let refused = told(CallbackKind::Prompt, body);
        assert_eq!(refused, Err(CallbackRefusal::Malformed), "{body}");
    }
    let long = " ".repeat(1 << 21);
    assert_eq!(
        told(CallbackKind::Prompt, &long),
        Err(CallbackRefusal::Malformed)
    );
}

const REVERSED: &str = r#"{"Result":{"ResultType":0,"ResultCode":0,"ResultDesc":"done",
    "OriginatorConversationID":"71840-27539181-07","ConversationID":"AG_1",
    "TransactionID":"SKQ5RT61SV","ResultParameters":{"ResultParameter":[
    {"Key":"DebitAccountBalance","Value":"Utility Account|KES|7722179.62"},
    {"Key":"Amount","Value":10},{"Key":"TransCompletedTime","Value":20211114132711},
    {"Key":"OriginalTransactionID","Value":"NLJ7RT61SV"},{"Key":"Charge","Value":0.00},
    {"Key":"DebitPartyName"}]},"ReferenceData":{"ReferenceItem":{"Key":"QueueTimeoutURL"}}}}"#;

#[test]
fn a_reversal_has_a_receipt_of_its_own() {
    let report = told(CallbackKind::Refund, REVERSED).unwrap();
    assert_eq!(report.about.operation_id, Some(operation(0xb)));
    let done = MoveOutcome::Done(Moved {
        amount: Some(kes(1_000)),
        fee: Some(kes(0)),
        reference: "SKQ5RT61SV".to_owned(),
    });
    assert_eq!(report.fact, Fact::Refund(done));
}

#[test]
fn a_failed_move_tells_why() {
    let body = |code: &str| {
        format!(r#"{{"Result":{{"ResultType":0,"ResultCode":{code},"ResultDesc":"why"}}}}"#)
    };
    for (code, reason) in [
        (r#""R000001""#, FailureReason::AlreadyReturned),
        (r#""R000002""#, FailureReason::UnknownOriginal),
        ("1", FailureReason::NotEnoughMoneyOfOurs),
        ("2001", FailureReason::OurSetUp),
        (r#""21""#, FailureReason::Other),
    ] {
        let report = told(CallbackKind::Refund, &body(code)).unwrap();
        let Fact::Refund(MoveOutcome::Failed(failure)) = report.fact else {
            panic!("it failed");
        };
        assert_eq!(failure.reason, reason, "{code}");
    }
}

#[test]
fn a_payout_tells_amount_and_receipt() {
    let body = r#"{"Result":{"ResultType":0,"ResultCode":"0","ResultDesc":"ok",
        "TransactionID":"NLJ41HAY6Q","ResultParameters":{"ResultParameter":[
        {"Key":"TransactionAmount","Value":1000.0},{"Key":"TransactionReceipt","Value":"NLJ41HAY6Q"},
        {"Key":"ReceiverPartyPublicName","Value":"254708374149 - John Doe"},
        {"Key":"TransactionCompletedDateTime","Value":"06.07.2024 22:48:52"}]}}}"#;
    let report = told(CallbackKind::Transfer, body).unwrap();
    let done = MoveOutcome::Done(Moved {
        amount: Some(kes(100_000)),
        fee: None,
        reference: "NLJ41HAY6Q".to_owned(),
    });
    assert_eq!(report.fact, Fact::Transfer(done));
    let lone = r#"{"Result":{"ResultCode":0,"TransactionID":"","ResultParameters":{}}}"#;
    let report = told(CallbackKind::Transfer, lone).unwrap();
    let unknown = MoveOutcome::Unknown(Doubt::Contradiction);
    assert_eq!(report.fact, Fact::Transfer(unknown));
}

fn status(word: &str) -> String {
    format!(
        r#"{{"Result":{{"ResultCode":0,"TransactionID":"QUESTION","ResultParameters":
        {{"ResultParameter":[{{"Key":"DebitPartyName","Value":"a"}},
        {{"Key":"DebitPartyName","Value":"b"}},{{"Key":"TransactionReason"}},
        {{"Key":"TransactionStatus","Value":"{word}"}},{{"Key":"ReceiptNo","Value":"NLJ41HAY6Q"}},
        {{"Key":"Amount","Value":300}}]}}}}}}"#
    )
}

#[test]
fn a_status_is_of_the_money_and_not_of_the_question() {
    let fact = |body: &str| told(CallbackKind::TransferStatus, body).unwrap().fact;
    let done = MoveOutcome::Done(Moved {
        amount: Some(kes(30_000)),
        fee: None,
        reference: "NLJ41HAY6Q".to_owned(),
    });
    assert_eq!(fact(&status("Completed")), Fact::Transfer(done));
    for word in ["Cancelled", "Declined", "Expired"] {
        let fact = fact(&status(word));
        assert!(
            matches!(fact, Fact::Transfer(MoveOutcome::Failed(_))),
            "{word}"
        );
    }
    for word in ["Initiated", "Authorized", "Whatever"] {
        let fact = fact(&status(word));
        assert!(
            matches!(fact, Fact::Transfer(MoveOutcome::Pending(_))),
            "{word}"
        );
    }
    // Our initiator's password is wrong: of the payout that says nothing.
    let failed = r#"{"Result":{"ResultCode":2001,"ResultDesc":"wrong"}}"#;
    let unknown = MoveOutcome::Unknown(Doubt::CannotBeAsked);
    assert_eq!(fact(failed), Fact::Transfer(unknown.clone()));
    let report = told(CallbackKind::RefundStatus, failed).unwrap();
    assert_eq!(report.fact, Fact::Refund(unknown));
}

#[test]
fn a_notice_of_a_time_out_says_that_nothing_is_known() {
    let unknown = MoveOutcome::Unknown(Doubt::NoAnswer);
    let refund = Fact::Refund(unknown.clone());
    let transfer = Fact::Transfer(unknown);
    for (kind, fact) in [
        (CallbackKind::RefundTimeOut, &refund),
        (CallbackKind::RefundStatusTimeOut, &refund),
        (CallbackKind::TransferTimeOut, &transfer),
        (CallbackKind::TransferStatusTimeOut, &transfer),
    ] {
        for body in ["", "<html>", "{}"] {
            let report = told(kind, body).unwrap();
            assert_eq!((&report.fact, report.about.handle), (fact, None));
        }
    }
}

#[test]
fn only_the_id_of_the_move_is_its_handle() {
    let body = r#"{"Result":{"ResultCode":1,"OriginatorConversationID":"71840-1"}}"#;
    let handle = |kind| told(kind, body).unwrap().about.handle;
    for kind in [
        CallbackKind::Refund,
        CallbackKind::RefundTimeOut,
        CallbackKind::Transfer,
    ] {
        assert_eq!(handle(kind), Handle::new("71840-1"));
    }
    for kind in [
        CallbackKind::RefundStatus,
        CallbackKind::RefundStatusTimeOut,
    ] {
        assert_eq!(handle(kind), None);
    }
}

#[test]
fn a_question_about_a_receipt_is_answered_by_what_came() {
    let attested = |kind, body: &str| match told(kind, body).unwrap().fact {
        Fact::Attested(attested) => attested,
        other => panic!("{other:?}"),
    };
    let completed = attested(CallbackKind::ReceiptStatus, &status("Completed"));
    assert_eq!(completed.question, operation(0xb));
    let MoveOutcome::Done(moved) = completed.outcome else {
        panic!("{completed:?}");
    };
    assert_eq!(moved.reference, "NLJ41HAY6Q");
    let unknown = r#"{"Result":{"ResultCode":"R000002","OriginatorConversationID":"1"}}"#;
    for (kind, body) in [
        (CallbackKind::ReceiptStatus, unknown),
        (CallbackKind::ReceiptStatusTimeOut, "{}"),
    ] {
        let outcome = attested(kind, body).outcome;
        assert!(matches!(outcome, MoveOutcome::Unknown(_)), "{outcome:?}");
    }
}

const RECEIPT: &str = r#"{"TransactionType":"Pay Bill","TransID":"NLJ7RT61SV",
    "TransTime":"20191122063845","TransAmount":"5.00","BusinessShortCode":"174379",
    "BillRefNumber":"1001","InvoiceNumber":"","OrgAccountBalance":"49197.00",
    "ThirdPartyTransID":"","MSISDN":"2547 ***** 126","FirstName":"John","MiddleName":"",
    "LastName":""}"#;

#[test]
fn money_that_nobody_was_asked_for_is_told_by_its_receipt() {
    let received = Received {
        amount: kes(500),
        reference: "NLJ7RT61SV".to_owned(),
        account: "1001".to_owned(),
    };
    let report = told(CallbackKind::Receipt, RECEIPT).unwrap();
    assert_eq!(report.fact, Fact::Received(received.clone()));
    let report = told(CallbackKind::Offer, RECEIPT).unwrap();
    assert_eq!(report.fact, Fact::Offered(received));
    let other = RECEIPT.replace("174379", "600000");
    let refused = told(CallbackKind::Receipt, &other);
    assert_eq!(refused, Err(CallbackRefusal::NotForUs));
    let empty = RECEIPT.replace("NLJ7RT61SV", "");
    let refused = told(CallbackKind::Receipt, &empty);
    assert_eq!(refused, Err(CallbackRefusal::Malformed));
}

#[test]
fn any_bytes_are_read_without_harm() {
    let kinds = [
        CallbackKind::Prompt,
        CallbackKind::Receipt,
        CallbackKind::Refund,
        CallbackKind::TransferStatus,
    ];
    let paths = kinds.map(|kind| path(kind, store().as_uuid()));
    let valid = [PAID, RECEIPT, REVERSED, &status("Completed")].map(str::to_owned);
    bolero::check!()
        .with_type::<(u8, Vec<u8>, usize, Option<u8>)>()
        .for_each(|(which, noise, place, changed)| {
            let which = usize::from(*which) % kinds.len();
            let mut edited = valid[which].clone().into_bytes();
            let place = place % edited.len();
            match changed {
                Some(byte) => edited[place] = *byte,
                None => edited.truncate(place),
            }
            for body in [noise, &edited] {
                let callback = Callback {
                    path: &paths[which],
                    headers: &[],
                    body,
                    received_at: new_year(),
                };
                let _ = read(&account(), &callback);
            }
        });
}
