//! What has happened to an account.

use crate::event_names::event_names;
use crate::{Address, AddressId, EmailAddress, Personal, PhoneNumber, Text};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A role over the whole platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlatformRole {
    Admin,
    Auditor,
    Analyst,
    Support,
}

impl fmt::Display for PlatformRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::Analyst => "analyst",
            Self::Support => "support",
        })
    }
}

/// Passwords and tokens are never part of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountEvent {
    Registered {
        name: Personal<Text<120>>,
        email: Personal<EmailAddress>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<Personal<PhoneNumber>>,
    },
    ProfileChanged {
        name: Personal<Text<120>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<Personal<PhoneNumber>>,
    },
    /// Whoever holds the account has shown that its e-mail reaches them.
    EmailVerified {},
    /// And that their phone does.
    PhoneVerified {},
    PasswordChanged {},
    /// From here on a password alone lets nobody in.
    SecondFactorAdded {},
    SecondFactorRemoved {},
    /// To the address book; orders have their own copy of what they were sent to.
    AddressAdded {
        address_id: AddressId,
        address: Personal<Address>,
    },
    AddressRemoved {
        address_id: AddressId,
    },
    PlatformRoleGranted {
        role: PlatformRole,
    },
    PlatformRoleRevoked {
        role: PlatformRole,
    },
    /// The person wants to be forgotten: what is personal is unreadable from here on.
    Erased {},
}

event_names!(AccountEvent, "account", {
    Registered => "registered" v 1,
    ProfileChanged => "profile_changed" v 1,
    EmailVerified => "email_verified" v 1,
    PhoneVerified => "phone_verified" v 1,
    PasswordChanged => "password_changed" v 1,
    SecondFactorAdded => "second_factor_added" v 1,
    SecondFactorRemoved => "second_factor_removed" v 1,
    AddressAdded => "address_added" v 1,
    AddressRemoved => "address_removed" v 1,
    PlatformRoleGranted => "platform_role_granted" v 1,
    PlatformRoleRevoked => "platform_role_revoked" v 1,
    Erased => "erased" v 1,
});
