//! The fold, without a database.

use super::*;
use crate::given::{at, id, row, rows, text};
use soko_domain::store::StoreRole;

#[test]
fn who_makes_a_tenant_owns_it() {
    let created = TenantEvent::Created {
        name: text("Soko Ltd"),
        owner: id(40),
    };
    let member = row::<Members>([AnyEvent::Tenant(id(1), created)]);
    assert_eq!((member.account_id, member.scope_id), (id(40), id(1)));
    assert_eq!(member.scope, MemberScope::Tenant);
    assert_eq!(member.role_as::<TenantRole>(), Some(TenantRole::Owner));
}

#[test]
fn a_role_changes_and_the_membership_goes_on() {
    let added = |role| StoreEvent::MemberAdded {
        account_id: id(40),
        role,
    };
    let changed = StoreEvent::MemberRoleChanged {
        account_id: id(40),
        role: StoreRole::Manager,
    };
    let events = [added(StoreRole::Staff), changed];
    let member = row::<Members>(events.map(|event| AnyEvent::Store(id(10), event)));
    assert_eq!(member.role, "manager");
    assert_eq!(member.since, at(1));
}

#[test]
fn who_is_removed_is_no_member() {
    let joined = VendorEvent::MemberJoined {
        invitation_id: id(5),
        account_id: id(40),
        role: VendorRole::Catalog,
    };
    let removed = VendorEvent::MemberRemoved { account_id: id(40) };
    let events = [joined, removed].map(|event| AnyEvent::Vendor(id(20), event));
    assert!(rows::<Members>(events).is_empty());
}

#[test]
fn one_account_may_be_in_many_teams() {
    let joined = |vendor: u128| {
        let joined = VendorEvent::MemberJoined {
            invitation_id: id(vendor),
            account_id: id(40),
            role: VendorRole::Viewer,
        };
        AnyEvent::Vendor(id(vendor), joined)
    };
    assert_eq!(rows::<Members>([joined(20), joined(21)]).len(), 2);
}
