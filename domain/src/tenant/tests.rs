//! Given, when, then.

use super::*;
use crate::TeamError;
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

#[test]
fn who_creates_a_tenant_owns_it() {
    given([])
        .when(TenantCommand::Create {
            name: name("Sokoni"),
            owner: OWNER,
        })
        .then_expect_events(vec![created()]);
    assert_eq!(after([created()]).role_of(OWNER), Some(TenantRole::Owner));
    assert_eq!(after([created()]).role_of(OTHER), None);
}

#[test]
fn a_tenant_is_created_once() {
    given([created()])
        .when(TenantCommand::Create {
            name: name("Sokoni"),
            owner: OTHER,
        })
        .then_expect_error(TenantError::AlreadyCreated);
}

#[test]
fn a_tenant_can_be_renamed() {
    let rename = TenantCommand::Rename { name: name("Duka") };
    let renamed = TenantEvent::Renamed { name: name("Duka") };
    given([created()])
        .when(rename.clone())
        .then_expect_events(vec![renamed.clone()]);
    given([created(), renamed])
        .when(rename)
        .then_expect_events(vec![]);
}

#[test]
fn a_member_is_added_once() {
    given([created()])
        .when(add(OTHER, TenantRole::Admin))
        .then_expect_events(vec![added(OTHER, TenantRole::Admin)]);
    given([created(), added(OTHER, TenantRole::Admin)])
        .when(add(OTHER, TenantRole::Admin))
        .then_expect_events(vec![]);
}

#[test]
fn a_member_is_not_added_in_another_role() {
    given([created(), added(OTHER, TenantRole::Admin)])
        .when(add(OTHER, TenantRole::Owner))
        .then_expect_error(TeamError::AlreadyMember { account_id: OTHER }.into());
}

#[test]
fn a_member_can_be_given_another_role() {
    given([created(), added(OTHER, TenantRole::Admin)])
        .when(change(OTHER, TenantRole::Owner))
        .then_expect_events(vec![changed(OTHER, TenantRole::Owner)]);
    given([
        created(),
        added(OTHER, TenantRole::Admin),
        changed(OTHER, TenantRole::Owner),
    ])
    .when(change(OTHER, TenantRole::Owner))
    .then_expect_events(vec![]);
}

#[test]
fn the_last_owner_stays_owner() {
    given([created(), added(OTHER, TenantRole::Admin)])
        .when(change(OWNER, TenantRole::Admin))
        .then_expect_error(TeamError::LastOwner.into());
    given([created(), added(OTHER, TenantRole::Admin)])
        .when(remove(OWNER))
        .then_expect_error(TeamError::LastOwner.into());
}

#[test]
fn an_owner_may_go_when_another_stays() {
    given([created(), added(OTHER, TenantRole::Owner)])
        .when(remove(OWNER))
        .then_expect_events(vec![removed(OWNER)]);
    given([created(), added(OTHER, TenantRole::Owner)])
        .when(change(OWNER, TenantRole::Admin))
        .then_expect_events(vec![changed(OWNER, TenantRole::Admin)]);
    given([
        created(),
        added(OTHER, TenantRole::Owner),
        changed(OWNER, TenantRole::Admin),
    ])
    .when(remove(OTHER))
    .then_expect_error(TeamError::LastOwner.into());
}

#[test]
fn a_removed_member_has_no_role() {
    given([created(), added(OTHER, TenantRole::Admin)])
        .when(remove(OTHER))
        .then_expect_events(vec![removed(OTHER)]);
    let tenant = after([created(), added(OTHER, TenantRole::Admin), removed(OTHER)]);
    assert_eq!(tenant.role_of(OTHER), None);
}

#[test]
fn who_is_no_member_has_no_role_to_change_or_lose() {
    for command in [change(OTHER, TenantRole::Admin), remove(OTHER)] {
        given([created()])
            .when(command)
            .then_expect_error(TeamError::NotMember { account_id: OTHER }.into());
    }
}

#[test]
fn a_team_has_room_for_so_many() {
    let mut events = vec![created()];
    for n in 1..Team::<TenantRole>::MEMBERS_MAX {
        let newcomer = Uuid::from_u128(1000 + n as u128).into();
        events.push(added(newcomer, TenantRole::Admin));
    }
    TestFramework::<Tenant>::with(())
        .given(events)
        .when(add(OTHER, TenantRole::Admin))
        .then_expect_error(TeamError::Full { max: 200 }.into());
}

#[test]
fn a_snapshot_reads_as_it_was_written() {
    let written =
        serde_json::to_value(after([created(), added(OTHER, TenantRole::Admin)])).unwrap();
    let read: Tenant = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), written);
}

#[test]
fn what_is_not_created_answers_nothing_but_creation() {
    let commands = [
        TenantCommand::Rename { name: name("Duka") },
        add(OTHER, TenantRole::Admin),
        change(OTHER, TenantRole::Admin),
        remove(OTHER),
    ];
    for command in commands {
        given([])
            .when(command)
            .then_expect_error(TenantError::NotCreated);
    }
    assert_eq!(Tenant::default().role_of(OWNER), None);
}

const OWNER: AccountId = AccountId::from_uuid(Uuid::from_u128(1));
const OTHER: AccountId = AccountId::from_uuid(Uuid::from_u128(2));

fn given<const N: usize>(events: [TenantEvent; N]) -> AggregateTestExecutor<Tenant> {
    TestFramework::with(()).given(events.into())
}

fn after<const N: usize>(events: [TenantEvent; N]) -> Tenant {
    events
        .into_iter()
        .fold(Tenant::default(), |mut tenant, event| {
            tenant.apply(event);
            tenant
        })
}

fn name(text: &str) -> Text<120> {
    text.parse().unwrap()
}

fn created() -> TenantEvent {
    TenantEvent::Created {
        name: name("Sokoni"),
        owner: OWNER,
    }
}

fn add(account_id: AccountId, role: TenantRole) -> TenantCommand {
    TenantCommand::AddMember { account_id, role }
}

fn added(account_id: AccountId, role: TenantRole) -> TenantEvent {
    TenantEvent::MemberAdded { account_id, role }
}

fn change(account_id: AccountId, role: TenantRole) -> TenantCommand {
    TenantCommand::ChangeMemberRole { account_id, role }
}

fn changed(account_id: AccountId, role: TenantRole) -> TenantEvent {
    TenantEvent::MemberRoleChanged { account_id, role }
}

fn remove(account_id: AccountId) -> TenantCommand {
    TenantCommand::RemoveMember { account_id }
}

fn removed(account_id: AccountId) -> TenantEvent {
    TenantEvent::MemberRemoved { account_id }
}
