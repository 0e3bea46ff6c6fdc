//! What has happened to a tenant.

use crate::event_names::event_names;
use crate::{AccountId, Text};
use serde::{Deserialize, Serialize};

/// A role over everything a tenant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantRole {
    Owner,
    Admin,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantEvent {
    Created {
        name: Text<120>,
        owner: AccountId,
    },
    Renamed {
        name: Text<120>,
    },
    MemberAdded {
        account_id: AccountId,
        role: TenantRole,
    },
    MemberRoleChanged {
        account_id: AccountId,
        role: TenantRole,
    },
    MemberRemoved {
        account_id: AccountId,
    },
}

event_names!(TenantEvent, "tenant", {
    Created => "created" v 1,
    Renamed => "renamed" v 1,
    MemberAdded => "member_added" v 1,
    MemberRoleChanged => "member_role_changed" v 1,
    MemberRemoved => "member_removed" v 1,
});
