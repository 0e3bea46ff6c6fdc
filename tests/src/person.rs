//! Somebody who uses Soko over HTTP.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

const PAGES_MAX: usize = 200;
const PASSWORD: &str = "a long enough password";

/// An account, or a guest, with the headers that go with every request.
///
/// It asks for nothing older than the last `Soko-Position` that it was given, so no test sleeps.
#[derive(Clone)]
pub struct Person {
    client: Client,
    base: String,
    token: Option<String>,
    headers: Vec<(String, String)>,
    position: Option<String>,
    pub account_id: Option<String>,
    pub email: String,
    pub refresh_token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    /// `null` if there was no body or it was not JSON.
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body, which must have come with this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{} {}",
            self.status,
            self.text
        );
        self.body
    }

    /// A refusal: its status, code, and the form that every refusal has.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Value {
        self.is_problem(status, code);
        self.body
    }

    /// Told to come back, and when: no fault of the request, and none of ours.
    #[track_caller]
    pub fn is_told_to_come_back(&self) {
        let code = self.body["code"].as_str().unwrap_or_default();
        assert!(
            ["unavailable", "projection-behind"].contains(&code),
            "{} {}",
            self.status,
            self.text
        );
        self.is_problem(503, code);
        let wait = self
            .header("retry-after")
            .and_then(|text| text.parse().ok());
        assert!(wait.is_some_and(|seconds: u32| seconds > 0), "{wait:?}");
    }

    #[track_caller]
    fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{}",
            self.text
        );
        assert_eq!(self.body["code"], code, "{}", self.text);
        assert_eq!(self.body["status"], status, "{}", self.text);
        for field in ["type", "title", "instance"] {
            assert!(
                self.body[field].is_string(),
                "{field} is missing: {}",
                self.text
            );
        }
    }
}

impl Person {
    pub(crate) fn new(client: Client, base: String) -> Self {
        Self {
            client,
            base,
            token: None,
            headers: Vec::new(),
            position: None,
            account_id: None,
            email: String::new(),
            refresh_token: None,
        }
    }

    pub async fn register_and_log_in(&mut self, name: &str) {
        let email = format!("{name}-{}@soko.test", Uuid::new_v4().simple());
        let body = json!({ "email": email, "password": PASSWORD, "name": name });
        let account = self.post("/auth/register", body).await.expect(201);
        self.account_id = account["account_id"].as_str().map(str::to_owned);
        self.log_in(&email, PASSWORD).await;
    }

    pub async fn log_in(&mut self, email: &str, password: &str) {
        let body = json!({ "email": email, "password": password });
        let tokens = self.post("/auth/login", body).await.expect(200);
        email.clone_into(&mut self.email);
        self.token = tokens["access_token"].as_str().map(str::to_owned);
        self.refresh_token = tokens["refresh_token"].as_str().map(str::to_owned);
    }

    /// Whoever stays longer than an access token is good for. Whether it was answered.
    pub async fn log_in_again(&mut self) -> bool {
        let body = json!({ "email": self.email, "password": PASSWORD });
        let answer = self.try_post("/auth/login", body).await;
        let token =
            answer.and_then(|answer| answer.body["access_token"].as_str().map(str::to_owned));
        let is_answered = token.is_some();
        self.token = token.or(self.token.take());
        is_answered
    }

    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The same person with another access token.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same person with one more header on every request.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut person = self.clone();
        person.headers.push((name.to_owned(), value.to_owned()));
        person
    }

    /// The same person, who wants to see at least what `other` has done.
    pub fn after(&self, other: &Self) -> Self {
        let newer = [&self.position, &other.position]
            .into_iter()
            .flatten()
            .max_by_key(|position| position.parse::<i64>().unwrap());
        Self {
            position: newer.cloned(),
            ..self.clone()
        }
    }

    /// The same person, who wants to see at least what is up to there.
    pub fn at_position(&self, position: i64) -> Self {
        Self {
            position: Some(position.to_string()),
            ..self.clone()
        }
    }

    /// Below `/api/v1`; waits until the read models have seen this person's last command.
    pub async fn get(&self, path: &str) -> Answer {
        let mut request = self.request(Method::GET, path);
        if let Some(position) = &self.position {
            request = request.header("Soko-Min-Position", position);
        }
        send(request).await
    }

    /// With an idempotency key of its own.
    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        let key = Uuid::new_v4().to_string();
        self.post_with_key(path, &key, body).await
    }

    pub async fn post_with_key(&mut self, path: &str, key: &str, body: Value) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("Idempotency-Key", key)
            .json(&body);
        self.command(request).await
    }

    /// A file of comma-separated values, with an idempotency key of its own.
    pub async fn upload(&mut self, path: &str, csv: &str) -> Answer {
        let key = Uuid::new_v4().to_string();
        self.upload_with_key(path, &key, csv).await
    }

    pub async fn upload_with_key(&mut self, path: &str, key: &str, csv: &str) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("Idempotency-Key", key)
            .header("Content-Type", "text/csv")
            .body(csv.to_owned());
        self.command(request).await
    }

    /// `None` if no answer came.
    pub async fn try_post(&mut self, path: &str, body: Value) -> Option<Answer> {
        let key = Uuid::new_v4().to_string();
        self.try_post_with_key(path, &key, &body).await
    }

    /// `None` if no answer came.
    pub async fn try_post_with_key(
        &mut self,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Option<Answer> {
        let request = self.request(Method::POST, path);
        let request = request.header("Idempotency-Key", key);
        let answer = try_send(request.json(body)).await?;
        self.saw(&answer);
        Some(answer)
    }

    /// What there is now, however old; `None` if no answer came.
    pub async fn try_get(&self, path: &str) -> Option<Answer> {
        try_send(self.request(Method::GET, path)).await
    }

    pub async fn put(&mut self, path: &str, body: Value) -> Answer {
        let request = self.request(Method::PUT, path).json(&body);
        self.command(request).await
    }

    pub async fn patch(&mut self, path: &str, body: Value) -> Answer {
        let request = self.request(Method::PATCH, path).json(&body);
        self.command(request).await
    }

    pub async fn delete(&mut self, path: &str) -> Answer {
        let request = self.request(Method::DELETE, path);
        self.command(request).await
    }

    /// The same person, speaking to another process.
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// Every item of a list, walked page by page.
    pub async fn walk(&self, path: &str, limit: usize) -> Vec<Value> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let page = format!("{path}{mark}limit={limit}{cursor}");
            let page = self.get(&page).await.expect(200);
            let found = page["items"].as_array().unwrap();
            assert!(found.len() <= limit, "{} on a page of {limit}", found.len());
            items.extend(found.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
        panic!("{path} does not end");
    }

    /// A request that nothing has been added to but who asks; below `/api/v1` unless it names
    /// another place by a leading `//`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = match path.strip_prefix("//") {
            Some(path) => format!("{}/{path}", self.base),
            None => format!("{}/api/v1{path}", self.base),
        };
        let mut request = self.client.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }

    async fn command(&mut self, request: RequestBuilder) -> Answer {
        let answer = send(request).await;
        self.saw(&answer);
        answer
    }

    fn saw(&mut self, answer: &Answer) {
        if let Some(position) = answer.header("Soko-Position") {
            self.position = Some(position.to_owned());
        }
    }
}

/// Sends a request as it is.
pub async fn send(request: RequestBuilder) -> Answer {
    try_send(request).await.expect("an answer")
}

async fn try_send(request: RequestBuilder) -> Option<Answer> {
    let answer = request.send().await.ok()?;
    let status = answer.status().as_u16();
    let headers = answer.headers().clone();
    let text = answer.text().await.ok()?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Some(Answer {
        status,
        headers,
        body,
        text,
    })
}
