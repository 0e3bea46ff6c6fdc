use soko_domain::{Currency, Money};

use super::super::super::testing::{Provider, Say, new_year, ok, operation, say};
use super::super::super::{
    AskPayment, CallError, Credentials, Doubt, Endpoints, FailureReason, Handle, NextStep, NotSent,
    Outcome, Providers, Standing, StartPayment, Unfit, Wallet,
};
use super::super::message::Message;
use super::{KEY, account, ask, payment, paynow, reference, sealed, sealed_with};

async fn start_with(
    wallet: Option<Wallet>,
    answer: impl FnOnce(&Provider) -> Say,
) -> Result<Standing, CallError> {
    // The answer names where to poll, which is where it was asked.
    let names = Provider::absent().await;
    let provider = Provider::saying([answer(&names)]).await;
    let mut endpoints = provider.endpoints();
    endpoints.paynow = provider.base();
    let providers = Providers::new(endpoints).unwrap();
    let account = providers.account(Credentials::Paynow(account()));
    account.start(&payment(wallet), new_year()).await
}

#[tokio::test]
async fn a_page_is_asked_for_with_a_hash_over_what_is_sent() {
    let provider = Provider::saying([ok("Status=Error&Error=x")]).await;
    let payment = payment(None);
    let _ = paynow(&provider).start(&payment, new_year()).await;
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /interface/initiatetransaction");
    assert_eq!(
        heard.header("content-type"),
        "application/x-www-form-urlencoded"
    );
    let (body, hash) = heard.body.split_once("&hash=").unwrap();
    assert_eq!(hash.len(), 128);
    let trace = operation(0xb).simple();
    assert_eq!(
        body,
        format!(
            "id=1201&reference={}&amount=149.50&additionalinfo=Order+1001\
             &returnurl=https%3A%2F%2Fshop.example%2Fback\
             &resulturl=https%3A%2F%2Fshop.example%2Fwebhooks%2Fpaynow%2F{}\
             &authemail=wanjiku%40example.com&merchanttrace={trace}&status=Message",
            reference(),
            payment.payment_id
        )
    );
    assert_eq!(trace.len(), 32);
    let message = Message::parse(heard.body.as_bytes()).unwrap();
    assert!(message.is_signed_with(&[KEY.into()]));
}

#[tokio::test]
async fn a_wallet_is_prompted_at_its_local_number() {
    for (wallet, method) in [
        (Wallet::Ecocash, "ecocash"),
        (Wallet::Onemoney, "onemoney"),
        (Wallet::Innbucks, "innbucks"),
        (Wallet::Omari, "omari"),
    ] {
        let provider = Provider::saying([ok("Status=Error&Error=x")]).await;
        let mut account = account();
        account.test_login = Some("merchant@example.com".to_owned());
        let account = provider.providers().account(Credentials::Paynow(account));
        let _ = account.start(&payment(Some(wallet)), new_year()).await;
        let heard = provider.heard_last();
        assert_eq!(heard.line, "POST /interface/remotetransaction");
        let fields = format!(
            "&authemail=merchant%40example.com&phone=0771111111&method={method}&merchanttrace="
        );
        assert!(heard.body.contains(&fields), "{}", heard.body);
    }
}

#[tokio::test]
async fn what_paynow_does_not_carry_is_not_sent() {
    let provider = Provider::saying([]).await;
    let paynow = paynow(&provider);
    let change = |change: fn(&mut StartPayment)| {
        let mut payment = payment(Some(Wallet::Ecocash));
        change(&mut payment);
        payment
    };
    for (payment, unfit) in [
        (
            change(|p| p.amount = Money::new(1, Currency::Zwg)),
            Unfit::Currency,
        ),
        (
            change(|p| p.amount = Money::new(0, Currency::Usd)),
            Unfit::Amount,
        ),
        (change(|p| p.phone = None), Unfit::Phone),
        (
            change(|p| p.phone = Some("+254708374149".parse().unwrap())),
            Unfit::Phone,
        ),
        (change(|p| p.email = None), Unfit::Email),
        (change(|p| p.wallet = Some(Wallet::Mpesa)), Unfit::Wallet),
        (change(|p| p.capture_later = true), Unfit::CaptureLater),
        (
            change(|p| {
                p.wallet = None;
                p.return_url = None;
            }),
            Unfit::ReturnUrl,
        ),
    ] {
        let sent = paynow.start(&payment, new_year()).await;
        assert_eq!(sent, Err(CallError::Unfit(unfit)));
    }
    assert!(paynow.refunds().is_none() && paynow.transfers().is_none());
    assert!(provider.heard().is_empty());
}

#[tokio::test]
async fn the_payer_is_sent_on_once_the_hash_is_good() {
    let page = "https://www.paynow.co.zw/Payment/ConfirmPayment/9510";
    let fields = [
        ("status", "Ok"),
        ("browserurl", page),
        ("pollurl", "http://127.0.0.1:1/poll"),
        ("paynowreference", "9510"),
    ];
    let standing = start_with(None, |_| ok(sealed(&fields))).await.unwrap();
    assert_eq!(standing.next, NextStep::Redirect(page.parse().unwrap()));
    assert!(matches!(standing.outcome, Outcome::Pending(_)));
    // An address elsewhere is not asked: the trace finds it.
    assert_eq!(standing.handle, None);
    let forged = sealed_with(&"other".into(), &fields);
    let sent = start_with(None, |_| ok(forged)).await;
    assert_eq!(sent, Err(CallError::Unknown(Doubt::BadSignature)));
    let unsigned = "status=Ok&browserurl=https%3a%2f%2fevil.example&pollurl=x";
    let sent = start_with(None, |_| ok(unsigned)).await;
    assert_eq!(sent, Err(CallError::Unknown(Doubt::BadSignature)));
}

#[test]
fn only_their_own_addresses_are_asked() {
    let exchange =
        super::super::super::exchange::Exchange::new(std::time::Duration::from_secs(1)).unwrap();
    let endpoints = Endpoints::live("https://shop.example");
    let paynow = super::super::Paynow::new(exchange, endpoints.into(), account());
    for own in [
        "https://www.paynow.co.zw/Interface/CheckPayment/?guid=1",
        "https://paynow.co.zw/poll",
        "https://staging.paynow.co.zw/poll",
        "https://www.paynow.co.zw:443/poll",
    ] {
        assert!(paynow.own(own).is_some(), "{own}");
    }
    for other in [
        "http://www.paynow.co.zw/poll",
        "https://www.paynow.co.zw:8443/poll",
        "https://evilpaynow.co.zw/poll",
        "https://paynow.co.zw.evil.example/poll",
        "https://www.paynow.co.zw@evil.example/poll",
        "https://user@www.paynow.co.zw/poll",
        "https://127.0.0.1/poll",
        "file:///etc/passwd",
        "/poll",
        "",
    ] {
        assert!(paynow.own(other).is_none(), "{other}");
    }
}

#[tokio::test]
async fn each_wallet_has_its_next_step() {
    let fields = |more: &[(&'static str, &'static str)]| {
        let mut fields = vec![("Status", "Ok"), ("paynowreference", "1")];
        fields.extend(more);
        ok(sealed(&fields))
    };
    let words = [("instructions", "Dial *151# and approve")];
    let standing = start_with(Some(Wallet::Ecocash), |_| fields(&words))
        .await
        .unwrap();
    let prompt = NextStep::await_phone_prompt("Dial *151# and approve");
    assert_eq!(standing.next, prompt);
    let code = [
        ("authorizationcode", "701234567"),
        ("authorizationexpires", "1-Jan-2026 02:00"),
    ];
    let standing = start_with(Some(Wallet::Innbucks), |_| fields(&code))
        .await
        .unwrap();
    let code = NextStep::ShowCode {
        code: "701234567".to_owned(),
        until: Some("1-Jan-2026 02:00".to_owned()),
    };
    assert_eq!(standing.next, code);
    let elsewhere = [
        ("otpreference", "AB"),
        ("remoteotpurl", "https://evil.example/otp"),
    ];
    let standing = start_with(Some(Wallet::Omari), |_| fields(&elsewhere))
        .await
        .unwrap();
    assert_eq!(standing.next, NextStep::None);
}

#[tokio::test]
async fn a_code_goes_to_the_address_that_they_named() {
    let provider = Provider::saying([ok("Status=Ok"), ok("Status=Error&Error=Wrong+OTP")]).await;
    let account = paynow(&provider);
    let codes = account.codes().unwrap();
    let ask = ask(Handle::new(&format!("{}/otp/1", provider.base())));
    let standing = codes.submit_code(&ask, &"123456".into()).await.unwrap();
    assert!(matches!(standing.outcome, Outcome::Pending(_)));
    let heard = provider.heard_last();
    assert_eq!(heard.line, "POST /otp/1");
    assert!(
        heard
            .body
            .starts_with("id=1201&otp=123456&status=Message&hash=")
    );
    let Err(CallError::Refused(refusal)) = codes.submit_code(&ask, &"0".into()).await else {
        panic!("it is refused");
    };
    assert_eq!(refusal.reason, FailureReason::WrongPin);
    let elsewhere = AskPayment {
        handle: Handle::new("https://evil.example/otp"),
        ..ask
    };
    let sent = codes.submit_code(&elsewhere, &"0".into()).await;
    assert_eq!(sent, Err(CallError::Unfit(Unfit::Handle)));
}

#[tokio::test]
async fn a_start_without_an_answer_is_not_known() {
    for (answer, doubt) in [
        (Say::Silence, Doubt::NoAnswer),
        (Say::HangUp, Doubt::Broken),
        (Say::Truncated("status=Ok".to_owned()), Doubt::Broken),
        (ok("<html><a href=\"?a=b&c=d\">"), Doubt::Unreadable),
        (ok(""), Doubt::Unreadable),
        (ok(sealed(&[("status", "Whatever")])), Doubt::Unreadable),
        (say("403 Forbidden", "<html>"), Doubt::Status(403)),
        (say("503 Service Unavailable", ""), Doubt::Status(503)),
    ] {
        let told = format!("{answer:?}");
        let sent = start_with(None, |_| answer).await;
        assert_eq!(sent, Err(CallError::Unknown(doubt)), "{told}");
    }
    let nobody = Provider::absent().await;
    let sent = paynow(&nobody).start(&payment(None), new_year()).await;
    assert_eq!(sent, Err(CallError::NotSent(NotSent::NoConnection)));
}

#[tokio::test]
async fn an_error_has_no_hash_and_says_why() {
    for (body, reason) in [
        (
            "Status=Error&Error=Invalid+amount+field",
            FailureReason::AmountNotAllowed,
        ),
        (
            "status=Error&error=Insufficient+balance",
            FailureReason::NotEnoughMoney,
        ),
        (
            "Status=Error&Error=Invalid+phone",
            FailureReason::WrongPhone,
        ),
        (
            "Status=Error&Error=Invalid Hash.  Hash should start with: 0BF21B",
            FailureReason::OurSetUp,
        ),
    ] {
        let Err(CallError::Refused(refusal)) = start_with(None, |_| ok(body)).await else {
            panic!("it is refused");
        };
        assert_eq!(refusal.reason, reason, "{body}");
    }
}
