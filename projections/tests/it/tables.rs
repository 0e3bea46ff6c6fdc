//! All tables together, over a market in which everything happens once.

use crate::log::{Log, id, order};
use crate::market::{
    by_account, cancelled, collected, fulfilled, on_sale, opening, placed, promoted, refund_failed,
    settled,
};
use crate::running::{Node, built};
use crate::statements::stated;
use soko_embedded::testing::PATIENCE;
use soko_projections::read_models::carts::{CartStatus, cart};
use soko_projections::{AnyReadModel, RebuildOptions, VerifyOptions, all, digest};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn every_table_is_what_its_fold_says() {
    let log = market().await;
    built(log.pool()).await;
    for model in all() {
        let options = VerifyOptions::default();
        let verification = model.verify(log.pool(), &options).await.unwrap();
        assert!(verification.is_equal(), "{verification:?}");
        assert!(verification.rows > 0, "nothing in {}", model.name());
    }
}

/// Each row would pay for both.
#[tokio::test]
async fn no_table_has_the_same_index_twice() {
    let log = Log::empty().await;
    let twice: Vec<String> = sqlx::query_scalar(
        "SELECT format('%s: %s', a.indexrelid::regclass, b.indexrelid::regclass) \
         FROM pg_index AS a JOIN pg_index AS b \
           ON a.indrelid = b.indrelid AND a.indexrelid < b.indexrelid \
          AND (a.indkey::text, a.indclass::text, a.indoption::text) \
            = (b.indkey::text, b.indclass::text, b.indoption::text) \
          AND pg_get_expr(a.indpred, a.indrelid) IS NOT DISTINCT FROM \
              pg_get_expr(b.indpred, b.indrelid) \
          AND pg_get_expr(a.indexprs, a.indrelid) IS NOT DISTINCT FROM \
              pg_get_expr(b.indexprs, b.indrelid) \
         WHERE a.indrelid::regclass::text NOT LIKE 'pg\\_%'",
    )
    .fetch_all(log.pool())
    .await
    .unwrap();
    assert_eq!(twice, Vec::<String>::new());
}

#[tokio::test]
async fn folded_step_by_step_every_table_is_the_same() {
    let mut log = Log::empty().await;
    let node = Node::of(&log);
    let shutdown = CancellationToken::new();
    let workers: Vec<_> = all()
        .into_iter()
        .map(Arc::<dyn AnyReadModel>::from)
        .map(|model| {
            let (workplace, shutdown) = (node.workplace.clone(), shutdown.clone());
            tokio::spawn(async move { model.run(&workplace, &shutdown).await })
        })
        .collect();
    fill(&mut log).await;
    for model in all() {
        let freshness = &node.workplace.freshness;
        freshness
            .wait_for(model.name(), log.head(), PATIENCE)
            .await
            .unwrap();
    }
    shutdown.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
    for model in all() {
        let live = digest(log.pool(), model.name()).await.unwrap().unwrap();
        let options = RebuildOptions::default();
        model.rebuild(log.pool(), &options).await.unwrap();
        let rebuilt = digest(log.pool(), model.name()).await.unwrap().unwrap();
        assert_eq!(
            (live.rows, live.digest),
            (rebuilt.rows, rebuilt.digest),
            "{}",
            model.name()
        );
    }
}

#[tokio::test]
async fn a_cart_that_became_an_order_is_empty() {
    let log = market().await;
    built(log.pool()).await;
    let found = cart(log.reader(), id(0x5000_0000 + 1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.status, CartStatus::CheckedOut);
    assert_eq!(found.last_order, Some(order(1)));
}

pub(crate) async fn market() -> Log {
    let mut log = Log::empty().await;
    fill(&mut log).await;
    log
}

/// Three orders: one is complete, one of two vendors is open, one is cancelled. And what a provider
/// says of them.
async fn fill(log: &mut Log) {
    log.append(opening()).await;
    log.append(on_sale(1, 0, "Coffee", 500, 100, &[])).await;
    log.append(on_sale(2, 1, "Mug", 300, 100, &[])).await;
    log.append(placed(1, &by_account(), &[(1, 0, 500)])).await;
    log.append(placed(2, &by_account(), &[(1, 0, 500), (2, 1, 300)]))
        .await;
    let third = placed(3, &by_account(), &[(1, 0, 500)]);
    let cancelled = cancelled(&third);
    log.append(third).await;
    log.append(fulfilled(1, 0)).await;
    log.append(collected(1, 500)).await;
    log.append(settled(1, 0, 500)).await;
    log.append(refund_failed(1, 100)).await;
    log.append([cancelled]).await;
    log.append(stated(&[("CASH-1", 500)])).await;
    log.append(promoted(1)).await;
}
