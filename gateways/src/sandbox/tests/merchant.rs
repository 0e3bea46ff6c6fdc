//! A merchant: it calls the providers, and hears what they call back.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use reqwest::{Client, Response};
use serde_json::Value;

use crate::sandbox::{
    Customer, FaultRule, Injected, Merchants, Options, Provider, Running, Sandbox,
};

const PATIENCE: u32 = 4_000;

pub(super) struct Shop {
    pub(super) sandbox: Running,
    pub(super) client: Client,
    hook: Arc<Hook>,
    address: String,
}

#[derive(Default)]
struct Hook {
    heard: Mutex<Vec<Heard>>,
    status: AtomicU16,
}

/// A callback, as it came.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) path: String,
    pub(super) signature: String,
    pub(super) body: String,
}

impl Heard {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Shop {
    pub(super) fn open(customer: Customer, speed: u32) -> Self {
        Self::open_with(customer, speed, |_| ())
    }

    pub(super) fn open_with(
        customer: Customer,
        speed: u32,
        changed: impl FnOnce(&mut Merchants),
    ) -> Self {
        let hook = Arc::new(Hook {
            status: AtomicU16::new(200),
            ..Hook::default()
        });
        let data = Data::from(Arc::clone(&hook));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .default_service(web::to(hear))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let address = format!("http://{}", server.addrs()[0]);
        tokio::spawn(server.run());
        let mut merchants = Merchants::demo();
        merchants.paystack[0].webhook_url = Some(format!("{address}/paystack"));
        merchants.stripe[0].webhook_url = Some(format!("{address}/stripe"));
        merchants.ecocash[0].callback_url = Some(format!("{address}/ecocash"));
        changed(&mut merchants);
        let options = Options {
            speed: NonZeroU32::new(speed).unwrap(),
            customer,
            merchants,
            ..Options::new(20_26)
        };
        let sandbox = Sandbox::start(&options).unwrap();
        Self {
            sandbox,
            client: crate::http::client().unwrap(),
            hook,
            address,
        }
    }

    pub(super) fn hook(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub(super) fn answers_callbacks_with(&self, status: u16) {
        self.hook.status.store(status, Ordering::SeqCst);
    }

    pub(super) fn url(&self, provider: Provider, path: &str) -> String {
        format!("{}{path}", self.sandbox.base(provider))
    }

    pub(super) fn misbehave(&self, rules: impl Into<Vec<FaultRule>>) {
        self.sandbox.set_faults(rules.into());
    }

    pub(super) fn heard(&self) -> Vec<Heard> {
        self.hook.heard.lock().unwrap().clone()
    }

    /// The first so many callbacks.
    pub(super) async fn hears(&self, count: usize) -> Vec<Heard> {
        self.until(|shop| shop.heard().len() >= count).await;
        self.heard()
    }

    /// What came, once no more is coming.
    pub(super) async fn hears_all(&self) -> Vec<Heard> {
        self.until(|shop| shop.sandbox.callbacks_under_way() == 0)
            .await;
        self.heard()
    }

    pub(super) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        for _ in 0..PATIENCE {
            if holds(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let heard: Vec<_> = self.heard().into_iter().map(|one| one.path).collect();
        panic!("it did not come about; heard: {heard:?}");
    }

    pub(super) fn fault_log(&self) -> Vec<Injected> {
        self.sandbox.faults()
    }

    /// Amounts in the book, in their order.
    pub(super) fn amounts(&self) -> Vec<i64> {
        self.sandbox
            .book()
            .iter()
            .map(|movement| movement.amount)
            .collect()
    }
}

async fn hear(hook: Data<Hook>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let header = |name| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let signature = header("stripe-signature").or_else(|| header("x-paystack-signature"));
    hook.heard.lock().unwrap().push(Heard {
        path: request.path().to_owned(),
        signature: signature.unwrap_or_default(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let status = hook.status.load(Ordering::SeqCst);
    HttpResponse::build(status.try_into().unwrap())
        .json(serde_json::json!({ "ResultCode": "0", "ResultDesc": "Accepted" }))
}

/// Status and body.
pub(super) async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}
