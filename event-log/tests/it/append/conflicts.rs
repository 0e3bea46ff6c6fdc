use crate::units::{Log, With, appender, ran_low, unit};
use futures::future::join_all;
use soko_event_log::AppendError;
use uuid::Uuid;

#[tokio::test]
async fn a_stream_has_each_sequence_once() {
    let log = Log::start().await;
    log.append(unit([(1, 1)])).await.unwrap();
    let second = log.append(unit([(1, 1)])).await;
    assert!(
        matches!(second, Err(AppendError::VersionConflict)),
        "{second:?}"
    );
}

#[tokio::test]
async fn a_conflict_with_another_node_is_found_however_much_this_one_knows() {
    let log = Log::start().await;
    let other = appender(&log.database).await;
    log.append(unit([(1, 1)])).await.unwrap();
    other.enqueue(unit([(1, 2)])).unwrap().await.unwrap();
    let late = log.append(unit([(1, 2)])).await;
    assert!(
        matches!(late, Err(AppendError::VersionConflict)),
        "{late:?}"
    );
    log.append(unit([(1, 3)])).await.unwrap();
}

#[tokio::test]
async fn a_stream_never_gets_a_hole() {
    let log = Log::start().await;
    log.append(unit([(1, 1)])).await.unwrap();
    for holey in [
        unit([(1, 3)]),
        unit([(2, 2)]),
        unit([(1, 2), (1, 4)]),
        unit([(1, 0)]),
    ] {
        let answer = log.append(holey).await;
        assert!(
            matches!(answer, Err(AppendError::VersionConflict)),
            "{answer:?}"
        );
    }
    assert_eq!(log.count("SELECT count(*) FROM events").await, 1);
}

#[tokio::test]
async fn a_conflict_fails_only_its_own_unit() {
    let log = Log::start().await;
    log.append(unit([(13, 1)])).await.unwrap();
    log.append(unit([(17, 1)])).await.unwrap();
    // They ride together: nothing is sent before the test awaits.
    let tickets: Vec<_> = (0..50)
        .map(|n| log.appender.enqueue(unit([(n, 1), (n + 100, 1)])).unwrap())
        .collect();
    for (n, answer) in join_all(tickets).await.into_iter().enumerate() {
        let is_guilty = n == 13 || n == 17;
        assert_eq!(
            matches!(answer, Err(AppendError::VersionConflict)),
            is_guilty,
            "{n}"
        );
        assert_eq!(answer.is_ok(), !is_guilty, "{n}");
    }
    assert_eq!(log.count("SELECT count(*) FROM events").await, 2 + 48 * 2);
}

#[tokio::test]
async fn a_unit_is_whole_or_absent() {
    let log = Log::start().await;
    log.append(unit([(1, 1)])).await.unwrap();
    let refused = log.append(unit([(2, 1), (1, 1), (3, 1)])).await;
    assert!(
        matches!(refused, Err(AppendError::VersionConflict)),
        "{refused:?}"
    );
    let loader = log.loader();
    let streams = [1, 2, 3].map(|id| ("stock", Uuid::from_u128(id)));
    assert_eq!(loader.tails(&streams).await.unwrap(), [1, 0, 0]);
}

#[tokio::test]
async fn units_that_stand_on_each_other_go_in_their_order() {
    let log = Log::start().await;
    let tickets: Vec<_> = (1..=200)
        .map(|sequence| log.appender.enqueue(unit([(1, sequence)])).unwrap())
        .collect();
    for (answer, expected) in join_all(tickets).await.into_iter().zip(1..) {
        assert_eq!(answer.unwrap().first.get(), expected);
    }
}

#[tokio::test]
async fn a_stream_that_was_only_read_must_not_have_moved() {
    let log = Log::start().await;
    log.append(unit([(1, 1)])).await.unwrap();
    log.append(unit([(2, 1)]).guarding(1, 1)).await.unwrap();
    log.append(unit([(1, 2)])).await.unwrap();
    for stale in [1, 0, 3] {
        let answer = log.append(unit([(2, 2)]).guarding(1, stale)).await;
        assert!(matches!(answer, Err(AppendError::GuardMoved)), "{answer:?}");
    }
    log.append(unit([(2, 2)]).guarding(1, 2)).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_must_not_exist_is_guarded_too() {
    let log = Log::start().await;
    log.append(unit([(1, 1)]).guarding(2, 0)).await.unwrap();
    log.append(unit([(2, 1)])).await.unwrap();
    let answer = log.append(unit([(1, 2)]).guarding(2, 0)).await;
    assert!(matches!(answer, Err(AppendError::GuardMoved)), "{answer:?}");
}

#[tokio::test]
async fn a_guard_sees_what_rides_before_it_in_the_same_call() {
    let log = Log::start().await;
    let tickets = [
        log.appender.enqueue(unit([(1, 1)])).unwrap(),
        log.appender.enqueue(unit([(2, 1)]).guarding(1, 1)).unwrap(),
        log.appender.enqueue(unit([(1, 2)])).unwrap(),
        // Decided before the unit in front of it was.
        log.appender.enqueue(unit([(3, 1)]).guarding(1, 1)).unwrap(),
        log.appender.enqueue(unit([(4, 1)]).guarding(1, 2)).unwrap(),
    ];
    let answers = join_all(tickets).await;
    assert!(matches!(
        answers[..],
        [Ok(_), Ok(_), Ok(_), Err(AppendError::GuardMoved), Ok(_)]
    ));
}

#[tokio::test]
async fn a_guard_of_another_nodes_stream_is_compared_in_the_database() {
    let log = Log::start().await;
    let other = appender(&log.database).await;
    log.append(unit([(1, 1)])).await.unwrap();
    other.enqueue(unit([(1, 2)])).unwrap().await.unwrap();
    let tickets: Vec<_> = (10..30)
        .map(|n| {
            let guarded = unit([(n, 1)]).guarding(1, if n % 2 == 0 { 1 } else { 2 });
            log.appender.enqueue(guarded).unwrap()
        })
        .collect();
    for (answer, n) in join_all(tickets).await.into_iter().zip(10..) {
        assert_eq!(answer.is_ok(), n % 2 == 1, "{answer:?}");
    }
}

#[tokio::test]
async fn what_the_database_cannot_store_fails_only_its_unit() {
    let log = Log::start().await;
    let tickets: Vec<_> = (0..9)
        .map(|n| {
            let mut unit = unit([(n, 1)]);
            if n == 4 {
                unit.events[0].payload = "{".to_owned();
            }
            if n == 6 {
                unit.events[0].payload = r#"{"text":"a\u0000b"}"#.replace("\\u0000", "\0");
            }
            if n == 7 {
                unit = unit.claiming(soko_event_log::ClaimKind::Sku, &long(10_000));
            }
            log.appender.enqueue(unit).unwrap()
        })
        .collect();
    for (n, answer) in join_all(tickets).await.into_iter().enumerate() {
        let is_guilty = [4, 6, 7].contains(&n);
        assert_eq!(
            matches!(answer, Err(AppendError::Database(_))),
            is_guilty,
            "{n}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_unit_too_big_for_a_call_goes_alone() {
    let log = Log::start().await;
    let many = (1..=4_500).map(|sequence| (1, sequence));
    let tickets = [
        log.appender.enqueue(unit([(2, 1)])).unwrap(),
        log.appender.enqueue(unit(many)).unwrap(),
        log.appender.enqueue(unit([(2, 2)])).unwrap(),
    ];
    let answers = join_all(tickets).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(log.count("SELECT position FROM log_head").await, 4_502);
}

#[tokio::test]
async fn the_stored_bytes_are_the_bytes_that_were_written() {
    let log = Log::start().await;
    let mut odd = unit([(1, 1)]);
    let payload = "{\"b\": 1,\t\"a\":1e2,\"b\":\"é\\u00e9\"}";
    odd.events[0].payload = payload.to_owned();
    let metadata = odd.metadata.to_canonical_json();
    log.append(odd).await.unwrap();
    let stored: (String, String) =
        sqlx::query_as("SELECT payload::text, metadata::text FROM events")
            .fetch_one(log.pool())
            .await
            .unwrap();
    assert_eq!(stored, (payload.to_owned(), metadata));
}

#[test]
fn an_event_is_written_as_its_aggregate_names_it() {
    let event = ran_low(1, 3);
    assert_eq!(
        (event.stream_type, event.stream_id),
        ("stock", Uuid::from_u128(1))
    );
    assert_eq!(
        (&*event.event_type, &*event.event_version),
        ("stock.ran_low", "1")
    );
    assert_eq!(
        event.payload,
        r#"{"ran_low":{"available":3,"threshold":5}}"#
    );
}

/// Not compressible.
fn long(length: u64) -> String {
    let mut state = 1_u64;
    (0..length)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695);
            char::from(b'a' + u8::try_from((state >> 40) % 26).unwrap())
        })
        .collect()
}
