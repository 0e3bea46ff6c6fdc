//! Whoever is not let in leaves one line in the log: which request, as who, and why; and nothing that
//! they sent.

use serde_json::{Value, json};
use soko_tests::{Answer, Market, Person, Settings, Soko, text};

/// The password of nobody, which is tried on everybody.
const GUESS: &str = "nobody-has-this-password";

struct Log {
    soko: Soko,
    /// What must never be in it.
    secrets: Vec<String>,
    read: usize,
}

#[tokio::test]
async fn a_wrong_password_leaves_a_line_with_no_word_of_who_tried_what() {
    let mut log = Log::start(Settings::default()).await;
    let amina = log.soko.person("amina").await;
    log.secrets = vec![
        amina.email.clone(),
        GUESS.to_owned(),
        "nobody@x.test".to_owned(),
    ];
    for email in [amina.email.as_str(), "nobody@x.test"] {
        log.skip();
        let refused = log_in(&log.soko, email).await;
        assert_eq!(refused.status, 401);
        let line = log.only_line(&refused);
        assert_eq!(line["code"], "unauthenticated");
        assert_eq!(line["route"], "/api/v1/auth/login");
        assert_eq!(line.get("account.id"), None, "{line}");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_leaves_a_line_with_whose_it_was_if_it_was_anybodys() {
    let mut log = Log::start(Settings::default()).await;
    let mut amina = log.soko.person("amina").await;
    let token = amina.token().unwrap().to_owned();
    // Whatever a signature ends with, it is not this.
    let other = if token.ends_with('A') { 'Q' } else { 'A' };
    let forged = format!("{}{other}", &token[..token.len() - 1]);
    log.secrets = vec![token, amina.email.clone(), "soko_key_nonsense".to_owned()];
    for nonsense in ["nonsense", forged.as_str(), "soko_key_nonsense"] {
        log.skip();
        let refused = amina.with_token(nonsense).get("/me").await;
        assert_eq!(refused.status, 401);
        let line = log.only_line(&refused);
        assert_eq!(
            (&line["code"], &line["route"]),
            (&json!("unauthenticated"), &json!("/api/v1/me"))
        );
        assert_eq!(line["permission"], "ManageSelf");
        assert_eq!(line.get("account.id"), None, "{line}");
    }
    amina.post("/auth/logout", json!({})).await.ok();
    log.skip();
    let refused = amina.get("/me").await;
    assert_eq!(refused.status, 401);
    let line = log.only_line(&refused);
    assert_eq!(line["account.id"], amina.account_id.as_deref().unwrap());
    assert!(line["session.id"].is_string(), "{line}");
}

#[tokio::test]
async fn a_permission_that_is_refused_leaves_a_line_with_who_lacks_it() {
    let mut log = Log::start(Settings::default()).await;
    let market = Market::open(&log.soko).await;
    let mut owner = market.owner.clone();
    let mut staff = log.soko.person("staff").await;
    let members = format!("/stores/{}/members", market.store_id);
    let member = json!({ "email": staff.email, "role": "staff" });
    log.secrets = vec![staff.email.clone()];

    // Nobody there yet: it is answered as if it were not there, and said to the operator.
    log.skip();
    let refused = staff.get(&members).await;
    assert_eq!(refused.status, 404);
    let line = log.only_line(&refused);
    assert_eq!(
        (&line["code"], &line["permission"]),
        (&json!("not-found"), &json!("ViewStore"))
    );
    assert_eq!(line["account.id"], staff.account_id.as_deref().unwrap());

    owner.post(&members, member).await.ok();
    log.skip();
    let store = format!("/stores/{}", market.store_id);
    let refused = staff.patch(&store, json!({ "name": "Mine" })).await;
    assert_eq!(refused.status, 403);
    let line = log.only_line(&refused);
    assert_eq!(
        (&line["code"], &line["permission"]),
        (&json!("forbidden"), &json!("ChangeStore"))
    );
    assert_eq!(line["route"], "/api/v1/stores/{id}");
    assert_eq!(line["account.id"], staff.account_id.as_deref().unwrap());

    let wanted = json!({ "name": "till", "permissions": ["view_orders"] });
    let key = owner.post("/api-keys", wanted).await.expect(201);
    let secret = text(&key["key"]);
    log.secrets.push(secret.clone());
    log.skip();
    let refused = owner.with_token(&secret).get(&members).await;
    assert_eq!(refused.status, 403);
    let line = log.only_line(&refused);
    assert_eq!(line["key.id"], key["key_id"]);
    assert_eq!(line["account.id"], owner.account_id.as_deref().unwrap());
}

#[tokio::test]
async fn whoever_asks_too_much_leaves_a_line_for_each_time() {
    let settings = Settings::default()
        .with("SOKO_RATE_LIMITS", "on")
        .with("SOKO_AUTH_REQUESTS_PER_MINUTE", "12");
    let mut log = Log::start(settings).await;
    let amina = log.soko.person("amina").await;
    log.secrets = vec![amina.email.clone(), GUESS.to_owned()];
    let mut codes = Vec::new();
    for _ in 0..12 {
        log.skip();
        let refused = log_in(&log.soko, &amina.email).await;
        let line = log.only_line(&refused);
        assert_eq!(line["code"], refused.body["code"]);
        codes.push((text(&line["code"]), line["route"].is_string()));
    }
    // First wrong, then too soon for this account, then too often from this address.
    for kind in [
        ("unauthenticated", true),
        ("rate-limited", true),
        ("rate-limited", false),
    ] {
        let kind = (kind.0.to_owned(), kind.1);
        assert!(codes.contains(&kind), "{kind:?}: {codes:?}");
    }
}

#[tokio::test]
async fn a_cursor_that_somebody_made_up_leaves_a_line() {
    let mut log = Log::start(Settings::default()).await;
    let market = Market::open(&log.soko).await;
    log.secrets = vec!["bWFkZSB1cA".to_owned()];
    log.skip();
    let path = format!("/products?store={}&cursor=bWFkZSB1cA", market.store_id);
    let refused = log.soko.guest().get(&path).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (400, &json!("bad-cursor"))
    );
    let line = log.only_line(&refused);
    assert_eq!(
        (&line["code"], &line["route"]),
        (&json!("bad-cursor"), &json!("/api/v1/products"))
    );
}

#[tokio::test]
async fn a_refresh_token_that_comes_again_leaves_a_line_and_the_end_of_its_session_another() {
    let mut log = Log::start(Settings::default()).await;
    let amina = log.soko.person("amina").await;
    let first = amina.refresh_token.clone().unwrap();
    let second = refresh(&log.soko, &first).await.expect(200);
    let second = text(&second["refresh_token"]);
    log.secrets = vec![first.clone(), second.clone(), amina.email.clone()];
    log.skip();
    let refused = refresh(&log.soko, &first).await;
    assert_eq!(refused.status, 401);
    let ended: Vec<_> = log
        .lines()
        .into_iter()
        .filter(|line| line["level"] == "WARN")
        .collect();
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert!(ended[0]["session.id"].is_string(), "{ended:?}");
    let line = log.only_line(&refused);
    assert_eq!(line["route"], "/api/v1/auth/refresh");
    // What is known to be spent is refused again, and no session ends by it.
    log.skip();
    let refused = refresh(&log.soko, &second).await;
    assert_eq!(refused.status, 401);
    log.only_line(&refused);
}

impl Log {
    async fn start(settings: Settings) -> Self {
        let settings = settings.with("SOKO_LOG_FORMAT", "json");
        Self {
            soko: Soko::start_with(settings).await,
            secrets: vec![],
            read: 0,
        }
    }

    /// Only what comes from here on is looked at.
    fn skip(&mut self) {
        self.read = self.soko.log().len();
    }

    fn lines(&self) -> Vec<Value> {
        let log = self.soko.log();
        let lines = log[self.read..].lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The one line about a request that was refused.
    fn only_line(&self, refused: &Answer) -> Value {
        let all = self.soko.log();
        for secret in &self.secrets {
            assert!(!all.contains(secret.as_str()), "{secret} is in the log");
        }
        let mut lines = self.lines();
        lines.retain(|line| line["message"] == "refused");
        assert_eq!(lines.len(), 1, "{lines:?}");
        let line = lines.remove(0);
        assert_eq!(line["level"], "INFO");
        // Nor from where.
        assert!(!line.to_string().contains("127.0.0.1"), "{line}");
        let request_id = refused.header("x-request-id").unwrap();
        assert_eq!(line["span"]["request.id"], request_id, "{line}");
        line
    }
}

async fn log_in(soko: &Soko, email: &str) -> Answer {
    let mut guest = soko.guest();
    let body = json!({ "email": email, "password": GUESS });
    guest.post("/auth/login", body).await
}

async fn refresh(soko: &Soko, token: &str) -> Answer {
    let mut guest: Person = soko.guest();
    let body = json!({ "refresh_token": token });
    guest.post("/auth/refresh", body).await
}
