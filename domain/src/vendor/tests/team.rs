//! Invitations and members.

use super::*;
use chrono::TimeDelta;

#[test]
fn an_e_mail_can_be_invited() {
    given([registered()])
        .when(invite(1, "zuri@example.com"))
        .then_expect_events(vec![invited(1)]);
    let vendor = after([registered(), invited(1)]);
    let seller = vendor.seller().unwrap();
    let (id, invitation) = seller.pending_invitation("hash 1", now()).unwrap();
    assert_eq!((id, invitation.role()), (invitation_id(1), ROLE));
    assert_eq!(seller.invitations().pending(now()).count(), 1);
}

#[test]
fn a_repeated_invitation_changes_nothing() {
    given([registered(), invited(1)])
        .when(invite(1, "zuri@example.com"))
        .then_expect_events(vec![]);
    given([registered(), invited(1), joined(1, ZURI)])
        .when(invite(1, "zuri@example.com"))
        .then_expect_events(vec![]);
}

#[test]
fn an_e_mail_is_invited_once_at_a_time() {
    given([registered(), invited(1)])
        .when(invite(2, "zuri@example.com"))
        .then_expect_error(already_invited(1));
    given([registered(), invited(1), withdrawn(1)])
        .when(invite(2, "zuri@example.com"))
        .then_expect_events(vec![invited(2)]);
}

#[test]
fn an_invitation_is_not_rewritten() {
    given([registered(), invited(1)])
        .when(invite(1, "other@example.com"))
        .then_expect_error(already_invited(1));
}

#[test]
fn several_people_can_be_invited() {
    given([registered(), invited(1)])
        .when(invite(2, "juma@example.com"))
        .then_expect_events(vec![invited_as(2, "juma@example.com")]);
}

#[test]
fn a_member_is_not_invited_again_at_the_same_e_mail() {
    given([registered(), invited(1), joined(1, ZURI)])
        .when(invite(2, "zuri@example.com"))
        .then_expect_error(TeamError::AlreadyMember { account_id: ZURI }.into());
}

#[test]
fn an_expired_invitation_makes_way_for_a_new_one() {
    let later = VendorCommand::Invite {
        invitation_id: invitation_id(2),
        email: personal(102, "zuri@example.com".parse().unwrap()),
        role: ROLE,
        token_hash: "hash 2".to_owned(),
        expires_at: expiry() + TimeDelta::days(7),
        now: expiry(),
    };
    let invited_later = VendorEvent::MemberInvited {
        invitation_id: invitation_id(2),
        email: personal(102, "zuri@example.com".parse().unwrap()),
        role: ROLE,
        token_hash: "hash 2".to_owned(),
        expires_at: expiry() + TimeDelta::days(7),
    };
    given([registered(), invited(1)])
        .when(later)
        .then_expect_events(vec![withdrawn(1), invited_later]);
}

#[test]
fn an_invitation_does_not_begin_expired() {
    let VendorCommand::Invite {
        invitation_id,
        email,
        role,
        token_hash,
        expires_at,
        ..
    } = invite(1, "zuri@example.com")
    else {
        unreachable!()
    };
    given([registered()])
        .when(VendorCommand::Invite {
            invitation_id,
            email,
            role,
            token_hash,
            expires_at,
            now: expires_at,
        })
        .then_expect_error(VendorError::InvitationExpired);
}

#[test]
fn an_invitation_can_be_withdrawn_until_it_is_accepted() {
    given([registered(), invited(1)])
        .when(withdraw(1))
        .then_expect_events(vec![withdrawn(1)]);
    given([registered(), invited(1), withdrawn(1)])
        .when(withdraw(1))
        .then_expect_error(VendorError::UnknownInvitation);
    given([registered(), invited(1), joined(1, ZURI)])
        .when(withdraw(1))
        .then_expect_error(VendorError::InvitationAccepted);
}

#[test]
fn who_accepts_an_invitation_joins_in_its_role() {
    given([registered(), invited(1)])
        .when(accept("hash 1", ZURI))
        .then_expect_events(vec![joined(1, ZURI)]);
    let vendor = after([registered(), invited(1), joined(1, ZURI)]);
    assert_eq!(vendor.role_of(ZURI), Some(ROLE));
    let seller = vendor.seller().unwrap();
    assert_eq!(seller.pending_invitation("hash 1", now()), None);
    assert_eq!(seller.invitations().pending(now()).count(), 0);
}

#[test]
fn an_invitation_is_accepted_by_one_account() {
    given([registered(), invited(1), joined(1, ZURI)])
        .when(accept("hash 1", ZURI))
        .then_expect_events(vec![]);
    given([registered(), invited(1), joined(1, ZURI)])
        .when(accept("hash 1", JUMA))
        .then_expect_error(VendorError::InvitationAccepted);
}

#[test]
fn a_token_that_was_never_given_opens_nothing() {
    given([registered(), invited(1)])
        .when(accept("hash 2", ZURI))
        .then_expect_error(VendorError::UnknownInvitation);
    given([registered(), invited(1), withdrawn(1)])
        .when(accept("hash 1", ZURI))
        .then_expect_error(VendorError::UnknownInvitation);
}

#[test]
fn an_invitation_ends_at_its_expiry() {
    let at = |now| VendorCommand::AcceptInvitation {
        token_hash: "hash 1".to_owned(),
        account_id: ZURI,
        now,
    };
    given([registered(), invited(1)])
        .when(at(expiry() - TimeDelta::milliseconds(1)))
        .then_expect_events(vec![joined(1, ZURI)]);
    given([registered(), invited(1)])
        .when(at(expiry()))
        .then_expect_error(VendorError::InvitationExpired);
    let vendor = after([registered(), invited(1)]);
    let seller = vendor.seller().unwrap();
    assert_eq!(seller.pending_invitation("hash 1", expiry()), None);
}

#[test]
fn a_member_does_not_join_again() {
    given([registered(), invited(1)])
        .when(accept("hash 1", OWNER))
        .then_expect_error(TeamError::AlreadyMember { account_id: OWNER }.into());
    given([
        registered(),
        invited(1),
        joined(1, ZURI),
        invited_as(2, "juma@example.com"),
    ])
    .when(accept("hash 2", ZURI))
    .then_expect_error(TeamError::AlreadyMember { account_id: ZURI }.into());
}

#[test]
fn a_former_member_does_not_come_back_by_the_old_invitation() {
    given([registered(), invited(1), joined(1, ZURI), removed(ZURI)])
        .when(accept("hash 1", ZURI))
        .then_expect_error(VendorError::UnknownInvitation);
    given([registered(), invited(1), joined(1, ZURI), removed(ZURI)])
        .when(invite(2, "zuri@example.com"))
        .then_expect_events(vec![invited(2)]);
}

#[test]
fn invitations_count_towards_the_size_of_a_team() {
    let mut events = vec![registered()];
    for n in 1..Team::<VendorRole>::MEMBERS_MAX {
        events.push(invited_as(1000 + n as u128, &format!("m{n}@example.com")));
    }
    TestFramework::<Vendor>::with(())
        .given(events)
        .when(invite(1, "zuri@example.com"))
        .then_expect_error(TeamError::Full { max: 200 }.into());
}

#[test]
fn a_member_can_be_given_another_role() {
    given([registered(), invited(1), joined(1, ZURI)])
        .when(change(ZURI, VendorRole::Owner))
        .then_expect_events(vec![changed(ZURI, VendorRole::Owner)]);
    given([registered(), invited(1), joined(1, ZURI)])
        .when(change(ZURI, ROLE))
        .then_expect_events(vec![]);
    let vendor = after([
        registered(),
        invited(1),
        joined(1, ZURI),
        changed(ZURI, VendorRole::Owner),
    ]);
    assert_eq!(vendor.role_of(ZURI), Some(VendorRole::Owner));
}

#[test]
fn a_removed_member_has_no_role() {
    given([registered(), invited(1), joined(1, ZURI)])
        .when(remove(ZURI))
        .then_expect_events(vec![removed(ZURI)]);
    let vendor = after([registered(), invited(1), joined(1, ZURI), removed(ZURI)]);
    assert_eq!(vendor.role_of(ZURI), None);
}

#[test]
fn the_last_owner_stays_owner() {
    for command in [change(OWNER, VendorRole::Viewer), remove(OWNER)] {
        given([registered(), invited(1), joined(1, ZURI)])
            .when(command)
            .then_expect_error(TeamError::LastOwner.into());
    }
}

#[test]
fn an_owner_may_go_when_another_stays() {
    given([
        registered(),
        invited(1),
        joined(1, ZURI),
        changed(ZURI, VendorRole::Owner),
    ])
    .when(remove(OWNER))
    .then_expect_events(vec![removed(OWNER)]);
}

#[test]
fn who_is_no_member_has_no_role_to_change_or_lose() {
    for command in [change(ZURI, ROLE), remove(ZURI)] {
        given([registered()])
            .when(command)
            .then_expect_error(TeamError::NotMember { account_id: ZURI }.into());
    }
}

#[test]
fn a_suspended_vendors_team_goes_on() {
    given([
        registered(),
        VendorEvent::Approved {},
        invited(1),
        suspended(),
    ])
    .when(accept("hash 1", ZURI))
    .then_expect_events(vec![joined(1, ZURI)]);
}

const ZURI: AccountId = AccountId::from_uuid(Uuid::from_u128(2));
const JUMA: AccountId = AccountId::from_uuid(Uuid::from_u128(3));
const ROLE: VendorRole = VendorRole::Catalog;

/// Every command but registration and the store's decisions.
pub(super) fn changes() -> Vec<VendorCommand> {
    vec![
        rename("Mugs & more"),
        invite(2, "juma@example.com"),
        withdraw(1),
        accept("hash 1", ZURI),
        change(OWNER, VendorRole::Viewer),
        remove(OWNER),
    ]
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn expiry() -> DateTime<Utc> {
    now() + TimeDelta::days(7)
}

fn invitation_id(n: u128) -> InvitationId {
    Uuid::from_u128(100 + n).into()
}

fn invite(n: u128, email: &str) -> VendorCommand {
    VendorCommand::Invite {
        invitation_id: invitation_id(n),
        email: personal(100 + n, email.parse().unwrap()),
        role: ROLE,
        token_hash: format!("hash {n}"),
        expires_at: expiry(),
        now: now(),
    }
}

pub(super) fn invited(n: u128) -> VendorEvent {
    invited_as(n, "zuri@example.com")
}

fn invited_as(n: u128, email: &str) -> VendorEvent {
    VendorEvent::MemberInvited {
        invitation_id: invitation_id(n),
        email: personal(100 + n, email.parse().unwrap()),
        role: ROLE,
        token_hash: format!("hash {n}"),
        expires_at: expiry(),
    }
}

fn already_invited(n: u128) -> VendorError {
    VendorError::AlreadyInvited {
        invitation_id: invitation_id(n),
    }
}

fn withdraw(n: u128) -> VendorCommand {
    VendorCommand::WithdrawInvitation {
        invitation_id: invitation_id(n),
    }
}

fn withdrawn(n: u128) -> VendorEvent {
    VendorEvent::InvitationWithdrawn {
        invitation_id: invitation_id(n),
    }
}

fn accept(token_hash: &str, account_id: AccountId) -> VendorCommand {
    VendorCommand::AcceptInvitation {
        token_hash: token_hash.to_owned(),
        account_id,
        now: now(),
    }
}

fn joined(n: u128, account_id: AccountId) -> VendorEvent {
    VendorEvent::MemberJoined {
        invitation_id: invitation_id(n),
        account_id,
        role: ROLE,
    }
}

fn change(account_id: AccountId, role: VendorRole) -> VendorCommand {
    VendorCommand::ChangeMemberRole { account_id, role }
}

fn changed(account_id: AccountId, role: VendorRole) -> VendorEvent {
    VendorEvent::MemberRoleChanged { account_id, role }
}

fn remove(account_id: AccountId) -> VendorCommand {
    VendorCommand::RemoveMember { account_id }
}

fn removed(account_id: AccountId) -> VendorEvent {
    VendorEvent::MemberRemoved { account_id }
}
