//! A provider for tests: answers as it is told, request after request, and tells what it heard.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use soko_domain::{Currency, Money};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::{Endpoints, OperationId, Providers, StartPayment};

/// Long enough under load, short enough for a test that waits for it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

pub(super) struct Provider {
    address: std::net::SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
}

#[derive(Debug, Clone)]
pub(super) struct Heard {
    /// Method and path.
    pub(super) line: String,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

#[derive(Debug, Clone)]
pub(super) enum Say {
    Answer(&'static str, Vec<(String, String)>, String),
    /// Hears all of it, and says nothing for ever.
    Silence,
    /// Hears all of it, and cuts the connection.
    HangUp,
    /// Cuts the connection in the middle of this.
    Truncated(String),
}

pub(super) fn say(status: &'static str, body: impl Into<String>) -> Say {
    Say::Answer(status, Vec::new(), body.into())
}

pub(super) fn ok(body: impl Into<String>) -> Say {
    say("200 OK", body)
}

impl Provider {
    pub(super) async fn saying<const N: usize>(script: [Say; N]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&heard);
        tokio::spawn(async move {
            for said in script {
                let (stream, _) = listener.accept().await.unwrap();
                let told = Arc::clone(&told);
                tokio::spawn(async move { converse(stream, said, &told).await });
            }
        });
        Self { address, heard }
    }

    /// Where nobody listens.
    pub(super) async fn absent() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        Self {
            address: listener.local_addr().unwrap(),
            heard: Arc::default(),
        }
    }

    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn providers(&self) -> Providers {
        Providers::new(self.endpoints()).unwrap()
    }

    pub(super) fn endpoints(&self) -> Endpoints {
        Endpoints {
            ecocash: format!("{}/api/ecocash_pay", self.base()),
            mpesa: self.base(),
            paynow: self.base(),
            paystack: self.base(),
            stripe: self.base(),
            callbacks: "https://shop.example/webhooks".to_owned(),
            receipts: "https://shop.example/receipts".to_owned(),
            answered_within: ANSWERED_WITHIN,
        }
    }

    /// What it was asked, in order.
    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    pub(super) fn heard_last(&self) -> Heard {
        self.heard().pop().unwrap()
    }
}

async fn converse(mut stream: TcpStream, said: Say, told: &Mutex<Vec<Heard>>) {
    let mut bytes = Vec::new();
    let request = loop {
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return;
        }
        if let Some(request) = Heard::of(&bytes) {
            break request;
        }
    };
    told.lock().unwrap().push(request);
    match said {
        Say::Answer(status, headers, body) => {
            let headers: Vec<_> = headers
                .iter()
                .map(|(k, v)| format!("{k}: {v}\r\n"))
                .collect();
            let headers = headers.concat();
            let head = format!(
                "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(body.as_bytes()).await.unwrap();
        }
        Say::Silence => tokio::time::sleep(Duration::from_secs(600)).await,
        Say::HangUp => (),
        Say::Truncated(body) => {
            let length = body.len() + 10;
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}

impl Heard {
    /// `None` if it is not yet whole.
    fn of(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let request = Self {
            line,
            headers,
            body: body.to_owned(),
        };
        let length = request.header("content-length").parse().unwrap_or(0);
        (body.len() >= length).then_some(request)
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(super) fn operation(number: u128) -> OperationId {
    OperationId::from_uuid(Uuid::from_u128(number))
}

pub(super) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// 2026-01-01 00:00 UTC, the moment of the published signatures.
pub(super) fn new_year() -> DateTime<Utc> {
    at("2026-01-01T00:00:00Z")
}

/// For order `1001`, to be paid by a phone in Kenya or on a page.
pub(super) fn start(minor: i64, currency: Currency) -> StartPayment {
    StartPayment {
        payment_id: Uuid::from_u128(0xa).into(),
        operation_id: operation(0xb),
        amount: Money::new(minor, currency),
        order_number: "1001".to_owned(),
        description: "Order 1001".to_owned(),
        phone: Some("+254708374149".parse().unwrap()),
        email: Some("wanjiku@example.com".parse().unwrap()),
        return_url: Some("https://shop.example/back".parse().unwrap()),
        wallet: None,
        capture_later: false,
    }
}
