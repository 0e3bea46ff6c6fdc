//! Who is asking, and what they may do where.

mod extraction;
mod key_scope;
mod place;
mod standings;
mod step_up;

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_commands::{CommandContext, IdempotencyKey};
use soko_domain::permission::{Permission, Role, allows};
use soko_domain::{AccountId, TenantId};
use soko_event_log::Actor;
use uuid::Uuid;

use self::extraction::not_for_keys;
use self::key_scope::KeyScope;
pub use self::place::Place;
use self::standings::Standing;
pub use self::standings::Standings;
use crate::access_log::{Look, Looks, is_on_record};
use crate::api_keys::Grant;
use crate::app::App;
use crate::command::{Command, Conditions};
use crate::gate::Client;
use crate::problem::{Code, Problem, Result};
use crate::tokens::Bearer;

/// Who is asking. It is extracted only for those whom the route may be open to.
pub struct Caller {
    app: Data<App>,
    /// What the table of routes asks for; `None` where it asks for nothing.
    permission: Option<Permission>,
    needs_step_up: bool,
    login: Option<Login>,
    cart_token: Option<String>,
    order_token: Option<String>,
    client: Client,
    now: DateTime<Utc>,
    /// Where looks at others are noted; `None` for a request that changes something.
    looks: Option<Looks>,
}

/// How somebody who is not a guest shows who they are.
enum Login {
    /// A person, by an access token.
    Session(Bearer),
    /// A program, by a key that the person made.
    ApiKey(Grant),
}

/// That the caller holds the route's permission at some place. Only who has this can change
/// anything there.
#[derive(Debug, Clone)]
pub struct Permit {
    actor: Actor,
    api_key: Option<Uuid>,
    tenant_id: TenantId,
    keys: KeyScope,
    now: DateTime<Utc>,
    roles: Vec<Role>,
}

impl Caller {
    /// The person who is logged in, and where.
    ///
    /// # Errors
    /// `unauthenticated` for a guest, `forbidden` for a program.
    pub fn bearer(&self) -> Result<Bearer> {
        match &self.login {
            Some(Login::Session(bearer)) => Ok(*bearer),
            Some(Login::ApiKey(_)) => Err(not_for_keys()),
            None => Err(Problem::new(Code::Unauthenticated)),
        }
    }

    /// The account that asks, in person or by a program.
    ///
    /// # Errors
    /// `unauthenticated` for a guest.
    pub fn account(&self) -> Result<AccountId> {
        self.account_id()
            .ok_or_else(|| Problem::new(Code::Unauthenticated))
    }

    pub fn account_id(&self) -> Option<AccountId> {
        self.login.as_ref().map(Login::account_id)
    }

    /// What a guest calls their cart by; `None` for an account, which needs no such name.
    pub fn cart_token(&self) -> Option<&str> {
        self.cart_token.as_deref().filter(|_| self.login.is_none())
    }

    /// What opens one order to whoever placed it as a guest.
    pub fn order_token(&self) -> Option<&str> {
        self.order_token.as_deref()
    }

    /// Whether what showed who is asking is still good: for answers that go on for long.
    ///
    /// # Errors
    /// The database.
    pub async fn is_still_known(&self) -> Result<bool> {
        match &self.login {
            Some(Login::Session(bearer)) => Ok(!self.app.sessions().has_ended(bearer.session_id)),
            Some(Login::ApiKey(grant)) => self.app.api_keys().is_good(grant.key_id()).await,
            None => Ok(true),
        }
    }

    pub fn client(&self) -> Client {
        self.client
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// That the caller holds the permission of this route at the place.
    ///
    /// # Errors
    /// `not-found` where the caller has no standing at all, as if the place were not there;
    /// `forbidden` where they have one, but not this permission; `step-up-required` where they have
    /// to show their second factor first.
    pub async fn permit(&self, place: Place) -> Result<Permit> {
        let Some(permission) = self.permission else {
            return Ok(self.permitted(TenantId::PLATFORM, vec![]));
        };
        let account_id = self.account_id();
        let mut standing = self
            .app
            .standings()
            .of(account_id, &place, permission)
            .await?;
        let could = standing.roles.iter().any(|role| allows(*role, permission));
        standing.roles.retain(|role| self.counts(*role));
        if standing.roles.iter().any(|role| allows(*role, permission)) {
            self.has_stepped_up(permission).await?;
            self.note(permission, &standing);
            return Ok(self.permitted(standing.tenant_id, standing.roles));
        }
        if could {
            return Err(step_up::required());
        }
        if standing.roles.is_empty() {
            // A guest might see it after logging in, but must not learn that from us.
            if let Some(account_id) = account_id {
                tracing::info!(
                    code = Code::NotFound.word(), ?permission, account.id = %account_id, "refused"
                );
            }
            return Err(Problem::new(Code::NotFound));
        }
        Err(Problem::new(Code::Forbidden))
    }

    fn permitted(&self, tenant_id: TenantId, roles: Vec<Role>) -> Permit {
        let account = self.account_id();
        Permit {
            actor: account.map_or(Actor::Guest, Actor::Account),
            api_key: self.login.as_ref().and_then(Login::api_key),
            tenant_id,
            keys: self.keys(),
            now: self.now,
            roles,
        }
    }

    /// Whether the caller holds a permission at a place: for answers that differ by who asks. What
    /// is not there, nobody holds anything at.
    ///
    /// # Errors
    /// The log cannot be reached.
    pub async fn holds(&self, permission: Permission, place: Place) -> Result<bool> {
        if self
            .login
            .as_ref()
            .is_some_and(|login| !login.allows(permission))
        {
            return Ok(false);
        }
        let standing = self
            .app
            .standings()
            .of(self.account_id(), &place, permission)
            .await;
        match standing {
            Ok(standing) => {
                let holds = (standing.roles.iter().copied())
                    .any(|role| allows(role, permission) && self.counts(role));
                if holds {
                    self.note(permission, &standing);
                }
                Ok(holds)
            }
            Err(problem) if problem.code() == Code::NotFound => Ok(false),
            Err(problem) => Err(problem),
        }
    }

    /// What is about to be seen, if it is others'.
    fn note(&self, permission: Permission, standing: &Standing) {
        let (Some(looks), Some(account_id)) = (&self.looks, self.account_id()) else {
            return;
        };
        if is_on_record(permission, &standing.roles) {
            let opening = standing.roles.iter().copied();
            looks.note(Look {
                at: self.now,
                account_id,
                api_key_id: self.login.as_ref().and_then(Login::api_key),
                roles: opening.filter(|role| allows(*role, permission)).collect(),
                permission,
                tenant_id: standing.tenant_id,
            });
        }
    }

    /// Under which an idempotency key of the caller is kept.
    pub fn key_scope(&self, key: &str) -> String {
        self.keys().of(key)
    }

    fn keys(&self) -> KeyScope {
        match (self.account_id(), &self.cart_token) {
            (Some(account_id), _) => KeyScope::Account(account_id),
            (None, Some(token)) => KeyScope::of_guest(token),
            (None, None) => KeyScope::Stranger(self.client.network()),
        }
    }
}

impl Permit {
    pub fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// As who the caller stands in the log.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What the caller is there; whoever asks for themselves is a customer or a guest.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The context in which the command is carried out.
    pub fn context<T>(&self, command: &Command<T>) -> CommandContext {
        self.context_with(&command.conditions)
    }

    pub fn context_with(&self, conditions: &Conditions) -> CommandContext {
        let command_id = Uuid::now_v7();
        let mut context =
            CommandContext::new(self.tenant_id, self.actor.clone(), command_id, self.now);
        context.api_key = self.api_key;
        context.request_id.clone_from(&conditions.request_id);
        context.expected_version = conditions.expected_version;
        context.dry_run = conditions.is_dry_run;
        context.idempotency = conditions
            .idempotency_key
            .clone()
            .map(|key| IdempotencyKey {
                scope: self.keys.of(&key),
                key,
                digest: conditions.digest,
            });
        context
    }

    /// The same within another tenant: for who creates it.
    #[must_use]
    pub fn within(mut self, tenant_id: TenantId) -> Self {
        self.tenant_id = tenant_id;
        self
    }
}

impl Login {
    fn account_id(&self) -> AccountId {
        match self {
            Self::Session(bearer) => bearer.account_id,
            Self::ApiKey(grant) => grant.account_id(),
        }
    }

    fn api_key(&self) -> Option<Uuid> {
        match self {
            Self::Session(_) => None,
            Self::ApiKey(grant) => Some(grant.key_id()),
        }
    }

    fn allows(&self, permission: Permission) -> bool {
        match self {
            Self::Session(_) => true,
            Self::ApiKey(grant) => grant.allows(permission),
        }
    }
}
