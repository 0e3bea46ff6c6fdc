//! Whatever is sent, there is an answer, and no money moves by it.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use crate::sandbox::courier::Courier;
use crate::sandbox::wire::Request;
use crate::sandbox::world::World;
use crate::sandbox::{Act, Options, Provider};

const PATHS: [(Provider, &str); 26] = [
    (Provider::Mpesa, "/oauth/v1/generate"),
    (Provider::Mpesa, "/mpesa/stkpush/v1/processrequest"),
    (Provider::Mpesa, "/mpesa/stkpushquery/v1/query"),
    (Provider::Mpesa, "/mpesa/c2b/v2/registerurl"),
    (Provider::Mpesa, "/mpesa/c2b/v1/simulate"),
    (Provider::Mpesa, "/mpesa/reversal/v1/request"),
    (Provider::Mpesa, "/mpesa/b2c/v3/paymentrequest"),
    (Provider::Mpesa, "/mpesa/transactionstatus/v1/query"),
    (Provider::Paystack, "/transaction/initialize"),
    (Provider::Paystack, "/transaction/verify/x"),
    (Provider::Paystack, "/charge"),
    (Provider::Paystack, "/charge/submit_otp"),
    (Provider::Paystack, "/refund"),
    (Provider::Paystack, "/transfer"),
    (Provider::Paystack, "/transferrecipient"),
    (Provider::Stripe, "/v1/payment_intents"),
    (Provider::Stripe, "/v1/checkout/sessions"),
    (Provider::Stripe, "/v1/refunds"),
    (Provider::Stripe, "/v1/events"),
    (Provider::Paynow, "/interface/initiatetransaction"),
    (Provider::Paynow, "/interface/remotetransaction"),
    (Provider::Paynow, "/interface/trace"),
    (Provider::Ecocash, "/api/v2/payment/instant/c2b/live"),
    (Provider::Ecocash, "/api/v1/transaction/c2b/status/live"),
    (Provider::Ecocash, "/api/v2/refund/instant/c2b/live"),
    (Provider::Ecocash, "/"),
];

/// What can be in a body: anything at all, or something that is nearly right.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let words = prop_oneof![
        Just("amount"),
        Just("currency"),
        Just("reference"),
        Just("id"),
        Just("hash"),
        Just("status"),
        Just("email"),
        Just("mobile_money"),
        Just("transaction"),
        Just("Amount"),
        Just("PartyB"),
        Just("BusinessShortCode"),
        Just("CustomerPayBillOnline"),
        Just("174379"),
        Just("usd"),
        Just("99999999999999999999"),
        Just("-1"),
        Just("0"),
        Just("1e9"),
        Just("line_items[0][quantity]"),
        Just("{\""),
        Just("\":"),
        Just("\","),
        Just("}"),
        Just("["),
        Just("]"),
        Just("&"),
        Just("="),
        Just("%"),
        Just("%zz"),
        Just("+"),
        Just("\u{0}"),
        Just("é"),
        Just("💥"),
        Just("\\"),
        Just("/"),
    ];
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        proptest::collection::vec(words, 0..40).prop_map(|words| words.concat().into_bytes()),
    ]
}

fn token(world: &Arc<World>) -> String {
    let mut headers = HeaderMap::new();
    let basic = HeaderValue::from_static("Basic Y2tfZGVtbzpjc19kZW1v");
    headers.insert(HeaderName::from_static("authorization"), basic);
    let request = Request {
        method: &Method::GET,
        path: "/oauth/v1/generate",
        query: "grant_type=client_credentials",
        headers: &headers,
        body: b"",
        now: world.now(),
    };
    let reply = world.provider(Provider::Mpesa).answer(world, &request);
    let reply: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    reply["access_token"].as_str().unwrap().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn every_request_is_answered_and_none_moves_money(
        calls in proptest::collection::vec((0..PATHS.len(), any::<bool>(), "\\PC{0,30}", body()), 1..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let courier = Courier::new(crate::http::client().unwrap(), Duration::from_secs(1));
            let here = "http://sandbox".to_owned();
            let handle = tokio::runtime::Handle::current();
            let world = Arc::new(World::new(&Options::new(1), here, courier, handle));
            let token = format!("Bearer {}", token(&world));
            for (which, get, text, body) in calls {
                let (provider, path) = PATHS[which];
                let mut headers = HeaderMap::new();
                for (name, value) in [
                    ("authorization", if provider == Provider::Mpesa { &token } else { "Bearer sk_test_demo" }),
                    ("x-api-key", "ecocash_demo_key"),
                    ("content-type", "application/json"),
                    ("idempotency-key", &*text),
                ] {
                    if let Ok(value) = HeaderValue::from_str(value) {
                        headers.insert(HeaderName::from_static(name), value);
                    }
                }
                let method = if get { Method::GET } else { Method::POST };
                let request = Request {
                    method: &method,
                    path,
                    query: &text,
                    headers: &headers,
                    body: &body,
                    now: world.now(),
                };
                let reply = world.provider(provider).answer(&world, &request);
                // M-Pesa says 500 for much that is the merchant's fault.
                let most = if provider == Provider::Mpesa { 500 } else { 499 };
                assert!((200..=most).contains(&reply.status), "{provider} {path}: {reply:?}");
                assert!(!reply.body.contains("Invalid Access Token"), "{provider} {path}");
                for act in [Act::Pay, Act::Open, Act::Decline] {
                    assert!(provider == Provider::Paynow || world.act(provider, &text, act).is_err());
                }
            }
            assert!(world.book.movements(|_| true).is_empty());
            world.stopping.cancel();
        });
    }
}
