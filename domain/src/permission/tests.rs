//! What the table may never come to say.

use super::*;
use std::collections::BTreeSet;

#[test]
fn who_stands_higher_may_do_all_that_who_stands_lower_may() {
    let ladders: [&[Role]; 5] = [
        &[
            Role::PlatformAdmin,
            Role::TenantOwner,
            Role::TenantAdmin,
            Role::StoreManager,
            Role::StoreStaff,
        ],
        &[
            Role::PlatformAdmin,
            Role::PlatformAuditor,
            Role::StoreAuditor,
        ],
        &[
            Role::PlatformAuditor,
            Role::PlatformAnalyst,
            Role::StoreAnalyst,
        ],
        &[Role::PlatformAdmin, Role::VendorOwner, Role::VendorManager],
        &[Role::TenantOwner, Role::StoreAuditor, Role::StoreAnalyst],
    ];
    for ladder in ladders {
        for pair in ladder.windows(2) {
            assert_covers(pair[0], pair[1]);
        }
    }
    for role in [
        Role::VendorManager,
        Role::VendorCatalog,
        Role::VendorFulfilment,
        Role::VendorFinance,
        Role::VendorViewer,
    ] {
        assert_covers(Role::VendorOwner, role);
    }
    assert_covers(Role::PlatformAdmin, Role::PlatformSupport);
    assert_covers(Role::VendorManager, Role::VendorViewer);
    assert_covers(Role::Customer, Role::Guest);
}

#[test]
fn who_only_looks_changes_nothing() {
    let onlookers = [
        Role::PlatformAuditor,
        Role::PlatformAnalyst,
        Role::StoreAuditor,
        Role::StoreAnalyst,
        Role::VendorViewer,
    ];
    for role in onlookers {
        for permission in role.permissions() {
            assert_eq!(permission.kind(), Kind::Read, "{role:?} {permission:?}");
        }
    }
}

#[test]
fn what_people_do_for_themselves_no_office_gives() {
    for role in Role::ALL {
        let own = role.permissions().iter().any(|p| p.kind() == Kind::Own);
        assert_eq!(own, role.scope() == Scope::Own, "{role:?}");
    }
    let customers = held_by(Role::Customer);
    assert!(of_kind(Kind::Own).is_subset(&customers));
}

#[test]
fn an_admin_of_the_platform_may_do_everything_else() {
    let offices: BTreeSet<_> = of_kind(Kind::Read)
        .union(&of_kind(Kind::Write))
        .copied()
        .collect();
    assert_eq!(held_by(Role::PlatformAdmin), offices);
}

#[test]
fn what_decides_over_others_is_held_by_few() {
    use Role::{PlatformAdmin, StoreManager, TenantAdmin, TenantOwner, VendorFinance, VendorOwner};
    let held = [
        (Permission::GrantPlatformRoles, vec![PlatformAdmin]),
        (Permission::RebuildProjections, vec![PlatformAdmin]),
        (
            Permission::ManageTenantMembers,
            vec![PlatformAdmin, TenantOwner],
        ),
        (
            Permission::OpenStore,
            vec![PlatformAdmin, TenantOwner, TenantAdmin],
        ),
        (
            Permission::CloseStore,
            vec![PlatformAdmin, TenantOwner, TenantAdmin],
        ),
        (
            Permission::ManageStoreMembers,
            vec![PlatformAdmin, TenantOwner, TenantAdmin, StoreManager],
        ),
        (
            Permission::DecideVendor,
            vec![PlatformAdmin, TenantOwner, TenantAdmin, StoreManager],
        ),
        (
            Permission::RefundPayment,
            vec![PlatformAdmin, TenantOwner, TenantAdmin, StoreManager],
        ),
        (
            Permission::ManageVendorMembers,
            vec![PlatformAdmin, VendorOwner],
        ),
        (
            Permission::ChangePayoutAccount,
            vec![PlatformAdmin, VendorOwner],
        ),
        (
            Permission::RequestPayout,
            vec![
                PlatformAdmin,
                TenantOwner,
                TenantAdmin,
                VendorOwner,
                VendorFinance,
            ],
        ),
        (
            Permission::ApprovePayout,
            vec![PlatformAdmin, TenantOwner, TenantAdmin, StoreManager],
        ),
    ];
    for (permission, roles) in held {
        assert_eq!(holders(permission), roles, "{permission:?}");
    }
}

#[test]
fn events_are_read_by_auditors_and_those_who_answer_for_the_business() {
    assert_eq!(
        holders(Permission::ReadAudit),
        [
            Role::PlatformAdmin,
            Role::PlatformAuditor,
            Role::TenantOwner,
            Role::TenantAdmin,
            Role::StoreAuditor,
        ]
    );
}

#[test]
fn who_has_no_business_with_buyers_does_not_see_them() {
    let without_buyers = [
        Role::PlatformAnalyst,
        Role::StoreAnalyst,
        Role::VendorCatalog,
    ];
    for role in without_buyers {
        for permission in [
            Permission::ViewOrders,
            Permission::ViewPayments,
            Permission::ViewCaseFile,
            Permission::ReadAudit,
        ] {
            assert!(!allows(role, permission), "{role:?} {permission:?}");
        }
    }
}

#[test]
fn cash_is_taken_by_who_delivers_and_by_nobody_who_only_looks_or_counts() {
    for role in Role::ALL {
        let delivers = allows(*role, Permission::FulfilOrder);
        assert_eq!(allows(*role, Permission::CollectCash), delivers, "{role:?}");
    }
}

#[test]
fn a_vendor_does_not_decide_over_money_or_over_itself() {
    for role in Role::ALL.iter().filter(|r| r.scope() == Scope::Vendor) {
        assert!(!allows(*role, Permission::RefundPayment), "{role:?}");
        assert!(!allows(*role, Permission::DecideVendor), "{role:?}");
    }
}

#[test]
fn a_guest_may_buy_and_nothing_else() {
    assert_eq!(
        held_by(Role::Guest),
        BTreeSet::from([
            Permission::UseCart,
            Permission::PlaceOrder,
            Permission::PayOrder,
            Permission::ViewOrders,
            Permission::CancelOrder,
            Permission::RequestReturn,
            Permission::ViewPayments,
        ])
    );
}

#[test]
fn every_permission_is_held_and_no_role_holds_one_twice() {
    for permission in Permission::ALL {
        assert!(!holders(*permission).is_empty(), "{permission:?}");
    }
    for role in Role::ALL {
        assert_eq!(role.permissions().len(), held_by(*role).len(), "{role:?}");
    }
}

#[test]
fn every_membership_gives_a_role_of_its_own_scope() {
    for role in [
        PlatformRole::Admin,
        PlatformRole::Auditor,
        PlatformRole::Analyst,
        PlatformRole::Support,
    ] {
        assert_eq!(Role::from(role).scope(), Scope::Platform);
    }
    for role in [TenantRole::Owner, TenantRole::Admin] {
        assert_eq!(Role::from(role).scope(), Scope::Tenant);
    }
    for role in [
        StoreRole::Manager,
        StoreRole::Staff,
        StoreRole::Auditor,
        StoreRole::Analyst,
    ] {
        assert_eq!(Role::from(role).scope(), Scope::Store);
    }
    for role in [
        VendorRole::Owner,
        VendorRole::Manager,
        VendorRole::Catalog,
        VendorRole::Fulfilment,
        VendorRole::Finance,
        VendorRole::Viewer,
    ] {
        assert_eq!(Role::from(role).scope(), Scope::Vendor);
    }
}

#[test]
fn roles_and_permissions_are_written_in_snake_case() {
    let role = serde_json::to_string(&Role::VendorFulfilment).unwrap();
    assert_eq!(role, r#""vendor_fulfilment""#);
    let permission = serde_json::to_string(&Permission::ViewCaseFile).unwrap();
    assert_eq!(permission, r#""view_case_file""#);
}

fn assert_covers(higher: Role, lower: Role) {
    let missing: Vec<_> = held_by(lower)
        .difference(&held_by(higher))
        .copied()
        .collect();
    assert_eq!(missing, [], "{higher:?} lacks what {lower:?} has");
}

fn held_by(role: Role) -> BTreeSet<Permission> {
    role.permissions().iter().copied().collect()
}

fn of_kind(kind: Kind) -> BTreeSet<Permission> {
    let all = Permission::ALL.iter().copied();
    all.filter(|permission| permission.kind() == kind).collect()
}

fn holders(permission: Permission) -> Vec<Role> {
    let all = Role::ALL.iter().copied();
    all.filter(|role| allows(*role, permission)).collect()
}
