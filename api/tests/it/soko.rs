//! A running server for one test.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use soko_api::app::App;
use soko_api::config::Config;
use sqlx::postgres::PgConnectOptions;

pub(crate) struct Soko {
    pub(crate) address: SocketAddr,
    client: Client,
    handle: ServerHandle,
}

impl Soko {
    /// Without a database: for what is answered before one is asked.
    pub(crate) fn without_database(settings: &[(&str, &str)]) -> Self {
        let nowhere = PgConnectOptions::new().host("127.0.0.1").port(1);
        Self::start(&nowhere, settings)
    }

    fn start(database: &PgConnectOptions, settings: &[(&str, &str)]) -> Self {
        let app = App::build(config(settings), database);
        let (server, address) = Arc::clone(&app).serve().unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        let client = Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            address,
            client: client.build().unwrap(),
            handle,
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }
}

impl Drop for Soko {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

pub(crate) fn config(settings: &[(&str, &str)]) -> Config {
    let read = Config::from_variables(&|name| {
        let given = settings.iter().find(|(key, _)| *key == name);
        let default = [("PORT", "0"), ("SOKO_HTTP_THREADS", "1")];
        let found = given.or_else(|| default.iter().find(|(key, _)| *key == name));
        found.map(|(_, value)| (*value).to_owned())
    });
    read.unwrap_or_else(|faults| panic!("{faults}"))
}

/// The body of a refusal, after a look at what all refusals have.
pub(crate) async fn problem(response: Response) -> Value {
    let status = response.status().as_u16();
    let media_type = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    let request_id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let text = response.text().await.unwrap();
    assert_eq!(media_type, "application/problem+json", "{text}");
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body["status"], status);
    assert_eq!(body["instance"], request_id.as_str());
    assert!(
        body["title"].is_string() && body["type"].is_string(),
        "{body}"
    );
    body
}

pub(crate) async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    (
        status,
        problem(response).await["code"].as_str().unwrap().to_owned(),
    )
}
