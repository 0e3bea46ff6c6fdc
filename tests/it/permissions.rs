//! Every role on every route: outside its scope there is nothing (404), inside without the
//! permission it is told so (403), and nobody ever gets to see a defect of ours.

mod promoting;
mod rules;
mod stage;

use reqwest::Method;
use serde_json::json;
use soko_tests::{Soko, send};
use std::collections::BTreeSet;

use self::Who::{Admin, Buyer, Guest, Rival};
use self::rules::{BELOW, OWN, Rule, STORE, TENANT, rule, rules};
use self::stage::Stage;

/// Who asks. `Rival` owns another business; `Buyer` placed the order that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    Auditor,
    Analyst,
    VendorOwner,
    VendorManager,
    Catalog,
    Fulfilment,
    Finance,
    Viewer,
    Buyer,
    Rival,
    Guest,
}

/// Where the thing lies that a route is about: who has any standing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Platform,
    Tenant,
    Store,
    Vendor,
    /// An order and its payment: also their buyer's.
    Order,
}

#[tokio::test]
async fn every_role_may_do_what_the_table_says_and_nothing_else() {
    let soko = Soko::start().await;
    let stage = Stage::set(&soko).await;
    let rules = rules(&stage);
    let mut wrong = Vec::new();
    for rule in &rules {
        for (who, person) in &stage.people {
            let answer = stage.ask(person, rule).await;
            let expected = expectation(rule, *who);
            let is_right = match expected {
                Expected::Allowed => ![401, 403, 404].contains(&answer.status),
                Expected::Status(statuses) => statuses.contains(&answer.status),
            };
            if !is_right || answer.status >= 500 {
                wrong.push(format!(
                    "{who:?} {} {}: {} for {expected:?}: {}",
                    rule.method, rule.path, answer.status, answer.text
                ));
            }
        }
    }
    for (method, path) in BELOW {
        for (who, person) in &stage.people {
            let answer = stage
                .ask(person, &rule(method, path, json!({}), Where::Store, &[]))
                .await;
            let is_right = [401, 403, 404, 422].contains(&answer.status);
            if !is_right {
                wrong.push(format!(
                    "{who:?} {method} {path}: {}: {}",
                    answer.status, answer.text
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn no_route_is_missing_in_the_table() {
    let soko = Soko::start().await;
    let stage = Stage::set(&soko).await;
    let known: BTreeSet<(String, String)> = rules(&stage)
        .iter()
        .map(|rule| (rule.method.to_owned(), rule.path.to_owned()))
        .chain(
            OWN.iter()
                .chain(BELOW)
                .map(|(m, path)| ((*m).to_owned(), (*path).to_owned())),
        )
        .collect();
    let document = send(soko.guest().request(Method::GET, "//openapi.json"))
        .await
        .expect(200);
    let mut found = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if operation["security"] != json!([]) {
                let path = path.strip_prefix("/api/v1").unwrap_or(path);
                found.insert((method.clone(), path.to_owned()));
            }
        }
    }
    let missing: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "missing: {missing:?}, gone: {gone:?}"
    );
}

#[derive(Debug, Clone, Copy)]
enum Expected {
    /// Whatever comes of it, it is not refused for who asks.
    Allowed,
    Status(&'static [u16]),
}

#[expect(
    clippy::match_same_arms,
    reason = "in the order in which they are asked"
)]
fn expectation(rule: &Rule, who: Who) -> Expected {
    let has_standing = match (rule.place, who) {
        (_, Guest | Rival) => false,
        (Where::Order, Buyer) | (_, Admin) => true,
        (Where::Platform, _) | (_, Buyer) => false,
        (Where::Tenant, who) => TENANT.contains(&who),
        (Where::Store, who) => STORE.contains(&who),
        (Where::Vendor | Where::Order, _) => true,
    };
    match who {
        _ if rule.allowed.contains(&who) => Expected::Allowed,
        _ if has_standing => Expected::Status(&[403]),
        // A guest who might have a token is not told that there is anything.
        Guest => Expected::Status(&[401, 404]),
        // Who is nobody at the platform is told so, or nothing.
        _ if rule.place == Where::Platform => Expected::Status(&[403, 404]),
        _ => Expected::Status(&[404]),
    }
}
