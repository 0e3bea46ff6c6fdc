//! What may be asked of a vendor.

use super::VendorRole;
use crate::{
    AccountId, CountryCode, EmailAddress, InvitationId, Personal, PhoneNumber, StoreId, Text,
};
use chrono::{DateTime, Utc};

/// What is personal is given under the vendor's own subject; an invited e-mail under the
/// invitation's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VendorCommand {
    Register {
        store_id: StoreId,
        name: Text<120>,
        email: Personal<EmailAddress>,
        phone: Personal<PhoneNumber>,
        country: CountryCode,
        owner: AccountId,
    },
    Approve,
    Reject {
        reason: Text<500>,
    },
    Suspend {
        reason: Text<500>,
    },
    Reinstate,
    ChangeDetails {
        name: Text<120>,
        email: Personal<EmailAddress>,
        phone: Personal<PhoneNumber>,
    },
    Invite {
        invitation_id: InvitationId,
        email: Personal<EmailAddress>,
        role: VendorRole,
        /// SHA-256 (hex) of the token that was mailed.
        token_hash: String,
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    },
    WithdrawInvitation {
        invitation_id: InvitationId,
    },
    /// Whoever holds the token may join, under whatever e-mail they log in with.
    AcceptInvitation {
        token_hash: String,
        account_id: AccountId,
        now: DateTime<Utc>,
    },
    ChangeMemberRole {
        account_id: AccountId,
        role: VendorRole,
    },
    RemoveMember {
        account_id: AccountId,
    },
}
