//! What a route asks of its caller.

use soko_domain::permission::{Permission, Role, Scope, allows};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever asks.
    Public,
    /// Whoever holds the permission: in this scope, or in one that it lies in. Where the thing
    /// asked for lies is found by the handler; what must be held there stands in the table of
    /// routes alone.
    Needs(Permission, Scope),
}

impl Access {
    /// Whether somebody who is not logged in may come as far as the handler.
    pub fn is_open_to_guests(self) -> bool {
        match self {
            Self::Public => true,
            Self::Needs(permission, _) => allows(Role::Guest, permission),
        }
    }
}
