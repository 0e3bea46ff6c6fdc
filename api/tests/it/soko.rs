//! A running server for one test.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use soko_api::app::App;
use soko_api::config::Config;
use soko_api::database::Database;
use soko_api::http;
use soko_api::{bus, followers::Followers};
use soko_embedded::testing::{TestDatabase, fresh_database};
use soko_event_log::MIGRATOR;
use soko_projections::{Freshness, Workplace};
use sqlx::PgPool;
use tokio::runtime::{Builder, Runtime};

pub(crate) struct Soko {
    pub(crate) address: SocketAddr,
    pub(crate) app: Arc<App>,
    client: Client,
    handle: ServerHandle,
    /// Its own, so that it still runs while a test waits for the end of its database: a connection
    /// that is just being opened would be in the way of that.
    runtime: Option<Runtime>,
    _followers: Followers,
    database: Option<TestDatabase>,
}

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) account_id: String,
    pub(crate) token: String,
    pub(crate) refresh_token: String,
}

pub(crate) const PASSWORD: &str = "nyumba ya kijani";

impl Soko {
    pub(crate) async fn start() -> Self {
        Self::with(&[("SOKO_RATE_LIMITS", "off")]).await
    }

    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let database = fresh_database(&MIGRATOR).await;
        let mut node = Self::node(&database, settings).await;
        node.database = Some(database);
        node
    }

    /// One more server on the same database.
    pub(crate) async fn another(&self, settings: &[(&str, &str)]) -> Self {
        Self::node(self.database.as_ref().unwrap(), settings).await
    }

    async fn node(database: &TestDatabase, settings: &[(&str, &str)]) -> Self {
        let options = database.url().parse().unwrap();
        let config = config(settings);
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let starting = runtime.spawn(async move {
            let connections = Database::new(options).await.unwrap();
            let pool = connections.part_pool("workers");
            let freshness = Freshness::new(pool.clone());
            let app = App::build(config, &connections, freshness.clone(), None)
                .await
                .unwrap();
            let feed = bus::feed(None, pool.clone(), Some(app.head()))
                .await
                .unwrap();
            let mut followers = Followers::default();
            let workplace = Workplace {
                pool,
                feed,
                freshness,
            };
            followers.start_models(soko_projections::all(), workplace);
            let (server, address) = http::serve(&app).unwrap();
            let handle = server.handle();
            tokio::spawn(server);
            let upkeep = Arc::clone(&app);
            tokio::spawn(async move { upkeep.upkeep().await });
            (app, handle, address, followers)
        });
        let (app, handle, address, followers) = starting.await.unwrap();
        // The gateways bring reqwest's TLS into every build of the whole workspace.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none());
        let client = client.build().unwrap();
        Self {
            address,
            app,
            client,
            handle,
            runtime: Some(runtime),
            _followers: followers,
            database: None,
        }
    }

    /// From here on there is no database any more.
    pub(crate) fn lose_database(&mut self) {
        self.database = None;
    }

    pub(crate) fn pool(&self) -> &PgPool {
        self.database.as_ref().unwrap().pool()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub(crate) async fn get_as(&self, person: &Person, path: &str) -> Response {
        self.request(Method::GET, path)
            .bearer_auth(&person.token)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Response {
        self.request(Method::POST, path)
            .json(&body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn post_as(&self, person: &Person, path: &str, body: Value) -> Response {
        self.send_as(person, Method::POST, path, body).await
    }

    pub(crate) async fn send_as(
        &self,
        person: &Person,
        method: Method,
        path: &str,
        body: Value,
    ) -> Response {
        let request = self.request(method, path).bearer_auth(&person.token);
        request.json(&body).send().await.unwrap()
    }

    /// Registers somebody and logs them in.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let email = format!("{name}@example.com");
        let body = json!({ "email": email, "password": PASSWORD, "name": name });
        let registered = self.post("/api/v1/auth/register", body).await;
        assert_eq!(
            registered.status(),
            201,
            "{}",
            registered.text().await.unwrap()
        );
        self.log_in(&email).await
    }

    pub(crate) async fn log_in(&self, email: &str) -> Person {
        let response = self.try_log_in(email, PASSWORD).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        let tokens: Value = response.json().await.unwrap();
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        let mut person = Person {
            account_id: String::new(),
            token: text("access_token"),
            refresh_token: text("refresh_token"),
        };
        let me: Value = self
            .get_as(&person, "/api/v1/me")
            .await
            .json()
            .await
            .unwrap();
        me["account_id"]
            .as_str()
            .unwrap()
            .clone_into(&mut person.account_id);
        person
    }

    pub(crate) async fn try_log_in(&self, email: &str, password: &str) -> Response {
        let body = json!({ "email": email, "password": password });
        self.post("/api/v1/auth/login", body).await
    }
}

impl Drop for Soko {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub(crate) fn config(settings: &[(&str, &str)]) -> Config {
    let read = Config::from_variables(&|name| {
        let given = settings.iter().find(|(key, _)| *key == name);
        let default = [
            ("PORT", "0"),
            ("SOKO_HTTP_THREADS", "1"),
            // Where messages lie.
            ("SOKO_DATA_DIR", env!("CARGO_TARGET_TMPDIR")),
            (
                "SOKO_MASTER_KEY",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            ),
        ];
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
