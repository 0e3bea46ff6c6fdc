//! Whatever is sent to whichever route of the OpenAPI document: it is answered at once, in the one
//! form of all refusals, no fault of ours shows, and everything still adds up.

mod bodies;
mod foreign_ids;
mod fuzz;
mod headers;
mod targets;
mod world;

use futures::stream::{self, StreamExt};
use soko_tests::checkers::check_everything;
use soko_tests::{Contract, NoAnswer, Operation, RawAnswer, RawRequest, Soko};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use world::{People, VALID_KEY, World};

const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// Of which a query that waits for its read model may use up the whole.
const SHOWN_WITHIN: Duration = Duration::from_secs(4);

/// On a busy machine anything may be late now and then; what hangs is late each time.
const TRIES: usize = 3;

/// Operations that are tried at the same time.
const AT_ONCE: usize = 24;

/// Of these, those that log people in. A hash of a password is made one at a time: who waits for
/// many others is late, and that is as it should be.
const LOG_INS_AT_ONCE: usize = 4;

/// Of so many that would all be told to log in one is sent.
const TOLD_APART: usize = 20;

/// What a person can take in at once.
const SHOWN_MAX: usize = 40;

/// One request, and what is wrong with it.
pub(crate) struct Attack {
    what: String,
    request: RawRequest,
    /// Not even HTTP: refused before there is anything to word a refusal.
    is_http: bool,
}

impl Attack {
    fn new(what: impl Into<String>, request: RawRequest) -> Self {
        Self {
            what: what.into(),
            request,
            is_http: true,
        }
    }

    /// In place of the key that all valid requests have.
    fn give_key(&mut self, key: &str) {
        let name = "Idempotency-Key";
        let valid = (name.to_owned(), VALID_KEY.as_bytes().to_vec());
        if self.request.headers.contains(&valid) {
            self.request = self.request.clone().with_only_header(name, key);
        }
    }
}

#[tokio::test]
async fn an_example_of_every_body_is_taken_as_what_it_is() {
    let soko = Soko::start().await;
    let contract = Contract::of(&soko).await;
    let range = Range::new(&soko, contract).await;
    let mut failures = Vec::new();
    for operation in range.contract.operations() {
        let world = World::make(&soko, &range.people, &operation).await;
        let request = world.request(&range.contract, &operation);
        let mut valid = Attack::new("none", request);
        valid.give_key(&format!("valid-{}", operation.id));
        let Attack { request, .. } = valid;
        let answer = request.send(&range.address, ANSWERED_WITHIN).await.unwrap();
        let is_deep = match answer.status {
            200..300 | 409 => true,
            // Leads to a page.
            308 | 307 | 303 | 302 => operation.id == "get_docs",
            // Only a provider can send one of these, and only it names a refund that was asked for.
            401 | 404 => {
                operation.id.starts_with("post_webhooks_")
                    || operation.id == "post_payments_id_refunds_refund_id_settle"
            }
            _ => false,
        };
        if !is_deep {
            let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default());
            let excerpt = answer.excerpt();
            failures.push(format!(
                "{}: {} {excerpt}\n  {body}",
                operation.id, answer.status
            ));
        }
    }
    no_failures(&failures);
    check_everything(&soko).await;
}

#[tokio::test]
async fn hostile_bodies_are_refused_in_form() {
    attack_every_operation(|range, operation, world| {
        bodies::attacks(&range.contract, operation, world)
    })
    .await;
}

#[tokio::test]
async fn hostile_paths_queries_and_headers_are_refused_in_form() {
    attack_every_operation(|range, operation, world| {
        let valid = world.request(&range.contract, operation);
        let mut attacks = targets::attacks(operation, world, &valid);
        attacks.extend(headers::attacks(operation, &valid));
        attacks
    })
    .await;
}

#[tokio::test]
async fn what_is_not_http_is_answered_all_the_same() {
    let soko = Soko::start().await;
    let contract = Contract::of(&soko).await;
    let range = Range::new(&soko, contract).await;
    let mut failures = Vec::new();
    for attack in headers::beyond_http() {
        failures.extend(range.fault_of(None, &attack).await);
    }
    no_failures(&failures);
    let login = soko.admin().await;
    login.get("/me").await.expect(200);
}

async fn attack_every_operation(attacks: impl Fn(&Range, &Operation, &World) -> Vec<Attack>) {
    let soko = Soko::start().await;
    let contract = Contract::of(&soko).await;
    let range = Range::new(&soko, contract).await;
    let (range, soko, attacks) = (&range, &soko, &attacks);
    let found = stream::iter(range.contract.operations())
        .map(|operation| async move {
            let _turn = range.turn(&operation).await;
            let world = World::make(soko, &range.people, &operation).await;
            let mut all = attacks(range, &operation, &world);
            // The same by somebody who is not logged in: where nobody may, a few of them tell that
            // none is heard.
            let every = if operation.is_open { 1 } else { TOLD_APART };
            let by_nobody = attacks(range, &operation, &world.unknown());
            all.extend(by_nobody.into_iter().step_by(every));
            let mut failures = Vec::new();
            for (number, attack) in all.iter_mut().enumerate() {
                attack.give_key(&format!("hostile-{}-{number}", operation.id));
                failures.extend(range.fault_of(Some(&operation), attack).await);
            }
            failures
        })
        .buffer_unordered(AT_ONCE);
    let found: Vec<_> = found.collect().await;
    let failures = found.concat();
    let log = soko.log();
    no_failures(&failures);
    // Of ours; the framework complains of requests that are not HTTP.
    let cries = log
        .lines()
        .filter(|line| line.contains("ERROR") && line.contains("soko_"));
    assert_eq!(cries.collect::<Vec<_>>(), Vec::<&str>::new());
    check_everything(soko).await;
}

/// What came of an attack.
struct Outcome {
    /// `None` if there was no answer.
    status: Option<u16>,
    fault: Option<String>,
}

/// The system that is shot at.
struct Range {
    contract: Contract,
    codes: BTreeSet<String>,
    address: String,
    people: People,
    log_ins: Semaphore,
}

impl Range {
    async fn new(soko: &Soko, contract: Contract) -> Self {
        Self {
            codes: contract.codes(),
            contract,
            address: soko.base().trim_start_matches("http://").to_owned(),
            people: People {
                admin: soko.admin().await,
                colleague: soko.person("colleague").await,
            },
            log_ins: Semaphore::new(LOG_INS_AT_ONCE),
        }
    }

    /// To be held while the operation is tried.
    async fn turn(&self, operation: &Operation) -> Option<SemaphorePermit<'_>> {
        if !World::is_about_oneself(operation) {
            return None;
        }
        Some(self.log_ins.acquire().await.unwrap())
    }

    async fn fault_of(&self, operation: Option<&Operation>, attack: &Attack) -> Option<String> {
        self.outcome_of(operation, attack).await.fault
    }

    async fn outcome_of(&self, operation: Option<&Operation>, attack: &Attack) -> Outcome {
        let request = &attack.request;
        let mut headers = request.headers.iter();
        let waits = headers.any(|(name, _)| name == "Soko-Min-Position");
        let within = if waits { SHOWN_WITHIN } else { ANSWERED_WITHIN };
        let mut answer = request.send(&self.address, within).await;
        for _ in 1..TRIES {
            if answer.as_ref().is_err_and(|none| *none == NoAnswer::Late) {
                answer = request.send(&self.address, within).await;
            }
        }
        let fault = match &answer {
            Err(none) => Some(format!("{none:?}")),
            Ok(answer) => self
                .fault_in(operation, attack, answer)
                .map(|fault| format!("{fault}: {} {}", answer.status, answer.excerpt())),
        };
        let target = String::from_utf8_lossy(&request.target);
        let target: String = target.chars().take(120).collect();
        let Attack { what, .. } = attack;
        Outcome {
            status: answer.ok().map(|answer| answer.status),
            fault: fault.map(|fault| format!("{} {target}: {what}: {fault}", request.method)),
        }
    }

    fn fault_in(
        &self,
        operation: Option<&Operation>,
        attack: &Attack,
        answer: &RawAnswer,
    ) -> Option<String> {
        let status = answer.status;
        if status < 400 {
            return None;
        }
        if !attack.is_http && status < 500 {
            return None;
        }
        let problem = answer.json();
        let code = problem["code"].as_str().unwrap_or_default();
        if status >= 500 && !(status == 503 && code == "projection-behind") {
            return Some("a failure".to_owned());
        }
        if status == 503 && answer.header("retry-after").is_none() {
            return Some("come back when?".to_owned());
        }
        if attack.request.method == "HEAD" {
            return None;
        }
        if answer.header("content-type") != Some("application/problem+json") {
            return Some("not a problem".to_owned());
        }
        if !self.codes.contains(code) || problem["status"] != status {
            return Some("not a known problem".to_owned());
        }
        if ["type", "title", "instance"]
            .iter()
            .any(|name| !problem[*name].is_string())
        {
            return Some("an incomplete problem".to_owned());
        }
        let is_told = operation.is_none_or(|operation| operation.statuses.contains(&status));
        // Another path than the operation's has other answers.
        let may_differ = [404, 405].contains(&status);
        (!is_told && !may_differ).then(|| "not in the document".to_owned())
    }
}

#[track_caller]
fn no_failures(failures: &[String]) {
    let shown = failures[..failures.len().min(SHOWN_MAX)].join("\n");
    assert!(failures.is_empty(), "{} of them:\n{shown}", failures.len());
}
