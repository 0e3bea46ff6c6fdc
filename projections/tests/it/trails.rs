//! What somebody did, found by where they did it.

use crate::log::{Log, id, tenant};
use crate::running::built;
use soko_domain::tenant::TenantEvent;
use soko_domain::{AnyEvent, TenantId};
use soko_event_log::{Position, Scope, Stretch, Trail};
use soko_projections::read_models::actor_blocks::{known_up_to, stretches};

/// Busy, seldom there, there once, and never.
const ACTORS: [(&str, usize); 4] = [
    ("account:0190a5c0-0000-7000-8000-000000000001", 3),
    ("account:0190a5c0-0000-7000-8000-000000000002", 301),
    ("system:once", 1_999),
    ("account:0190a5c0-0000-7000-8000-000000000003", usize::MAX),
];

#[tokio::test]
async fn what_somebody_did_is_found_where_they_did_it_and_nothing_of_it_is_missed() {
    let log = log().await;
    let mut found = 0;
    for (actor, _) in ACTORS {
        for (scope, tenant_id) in [
            (Scope::Platform, None),
            (Scope::Tenant(tenant()), Some(tenant())),
            (Scope::Tenant(other()), Some(other())),
        ] {
            for after in [0, 1, 254, 255, 256, 900, 1_999, 2_000, 2_001, 2_030, 5_000] {
                for limit in [1, 2, 21, 101] {
                    let trail = Trail {
                        tenant_id,
                        actor: Some(actor.to_owned()),
                        ..Trail::default()
                    };
                    let after = Position::new(after);
                    let parts = parts(&log, &scope, tenant_id, actor, after, limit).await;
                    let reader = log.reader();
                    let all = reader.trail(&scope, &trail, after, None, limit);
                    let some = reader.trail(&scope, &trail, after, Some(&parts), limit);
                    let (all, some) = (all.await.unwrap(), some.await.unwrap());
                    assert_eq!(
                        some, all,
                        "{actor} {tenant_id:?} {after} {limit}: {parts:?}"
                    );
                    found += some.len();
                }
            }
        }
    }
    assert!(found > 1_000, "{found}");
}

#[tokio::test]
async fn for_a_few_events_little_of_the_log_is_read() {
    let log = log().await;
    let (seldom, _) = ACTORS[1];
    let parts = parts(&log, &Scope::Platform, None, seldom, Position::START, 2).await;
    let read: i64 = parts
        .iter()
        .map(|part| part.up_to.get() - part.after.get())
        .sum();
    assert!((1..=3 * 256).contains(&read), "{parts:?}");
    // Behind another's wall there is nothing to be read of at all, but what nobody has folded yet.
    let (once, _) = ACTORS[2];
    let scope = Scope::Tenant(id(77));
    let parts = self::parts(&log, &scope, None, once, Position::START, 2).await;
    let known = known_up_to(log.pool()).await.unwrap();
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].after, known);
}

async fn parts(
    log: &Log,
    scope: &Scope,
    tenant_id: Option<TenantId>,
    actor: &str,
    after: Position,
    limit: usize,
) -> Vec<Stretch> {
    let known = known_up_to(log.pool()).await.unwrap();
    stretches(log.reader(), scope, tenant_id, actor, after, known, limit)
        .await
        .unwrap()
}

/// Two thousand events that are folded, and fifty that are not yet.
async fn log() -> Log {
    let mut log = Log::empty().await;
    append(&mut log, 1..2_001).await;
    built(log.pool()).await;
    append(&mut log, 2_001..2_051).await;
    log
}

async fn append(log: &mut Log, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let of = ACTORS.iter().rev().find(|(_, each)| number % each == 0);
        log.actor = of.map_or("guest", |(actor, _)| actor).into();
        log.tenant = if number % 2 == 0 { tenant() } else { other() };
        let name = "Duka".parse().unwrap();
        let event = AnyEvent::Tenant(log.tenant, TenantEvent::Renamed { name });
        log.append([event]).await;
    }
}

fn other() -> TenantId {
    id(78)
}
