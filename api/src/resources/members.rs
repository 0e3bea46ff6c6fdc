//! Who belongs to a tenant, a store or a vendor: what their teams have in common.

use serde::Serialize;
use serde::de::DeserializeOwned;
use soko_domain::account::Account;
use soko_domain::{AccountId, EmailAddress, Team, TeamRole, Text};
use soko_event_log::{ClaimKind, Claims};

use crate::app::App;
use crate::body::{Readable, Reading};
use crate::found::{Page, Part};
use crate::problem::{Problem, Result};
use crate::schema::{Components, Described, ObjectSchema};
use soko_commands::handlers::email_claim;

/// Somebody to be added, who must have registered already.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMember<R> {
    pub email: EmailAddress,
    pub role: R,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleOfMember<R> {
    pub role: R,
}

/// Somebody in a team. The name and the e-mail are gone when the person was erased.
#[derive(Debug, Serialize)]
pub(crate) struct Member<R> {
    pub account_id: AccountId,
    pub role: R,
    pub name: Option<Text<120>>,
    pub email: Option<EmailAddress>,
}

impl App {
    /// The account that has this e-mail.
    ///
    /// # Errors
    /// `validation` if nobody has registered with it.
    pub(crate) async fn account_of(&self, email: &EmailAddress) -> Result<AccountId> {
        let claims = Claims::new(self.pool().clone());
        let claim = claims.find(ClaimKind::Email, &email_claim(email)).await?;
        let owner = claim
            .and_then(|claim| claim.owner)
            .and_then(|owner| owner.parse().ok());
        owner.ok_or_else(|| {
            Problem::invalid_at("/email", "nobody has registered with this e-mail yet")
        })
    }

    /// The members of a team, with what they are called: the part that is asked for. `list` names
    /// the team.
    pub(crate) async fn named<R: TeamRole>(
        &self,
        team: &Team<R>,
        asked: &Part,
        list: &str,
    ) -> Result<Page<Member<R>>> {
        let mut members = Vec::with_capacity(team.len());
        for (account_id, role) in team.members() {
            let account = self.engine().read::<Account>(account_id).await?;
            let profile = account.state.profile().ok();
            members.push(Member {
                account_id,
                role,
                name: profile.and_then(|profile| profile.name().value().cloned()),
                email: profile.and_then(|profile| profile.email().value().cloned()),
            });
        }
        Page::within(members, |member| member.account_id, asked, list)
    }
}

impl<R: Described> Described for NewMember<R> {
    fn schema(components: &mut Components) -> serde_json::Value {
        ObjectSchema::default()
            .member::<EmailAddress>(components, "email", "Of somebody who has registered.")
            .member::<R>(components, "role", "")
            .finish("", true)
    }
}

impl<R: Readable + DeserializeOwned> Readable for NewMember<R> {
    fn inspect(value: &serde_json::Value, reading: &mut Reading) {
        let Some(members) = reading.object(value) else {
            return;
        };
        reading.member::<EmailAddress>(members, "email");
        reading.member::<R>(members, "role");
        reading.unknown(members, &["email", "role"]);
    }
}

impl<R: Described> Described for RoleOfMember<R> {
    fn schema(components: &mut Components) -> serde_json::Value {
        ObjectSchema::default()
            .member::<R>(components, "role", "")
            .finish("", true)
    }
}

impl<R: Readable + DeserializeOwned> Readable for RoleOfMember<R> {
    fn inspect(value: &serde_json::Value, reading: &mut Reading) {
        let Some(members) = reading.object(value) else {
            return;
        };
        reading.member::<R>(members, "role");
        reading.unknown(members, &["role"]);
    }
}

impl<R: Described> Described for Member<R> {
    fn schema(components: &mut Components) -> serde_json::Value {
        ObjectSchema::default()
            .member::<AccountId>(components, "account_id", "")
            .member::<R>(components, "role", "")
            .member::<Option<Text<120>>>(components, "name", "")
            .member::<Option<EmailAddress>>(components, "email", "")
            .finish("", false)
    }
}
