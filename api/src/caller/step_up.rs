//! What asks for more than a password.

use chrono::TimeDelta;
use soko_domain::permission::{Permission, Role, Scope, asks_for_second_factor};

use super::{Caller, Login};
use crate::problem::{Code, Problem, Result};

/// For how long a second factor that was shown is good for what asks for a fresh one.
const FRESH_FOR: TimeDelta = TimeDelta::minutes(15);

impl Caller {
    /// Whether a role counts: where accounts are strict, those who run the platform have to have
    /// shown a second factor in their session, or when they made the key.
    pub(super) fn counts(&self, role: Role) -> bool {
        role.scope() != Scope::Platform
            || !self.app.account_rules().is_strict()
            || match &self.login {
                Some(Login::Session(bearer)) => bearer.second_factor_at.is_some(),
                Some(Login::ApiKey(grant)) => grant.has_second_factor(),
                None => true,
            }
    }

    /// That the second factor was shown a moment ago, if what is asked for asks for that.
    ///
    /// # Errors
    /// `step-up-required`
    pub(super) async fn has_stepped_up(&self, permission: Permission) -> Result<()> {
        // None of it is ever permitted to a key.
        let Some(Login::Session(bearer)) = &self.login else {
            return Ok(());
        };
        let is_asked_of_all = asks_for_second_factor(permission);
        let is_fresh = bearer
            .second_factor_at
            .is_some_and(|shown_at| self.now - shown_at < FRESH_FOR);
        if is_fresh || !(is_asked_of_all || self.needs_step_up) {
            return Ok(());
        }
        let is_needed = (is_asked_of_all && self.app.account_rules().is_strict())
            || self
                .app
                .second_factors()
                .is_asked_of(bearer.account_id)
                .await?;
        if is_needed { Err(required()) } else { Ok(()) }
    }
}

pub(super) fn required() -> Problem {
    Problem::new(Code::StepUpRequired)
}
