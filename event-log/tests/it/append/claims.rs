use crate::units::{Log, With, appender, unit};
use futures::future::join_all;
use soko_event_log::{AppendError, Claim, ClaimKind, Claims, Position};

#[tokio::test]
async fn a_claim_is_held_once() {
    let log = Log::start().await;
    log.append(unit([(1, 1)]).claiming(ClaimKind::Sku, "MUG"))
        .await
        .unwrap();
    let second = log
        .append(unit([(2, 1)]).claiming(ClaimKind::Sku, "MUG"))
        .await;
    assert!(matches!(
        second,
        Err(AppendError::ClaimTaken { kind: ClaimKind::Sku, value }) if value == "MUG"
    ));
    assert_eq!(log.count("SELECT count(*) FROM events").await, 1);
}

#[tokio::test]
async fn the_claim_that_is_taken_is_named_among_several() {
    let log = Log::start().await;
    let taken = "odd, (value)=(x) already exists.";
    log.append(unit([]).claiming(ClaimKind::Email, taken))
        .await
        .unwrap();
    let refused = unit([(1, 1)])
        .claiming(ClaimKind::Sku, "FREE")
        .claiming(ClaimKind::Email, taken)
        .claiming(ClaimKind::Email, "free@example.com");
    let answer = log.append(refused).await;
    assert!(matches!(
        answer,
        Err(AppendError::ClaimTaken { kind: ClaimKind::Email, value }) if value == taken
    ));
    assert_eq!(log.count("SELECT count(*) FROM claims").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_claim_at_once_one_gets_it() {
    let log = Log::start().await;
    let other = appender(&log.database).await;
    let tickets: Vec<_> = (0..100_u128)
        .map(|n| {
            let node = if n % 2 == 0 { &log.appender } else { &other };
            let unit = unit([(n, 1)]).claiming(ClaimKind::IdempotencyKey, "same");
            node.enqueue(unit).unwrap()
        })
        .collect();
    let answers = join_all(tickets).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(answers.iter().all(|answer| matches!(
        answer,
        Ok(_)
            | Err(AppendError::ClaimTaken {
                kind: ClaimKind::IdempotencyKey,
                ..
            })
    )));
    assert_eq!(log.count("SELECT count(*) FROM events").await, 1);
}

#[tokio::test]
async fn a_refused_claim_fails_only_its_unit() {
    let log = Log::start().await;
    log.append(unit([]).claiming(ClaimKind::Sku, "7"))
        .await
        .unwrap();
    let tickets: Vec<_> = (0..20_u128)
        .map(|n| {
            let unit = unit([(n, 1)]).claiming(ClaimKind::Sku, &n.to_string());
            log.appender.enqueue(unit).unwrap()
        })
        .collect();
    for (n, answer) in join_all(tickets).await.into_iter().enumerate() {
        assert_eq!(answer.is_ok(), n != 7, "{n}: {answer:?}");
    }
}

#[tokio::test]
async fn a_released_claim_can_be_made_again() {
    let log = Log::start().await;
    log.append(unit([]).claiming(ClaimKind::Sku, "MUG"))
        .await
        .unwrap();
    // All on their way at once: each stands on the one before.
    let tickets = [
        log.appender
            .enqueue(unit([(1, 1)]).releasing(ClaimKind::Sku, "MUG"))
            .unwrap(),
        log.appender
            .enqueue(unit([(2, 1)]).claiming(ClaimKind::Sku, "MUG"))
            .unwrap(),
        log.appender
            .enqueue(unit([(3, 1)]).releasing(ClaimKind::Sku, "MUG"))
            .unwrap(),
        log.appender
            .enqueue(unit([(4, 1)]).claiming(ClaimKind::Sku, "MUG"))
            .unwrap(),
    ];
    let answers = join_all(tickets).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let claims = Claims::new(log.pool().clone());
    let found = claims.find(ClaimKind::Sku, "MUG").await.unwrap().unwrap();
    assert_eq!(found.position, Position::new(4));
}

#[tokio::test]
async fn a_unit_may_give_a_claim_back_and_make_it_anew() {
    let log = Log::start().await;
    log.append(unit([]).claiming(ClaimKind::Sku, "MUG"))
        .await
        .unwrap();
    let renewed = unit([(1, 1)])
        .releasing(ClaimKind::Sku, "MUG")
        .claiming(ClaimKind::Sku, "MUG");
    log.append(renewed).await.unwrap();
    assert_eq!(
        log.count("SELECT count(*) FROM claims WHERE position = 1")
            .await,
        1
    );
}

#[tokio::test]
async fn nobody_releases_what_another_tenant_holds() {
    let log = Log::start().await;
    log.append(unit([]).claiming(ClaimKind::Sku, "MUG"))
        .await
        .unwrap();
    let mut foreign = unit([(1, 1)]).releasing(ClaimKind::Sku, "MUG");
    foreign.tenant_id = soko_domain::TenantId::PLATFORM;
    log.append(foreign).await.unwrap();
    assert_eq!(log.count("SELECT count(*) FROM claims").await, 1);
}

#[tokio::test]
async fn a_found_claim_says_all_that_was_claimed() {
    let log = Log::start().await;
    let claims = Claims::new(log.pool().clone());
    assert_eq!(
        claims.find(ClaimKind::IdempotencyKey, "k").await.unwrap(),
        None
    );
    let mut claiming = unit([(1, 1), (1, 2)]);
    claiming.claims.push(Claim {
        kind: ClaimKind::IdempotencyKey,
        value: "k".into(),
        owner: Some("owner".into()),
        digest: Some(vec![0, 1, 255]),
        outcome: Some(r#"{"b":1,"a":2}"#.into()),
    });
    let tickets = [
        log.appender.enqueue(unit([(9, 1)])).unwrap(),
        log.appender.enqueue(claiming).unwrap(),
        log.appender.enqueue(unit([(9, 2)])).unwrap(),
    ];
    let [_, appended, _] = &join_all(tickets).await[..] else {
        panic!("three answers")
    };
    let found = claims
        .find(ClaimKind::IdempotencyKey, "k")
        .await
        .unwrap()
        .unwrap();
    let appended = appended.as_ref().unwrap();
    assert_eq!(
        (found.position, found.claimed_at),
        (appended.last, appended.recorded_at)
    );
    assert_eq!(found.owner.as_deref(), Some("owner"));
    assert_eq!(found.digest, Some(vec![0, 1, 255]));
    assert_eq!(
        found.outcome.as_deref(),
        Some(r#"{"b":1,"a":2}"#),
        "byte for byte"
    );
}
