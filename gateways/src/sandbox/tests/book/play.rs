//! Somebody who does as the steps say, and looks into the book after each.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Step;
use crate::sandbox::courier::Courier;
use crate::sandbox::wire::{Reply, Request};
use crate::sandbox::world::World;
use crate::sandbox::{Customer, Fault, FaultRule, Kind, Options, Payment, Provider};

type Deed = Box<dyn Fn(&Play, &Payment)>;

pub(super) struct Play {
    world: Arc<World>,
    token: String,
    started: u64,
}

impl Play {
    pub(super) fn new(seed: u64, lies: &[Fault]) -> Self {
        let mut options = Options::new(seed);
        options.customer = Customer::by_hand();
        options.speed = NonZeroU32::new(30_000).unwrap();
        options.faults = lies
            .iter()
            .map(|fault| FaultRule {
                fault: *fault,
                provider: None,
                per_million: 700_000,
                times: None,
                reference: None,
                delay_ms: Some(0),
            })
            .collect();
        let courier = Courier::new(crate::http::client().unwrap(), Duration::from_secs(1));
        let origin = "http://sandbox".to_owned();
        let runtime = tokio::runtime::Handle::current();
        let mut play = Self {
            world: Arc::new(World::new(&options, origin, courier, runtime)),
            token: String::new(),
            started: 0,
        };
        play.world
            .top_up(Provider::Mpesa, "174379 utility", "KES", 5_000);
        let basic = ("authorization", "Basic Y2tfZGVtbzpjc19kZW1v".to_owned());
        let path = "/oauth/v1/generate";
        let reply = play.call(
            Provider::Mpesa,
            "GET",
            path,
            "grant_type=client_credentials",
            &basic,
            "",
        );
        let reply: Value = serde_json::from_str(&reply.body).unwrap();
        play.token = format!("Bearer {}", reply["access_token"].as_str().unwrap());
        play
    }

    fn call(
        &self,
        provider: Provider,
        method: &str,
        path: &str,
        query: &str,
        header: &(&'static str, String),
        body: &str,
    ) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::from_static(header.0),
            HeaderValue::from_str(&header.1).unwrap(),
        );
        headers.insert(
            HeaderName::from_static("content-type"),
            HeaderValue::from_static("application/json"),
        );
        let request = Request {
            method: &Method::from_bytes(method.as_bytes()).unwrap(),
            path,
            query,
            headers: &headers,
            body: body.as_bytes(),
            now: self.world.now(),
        };
        let reply = self.world.provider(provider).answer(&self.world, &request);
        assert!(reply.status < 600);
        reply
    }

    fn auth(&self, provider: Provider) -> (&'static str, String) {
        match provider {
            Provider::Mpesa => ("authorization", self.token.clone()),
            Provider::Ecocash => ("x-api-key", "ecocash_demo_key".to_owned()),
            _ => ("authorization", "Bearer sk_test_demo".to_owned()),
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a call reads as what it sends"
    )]
    fn post(&self, provider: Provider, path: &str, body: impl ToString) {
        self.call(
            provider,
            "POST",
            path,
            "",
            &self.auth(provider),
            &body.to_string(),
        );
    }

    fn start(&mut self, provider: Provider, amount: i64, odd: bool) {
        self.started += 1;
        let number = self.started;
        match provider {
            Provider::Mpesa => {
                let phone = format!("2547{number:08}");
                let password = "174379bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c91920260101123045";
                self.post(provider, "/mpesa/stkpush/v1/processrequest", json!({
                    "BusinessShortCode": "174379", "Password": STANDARD.encode(password),
                    "Timestamp": "20260101123045", "TransactionType": "CustomerPayBillOnline",
                    "Amount": amount / 100, "PartyA": phone, "PhoneNumber": phone,
                    "PartyB": if odd { "174379" } else { "1" }, "CallBackURL": "http://127.0.0.1:9/x",
                    "AccountReference": "A",
                }));
            }
            Provider::Paystack => {
                let body = json!({ "email": "a@b", "amount": amount, "currency": "GHS", "reference": number.to_string(),
                    "mobile_money": { "phone": "0551234987", "provider": "mtn" } });
                self.post(provider, if odd { "/charge" } else { "/transaction/initialize" }, body);
            }
            Provider::Stripe if odd => {
                self.post(provider, "/v1/payment_intents", format!("amount={amount}&currency=ugx&capture_method=manual"));
            }
            Provider::Stripe => self.post(provider, "/v1/checkout/sessions", format!(
                "mode=payment&success_url=x&line_items[0][quantity]=1&line_items[0][price_data][currency]=kes&line_items[0][price_data][unit_amount]={amount}&line_items[0][price_data][product_data][name]=x"
            )),
            Provider::Paynow => {
                use sha2::{Digest, Sha512};
                let amount = format!("{}.00", amount / 100);
                let text = format!("1201{number}{amount}xyMessage3e9fed89-60e1-4ce5-ab6e-6b1eb2d4f977");
                let hash = hex::encode_upper(Sha512::digest(text));
                self.post(provider, "/interface/initiatetransaction", format!(
                    "id=1201&reference={number}&amount={amount}&returnurl=x&resulturl=y&status=Message&hash={hash}"
                ));
            }
            Provider::Ecocash => self.post(provider, "/api/v2/payment/instant/c2b/live", format!(
                r#"{{"customerMsisdn":"263774222475","amount":{}.00,"reason":"x","currency":"USD","sourceReference":"{}"}}"#,
                amount / 100, uuid::Uuid::from_u128(number.into()),
            )),
        }
    }

    /// One of the payments that fit, or of all if none does.
    fn pick(&self, which: usize, fits: impl Fn(&Payment) -> bool) -> Option<Payment> {
        let mut payments = self.world.payments();
        if payments.iter().any(&fits) {
            payments.retain(fits);
        }
        payments.sort_by(|a, b| (a.provider, &a.payment).cmp(&(b.provider, &b.payment)));
        let index = which.checked_rem(payments.len())?;
        payments.into_iter().nth(index)
    }

    fn refund(&self, payment: &Payment, amount: i64) {
        let Payment {
            provider,
            payment: id,
            ..
        } = payment;
        let commanded = STANDARD.encode([1; 256]);
        match provider {
            Provider::Mpesa => {
                let book = self.world.book.movements(|one| one.payment == *id && one.kind == Kind::Payment);
                let Some(paid) = book.first() else { return };
                self.post(*provider, "/mpesa/reversal/v1/request", json!({
                    "Initiator": "testapi", "SecurityCredential": commanded, "CommandID": "TransactionReversal",
                    "TransactionID": paid.provider_reference, "Amount": amount / 100, "ReceiverParty": "174379",
                    "RecieverIdentifierType": "11", "ResultURL": "http://127.0.0.1:9/x",
                    "QueueTimeOutURL": "http://127.0.0.1:9/x", "Remarks": "ok",
                }));
            }
            Provider::Paystack => self.post(*provider, "/refund", json!({ "transaction": id, "amount": amount })),
            Provider::Stripe => self.post(*provider, "/v1/refunds", format!("payment_intent={id}&amount={amount}")),
            Provider::Ecocash => self.post(*provider, "/api/v2/refund/instant/c2b/live", format!(
                r#"{{"origionalEcocashTransactionReference":"{id}","refundCorelator":"{amount}","sourceMobileNumber":"263774222475","amount":{}.00,"clientName":"x","currency":"USD","reasonForRefund":"x"}}"#,
                amount / 100,
            )),
            Provider::Paynow => (),
        }
    }

    fn ask(&self, payment: &Payment) {
        let Payment {
            provider,
            payment: id,
            reference,
            ..
        } = payment;
        let auth = self.auth(*provider);
        match provider {
            Provider::Stripe => {
                self.call(
                    *provider,
                    "GET",
                    &format!("/v1/payment_intents/{id}"),
                    "",
                    &auth,
                    "",
                );
            }
            Provider::Paystack => {
                self.call(
                    *provider,
                    "GET",
                    &format!("/transaction/verify/{reference}"),
                    "",
                    &auth,
                    "",
                );
            }
            Provider::Ecocash => self.post(
                *provider,
                "/api/v1/transaction/c2b/status/live",
                json!({
                    "sourceMobileNumber": "263774222475", "sourceReference": id,
                }),
            ),
            _ => (),
        }
    }

    pub(super) async fn take(&mut self, step: Step) {
        let acts = matches!(step, Step::Act(..));
        let back = matches!(
            step,
            Step::Refund(..) | Step::Dispute(..) | Step::RefundByHand(..)
        );
        let (which, then): (usize, Deed) = match step {
            Step::Start(provider, amount, odd) => return self.start(provider, amount, odd),
            Step::Time => return tokio::time::sleep(Duration::from_millis(3)).await,
            Step::Bill(amount) => {
                let body = json!({ "ShortCode": "174379", "CommandID": "CustomerPayBillOnline",
                    "Amount": amount / 100, "Msisdn": "254708374149", "BillRefNumber": "B" });
                return self.post(Provider::Mpesa, "/mpesa/c2b/v2/simulate", body);
            }
            Step::PayOut(amount) => {
                self.started += 1;
                let body = json!({ "OriginatorConversationID": self.started.to_string(),
                    "InitiatorName": "testapi", "SecurityCredential": STANDARD.encode([1; 256]),
                    "CommandID": "BusinessPayment", "Amount": amount / 100, "PartyA": "174379",
                    "PartyB": "254708374149", "Remarks": "ok", "ResultURL": "http://127.0.0.1:9/x",
                    "QueueTimeOutURL": "http://127.0.0.1:9/x" });
                return self.post(Provider::Mpesa, "/mpesa/b2c/v3/paymentrequest", body);
            }
            Step::Act(which, act) => (
                which,
                Box::new(move |play, one| {
                    let _ = play.world.act(one.provider, &one.payment, act);
                }),
            ),
            Step::Refund(which, amount) => {
                (which, Box::new(move |play, one| play.refund(one, amount)))
            }
            Step::Capture(which, amount) => (
                which,
                Box::new(move |play, one| {
                    let path = format!("/v1/payment_intents/{}/capture", one.payment);
                    play.post(
                        Provider::Stripe,
                        &path,
                        format!("amount_to_capture={amount}"),
                    );
                }),
            ),
            Step::Cancel(which) => (
                which,
                Box::new(|play, one| {
                    play.post(
                        Provider::Stripe,
                        &format!("/v1/payment_intents/{}/cancel", one.payment),
                        "",
                    );
                }),
            ),
            Step::Dispute(which, amount) => (
                which,
                Box::new(move |play, one| {
                    let _ = play.world.provider(one.provider).dispute(
                        &play.world,
                        &one.payment,
                        amount,
                    );
                }),
            ),
            Step::RefundByHand(which, amount) => (
                which,
                Box::new(move |play, one| {
                    let _ = play.world.provider(one.provider).refund_by_hand(
                        &play.world,
                        &one.payment,
                        amount,
                    );
                }),
            ),
            Step::Ask(which) => (which, Box::new(Self::ask)),
        };
        if let Some(payment) = self.pick(which, |one| {
            acts && one.captured == 0 || back && one.captured > 0
        }) {
            then(self, &payment);
        }
    }

    pub(super) fn agrees(&self) {
        let book = self.world.book.movements(|_| true);
        let payments: Vec<_> = self.world.payments();
        let mut sums: HashMap<(Provider, &str), [i64; 3]> = HashMap::new();
        for (index, movement) in book.iter().enumerate() {
            assert_eq!(movement.number, u64::try_from(index).unwrap() + 1);
            let sum = sums
                .entry((movement.provider, &movement.payment))
                .or_default();
            match movement.kind {
                Kind::Payment => sum[0] += movement.amount,
                Kind::Refund | Kind::RefundReturned => sum[1] -= movement.amount,
                Kind::Chargeback | Kind::ChargebackReversed => sum[2] -= movement.amount,
                Kind::Fee | Kind::Payout | Kind::PayoutReturned | Kind::TopUp => (),
            }
        }
        for one in payments {
            let sum = sums
                .get(&(one.provider, &*one.payment))
                .copied()
                .unwrap_or_default();
            assert_eq!(
                sum,
                [one.captured, one.refunded, one.charged_back],
                "{one:?}"
            );
            let paid = matches!(
                &*one.status,
                "0" | "success"
                    | "reversed"
                    | "succeeded"
                    | "Paid"
                    | "Refunded"
                    | "Disputed"
                    | "SUCCESS"
            );
            assert_eq!(one.captured > 0, paid, "{one:?}");
            assert!(one.refunded >= 0 && one.charged_back >= 0, "{one:?}");
            assert!(one.refunded + one.charged_back <= one.captured, "{one:?}");
        }
        assert!(
            self.world
                .book
                .balance(Provider::Mpesa, "174379 utility", "KES")
                >= 0
        );
    }

    /// Whose money has moved, and how.
    pub(super) fn end(self) -> BTreeSet<(Provider, &'static str)> {
        self.world.stopping.cancel();
        let book = self.world.book.movements(|_| true);
        book.iter()
            .map(|movement| (movement.provider, movement.kind.as_str()))
            .collect()
    }
}
