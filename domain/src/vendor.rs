//! Who sells in a store, and the team that does it.

mod command;
mod error;
mod event;
mod invitation;
mod status;
#[cfg(test)]
mod tests;

pub use command::VendorCommand;
pub use error::VendorError;
pub use event::{VendorEvent, VendorRole};
pub use invitation::{Invitation, Invitations};
pub use status::VendorStatus;

use crate::decide::only_if;
use crate::{
    AccountId, CountryCode, Decide, EmailAddress, InvitationId, Personal, PhoneNumber, StoreId,
    Team, TeamError, TeamRole, Text, VendorId, write_decision,
};
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Vendor {
    #[default]
    NotRegistered,
    Registered(Box<Seller>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seller {
    store_id: StoreId,
    name: Text<120>,
    email: Personal<EmailAddress>,
    phone: Personal<PhoneNumber>,
    country: CountryCode,
    status: VendorStatus,
    team: Team<VendorRole>,
    invitations: Invitations,
}

impl TeamRole for VendorRole {
    const ALWAYS_HELD: Option<Self> = Some(Self::Owner);
}

type Decision = Result<Vec<VendorEvent>, VendorError>;

impl Vendor {
    /// # Errors
    /// [`VendorError::NotRegistered`].
    pub fn seller(&self) -> Result<&Seller, VendorError> {
        match self {
            Self::NotRegistered => Err(VendorError::NotRegistered),
            Self::Registered(seller) => Ok(seller),
        }
    }

    /// Whether it may offer and sell: approved and not suspended.
    pub fn is_trading(&self) -> bool {
        self.seller()
            .is_ok_and(|seller| seller.status == VendorStatus::Approved)
    }

    /// `None` for whoever does not belong to it, and where there is no vendor.
    pub fn role_of(&self, account_id: AccountId) -> Option<VendorRole> {
        self.seller().ok()?.team.role_of(account_id)
    }

    fn change(&mut self, change: impl FnOnce(&mut Seller)) {
        match self {
            Self::NotRegistered => (),
            Self::Registered(seller) => change(seller),
        }
    }
}

impl Decide for Vendor {
    type Id = VendorId;

    fn decide(&self, command: VendorCommand) -> Decision {
        match command {
            VendorCommand::Register {
                store_id,
                name,
                email,
                phone,
                country,
                owner,
            } => match self {
                Self::NotRegistered => Ok(vec![VendorEvent::Registered {
                    store_id,
                    name,
                    email,
                    phone,
                    country,
                    owner,
                }]),
                Self::Registered(_) => Err(VendorError::AlreadyRegistered),
            },
            VendorCommand::Approve => self.seller()?.approve(),
            VendorCommand::Reject { reason } => self.seller()?.reject(reason),
            VendorCommand::Suspend { reason } => self.seller()?.suspend(reason),
            VendorCommand::Reinstate => self.seller()?.reinstate(),
            VendorCommand::ChangeDetails { name, email, phone } => {
                self.seller()?.rewrite(name, email, phone)
            }
            VendorCommand::Invite {
                invitation_id,
                email,
                role,
                token_hash,
                expires_at,
                now,
            } => {
                let invitation = Invitation {
                    email,
                    role,
                    token_hash,
                    expires_at,
                    accepted_by: None,
                };
                self.seller()?.invite(invitation_id, invitation, now)
            }
            VendorCommand::WithdrawInvitation { invitation_id } => {
                self.seller()?.withdraw(invitation_id)
            }
            VendorCommand::AcceptInvitation {
                token_hash,
                account_id,
                now,
            } => self.seller()?.accept(&token_hash, account_id, now),
            VendorCommand::ChangeMemberRole { account_id, role } => {
                let is_new = self
                    .seller()?
                    .admitted()?
                    .team
                    .may_change(account_id, role)?;
                let changed = VendorEvent::MemberRoleChanged { account_id, role };
                Ok(only_if(is_new, changed))
            }
            VendorCommand::RemoveMember { account_id } => {
                self.seller()?.admitted()?.team.may_remove(account_id)?;
                Ok(vec![VendorEvent::MemberRemoved { account_id }])
            }
        }
    }
}

impl Seller {
    pub fn store_id(&self) -> StoreId {
        self.store_id
    }

    pub fn name(&self) -> &Text<120> {
        &self.name
    }

    pub fn email(&self) -> &Personal<EmailAddress> {
        &self.email
    }

    pub fn phone(&self) -> &Personal<PhoneNumber> {
        &self.phone
    }

    pub fn country(&self) -> CountryCode {
        self.country
    }

    pub fn status(&self) -> VendorStatus {
        self.status
    }

    pub fn team(&self) -> &Team<VendorRole> {
        &self.team
    }

    pub fn invitations(&self) -> &Invitations {
        &self.invitations
    }

    /// The invitation that the token of this hash (SHA-256, hex) would accept.
    pub fn pending_invitation(
        &self,
        token_hash: &str,
        now: DateTime<Utc>,
    ) -> Option<(InvitationId, &Invitation)> {
        let (id, invitation) = self.invitations.by_token(token_hash)?;
        invitation.is_pending(now).then_some((id, invitation))
    }

    /// The invitation that belongs to the token of this hash, whether it still waits or not.
    pub fn invitation_of(&self, token_hash: &str) -> Option<&Invitation> {
        self.invitations
            .by_token(token_hash)
            .map(|(_, invitation)| invitation)
    }

    /// A rejected vendor is done with; every other may still change.
    fn admitted(&self) -> Result<&Self, VendorError> {
        match self.status {
            VendorStatus::Pending | VendorStatus::Approved | VendorStatus::Suspended => Ok(self),
            VendorStatus::Rejected => Err(self.wrong_status()),
        }
    }

    fn wrong_status(&self) -> VendorError {
        let status = self.status;
        VendorError::WrongStatus { status }
    }

    fn approve(&self) -> Decision {
        match self.status {
            VendorStatus::Pending => Ok(vec![VendorEvent::Approved {}]),
            VendorStatus::Approved => Ok(vec![]),
            VendorStatus::Rejected | VendorStatus::Suspended => Err(self.wrong_status()),
        }
    }

    fn reject(&self, reason: Text<500>) -> Decision {
        match self.status {
            VendorStatus::Pending => Ok(vec![VendorEvent::Rejected { reason }]),
            VendorStatus::Rejected => Ok(vec![]),
            VendorStatus::Approved | VendorStatus::Suspended => Err(self.wrong_status()),
        }
    }

    fn suspend(&self, reason: Text<500>) -> Decision {
        match self.status {
            VendorStatus::Approved => Ok(vec![VendorEvent::Suspended { reason }]),
            VendorStatus::Suspended => Ok(vec![]),
            VendorStatus::Pending | VendorStatus::Rejected => Err(self.wrong_status()),
        }
    }

    fn reinstate(&self) -> Decision {
        match self.status {
            VendorStatus::Suspended => Ok(vec![VendorEvent::Reinstated {}]),
            VendorStatus::Approved => Ok(vec![]),
            VendorStatus::Pending | VendorStatus::Rejected => Err(self.wrong_status()),
        }
    }

    fn rewrite(
        &self,
        name: Text<120>,
        email: Personal<EmailAddress>,
        phone: Personal<PhoneNumber>,
    ) -> Decision {
        self.admitted()?;
        let is_new = name != self.name || email != self.email || phone != self.phone;
        let changed = VendorEvent::DetailsChanged { name, email, phone };
        Ok(only_if(is_new, changed))
    }

    /// An invitation that has expired makes way for a new one to the same address.
    fn invite(&self, id: InvitationId, invitation: Invitation, now: DateTime<Utc>) -> Decision {
        self.admitted()?;
        match self.invitations.get(id) {
            None => (),
            Some(held) if held.says_as(&invitation) => return Ok(vec![]),
            Some(_) => return Err(VendorError::AlreadyInvited { invitation_id: id }),
        }
        if invitation.expires_at <= now {
            return Err(VendorError::InvitationExpired);
        }
        let expired = self.invitations.make_way_for(&invitation.email, now)?;
        let room_taken = self.team.len() + self.invitations.waiting() - expired.len();
        if room_taken >= Team::<VendorRole>::MEMBERS_MAX {
            let max = Team::<VendorRole>::MEMBERS_MAX;
            return Err(TeamError::Full { max }.into());
        }
        let withdrawn = expired
            .into_iter()
            .map(|invitation_id| VendorEvent::InvitationWithdrawn { invitation_id });
        let invited = VendorEvent::MemberInvited {
            invitation_id: id,
            email: invitation.email,
            role: invitation.role,
            token_hash: invitation.token_hash,
            expires_at: invitation.expires_at,
        };
        Ok(withdrawn.chain([invited]).collect())
    }

    fn withdraw(&self, invitation_id: InvitationId) -> Decision {
        let invitation = self
            .admitted()?
            .invitations
            .get(invitation_id)
            .ok_or(VendorError::UnknownInvitation)?;
        match invitation.accepted_by {
            None => Ok(vec![VendorEvent::InvitationWithdrawn { invitation_id }]),
            Some(_) => Err(VendorError::InvitationAccepted),
        }
    }

    fn accept(&self, token_hash: &str, account_id: AccountId, now: DateTime<Utc>) -> Decision {
        let (invitation_id, invitation) = self
            .admitted()?
            .invitations
            .by_token(token_hash)
            .ok_or(VendorError::UnknownInvitation)?;
        match invitation.accepted_by {
            Some(by) if by == account_id => return Ok(vec![]),
            Some(_) => return Err(VendorError::InvitationAccepted),
            None => (),
        }
        if !invitation.is_pending(now) {
            return Err(VendorError::InvitationExpired);
        }
        let role = invitation.role;
        if !self.team.may_add(account_id, role)? {
            return Err(TeamError::AlreadyMember { account_id }.into());
        }
        Ok(vec![VendorEvent::MemberJoined {
            invitation_id,
            account_id,
            role,
        }])
    }
}

impl Aggregate for Vendor {
    const TYPE: &'static str = "vendor";
    type Command = VendorCommand;
    type Event = VendorEvent;
    type Error = VendorError;
    type Services = ();

    async fn handle(
        &mut self,
        command: VendorCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), VendorError> {
        write_decision(self, command, sink).await
    }

    fn apply(&mut self, event: VendorEvent) {
        match event {
            VendorEvent::Registered {
                store_id,
                name,
                email,
                phone,
                country,
                owner,
            } => {
                *self = Self::Registered(Box::new(Seller {
                    store_id,
                    name,
                    email,
                    phone,
                    country,
                    status: VendorStatus::Pending,
                    team: Team::of(owner, VendorRole::Owner),
                    invitations: Invitations::default(),
                }));
            }
            VendorEvent::Approved {} | VendorEvent::Reinstated {} => {
                self.change(|seller| seller.status = VendorStatus::Approved);
            }
            VendorEvent::Rejected { .. } => {
                self.change(|seller| seller.status = VendorStatus::Rejected);
            }
            VendorEvent::Suspended { .. } => {
                self.change(|seller| seller.status = VendorStatus::Suspended);
            }
            VendorEvent::DetailsChanged { name, email, phone } => self.change(|seller| {
                seller.name = name;
                seller.email = email;
                seller.phone = phone;
            }),
            VendorEvent::MemberInvited {
                invitation_id,
                email,
                role,
                token_hash,
                expires_at,
            } => self.change(|seller| {
                let invitation = Invitation {
                    email,
                    role,
                    token_hash,
                    expires_at,
                    accepted_by: None,
                };
                seller.invitations.add(invitation_id, invitation);
            }),
            VendorEvent::InvitationWithdrawn { invitation_id } => {
                self.change(|seller| seller.invitations.withdraw(invitation_id));
            }
            VendorEvent::MemberJoined {
                invitation_id,
                account_id,
                role,
            } => self.change(|seller| {
                seller.team.set(account_id, role);
                seller.invitations.accept(invitation_id, account_id);
            }),
            VendorEvent::MemberRoleChanged { account_id, role } => {
                self.change(|seller| seller.team.set(account_id, role));
            }
            VendorEvent::MemberRemoved { account_id } => self.change(|seller| {
                seller.team.remove(account_id);
                seller.invitations.forget(account_id);
            }),
        }
    }
}
