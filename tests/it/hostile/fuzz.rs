//! Requests that a grammar makes of the OpenAPI document: valid ones, ones with something wrong in
//! them, and wild ones, by several callers, to every operation that there is.
//!
//! A few thousand with every run of the tests; `make fuzz` sends a hundred thousand. What is sent
//! follows from the seed, but for the ids that the system gives.

mod callers;
mod dice;
mod recipe;
mod values;

use super::world::World;
use super::{AT_ONCE, Attack, Range, no_failures};
use callers::Callers;
use futures::stream::{self, StreamExt};
use recipe::Recipe;
use soko_tests::checkers::check_everything;
use soko_tests::{Contract, Operation, Soko};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

/// In all, unless `SOKO_FUZZ_REQUESTS` says otherwise.
const REQUESTS: u64 = 5_000;

/// Unless `SOKO_FUZZ_SEED` says otherwise.
const SEED: u64 = 0x50c0;

/// To one world: what the earlier requests have done to it keeps the later ones from going deep.
/// It is over long before a log-in is.
const REQUESTS_PER_WORLD: u64 = 120;

/// Of a body, for a person to read.
const SHOWN_BYTES: usize = 600;

#[tokio::test]
async fn whatever_a_grammar_makes_of_the_document_is_answered_in_form() {
    let requests = setting("SOKO_FUZZ_REQUESTS", REQUESTS);
    let seed = setting("SOKO_FUZZ_SEED", SEED);
    let soko = Soko::start().await;
    let since = Instant::now();
    let mut tally = Tally::default();
    for (round, each) in rounds(requests, &soko).await {
        forget_guesses(&soko).await;
        let range = Range::new(&soko, Contract::of(&soko).await).await;
        let callers = Callers::of(&soko, &range.people).await;
        let (soko, range, callers) = (&soko, &range, &callers);
        let tried = stream::iter(range.contract.operations()).map(|operation| async move {
            let _turn = range.turn(&operation).await;
            let world = World::make(soko, &range.people, &operation).await;
            let recipe = Recipe::of(range, &operation, &world, callers);
            let mut tally = Tally::default();
            for number in 0..each {
                let name = format!("{seed}-{}-{round}-{number}", operation.id);
                let attack = recipe.request(&name, number == 0);
                tally.note(range, &operation, &name, &attack).await;
            }
            tally
        });
        let tried: Vec<_> = tried.buffer_unordered(AT_ONCE).collect().await;
        for one in tried {
            tally.add(one);
        }
        // Told at once, for whoever waits for the end of a long run.
        tally.tell(since.elapsed());
    }
    no_failures(&tally.failures);
    let mut shallow = tally.shallow();
    // Only a provider can send these, and only it names a refund that was asked for.
    shallow.retain(|id| {
        !id.starts_with("post_webhooks_") && *id != "post_payments_id_refunds_refund_id_settle"
    });
    assert_eq!(shallow, Vec::<&str>::new(), "never went deep");
    let log = soko.log();
    let cries = log
        .lines()
        .filter(|line| line.contains("ERROR") && line.contains("soko_"));
    assert_eq!(cries.collect::<Vec<_>>(), Vec::<&str>::new());
    check_everything(&soko).await;
}

/// How many requests each operation gets in which round.
async fn rounds(requests: u64, soko: &Soko) -> Vec<(u64, u64)> {
    let operations = Contract::of(soko).await.operations().len();
    let of_each = requests.div_ceil(u64::try_from(operations).unwrap());
    let rounds = of_each.div_ceil(REQUESTS_PER_WORLD);
    let each = of_each.div_ceil(rounds);
    (0..rounds).map(|round| (round, each)).collect()
}

/// What the grammar guessed at passwords in one round must not keep people out of the next.
async fn forget_guesses(soko: &Soko) {
    let forget = sqlx::query("DELETE FROM login_counters");
    forget.execute(soko.database()).await.unwrap();
}

fn setting(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}: {text}")),
        Err(_) => otherwise,
    }
}

/// What came of the requests.
#[derive(Default)]
struct Tally {
    /// How often each operation answered with each status.
    statuses: BTreeMap<String, BTreeMap<u16, u64>>,
    failures: Vec<String>,
    slowest: Duration,
}

impl Tally {
    async fn note(&mut self, range: &Range, operation: &Operation, name: &str, attack: &Attack) {
        let since = Instant::now();
        let outcome = range.outcome_of(Some(operation), attack).await;
        self.slowest = self.slowest.max(since.elapsed());
        let status = outcome.status.unwrap_or_default();
        let of_operation = self.statuses.entry(operation.id.clone()).or_default();
        *of_operation.entry(status).or_default() += 1;
        let is_untold = (100..400).contains(&status) && !operation.statuses.contains(&status);
        let untold = is_untold.then(|| format!("{status} is not in the document"));
        if let Some(fault) = outcome.fault.or(untold) {
            let body = attack.request.body.as_deref().unwrap_or_default();
            let body = String::from_utf8_lossy(&body[..body.len().min(SHOWN_BYTES)]).into_owned();
            self.failures.push(format!("{name}: {fault}\n  {body}"));
        }
    }

    fn add(&mut self, other: Self) {
        for (operation, statuses) in other.statuses {
            let of_operation = self.statuses.entry(operation).or_default();
            for (status, count) in statuses {
                *of_operation.entry(status).or_default() += count;
            }
        }
        self.failures.extend(other.failures);
        self.slowest = self.slowest.max(other.slowest);
    }

    /// Operations that did nothing and decided nothing: nothing is known of them.
    fn shallow(&self) -> Vec<&str> {
        let is_deep = |status: &u16| (200..400).contains(status) || *status == 409;
        let shallow = self.statuses.iter();
        shallow
            .filter(|(_, statuses)| !statuses.keys().any(is_deep))
            .map(|(operation, _)| operation.as_str())
            .collect()
    }

    fn tell(&self, elapsed: Duration) {
        let mut all = BTreeMap::<u16, u64>::new();
        for (status, count) in self.statuses.values().flatten() {
            *all.entry(*status).or_default() += count;
        }
        let _ = writeln!(
            std::io::stderr(),
            "{} requests to {} operations in {} s: {} faults, the slowest took {} ms; {all:?}",
            all.values().sum::<u64>(),
            self.statuses.len(),
            elapsed.as_secs(),
            self.failures.len(),
            self.slowest.as_millis(),
        );
    }
}
