//! A business that runs stores.

mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use command::TenantCommand;
pub use error::TenantError;
pub use event::{TenantEvent, TenantRole};

use crate::decide::only_if;
use crate::{AccountId, Decide, Team, TeamRole, TenantId, Text, write_decision};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Tenant {
    #[default]
    NotCreated,
    Created(Box<Business>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Business {
    name: Text<120>,
    team: Team<TenantRole>,
}

impl TeamRole for TenantRole {
    const ALWAYS_HELD: Option<Self> = Some(Self::Owner);
}

type Decision = Result<Vec<TenantEvent>, TenantError>;

impl Tenant {
    /// # Errors
    /// [`TenantError::NotCreated`].
    pub fn business(&self) -> Result<&Business, TenantError> {
        match self {
            Self::NotCreated => Err(TenantError::NotCreated),
            Self::Created(business) => Ok(business),
        }
    }

    /// `None` for whoever does not belong to it, and where there is no tenant.
    pub fn role_of(&self, account_id: AccountId) -> Option<TenantRole> {
        self.business().ok()?.team.role_of(account_id)
    }

    fn change(&mut self, change: impl FnOnce(&mut Business)) {
        match self {
            Self::NotCreated => (),
            Self::Created(business) => change(business),
        }
    }
}

impl Decide for Tenant {
    type Id = TenantId;

    fn decide(&self, command: TenantCommand) -> Decision {
        match command {
            TenantCommand::Create { name, owner } => match self {
                Self::NotCreated => Ok(vec![TenantEvent::Created { name, owner }]),
                Self::Created(_) => Err(TenantError::AlreadyCreated),
            },
            TenantCommand::Rename { name } => {
                let is_new = name != self.business()?.name;
                Ok(only_if(is_new, TenantEvent::Renamed { name }))
            }
            TenantCommand::AddMember { account_id, role } => {
                let is_new = self.business()?.team.may_add(account_id, role)?;
                let added = TenantEvent::MemberAdded { account_id, role };
                Ok(only_if(is_new, added))
            }
            TenantCommand::ChangeMemberRole { account_id, role } => {
                let is_new = self.business()?.team.may_change(account_id, role)?;
                let changed = TenantEvent::MemberRoleChanged { account_id, role };
                Ok(only_if(is_new, changed))
            }
            TenantCommand::RemoveMember { account_id } => {
                self.business()?.team.may_remove(account_id)?;
                Ok(vec![TenantEvent::MemberRemoved { account_id }])
            }
        }
    }
}

impl Business {
    pub fn name(&self) -> &Text<120> {
        &self.name
    }

    pub fn team(&self) -> &Team<TenantRole> {
        &self.team
    }
}

impl Aggregate for Tenant {
    const TYPE: &'static str = "tenant";
    type Command = TenantCommand;
    type Event = TenantEvent;
    type Error = TenantError;
    type Services = ();

    async fn handle(
        &mut self,
        command: TenantCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), TenantError> {
        write_decision(self, command, sink).await
    }

    fn apply(&mut self, event: TenantEvent) {
        match event {
            TenantEvent::Created { name, owner } => {
                *self = Self::Created(Box::new(Business {
                    name,
                    team: Team::of(owner, TenantRole::Owner),
                }));
            }
            TenantEvent::Renamed { name } => self.change(|business| business.name = name),
            TenantEvent::MemberAdded { account_id, role }
            | TenantEvent::MemberRoleChanged { account_id, role } => {
                self.change(|business| business.team.set(account_id, role));
            }
            TenantEvent::MemberRemoved { account_id } => {
                self.change(|business| business.team.remove(account_id));
            }
        }
    }
}
