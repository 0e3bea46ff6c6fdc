//! Who was asked to join a vendor's team.

use super::{VendorError, VendorRole};
use crate::{AccountId, EmailAddress, InvitationId, Personal, TeamError};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub(super) email: Personal<EmailAddress>,
    pub(super) role: VendorRole,
    pub(super) token_hash: String,
    pub(super) expires_at: DateTime<Utc>,
    /// Kept while that account is a member, so that accepting twice is once.
    pub(super) accepted_by: Option<AccountId>,
}

/// The invitations that wait for an answer, and those that the present members have accepted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Invitations(BTreeMap<InvitationId, Invitation>);

impl Invitation {
    pub fn email(&self) -> &Personal<EmailAddress> {
        &self.email
    }

    pub fn role(&self) -> VendorRole {
        self.role
    }

    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// Whether it could still be accepted.
    pub fn is_pending(&self, now: DateTime<Utc>) -> bool {
        self.waits() && now < self.expires_at
    }

    /// Neither accepted nor withdrawn; it may have expired.
    fn waits(&self) -> bool {
        self.accepted_by.is_none()
    }

    /// The same invitation, accepted since or not.
    pub(super) fn says_as(&self, other: &Self) -> bool {
        self.email == other.email
            && self.role == other.role
            && self.token_hash == other.token_hash
            && self.expires_at == other.expires_at
    }

    /// Two people who were erased are not the same person.
    fn reaches(&self, email: &Personal<EmailAddress>) -> bool {
        self.email.value().is_some() && self.email.value() == email.value()
    }
}

impl Invitations {
    pub(super) fn get(&self, id: InvitationId) -> Option<&Invitation> {
        self.0.get(&id)
    }

    /// Those that could still be accepted.
    pub fn pending(
        &self,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = (InvitationId, &Invitation)> + '_ {
        self.0
            .iter()
            .filter(move |(_, invitation)| invitation.is_pending(now))
            .map(|(id, invitation)| (*id, invitation))
    }

    /// Those that brought a present member into the team.
    pub fn accepted_by(&self, account_id: AccountId) -> impl Iterator<Item = InvitationId> + '_ {
        let by = move |(_, invitation): &(&InvitationId, &Invitation)| {
            invitation.accepted_by == Some(account_id)
        };
        self.0.iter().filter(by).map(|(id, _)| *id)
    }

    pub(super) fn by_token(&self, token_hash: &str) -> Option<(InvitationId, &Invitation)> {
        self.0
            .iter()
            .find(|(_, invitation)| invitation.token_hash == token_hash)
            .map(|(id, invitation)| (*id, invitation))
    }

    /// How many wait for an answer, expired ones included.
    pub(super) fn waiting(&self) -> usize {
        self.0.values().filter(|i| i.waits()).count()
    }

    /// The expired invitations that one to the same address takes the place of.
    ///
    /// # Errors
    /// [`VendorError::AlreadyInvited`] while one can still be accepted, and
    /// [`TeamError::AlreadyMember`] where a member has accepted one.
    pub(super) fn make_way_for(
        &self,
        email: &Personal<EmailAddress>,
        now: DateTime<Utc>,
    ) -> Result<Vec<InvitationId>, VendorError> {
        let mut expired = Vec::new();
        for (id, invitation) in &self.0 {
            if !invitation.reaches(email) {
                continue;
            }
            if let Some(account_id) = invitation.accepted_by {
                return Err(TeamError::AlreadyMember { account_id }.into());
            }
            if invitation.is_pending(now) {
                return Err(VendorError::AlreadyInvited { invitation_id: *id });
            }
            expired.push(*id);
        }
        Ok(expired)
    }

    pub(super) fn add(&mut self, id: InvitationId, invitation: Invitation) {
        self.0.insert(id, invitation);
    }

    pub(super) fn withdraw(&mut self, id: InvitationId) {
        self.0.remove(&id);
    }

    pub(super) fn accept(&mut self, id: InvitationId, account_id: AccountId) {
        if let Some(invitation) = self.0.get_mut(&id) {
            invitation.accepted_by = Some(account_id);
        }
    }

    /// A former member's invitation cannot bring them back.
    pub(super) fn forget(&mut self, account_id: AccountId) {
        self.0.retain(|_, i| i.accepted_by != Some(account_id));
    }
}
