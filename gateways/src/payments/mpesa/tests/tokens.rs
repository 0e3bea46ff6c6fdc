use chrono::Duration;
use soko_domain::Currency;

use super::super::super::testing::{Provider, Say, new_year, ok, say, start};
use super::super::super::{CallError, FailureReason, NotSent, PaymentAccount};
use super::{account, mpesa, token};

const QUEUED: &str = r#"{"CheckoutRequestID":"ws_CO_1","ResponseCode":"0"}"#;
const OLD: &str =
    r#"{"requestId":"1","errorCode":"404.001.03","errorMessage":"Invalid Access Token"}"#;

fn payment() -> super::super::super::StartPayment {
    start(1_000, Currency::Kes)
}

fn another_token() -> Say {
    // As a number, which they write too.
    ok(r#"{"access_token":"token-2","expires_in":3599}"#)
}

#[tokio::test]
async fn one_token_serves_all_calls_until_a_minute_before_its_end() {
    let script = [token(), ok(QUEUED), ok(QUEUED), another_token(), ok(QUEUED)];
    let provider = Provider::saying(script).await;
    let providers = provider.providers();
    for seconds in [0, 3_538, 3_539] {
        let now = new_year() + Duration::seconds(seconds);
        let account = providers.mpesa(account());
        account.start(&payment(), now).await.unwrap();
    }
    let lines: Vec<_> = provider
        .heard()
        .iter()
        .map(|heard| heard.header("authorization").to_owned())
        .collect();
    assert_eq!(
        lines,
        [
            "Basic Y2tfZGVtbzpjc19kZW1v",
            "Bearer token-1",
            "Bearer token-1",
            "Basic Y2tfZGVtbzpjc19kZW1v",
            "Bearer token-2"
        ]
    );
}

#[tokio::test]
async fn many_at_once_ask_for_one_token() {
    let script = [token(), ok(QUEUED), ok(QUEUED), ok(QUEUED), ok(QUEUED)];
    let provider = Provider::saying(script).await;
    let mpesa = mpesa(&provider);
    let one = payment();
    let start = || mpesa.start(&one, new_year());
    let (a, b, c, d) = tokio::join!(start(), start(), start(), start());
    assert!([a, b, c, d].iter().all(Result::is_ok));
    let asked = provider
        .heard()
        .iter()
        .filter(|heard| heard.line.starts_with("GET"))
        .count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    for (status, body) in [
        ("404 Not Found", OLD),
        ("401 Unauthorized", ""),
        ("400 Bad Request", &OLD.replace("404.001.03", "400.003.01")),
    ] {
        let script = [token(), say(status, body), another_token(), ok(QUEUED)];
        let provider = Provider::saying(script).await;
        mpesa(&provider)
            .start(&payment(), new_year())
            .await
            .unwrap();
        assert_eq!(
            provider.heard_last().header("authorization"),
            "Bearer token-2"
        );
    }
}

#[tokio::test]
async fn refused_twice_nothing_was_done() {
    let refused = || say("404 Not Found", OLD);
    let provider = Provider::saying([token(), refused(), another_token(), refused()]).await;
    let sent = mpesa(&provider)
        .start(&payment(), new_year())
        .await
        .unwrap_err();
    assert!(matches!(sent, CallError::NotNow { .. }), "{sent}");
    assert_eq!(provider.heard().len(), 4);
}

#[tokio::test]
async fn without_a_token_nothing_was_asked() {
    for answer in [
        Say::Silence,
        Say::HangUp,
        say("500 Internal Server Error", ""),
        ok("<html>"),
        ok("{}"),
        ok(r#"{"access_token":null,"expires_in":"3599"}"#),
    ] {
        let told = format!("{answer:?}");
        let provider = Provider::saying([answer]).await;
        let sent = mpesa(&provider).start(&payment(), new_year()).await;
        assert_eq!(sent, Err(CallError::NotSent(NotSent::NoToken)), "{told}");
    }
    // Wrong keys: there is no body at all.
    let provider = Provider::saying([say("400 Bad Request", "")]).await;
    let sent = mpesa(&provider).start(&payment(), new_year()).await;
    let Err(CallError::Refused(refusal)) = sent else {
        panic!("it is refused");
    };
    assert_eq!(refusal.reason, FailureReason::OurSetUp);
}

#[tokio::test]
async fn stores_do_not_share_a_token() {
    let provider = Provider::saying([token(), ok(QUEUED), another_token(), ok(QUEUED)]).await;
    let providers = provider.providers();
    let mut other = account();
    other.consumer_secret = "cs_other".into();
    for account in [account(), other] {
        let mpesa = providers.mpesa(account);
        mpesa.start(&payment(), new_year()).await.unwrap();
    }
    assert_eq!(
        provider.heard_last().header("authorization"),
        "Bearer token-2"
    );
}
