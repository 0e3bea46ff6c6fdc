use super::super::super::testing::{Provider, Say, new_year, ok, say};
use super::super::super::{CallError, Doubt, Handle, Outcome, Unfit};
use super::{ask, captured, paynow, sealed, update};

/// By polling, and then by the trace.
async fn ask_with(answer: Say) -> [Result<Outcome, CallError>; 2] {
    let provider = Provider::saying([answer.clone(), answer]).await;
    let account = paynow(&provider);
    let poll_url = Handle::new(&format!(
        "{}/Interface/CheckPayment/?guid=2b7e",
        provider.base()
    ));
    let polled = account.ask(&ask(poll_url), new_year()).await;
    let traced = account.ask(&ask(None), new_year()).await;
    let heard = provider.heard();
    assert_eq!(heard[0].line, "POST /Interface/CheckPayment/?guid=2b7e");
    assert_eq!(heard[0].body, "");
    assert_eq!(heard[1].line, "POST /interface/trace");
    [polled, traced].map(|asked| asked.map(|standing| standing.outcome))
}

#[tokio::test]
async fn each_status_has_its_outcome_polled_or_traced() {
    for status in ["Paid", "Awaiting Delivery", "Delivered", "paid", "PAID"] {
        assert_eq!(
            ask_with(ok(update(status))).await,
            [Ok(captured()), Ok(captured())]
        );
    }
    for (status, wanted) in [
        ("Created", "Pending"),
        ("Sent", "Pending"),
        ("Whatever", "Pending"),
        ("Cancelled", "Failed"),
        ("Failed", "Failed"),
        ("Disputed", "Disputed"),
        ("Refunded", "Returned"),
    ] {
        for asked in ask_with(ok(update(status))).await {
            let outcome = format!("{:?}", asked.unwrap());
            assert!(outcome.starts_with(wanted), "{status}: {outcome}");
        }
    }
    let none = ok(sealed(&[("status", "NotFound")]));
    assert_eq!(
        ask_with(none).await,
        [Ok(Outcome::NeverSeen), Ok(Outcome::NeverSeen)]
    );
}

#[tokio::test]
async fn a_question_that_failed_says_nothing_of_the_payment() {
    for (answer, doubt) in [
        (ok("status=Error&error=Trace+failed"), Doubt::CannotBeAsked),
        (ok("status=NotFound"), Doubt::BadSignature),
        (
            ok(update("Paid").replace("149.50", "159.50")),
            Doubt::BadSignature,
        ),
        (ok("<html>"), Doubt::Unreadable),
        (say("503 Service Unavailable", "<html>"), Doubt::Status(503)),
    ] {
        let unknown = Err(CallError::Unknown(doubt));
        assert_eq!(ask_with(answer).await, [unknown.clone(), unknown]);
    }
    let other = sealed(&[
        ("reference", "ORD-1"),
        ("status", "Paid"),
        ("amount", "149.50"),
    ]);
    let unknown = Ok(Outcome::Unknown(Doubt::Contradiction));
    assert_eq!(ask_with(ok(other)).await, [unknown.clone(), unknown]);
    let provider = Provider::saying([]).await;
    let elsewhere = ask(Handle::new("https://169.254.169.254/latest"));
    let asked = paynow(&provider).ask(&elsewhere, new_year()).await;
    assert_eq!(asked, Err(CallError::Unfit(Unfit::Handle)));
}
