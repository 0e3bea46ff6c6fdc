//! Many who want the same.

use crate::world::{World, execute, new_id, reserve};
use futures::future::join_all;
use soko_commands::{CommandError, Engine};
use soko_domain::VariantId;
use soko_domain::stock::StockError;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_buyers_five_get_the_five_and_the_others_hear_the_truth() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let answers = join_all((0..50).map(|_| buy(world.engine.clone(), mug))).await;
    assert_eq!(sold_and_refused(answers), (5, 45));
    assert_eq!(world.available(mug).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buyers_at_two_nodes_share_what_there_is() {
    let world = World::new().await;
    let mug = world.stocked(5).await;
    let node = world.node().await;
    let engines = [&world.engine, &node];
    let buyers = (0..40).map(|n| buy(engines[n % 2].clone(), mug));
    let answers = join_all(buyers).await;
    let sold = answers.iter().filter(|answer| answer.is_ok()).count();
    let conflicts = answers
        .iter()
        .filter(|answer| matches!(answer, Err(CommandError::Conflict)))
        .count();
    assert_eq!(sold, 5);
    assert_eq!(conflicts, 0, "a conflict is no answer for a buyer");
    assert_eq!(world.available(mug).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_product_does_not_hold_up_its_buyers() {
    let world = World::new().await;
    let mug = world.stocked(1_000).await;
    let answers = join_all((0..256).map(|_| buy(world.engine.clone(), mug))).await;
    assert_eq!(sold_and_refused(answers), (256, 0));
    assert_eq!(world.available(mug).await, 1_000 - 256);
}

type Bought = Result<(), CommandError<StockError>>;

async fn buy(engine: Engine, variant_id: VariantId) -> Bought {
    let buying = async move { execute(&engine, variant_id, reserve(new_id(), 1)).await };
    tokio::spawn(buying).await.unwrap().map(drop)
}

fn sold_and_refused(answers: Vec<Bought>) -> (usize, usize) {
    let all = answers.len();
    let mut refused = 0;
    for answer in answers {
        match answer {
            Ok(()) => (),
            Err(CommandError::Rejected {
                rejection: StockError::OutOfStock { available: 0, .. },
                replayed: false,
            }) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    (all - refused, refused)
}
