//! What has happened to a vendor and its team.

use crate::event_names::event_names;
use crate::{
    AccountId, CountryCode, EmailAddress, InvitationId, Personal, PhoneNumber, StoreId, Text,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A role in a vendor's team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VendorRole {
    Owner,
    Manager,
    Catalog,
    Fulfilment,
    Finance,
    Viewer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VendorEvent {
    Registered {
        store_id: StoreId,
        name: Text<120>,
        email: Personal<EmailAddress>,
        phone: Personal<PhoneNumber>,
        country: CountryCode,
        owner: AccountId,
    },
    Approved {},
    Rejected {
        reason: Text<500>,
    },
    Suspended {
        reason: Text<500>,
    },
    Reinstated {},
    DetailsChanged {
        name: Text<120>,
        email: Personal<EmailAddress>,
        phone: Personal<PhoneNumber>,
    },
    MemberInvited {
        invitation_id: InvitationId,
        email: Personal<EmailAddress>,
        role: VendorRole,
        /// SHA-256 (hex) of the token that accepts it; the token itself is never stored.
        token_hash: String,
        expires_at: DateTime<Utc>,
    },
    InvitationWithdrawn {
        invitation_id: InvitationId,
    },
    MemberJoined {
        invitation_id: InvitationId,
        account_id: AccountId,
        role: VendorRole,
    },
    MemberRoleChanged {
        account_id: AccountId,
        role: VendorRole,
    },
    MemberRemoved {
        account_id: AccountId,
    },
}

event_names!(VendorEvent, "vendor", {
    Registered => "registered" v 1,
    Approved => "approved" v 1,
    Rejected => "rejected" v 1,
    Suspended => "suspended" v 1,
    Reinstated => "reinstated" v 1,
    DetailsChanged => "details_changed" v 1,
    MemberInvited => "member_invited" v 1,
    InvitationWithdrawn => "invitation_withdrawn" v 1,
    MemberJoined => "member_joined" v 1,
    MemberRoleChanged => "member_role_changed" v 1,
    MemberRemoved => "member_removed" v 1,
});
