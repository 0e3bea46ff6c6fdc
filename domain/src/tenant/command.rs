//! What may be asked of a tenant.

use super::TenantRole;
use crate::{AccountId, Text};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantCommand {
    Create {
        name: Text<120>,
        owner: AccountId,
    },
    Rename {
        name: Text<120>,
    },
    AddMember {
        account_id: AccountId,
        role: TenantRole,
    },
    ChangeMemberRole {
        account_id: AccountId,
        role: TenantRole,
    },
    RemoveMember {
        account_id: AccountId,
    },
}
