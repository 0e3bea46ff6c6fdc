use crate::units::{Lane, Log, With, appender, unit};
use futures::future::join_all;
use soko_event_log::{AppendError, ClaimKind};
use std::time::Duration;

#[tokio::test]
async fn what_stands_on_a_failed_unit_is_stopped() {
    let log = Log::start().await;
    let [cart, stock, other] = [(); 3].map(|()| Lane::default());
    log.append(unit([(1, 1)])).await.unwrap();
    let tickets = [
        // Fails: somebody else was first in stream 1.
        log.appender.enqueue(unit([(1, 1)]).writing(&cart)).unwrap(),
        // Stands on it; and writes the stock.
        log.appender
            .enqueue(unit([(1, 2), (2, 1)]).writing(&cart).writing(&stock))
            .unwrap(),
        // Only stands on the stock of the second.
        log.appender
            .enqueue(unit([(2, 2)]).writing(&stock))
            .unwrap(),
        log.appender
            .enqueue(unit([(3, 1)]).writing(&other))
            .unwrap(),
        // Only read the cart.
        log.appender
            .enqueue(unit([(3, 2)]).reading(&cart).writing(&other))
            .unwrap(),
    ];
    let answers = join_all(tickets).await;
    assert!(
        matches!(
            answers[..],
            [
                Err(AppendError::VersionConflict),
                Err(AppendError::Stopped),
                Err(AppendError::Stopped),
                Ok(_),
                Err(AppendError::Stopped),
            ]
        ),
        "{answers:?}"
    );
    assert_eq!([cart.epoch(), stock.epoch(), other.epoch()], [1, 1, 1]);
    assert_eq!(log.count("SELECT count(*) FROM events").await, 2);
}

/// The units that stand on it are in the next call already when it fails.
#[tokio::test]
async fn what_was_prepared_while_its_ground_was_under_way_is_stopped_too() {
    let log = Log::start().await;
    let [cart, other] = [(); 2].map(|()| Lane::default());
    log.append(unit([(1, 1)])).await.unwrap();
    let turn = log.hold_turn().await;
    let failing = log.appender.enqueue(unit([(1, 1)]).writing(&cart)).unwrap();
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted \
                   AND relation = 'log_turn'::regclass";
    while log.count(waiting).await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let prepared: Vec<_> = (2..40)
        .map(|n| {
            let of_cart = unit([(1, n)]).writing(&cart);
            let of_other = unit([(2, n - 1)]).writing(&other);
            [of_cart, of_other].map(|unit| log.appender.enqueue(unit).unwrap())
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    turn.rollback().await.unwrap();

    assert!(matches!(failing.await, Err(AppendError::VersionConflict)));
    for [of_cart, of_other] in prepared {
        assert!(matches!(of_cart.await, Err(AppendError::Stopped)));
        of_other.await.unwrap();
    }
    assert_eq!(log.count("SELECT count(*) FROM events").await, 1 + 38);
}

#[tokio::test]
async fn what_was_decided_after_the_failure_is_not_stopped() {
    let log = Log::start().await;
    let lane = Lane::default();
    log.append(unit([(1, 1)])).await.unwrap();
    let stale = unit([(1, 2)]).writing(&lane);
    let failed = log.append(unit([(1, 1)]).writing(&lane)).await;
    assert!(matches!(failed, Err(AppendError::VersionConflict)));
    let fresh = log.appender.enqueue(unit([(1, 2)]).writing(&lane)).unwrap();
    // Late, and of the old epoch: it is stopped, and does not stop what is of the new one.
    let stale = log.appender.enqueue(stale).unwrap();
    let after = log.appender.enqueue(unit([(1, 3)]).writing(&lane)).unwrap();
    assert!(matches!(stale.await, Err(AppendError::Stopped)));
    fresh.await.unwrap();
    after.await.unwrap();
    assert_eq!(lane.epoch(), 1);
}

#[tokio::test]
async fn a_unit_that_only_read_a_lane_does_not_stop_it() {
    let log = Log::start().await;
    let lane = Lane::default();
    log.append(unit([]).claiming(ClaimKind::Sku, "MUG"))
        .await
        .unwrap();
    let reader = unit([]).claiming(ClaimKind::Sku, "MUG").reading(&lane);
    assert!(log.append(reader).await.is_err());
    assert_eq!(lane.epoch(), 0);
}

#[tokio::test]
async fn the_epoch_has_moved_before_the_failure_is_answered() {
    let log = Log::start().await;
    for stream in 0..50 {
        let lane = Lane::default();
        log.append(unit([(stream, 1)])).await.unwrap();
        log.append(unit([(stream, 1)]).writing(&lane))
            .await
            .unwrap_err();
        assert_eq!(lane.epoch(), 1);
    }
}

#[tokio::test]
async fn settled_means_that_all_up_to_it_are_decided() {
    let log = Log::start().await;
    let other = appender(&log.database).await;
    other.enqueue(unit([(5, 1)])).unwrap().await.unwrap();
    let mut tickets: Vec<_> = (0..10)
        .map(|n| log.appender.enqueue(unit([(n, 1)])).unwrap())
        .collect();
    let numbers: Vec<u64> = tickets.iter().map(soko_event_log::Ticket::number).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    log.appender.settled(numbers[7]).await;
    // No answer is still to come, so each is there at the first look.
    for (n, ticket) in tickets.drain(..8).enumerate() {
        let answer = futures::FutureExt::now_or_never(ticket).unwrap();
        assert_eq!(answer.is_ok(), n != 5);
    }
    // What nobody waits for is settled all the same.
    drop(tickets);
    log.appender.settled(numbers[9]).await;
    assert_eq!(log.count("SELECT count(*) FROM events").await, 10);
}
