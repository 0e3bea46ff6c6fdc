//! Who belongs to a tenant, a store or a vendor, and as what.

use crate::AccountId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What a team's roles must say of themselves.
pub trait TeamRole: Copy + Eq + fmt::Debug + Send + Sync {
    /// The role that somebody must hold for as long as the team exists.
    const ALWAYS_HELD: Option<Self>;
}

/// The members of one team; each has one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Team<R>(BTreeMap<AccountId, R>);

/// Why a team says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamError {
    #[error("account {account_id} belongs to the team already")]
    AlreadyMember { account_id: AccountId },
    #[error("account {account_id} does not belong to the team")]
    NotMember { account_id: AccountId },
    #[error("somebody must remain its owner")]
    LastOwner,
    #[error("a team cannot have more than {max} members")]
    Full { max: usize },
}

impl<R: TeamRole> Team<R> {
    /// So that a team stays a small part of its aggregate.
    pub const MEMBERS_MAX: usize = 200;

    pub fn of(founder: AccountId, role: R) -> Self {
        Self(BTreeMap::from([(founder, role)]))
    }

    pub const fn empty() -> Self {
        Self(BTreeMap::new())
    }

    pub fn role_of(&self, account_id: AccountId) -> Option<R> {
        self.0.get(&account_id).copied()
    }

    pub fn members(&self) -> impl ExactSizeIterator<Item = (AccountId, R)> + '_ {
        self.0.iter().map(|(account_id, role)| (*account_id, *role))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether adding the account changes anything: not if it has that role already.
    ///
    /// # Errors
    /// It has another role, or the team is full.
    pub fn may_add(&self, account_id: AccountId, role: R) -> Result<bool, TeamError> {
        match self.role_of(account_id) {
            Some(held) if held == role => Ok(false),
            Some(_) => Err(TeamError::AlreadyMember { account_id }),
            None if self.len() >= Self::MEMBERS_MAX => Err(TeamError::Full {
                max: Self::MEMBERS_MAX,
            }),
            None => Ok(true),
        }
    }

    /// Whether giving a member that role changes anything.
    ///
    /// # Errors
    /// It is no member, or nobody would hold the role that must be held.
    pub fn may_change(&self, account_id: AccountId, role: R) -> Result<bool, TeamError> {
        let held = self.member(account_id)?;
        if held == role {
            return Ok(false);
        }
        self.spares(held)?;
        Ok(true)
    }

    /// # Errors
    /// It is no member, or nobody would hold the role that must be held.
    pub fn may_remove(&self, account_id: AccountId) -> Result<(), TeamError> {
        self.spares(self.member(account_id)?)
    }

    /// What happened, happened: adds the member, or gives it another role.
    pub(crate) fn set(&mut self, account_id: AccountId, role: R) {
        self.0.insert(account_id, role);
    }

    pub(crate) fn remove(&mut self, account_id: AccountId) {
        self.0.remove(&account_id);
    }

    fn member(&self, account_id: AccountId) -> Result<R, TeamError> {
        self.role_of(account_id)
            .ok_or(TeamError::NotMember { account_id })
    }

    /// Whether the team can do with one holder of the role less.
    fn spares(&self, role: R) -> Result<(), TeamError> {
        let holders = self.0.values().filter(|held| **held == role).count();
        if R::ALWAYS_HELD == Some(role) && holders <= 1 {
            Err(TeamError::LastOwner)
        } else {
            Ok(())
        }
    }
}
