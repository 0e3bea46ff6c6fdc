//! A table is what the log says, or the difference is named.

use crate::log::{Log, received, tracked, variant};
use crate::running::Node;
use soko_event_log::Position;
use soko_projections::read_models::stock_levels::StockLevels;
use soko_projections::{
    Difference, DifferenceKind, Model, Verification, VerifyError, VerifyOptions, as_of, digest,
};
use sqlx::PgPool;

#[tokio::test]
async fn each_kind_of_difference_is_named() {
    let log = folded(20).await;
    assert!(verify(log.pool(), usize::MAX).await.is_equal());
    for (statement, number) in [
        (
            "UPDATE read_models.stock_levels SET on_hand = 7, sku = 'X' WHERE variant_id = $1",
            3,
        ),
        (
            "DELETE FROM read_models.stock_levels WHERE variant_id = $1",
            4,
        ),
        (
            "INSERT INTO read_models.stock_levels SELECT $1, tenant_id, store_id, vendor_id, \
             product_id, sku, on_hand, reserved, low_stock_threshold, is_low, locations \
             FROM read_models.stock_levels LIMIT 1",
            77,
        ),
    ] {
        sqlx::query(statement)
            .bind(variant(number).as_uuid())
            .execute(log.pool())
            .await
            .unwrap();
    }
    // In one pass, and in many.
    for memory_bytes in [usize::MAX, 1_000] {
        let verification = verify(log.pool(), memory_bytes).await;
        assert_eq!(verification.differences, 3);
        assert_eq!(verification.rows, 20);
        let named = |number, kind| Difference {
            key: format!("{:?}", variant(number)),
            kind,
        };
        let columns = vec!["sku", "on_hand"];
        assert_eq!(
            verification.named,
            [
                named(3, DifferenceKind::Different { columns }),
                named(4, DifferenceKind::Missing),
                named(77, DifferenceKind::Surplus),
            ]
        );
    }
}

#[tokio::test]
async fn a_table_is_compared_at_its_own_position() {
    let mut log = folded(3).await;
    // Nobody folds these, so the table may not know of them.
    log.append([received(1, 1)]).await;
    let verification = verify(log.pool(), usize::MAX).await;
    assert!(verification.is_equal());
    assert!(verification.position < log.head());
}

#[tokio::test]
async fn equal_tables_have_equal_digests() {
    let log = folded(5).await;
    let found = digest(log.pool(), "stock_levels").await.unwrap().unwrap();
    assert_eq!((found.rows, found.position), (5, log.head()));
    // The same content, lying in another order.
    sqlx::query("UPDATE read_models.stock_levels SET on_hand = on_hand WHERE variant_id = $1")
        .bind(variant(2).as_uuid())
        .execute(log.pool())
        .await
        .unwrap();
    let same = digest(log.pool(), "stock_levels").await.unwrap().unwrap();
    assert_eq!(same, found);
    sqlx::query("UPDATE read_models.stock_levels SET on_hand = on_hand + 1 WHERE variant_id = $1")
        .bind(variant(2).as_uuid())
        .execute(log.pool())
        .await
        .unwrap();
    let other = digest(log.pool(), "stock_levels").await.unwrap().unwrap();
    assert_ne!(other.digest, found.digest);
    assert_eq!(digest(log.pool(), "nothing").await.unwrap(), None);
}

#[tokio::test]
async fn what_never_folded_cannot_be_verified() {
    let log = Log::empty().await;
    let options = VerifyOptions::default();
    let model = Model::<StockLevels>::boxed();
    let error = model.verify(log.pool(), &options).await.unwrap_err();
    assert!(matches!(error, VerifyError::NeverFolded));
}

#[tokio::test]
async fn rows_can_be_seen_as_they_were() {
    let mut log = Log::empty().await;
    let tracked = log.append([tracked(1)]).await;
    let five = log.append([received(1, 5)]).await;
    let nine = log.append([received(1, 4), received(1, 1)]).await;
    let on_hand = async |position: i64| {
        let keys = [variant(1), variant(2)];
        let rows = as_of::<StockLevels>(log.pool(), &keys, Position::new(position))
            .await
            .unwrap();
        assert_eq!(rows[1], None);
        rows[0].as_ref().map(|row| row.on_hand)
    };
    assert_eq!(on_hand(0).await, None);
    assert_eq!(on_hand(tracked.get()).await, Some(0));
    assert_eq!(on_hand(five.get()).await, Some(5));
    assert_eq!(on_hand(nine.get() - 1).await, Some(9));
    assert_eq!(on_hand(nine.get()).await, Some(10));
    assert_eq!(on_hand(i64::MAX).await, Some(10));
}

async fn folded(variants: u128) -> Log {
    let mut log = Log::empty().await;
    let node = Node::of(&log).working_on::<StockLevels>();
    log.append((0..variants).map(tracked)).await;
    log.append((0..variants).map(|number| received(number, 2)))
        .await;
    node.has_folded::<StockLevels>(log.head()).await;
    node.shut_down().await;
    log
}

async fn verify(pool: &PgPool, memory_bytes: usize) -> Verification {
    let options = VerifyOptions {
        memory_bytes,
        ..VerifyOptions::default()
    };
    let model = Model::<StockLevels>::boxed();
    model.verify(pool, &options).await.unwrap()
}
