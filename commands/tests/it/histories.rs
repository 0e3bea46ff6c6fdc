//! Whatever is asked at once, at whichever node, and whatever fails meanwhile: the log is a history
//! that one patient clerk could have written, and every answer fits to it.

mod answers;
mod clerk;
mod requests;

use crate::faulty::Fault;
use crate::world::World;
use answers::{Answered, ask};
use clerk::Clerk;
use proptest::prelude::*;
use proptest::test_runner::Config;
use requests::{Request, programs};
use soko_domain::VariantId;
use soko_event_log::AppendError;
use std::time::Duration;
use tokio::runtime::Builder;

/// How many clients ask at the same time.
const CLIENTS: usize = 8;

/// How many requests each has, at most.
const REQUESTS_MAX: usize = 12;

const VARIANTS: usize = 3;

proptest! {
    #![proptest_config(Config {
        cases: 24,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn every_history_could_have_happened_one_by_one(
        programs in programs(CLIENTS, REQUESTS_MAX, VARIANTS),
        faults in any::<u64>(),
    ) {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(play(programs, faults));
    }
}

/// Every client asks one request after the other; every third at a node whose appends fail now and
/// then, the others at two sound ones.
async fn play(programs: Vec<Vec<Request>>, mut faults: u64) {
    let world = World::new().await;
    let mut variants: Vec<VariantId> = Vec::new();
    for _ in 0..VARIANTS {
        variants.push(world.stocked(6).await);
    }
    let before = world.head().await;
    let nodes = [
        world.engine.clone(),
        world.node().await,
        world.faulty_node(move || fault(&mut faults)).await,
    ];
    let clients = programs.into_iter().enumerate().map(|(client, program)| {
        let (engine, pool) = (nodes[client % nodes.len()].clone(), world.pool());
        let variants = variants.clone();
        tokio::spawn(async move {
            let mut answers = Vec::new();
            for request in program {
                answers.push(ask(&engine, &pool, &variants, request).await);
            }
            answers
        })
    });
    let mut answers: Vec<Answered> = Vec::new();
    for client in futures::future::join_all(clients).await {
        answers.extend(client.unwrap());
    }
    let clerk = Clerk::read(&world.pool(), &variants, before).await;
    clerk.check(&answers);
    for (variant_id, expected) in variants.iter().zip(clerk.available()) {
        for node in &nodes {
            assert_eq!(crate::world::available(node, *variant_id).await, expected);
        }
    }
}

/// One unit in four meets something.
fn fault(seed: &mut u64) -> Option<Fault> {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    match (*seed >> 33) % 20 {
        0 => Some(Fault::Fail(AppendError::VersionConflict)),
        1 => Some(Fault::Fail(AppendError::GuardMoved)),
        2 => Some(Fault::Fail(AppendError::Stopped)),
        3 => Some(Fault::Fail(AppendError::Database(
            sqlx::Error::WorkerCrashed.into(),
        ))),
        4 => Some(Fault::Overloaded),
        5 => Some(Fault::Delay(Duration::from_millis(5))),
        _ => None,
    }
}
