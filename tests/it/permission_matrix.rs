//! Every caller on every operation and every kind of object. The operations come from the OpenAPI
//! document, each with the permission and the scope that it names; who holds what comes from
//! `docs/permissions.md`, the one page where it is decided. A new route is in here by itself.

mod callers;
mod objects;

use callers::{Caller, Callers};
use objects::{Object, Objects, Place};
use reqwest::Method;
use serde_json::Value;
use soko_tests::{Answer, Contract, Operation, Person, Soko, send};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Cells that are asked at the same time.
const AT_ONCE: usize = 4;

/// What must be there for a check to mean something.
const CELLS_MIN: usize = 3_000;

#[tokio::test]
async fn every_caller_gets_what_the_page_says_of_every_object() {
    let soko = Soko::start().await;
    let contract = Contract::of(&soko).await;
    let policy = Policy::read();
    let objects = Objects::make(&soko).await;
    let callers = Callers::gather(&soko, &objects).await;
    let head = log_head(&soko).await;
    let mut cells = Vec::new();
    for operation in contract.operations() {
        let Some(place) = Place::of(&operation) else {
            continue;
        };
        for caller in callers.all() {
            for object in place.objects() {
                cells.push((operation.clone(), place, caller, *object));
            }
        }
    }
    let mut wrong = Vec::new();
    let mut refused = 0;
    for chunk in cells.chunks(AT_ONCE) {
        let asking = chunk
            .iter()
            .map(async |(operation, place, caller, object)| {
                let expected = match policy.expected(operation, *place, caller, *object) {
                    // Nobody asked for the refund, which only who may settle it is told.
                    Expected::Allowed if operation.path.contains("{refund_id}") => {
                        Expected::OneOf(&[404])
                    }
                    expected => expected,
                };
                let request = objects.request(&contract, operation, caller, *object);
                (ask(&request, expected.is_allowed()).await, expected)
            });
        for (cell, (answer, expected)) in chunk.iter().zip(futures::future::join_all(asking).await)
        {
            refused += usize::from(!expected.is_allowed());
            if !expected.is_met_by(&answer) {
                let (operation, _, caller, object) = cell;
                wrong.push(format!(
                    "{} {} as {} on {object:?}: {} for {expected:?}: {}",
                    operation.method, operation.path, caller.name, answer.status, answer.text
                ));
            }
        }
    }
    println!("{} cells, {refused} of them refused", cells.len());
    assert!(
        wrong.is_empty(),
        "{} of them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(cells.len() > CELLS_MIN, "only {} cells", cells.len());
    // Who was refused was refused in earnest; who was not has only tried.
    assert_eq!(log_head(&soko).await, head, "something was changed");
}

#[tokio::test]
async fn what_no_longer_speaks_for_somebody_opens_nothing() {
    let soko = Soko::start().await;
    let contract = Contract::of(&soko).await;
    let objects = Objects::make(&soko).await;
    let callers = Callers::gather(&soko, &objects).await;
    let owner = callers.named("tenant_owner");
    let spent = callers::spent_log_ins(&soko).await;
    let head = log_head(&soko).await;
    let mut cells = 0;
    for (state, person) in spent {
        let caller = Caller {
            person,
            ..owner.clone()
        };
        for operation in contract.operations() {
            if operation.permission.is_none() {
                continue;
            }
            let request = objects.request(&contract, &operation, &caller, Object::Own);
            let answer = ask(&request, false).await;
            let of_it = format!("{state} at {} {}", operation.method, operation.path);
            // A key is looked up while the rest of the request is read, so what cannot be read may
            // be told first.
            let is_refused = match answer.status {
                401 => true,
                404 | 422 => state.contains("key"),
                _ => false,
            };
            assert!(is_refused, "{of_it}: {} {}", answer.status, answer.text);
            cells += 1;
        }
    }
    println!("{cells} cells");
    assert!(cells > 200, "only {cells} cells");
    assert_eq!(log_head(&soko).await, head, "something was changed");
}

#[tokio::test]
async fn a_key_opens_what_it_was_made_for_and_nothing_else_that_its_owner_may() {
    let soko = Soko::start().await;
    let contract = Contract::of(&soko).await;
    let policy = Policy::read();
    let objects = Objects::make(&soko).await;
    let mut owner = objects.tenant_owner.clone();
    let body = serde_json::json!({ "name": "till", "permissions": ["view_stock"] });
    let key = owner.post("/api-keys", body).await.expect(201);
    let caller = Caller {
        name: "a key for stock".to_owned(),
        person: owner.with_token(key["key"].as_str().unwrap()),
        ..Caller::of_tenant("tenant_owner", &owner)
    };
    let mut cells = 0;
    for operation in contract.operations() {
        let Some(place) = Place::of(&operation) else {
            continue;
        };
        for object in place.objects() {
            let is_meant = operation.permission.as_deref() == Some("view_stock");
            let expected = if is_meant {
                policy.expected(&operation, place, &caller, *object)
            } else {
                Expected::OneOf(&[403])
            };
            let request = objects.request(&contract, &operation, &caller, *object);
            let answer = ask(&request, expected.is_allowed()).await;
            assert!(
                expected.is_met_by(&answer),
                "{} {} on {object:?}: {} for {expected:?}",
                operation.method,
                operation.path,
                answer.status
            );
            cells += 1;
        }
    }
    println!("{cells} cells");
    assert!(cells > 100, "only {cells} cells");
}

#[derive(Debug, Clone, Copy)]
enum Expected {
    /// Whatever comes of it, it is not refused for who asks.
    Allowed,
    OneOf(&'static [u16]),
}

impl Expected {
    const fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed)
    }

    fn is_met_by(self, answer: &Answer) -> bool {
        match self {
            Self::Allowed => ![401, 403, 404].contains(&answer.status) && answer.status < 500,
            Self::OneOf(statuses) => statuses.contains(&answer.status),
        }
    }
}

/// Which permissions each role holds, as the page says.
struct Policy(BTreeMap<String, BTreeSet<String>>);

impl Policy {
    fn read() -> Self {
        let page = include_str!("../../docs/permissions.md");
        let (_, roles) = page.split_once("## Roles").unwrap();
        let (roles, _) = roles.split_once("## Permissions").unwrap();
        let words = |cell: &str| -> Vec<String> {
            let quoted = cell.split('`').skip(1).step_by(2);
            quoted.map(str::to_owned).collect()
        };
        let rows = roles.lines().filter(|line| line.starts_with("| `"));
        let roles: BTreeMap<_, _> = rows
            .map(|row| {
                let cells: Vec<_> = row.split('|').map(words).collect();
                (cells[2][0].clone(), cells[3].iter().cloned().collect())
            })
            .collect();
        assert!(roles.len() >= 18, "{:?}", roles.keys());
        Self(roles)
    }

    /// What lies outside of one's scopes is not there (404); inside, without the permission, it is
    /// refused (403); what never was is not there for anybody.
    fn expected(
        &self,
        operation: &Operation,
        place: Place,
        caller: &Caller,
        object: Object,
    ) -> Expected {
        let permission = operation.permission.as_ref().unwrap();
        let roles = caller.roles_at(place, object);
        let is_allowed = roles.iter().any(|role| self.0[role].contains(permission));
        let is_anybody = caller.person.token().is_some();
        if !is_anybody && !operation.is_open {
            return Expected::OneOf(&[401]);
        }
        match object {
            Object::Never => Expected::OneOf(&[404]),
            _ if is_allowed => Expected::Allowed,
            // Who is nobody at the platform is told so, or nothing.
            _ if place == Place::Platform => Expected::OneOf(&[403, 404]),
            _ if roles.is_empty() => Expected::OneOf(&[404]),
            _ => Expected::OneOf(&[403]),
        }
    }
}

/// A request as it would be sent; commands that are allowed are only tried.
struct Cell {
    person: Person,
    method: Method,
    target: String,
    body: Option<Value>,
}

async fn ask(cell: &Cell, is_allowed: bool) -> Answer {
    let is_command = cell.method != Method::GET;
    let target = match (is_command && is_allowed, cell.target.contains('?')) {
        (false, _) => cell.target.clone(),
        (true, false) => format!("{}?dry_run=true", cell.target),
        (true, true) => format!("{}&dry_run=true", cell.target),
    };
    let mut request = cell.person.request(cell.method.clone(), &target);
    if cell.method == Method::POST {
        request = request.header("Idempotency-Key", Uuid::new_v4().to_string());
    }
    if let Some(body) = &cell.body {
        request = request.json(body);
    }
    if target.ends_with("/stream") {
        // Does not end by itself.
        let response = request.send().await.unwrap();
        return Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: Value::Null,
            text: String::new(),
        };
    }
    send(request).await
}

async fn log_head(soko: &Soko) -> i64 {
    sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM audit.events")
        .fetch_one(soko.database())
        .await
        .unwrap()
}
