//! What is personal: unreadable in the tables, readable to who has the keys, and to nobody once
//! its subject is erased.

use crate::units::{Log, TENANT, unit};
use soko_domain::account::{Account, AccountEvent};
use soko_domain::{AccountId, Personal, SubjectId};
use soko_event_log::{
    AppendError, Loader, MasterKey, MasterKeys, NewEvent, NewKey, RotationError, Sealer, Unit,
    Vault, VaultError,
};
use sqlx::PgPool;
use uuid::Uuid;

const WANJIRU: AccountId = AccountId::from_uuid(Uuid::from_u128(0x1a));
const OTIENO: AccountId = AccountId::from_uuid(Uuid::from_u128(0x1b));

#[tokio::test]
async fn the_log_shows_nobody_what_its_reader_is_told() {
    let log = Log::start().await;
    log.register(WANJIRU, "Wanjiru").await;
    let payload = log.payloads().await;
    assert!(payload.contains("\"sealed\":") && payload.contains(&WANJIRU.to_string()));
    assert!(!payload.contains("Wanjiru") && !payload.contains("wanjiru"));
    assert_eq!(log.name_of(WANJIRU).await, Some("Wanjiru".to_owned()));
}

#[tokio::test]
async fn nothing_personal_is_appended_in_the_clear() {
    let log = Log::start().await;
    let refused = log.append(registration(WANJIRU, "Wanjiru")).await;
    assert!(matches!(refused, Err(AppendError::Unsealed)), "{refused:?}");
    assert_eq!(log.count("SELECT count(*) FROM events").await, 0);
}

#[tokio::test]
async fn whoever_is_erased_is_unreadable_and_stays_so() {
    let log = Log::start().await;
    log.register(WANJIRU, "Wanjiru").await;
    log.register(OTIENO, "Otieno").await;
    let before = log.payloads().await;
    let reader = log.vault();
    log.append(erasure(WANJIRU, 2)).await.unwrap();
    // History is as it was.
    assert!(log.payloads().await.starts_with(&before));
    assert_eq!(log.name_of(WANJIRU).await, None);
    assert_eq!(log.name_of(OTIENO).await, Some("Otieno".to_owned()));
    assert_eq!(log.count("SELECT count(*) FROM personal_keys").await, 2);
    let keys = "SELECT count(*) FROM personal_keys WHERE sealed_key IS NOT NULL";
    assert_eq!(log.count(keys).await, 1);

    // Nothing brings a key back: what is written of them later is nothing.
    let mut late = renamed(WANJIRU, 3, "Wanjiru");
    late.keys = sealed(&reader, &mut late.events).await;
    assert_eq!(late.keys, []);
    assert!(late.events[0].payload.contains(r#""value":null"#));
    log.append(late).await.unwrap();
    assert_eq!(log.name_of(WANJIRU).await, None);
}

#[tokio::test]
async fn two_nodes_cannot_give_one_subject_two_keys() {
    let log = Log::start().await;
    let (one, other) = (log.vault(), log.vault());
    let mut first = renamed(WANJIRU, 1, "Wanjiru");
    let mut second = renamed(WANJIRU, 1, "Njeri");
    second.events[0].stream_id = Uuid::from_u128(5);
    first.keys = sealed(&one, &mut first.events).await;
    second.keys = sealed(&other, &mut second.events).await;
    assert_eq!((first.keys.len(), second.keys.len()), (1, 1));
    log.append(first).await.unwrap();
    let refused = log.append(second).await;
    assert!(matches!(refused, Err(AppendError::KeyMade)), "{refused:?}");
}

#[tokio::test]
async fn units_of_one_call_cannot_give_one_subject_two_keys() {
    let log = Log::start().await;
    let mut units = Vec::new();
    for number in 0..8 {
        let mut unit = renamed(WANJIRU, 1, "Wanjiru");
        unit.events[0].stream_id = Uuid::from_u128(100 + number);
        unit.keys = sealed(&log.vault(), &mut unit.events).await;
        units.push(unit);
    }
    let enqueued = units.into_iter().map(|unit| log.appender.enqueue(unit));
    let tickets: Vec<_> = enqueued.collect();
    let mut taken = 0;
    for ticket in tickets {
        match ticket.unwrap().await {
            Ok(_) => taken += 1,
            Err(error) => assert!(matches!(error, AppendError::KeyMade), "{error:?}"),
        }
    }
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn a_new_master_key_takes_the_place_of_the_old_one() {
    let log = Log::start().await;
    let (old, new) = (MasterKey::for_tests(), MasterKey::random());
    log.vault().enter().await.unwrap();
    for number in 0..700 {
        let account_id = AccountId::from_uuid(Uuid::from_u128(1000 + number));
        log.register(account_id, "Wanjiru").await;
    }
    let first = AccountId::from_uuid(Uuid::from_u128(1000));
    log.append(erasure(first, 2)).await.unwrap();
    log.register(WANJIRU, "Wanjiru").await;

    let pool = log.pool();
    let without = vault(pool, &new, &[]).enter().await;
    assert!(matches!(without, Err(RotationError::Missing(id)) if id == old.id()));

    let both = vault(pool, &new, std::slice::from_ref(&old));
    both.enter().await.unwrap();
    assert_eq!(
        name_of(pool, &both, WANJIRU).await.unwrap(),
        Some("Wanjiru".to_owned())
    );
    assert_eq!(both.rotate().await.unwrap(), 700);
    assert_eq!(both.rotate().await.unwrap(), 0);

    let alone = vault(pool, &new, &[]);
    alone.enter().await.unwrap();
    assert_eq!(
        name_of(pool, &alone, WANJIRU).await.unwrap(),
        Some("Wanjiru".to_owned())
    );
    assert_eq!(name_of(pool, &alone, first).await.unwrap(), None);
    let stolen = vault(pool, &old, &[]);
    let failed = name_of(pool, &stolen, WANJIRU).await;
    assert!(failed.is_err());
}

#[tokio::test]
async fn a_key_that_was_destroyed_while_it_was_sealed_anew_stays_destroyed() {
    let log = Log::start().await;
    log.register(WANJIRU, "Wanjiru").await;
    let before: Vec<u8> = sqlx::query_scalar("SELECT sealed_key FROM personal_keys")
        .fetch_one(log.pool())
        .await
        .unwrap();
    log.append(erasure(WANJIRU, 2)).await.unwrap();
    sqlx::query("SELECT reseal_personal_keys($1, $2, $3)")
        .bind(vec![WANJIRU.as_uuid()])
        .bind(vec![before.clone()])
        .bind(vec![before])
        .execute(log.pool())
        .await
        .unwrap();
    assert_eq!(log.name_of(WANJIRU).await, None);
}

#[tokio::test]
async fn what_was_altered_is_an_error_and_not_an_erasure() {
    let log = Log::start().await;
    log.register(WANJIRU, "Wanjiru").await;
    let stolen = "UPDATE personal_keys SET subject_id = $1 WHERE subject_id = $2";
    sqlx::query(stolen)
        .bind(OTIENO.as_uuid())
        .bind(WANJIRU.as_uuid())
        .execute(log.pool())
        .await
        .unwrap();
    let keys = log.vault().keys([OTIENO.into()]).await;
    assert!(matches!(keys, Err(VaultError::Key { .. })), "{keys:?}");
    let keys = log.vault().keys([WANJIRU.into()]).await.unwrap();
    let personal: Personal<String> = serde_json::from_value(serde_json::json!({
        "personal_of": WANJIRU, "sealed": "AAAA",
    }))
    .unwrap();
    assert!(matches!(keys.open(&personal), Err(VaultError::NoKey(_))));
}

impl Log {
    async fn register(&self, account_id: AccountId, name: &str) {
        let mut unit = registration(account_id, name);
        unit.keys = sealed(&self.vault(), &mut unit.events).await;
        assert_eq!(unit.keys.len(), 1);
        self.append(unit).await.unwrap();
    }

    async fn name_of(&self, account_id: AccountId) -> Option<String> {
        name_of(self.pool(), &self.vault(), account_id)
            .await
            .unwrap()
    }

    async fn payloads(&self) -> String {
        let all = "SELECT string_agg(payload::text, ' ' ORDER BY position) FROM events";
        sqlx::query_scalar(all)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }
}

/// The name that an account was registered with, and was given since.
async fn name_of(
    pool: &PgPool,
    vault: &Vault,
    account_id: AccountId,
) -> Result<Option<String>, soko_event_log::LoadError> {
    let loader = Loader::new(pool.clone(), vault.clone());
    let events = loader.load::<Account>(account_id, 0).await?;
    let mut names = events.iter().filter_map(|(_, event)| match event {
        AccountEvent::Registered { name, .. } | AccountEvent::ProfileChanged { name, .. } => {
            Some(name.value().map(ToString::to_string))
        }
        _ => None,
    });
    Ok(names.next_back().unwrap())
}

/// As the engine does it.
async fn sealed(vault: &Vault, events: &mut [NewEvent]) -> Vec<NewKey> {
    let mut sealer = Sealer::new(vault);
    loop {
        match sealer.seal(events) {
            Ok(keys) => return keys,
            Err(missing) => sealer.fetch(missing).await.unwrap(),
        }
    }
}

fn vault(pool: &PgPool, current: &MasterKey, previous: &[MasterKey]) -> Vault {
    let masters = MasterKeys::new(current.clone(), previous.iter().cloned());
    Vault::new(pool.clone(), masters)
}

fn registration(account_id: AccountId, name: &str) -> Unit {
    let subject = SubjectId::from(account_id);
    let email = format!("{}@example.com", name.to_lowercase());
    let event = AccountEvent::Registered {
        name: Personal::new(subject, name.parse().unwrap()),
        email: Personal::new(subject, email.parse().unwrap()),
        phone: None,
    };
    of_account(account_id, 1, &event)
}

fn renamed(account_id: AccountId, sequence: u64, name: &str) -> Unit {
    let event = AccountEvent::ProfileChanged {
        name: Personal::new(account_id.into(), name.parse().unwrap()),
        phone: None,
    };
    of_account(account_id, sequence, &event)
}

fn erasure(account_id: AccountId, sequence: u64) -> Unit {
    Unit {
        erased: vec![account_id.into()],
        ..of_account(account_id, sequence, &AccountEvent::Erased {})
    }
}

fn of_account(account_id: AccountId, sequence: u64, event: &AccountEvent) -> Unit {
    Unit {
        tenant_id: TENANT,
        events: vec![NewEvent::of::<Account>(account_id, sequence, event).unwrap()],
        ..unit([])
    }
}
