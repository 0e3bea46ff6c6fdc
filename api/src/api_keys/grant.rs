//! What a key lets its bearer do.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use soko_domain::AccountId;
use soko_domain::permission::Permission;
use uuid::Uuid;

/// What one key lets its bearer do, of what its account may do.
#[derive(Debug, Clone)]
pub struct Grant(Arc<Granted>);

#[derive(Debug)]
struct Granted {
    key_id: Uuid,
    account_id: AccountId,
    permissions: BTreeSet<Permission>,
    with_second_factor: bool,
}

impl Grant {
    pub(super) fn new(
        key_id: Uuid,
        account_id: AccountId,
        permissions: BTreeSet<Permission>,
        with_second_factor: bool,
    ) -> Self {
        Self(Arc::new(Granted {
            key_id,
            account_id,
            permissions,
            with_second_factor,
        }))
    }

    pub fn key_id(&self) -> Uuid {
        self.0.key_id
    }

    pub fn account_id(&self) -> AccountId {
        self.0.account_id
    }

    /// Whether who made the key had shown a second factor.
    pub fn has_second_factor(&self) -> bool {
        self.0.with_second_factor
    }

    /// Never what only the person may do, its keys included.
    pub fn allows(&self, permission: Permission) -> bool {
        is_grantable(permission) && self.0.permissions.contains(&permission)
    }
}

/// Whether a key may be made for it at all. A key has no second factor and can be stolen without
/// being missed: who belongs to whom, and where money goes, is for people to say.
pub fn is_grantable(permission: Permission) -> bool {
    !matches!(
        permission,
        Permission::ManageSelf
            | Permission::AcceptInvitation
            | Permission::ManageTenantMembers
            | Permission::ManageStoreMembers
            | Permission::ManageVendorMembers
            | Permission::GrantPlatformRoles
            | Permission::ChangePayoutAccount
            | Permission::RequestPayout
            | Permission::ApprovePayout
    )
}

/// As it is written in JSON.
pub(super) fn name(permission: Permission) -> String {
    match serde_json::to_value(permission) {
        Ok(Value::String(name)) => name,
        // A name is all that a permission is written as.
        _ => String::new(),
    }
}

pub(super) fn named(name: &str) -> Option<Permission> {
    serde_json::from_value(Value::from(name)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(permissions: &[Permission]) -> Grant {
        let account_id = AccountId::from_uuid(Uuid::from_u128(2));
        let permissions = permissions.iter().copied().collect();
        Grant::new(Uuid::from_u128(1), account_id, permissions, false)
    }

    #[test]
    fn a_key_allows_what_it_was_made_for() {
        let key = grant(&[Permission::ViewStock, Permission::MoveStock]);
        assert!(key.allows(Permission::MoveStock));
        assert!(!key.allows(Permission::ViewOrders));
    }

    #[test]
    fn no_key_allows_what_is_the_persons_alone_whatever_its_row_says() {
        let key = grant(Permission::ALL);
        for permission in [
            Permission::ManageSelf,
            Permission::ManageStoreMembers,
            Permission::ChangePayoutAccount,
            Permission::ApprovePayout,
        ] {
            assert!(!key.allows(permission), "{permission:?}");
        }
    }

    #[test]
    fn every_permission_is_found_by_its_name() {
        for permission in Permission::ALL {
            assert_eq!(named(&name(*permission)), Some(*permission));
        }
        assert_eq!(named("fly"), None);
    }
}
