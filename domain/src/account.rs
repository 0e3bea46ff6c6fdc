//! A person, or a program, that logs in.
//!
//! Passwords, tokens and sessions are no part of it, and neither is who belongs to which team:
//! tenants, stores and vendors know their own.

mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use command::AccountCommand;
pub use error::AccountError;
pub use event::{AccountEvent, PlatformRole};

use crate::decide::only_if;
use crate::{
    AccountId, Address, AddressId, Decide, EmailAddress, Personal, PhoneNumber, Text,
    write_decision,
};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Account {
    #[default]
    Unregistered,
    Registered(Box<Profile>),
    /// Nothing is left of it but its history.
    Erased,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Profile {
    name: Personal<Text<120>>,
    email: Personal<EmailAddress>,
    email_verified: bool,
    phone: Option<Personal<PhoneNumber>>,
    #[serde(default)]
    phone_verified: bool,
    #[serde(default)]
    second_factor: bool,
    platform_roles: BTreeSet<PlatformRole>,
    /// In the order in which they were added.
    #[serde(default)]
    addresses: Vec<(AddressId, Personal<Address>)>,
}

/// What an address book has room for.
pub const ADDRESSES_MAX: usize = 20;

type Decision = Result<Vec<AccountEvent>, AccountError>;

impl Account {
    /// # Errors
    /// [`AccountError::NotRegistered`] or [`AccountError::Erased`].
    pub fn profile(&self) -> Result<&Profile, AccountError> {
        match self {
            Self::Unregistered => Err(AccountError::NotRegistered),
            Self::Registered(profile) => Ok(profile),
            Self::Erased => Err(AccountError::Erased),
        }
    }

    /// None for an account that does not exist or was erased.
    pub fn platform_roles(&self) -> impl Iterator<Item = PlatformRole> + '_ {
        self.profile()
            .into_iter()
            .flat_map(|profile| profile.platform_roles.iter().copied())
    }

    fn change(&mut self, change: impl FnOnce(&mut Profile)) {
        match self {
            Self::Unregistered | Self::Erased => (),
            Self::Registered(profile) => change(profile),
        }
    }
}

impl Decide for Account {
    type Id = AccountId;

    fn decide(&self, command: AccountCommand) -> Decision {
        match command {
            AccountCommand::Register { name, email, phone } => self.register(name, email, phone),
            AccountCommand::ChangeProfile { name, phone } => {
                Ok(self.profile()?.rewrite(name, phone))
            }
            AccountCommand::VerifyEmail => {
                let unverified = !self.profile()?.email_verified;
                Ok(only_if(unverified, AccountEvent::EmailVerified {}))
            }
            AccountCommand::VerifyPhone { phone } => self.profile()?.verify_phone(&phone),
            AccountCommand::ChangePassword => {
                self.profile()?;
                Ok(vec![AccountEvent::PasswordChanged {}])
            }
            AccountCommand::AddSecondFactor => self.profile()?.add_second_factor(),
            AccountCommand::RemoveSecondFactor => self.profile()?.remove_second_factor(),
            AccountCommand::AddAddress {
                address_id,
                address,
            } => self.profile()?.add_address(address_id, address),
            AccountCommand::RemoveAddress { address_id } => {
                self.profile()?.remove_address(address_id)
            }
            AccountCommand::GrantPlatformRole { role } => {
                let held = self.profile()?.platform_roles.contains(&role);
                Ok(only_if(!held, AccountEvent::PlatformRoleGranted { role }))
            }
            AccountCommand::RevokePlatformRole { role } => {
                let held = self.profile()?.platform_roles.contains(&role);
                Ok(only_if(held, AccountEvent::PlatformRoleRevoked { role }))
            }
            AccountCommand::Erase => self.erase(),
        }
    }
}

impl Account {
    fn register(
        &self,
        name: Personal<Text<120>>,
        email: Personal<EmailAddress>,
        phone: Option<Personal<PhoneNumber>>,
    ) -> Decision {
        match self {
            Self::Unregistered => Ok(vec![AccountEvent::Registered { name, email, phone }]),
            Self::Registered(_) => Err(AccountError::AlreadyRegistered),
            Self::Erased => Err(AccountError::Erased),
        }
    }

    fn erase(&self) -> Decision {
        match self {
            Self::Unregistered => Err(AccountError::NotRegistered),
            Self::Registered(profile) => match profile.platform_roles.first() {
                Some(role) => Err(AccountError::HoldsPlatformRole { role: *role }),
                None => Ok(vec![AccountEvent::Erased {}]),
            },
            Self::Erased => Ok(vec![]),
        }
    }
}

impl Profile {
    pub fn name(&self) -> &Personal<Text<120>> {
        &self.name
    }

    pub fn email(&self) -> &Personal<EmailAddress> {
        &self.email
    }

    pub fn email_is_verified(&self) -> bool {
        self.email_verified
    }

    pub fn phone(&self) -> Option<&Personal<PhoneNumber>> {
        self.phone.as_ref()
    }

    pub fn phone_is_verified(&self) -> bool {
        self.phone_verified
    }

    pub fn has_second_factor(&self) -> bool {
        self.second_factor
    }

    /// In the order in which they were added.
    pub fn addresses(&self) -> impl Iterator<Item = (AddressId, &Personal<Address>)> {
        self.addresses
            .iter()
            .map(|(address_id, address)| (*address_id, address))
    }

    fn has_address(&self, address_id: AddressId) -> bool {
        self.addresses.iter().any(|(known, _)| *known == address_id)
    }

    fn add_address(&self, address_id: AddressId, address: Personal<Address>) -> Decision {
        if self.has_address(address_id) {
            return Ok(vec![]);
        }
        if self.addresses.len() >= ADDRESSES_MAX {
            return Err(AccountError::TooManyAddresses);
        }
        Ok(vec![AccountEvent::AddressAdded {
            address_id,
            address,
        }])
    }

    fn remove_address(&self, address_id: AddressId) -> Decision {
        if self.has_address(address_id) {
            Ok(vec![AccountEvent::AddressRemoved { address_id }])
        } else {
            Err(AccountError::NoSuchAddress)
        }
    }

    fn add_second_factor(&self) -> Decision {
        if self.second_factor {
            return Err(AccountError::HasSecondFactor);
        }
        Ok(vec![AccountEvent::SecondFactorAdded {}])
    }

    fn remove_second_factor(&self) -> Decision {
        if self.second_factor {
            Ok(vec![AccountEvent::SecondFactorRemoved {}])
        } else {
            Err(AccountError::NoSecondFactor)
        }
    }

    fn verify_phone(&self, phone: &Personal<PhoneNumber>) -> Decision {
        if self.phone.as_ref() != Some(phone) {
            return Err(AccountError::OtherPhone);
        }
        let unverified = !self.phone_verified;
        Ok(only_if(unverified, AccountEvent::PhoneVerified {}))
    }

    fn rewrite(
        &self,
        name: Personal<Text<120>>,
        phone: Option<Personal<PhoneNumber>>,
    ) -> Vec<AccountEvent> {
        let is_new = name != self.name || phone != self.phone;
        only_if(is_new, AccountEvent::ProfileChanged { name, phone })
    }
}

impl Aggregate for Account {
    const TYPE: &'static str = "account";
    type Command = AccountCommand;
    type Event = AccountEvent;
    type Error = AccountError;
    type Services = ();

    async fn handle(
        &mut self,
        command: AccountCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), AccountError> {
        write_decision(self, command, sink).await
    }

    fn apply(&mut self, event: AccountEvent) {
        match event {
            AccountEvent::Registered { name, email, phone } => {
                *self = Self::Registered(Box::new(Profile {
                    name,
                    email,
                    email_verified: false,
                    phone,
                    phone_verified: false,
                    second_factor: false,
                    platform_roles: BTreeSet::new(),
                    addresses: Vec::new(),
                }));
            }
            AccountEvent::ProfileChanged { name, phone } => self.change(|profile| {
                profile.name = name;
                profile.phone_verified &= profile.phone == phone;
                profile.phone = phone;
            }),
            AccountEvent::EmailVerified {} => self.change(|profile| profile.email_verified = true),
            AccountEvent::PhoneVerified {} => self.change(|profile| profile.phone_verified = true),
            AccountEvent::PasswordChanged {} => (),
            AccountEvent::SecondFactorAdded {} => {
                self.change(|profile| profile.second_factor = true);
            }
            AccountEvent::SecondFactorRemoved {} => {
                self.change(|profile| profile.second_factor = false);
            }
            AccountEvent::AddressAdded {
                address_id,
                address,
            } => self.change(|profile| profile.addresses.push((address_id, address))),
            AccountEvent::AddressRemoved { address_id } => self.change(|profile| {
                profile.addresses.retain(|(known, _)| *known != address_id);
            }),
            AccountEvent::PlatformRoleGranted { role } => self.change(|profile| {
                profile.platform_roles.insert(role);
            }),
            AccountEvent::PlatformRoleRevoked { role } => self.change(|profile| {
                profile.platform_roles.remove(&role);
            }),
            AccountEvent::Erased {} => *self = Self::Erased,
        }
    }
}
