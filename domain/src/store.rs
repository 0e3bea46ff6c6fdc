//! A store: what it sells in, how it taxes and takes payment, where its stock lies, and who runs it.

mod command;
mod error;
mod event;
mod payout_rules;
#[cfg(test)]
mod tests;

pub use command::StoreCommand;
pub use error::StoreError;
pub use event::{StoreEvent, StoreRole, Terms};
pub use payout_rules::{PayoutRules, PayoutRulesError, PayoutSchedule, midnight_after};

use crate::commission::{CommissionRule, CommissionRules};
use crate::decide::only_if;
use crate::payment::PaymentProvider;
use crate::{
    AccountId, Currency, Decide, LocationId, StoreId, Tax, Team, TeamRole, TenantId, Text,
    WebOrigin, write_decision,
};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Store {
    #[default]
    NotOpened,
    Open(Box<Shop>),
    /// For good; its orders go on to their ends.
    Closed(Box<Shop>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shop {
    terms: Terms,
    /// The main location is among them once it was given a name.
    location_names: BTreeMap<LocationId, Text<120>>,
    team: Team<StoreRole>,
    /// Where the pages of its web shops come from.
    #[serde(default)]
    web_origins: BTreeSet<WebOrigin>,
    /// With which providers it has an account, by [`PaymentProvider::account`].
    #[serde(default)]
    payment_accounts: BTreeSet<PaymentProvider>,
    commission: CommissionRules,
    #[serde(default)]
    payout_rules: PayoutRules,
}

impl TeamRole for StoreRole {
    /// A store without a manager is still run by its tenant's owners and admins.
    const ALWAYS_HELD: Option<Self> = None;
}

type Decision = Result<Vec<StoreEvent>, StoreError>;

impl Store {
    /// # Errors
    /// [`StoreError::NotOpened`] or [`StoreError::Closed`].
    pub fn open(&self) -> Result<&Shop, StoreError> {
        match self {
            Self::NotOpened => Err(StoreError::NotOpened),
            Self::Open(shop) => Ok(shop),
            Self::Closed(_) => Err(StoreError::Closed),
        }
    }

    /// Open or closed: for what was agreed while it was open.
    ///
    /// # Errors
    /// [`StoreError::NotOpened`].
    pub fn shop(&self) -> Result<&Shop, StoreError> {
        match self {
            Self::NotOpened => Err(StoreError::NotOpened),
            Self::Open(shop) | Self::Closed(shop) => Ok(shop),
        }
    }

    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// `None` for whoever does not belong to it, and where there is no store. A closed store keeps
    /// its team: somebody must see its orders off.
    pub fn role_of(&self, account_id: AccountId) -> Option<StoreRole> {
        self.shop().ok()?.team.role_of(account_id)
    }

    fn change(&mut self, change: impl FnOnce(&mut Shop)) {
        match self {
            Self::NotOpened => (),
            Self::Open(shop) | Self::Closed(shop) => change(shop),
        }
    }
}

impl Decide for Store {
    type Id = StoreId;

    /// 2: with the rules of commission.
    const SNAPSHOT_VERSION: u32 = 2;

    fn decide(&self, command: StoreCommand) -> Decision {
        match command {
            StoreCommand::Open(terms) => self.open_with(terms),
            StoreCommand::Rename { name } => {
                let is_new = name != self.open()?.terms.name;
                Ok(only_if(is_new, StoreEvent::Renamed { name }))
            }
            StoreCommand::ChangeTimeZone { time_zone } => {
                let is_new = time_zone != self.open()?.terms.time_zone;
                Ok(only_if(is_new, StoreEvent::TimeZoneChanged { time_zone }))
            }
            StoreCommand::ChangeTax { tax } => {
                let is_new = tax != self.open()?.terms.tax;
                Ok(only_if(is_new, StoreEvent::TaxChanged { tax }))
            }
            StoreCommand::ChangePaymentMethods { payment_methods } => {
                self.open()?.take_payment_by(payment_methods)
            }
            StoreCommand::ChangeCommission { commission_bps } => {
                let is_new = commission_bps != self.open()?.terms.commission_bps;
                let changed = StoreEvent::CommissionChanged { commission_bps };
                Ok(only_if(is_new, changed))
            }
            StoreCommand::ChangeCommissionRules(rules) => self.open()?.keep_commission_by(rules),
            StoreCommand::ChangePayoutRules(rules) => {
                let is_new = rules != self.open()?.payout_rules;
                rules.check()?;
                Ok(only_if(is_new, StoreEvent::PayoutRulesChanged(rules)))
            }
            StoreCommand::ChangeWebOrigins { web_origins } => {
                self.open()?.have_pages_at(web_origins)
            }
            StoreCommand::SetPaymentAccount { provider } => {
                self.open()?;
                if provider.is_recorded_by_hand() || provider != provider.account() {
                    return Err(StoreError::NoSuchAccount);
                }
                Ok(vec![StoreEvent::PaymentAccountSet { provider }])
            }
            StoreCommand::RemovePaymentAccount { provider } => {
                let has_it = self.shop()?.payment_accounts.contains(&provider);
                let removed = StoreEvent::PaymentAccountRemoved { provider };
                Ok(only_if(has_it, removed))
            }
            StoreCommand::AddLocation { location_id, name } => {
                self.open()?.add_location(location_id, name)
            }
            StoreCommand::RenameLocation { location_id, name } => {
                self.open()?.rename_location(location_id, name)
            }
            StoreCommand::AddMember { account_id, role } => {
                let is_new = self.open()?.team.may_add(account_id, role)?;
                Ok(only_if(
                    is_new,
                    StoreEvent::MemberAdded { account_id, role },
                ))
            }
            StoreCommand::ChangeMemberRole { account_id, role } => {
                let is_new = self.open()?.team.may_change(account_id, role)?;
                let changed = StoreEvent::MemberRoleChanged { account_id, role };
                Ok(only_if(is_new, changed))
            }
            StoreCommand::RemoveMember { account_id } => {
                self.open()?.team.may_remove(account_id)?;
                Ok(vec![StoreEvent::MemberRemoved { account_id }])
            }
            StoreCommand::Close => match self {
                Self::NotOpened => Err(StoreError::NotOpened),
                Self::Open(_) => Ok(vec![StoreEvent::Closed {}]),
                Self::Closed(_) => Ok(vec![]),
            },
        }
    }
}

impl Store {
    fn open_with(&self, terms: Box<Terms>) -> Decision {
        match self {
            Self::NotOpened => some_payment_method(&terms.payment_methods)?,
            Self::Open(_) => return Err(StoreError::AlreadyOpened),
            Self::Closed(_) => return Err(StoreError::Closed),
        }
        Ok(vec![StoreEvent::Opened(terms)])
    }
}

impl Shop {
    /// So that the list of its locations stays a small part of a store.
    pub const LOCATIONS_MAX: usize = 200;

    /// Every process knows those of every store.
    pub const WEB_ORIGINS_MAX: usize = 10;

    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    pub fn tenant_id(&self) -> TenantId {
        self.terms.tenant_id
    }

    pub fn currency(&self) -> Currency {
        self.terms.currency
    }

    pub fn tax(&self) -> Tax {
        self.terms.tax
    }

    pub fn payment_methods(&self) -> &BTreeSet<PaymentProvider> {
        &self.terms.payment_methods
    }

    pub fn takes(&self, provider: PaymentProvider) -> bool {
        self.terms.payment_methods.contains(&provider)
    }

    /// Whether it can be paid by this provider: nobody is asked, or it has an account there.
    pub fn can_take(&self, provider: PaymentProvider) -> bool {
        provider.is_recorded_by_hand() || self.payment_accounts.contains(&provider.account())
    }

    /// With which providers it has an account.
    pub fn payment_accounts(&self) -> &BTreeSet<PaymentProvider> {
        &self.payment_accounts
    }

    /// What it keeps of its vendors' sales; its standard percentage is that of its terms.
    pub fn commission(&self) -> &CommissionRules {
        &self.commission
    }

    /// How it pays its vendors out.
    pub fn payout_rules(&self) -> PayoutRules {
        self.payout_rules
    }

    /// Where stock lies that names no other place.
    pub fn main_location(&self) -> LocationId {
        self.terms.main_location
    }

    pub fn has_location(&self, location_id: LocationId) -> bool {
        location_id == self.terms.main_location || self.location_names.contains_key(&location_id)
    }

    /// The main location goes by the store's name until it is given one of its own.
    pub fn location_name(&self, location_id: LocationId) -> Option<&Text<120>> {
        let name = self.location_names.get(&location_id);
        name.or_else(|| (location_id == self.terms.main_location).then_some(&self.terms.name))
    }

    /// Every location with its name, the main one first.
    pub fn locations(&self) -> impl Iterator<Item = (LocationId, &Text<120>)> + '_ {
        let others = self
            .location_names
            .keys()
            .filter(|location_id| **location_id != self.terms.main_location);
        std::iter::once(&self.terms.main_location)
            .chain(others)
            .filter_map(|id| self.location_name(*id).map(|name| (*id, name)))
    }

    /// Where the pages of its web shops come from.
    pub fn web_origins(&self) -> &BTreeSet<WebOrigin> {
        &self.web_origins
    }

    pub fn team(&self) -> &Team<StoreRole> {
        &self.team
    }

    fn take_payment_by(&self, payment_methods: BTreeSet<PaymentProvider>) -> Decision {
        some_payment_method(&payment_methods)?;
        let is_new = payment_methods != self.terms.payment_methods;
        let changed = StoreEvent::PaymentMethodsChanged { payment_methods };
        Ok(only_if(is_new, changed))
    }

    fn keep_commission_by(&self, rules: Box<CommissionRules>) -> Decision {
        rules.check()?;
        let is_new = *rules != self.commission;
        Ok(only_if(is_new, StoreEvent::CommissionRulesChanged(rules)))
    }

    fn have_pages_at(&self, web_origins: BTreeSet<WebOrigin>) -> Decision {
        if web_origins.len() > Self::WEB_ORIGINS_MAX {
            return Err(StoreError::TooManyWebOrigins {
                max: Self::WEB_ORIGINS_MAX,
            });
        }
        let is_new = web_origins != self.web_origins;
        let changed = StoreEvent::WebOriginsChanged { web_origins };
        Ok(only_if(is_new, changed))
    }

    fn add_location(&self, location_id: LocationId, name: Text<120>) -> Decision {
        match self.location_name(location_id) {
            Some(held) if *held == name => Ok(vec![]),
            Some(_) => Err(StoreError::LocationExists { location_id }),
            None if self.location_names.len() >= Self::LOCATIONS_MAX => {
                Err(StoreError::TooManyLocations {
                    max: Self::LOCATIONS_MAX,
                })
            }
            None => Ok(vec![StoreEvent::LocationAdded { location_id, name }]),
        }
    }

    fn rename_location(&self, location_id: LocationId, name: Text<120>) -> Decision {
        let held = self
            .location_name(location_id)
            .ok_or(StoreError::UnknownLocation { location_id })?;
        let is_new = name != *held;
        let renamed = StoreEvent::LocationRenamed { location_id, name };
        Ok(only_if(is_new, renamed))
    }
}

fn some_payment_method(payment_methods: &BTreeSet<PaymentProvider>) -> Result<(), StoreError> {
    if payment_methods.is_empty() {
        Err(StoreError::NoPaymentMethod)
    } else {
        Ok(())
    }
}

impl Aggregate for Store {
    const TYPE: &'static str = "store";
    type Command = StoreCommand;
    type Event = StoreEvent;
    type Error = StoreError;
    type Services = ();

    async fn handle(
        &mut self,
        command: StoreCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), StoreError> {
        write_decision(self, command, sink).await
    }

    fn apply(&mut self, event: StoreEvent) {
        match event {
            StoreEvent::Opened(terms) => {
                *self = Self::Open(Box::new(Shop {
                    commission: CommissionRules {
                        standard: CommissionRule::of_bps(terms.commission_bps),
                        ..CommissionRules::default()
                    },
                    terms: *terms,
                    location_names: BTreeMap::new(),
                    team: Team::empty(),
                    web_origins: BTreeSet::new(),
                    payment_accounts: BTreeSet::new(),
                    payout_rules: PayoutRules::default(),
                }));
            }
            StoreEvent::Renamed { name } => self.change(|shop| shop.terms.name = name),
            StoreEvent::TimeZoneChanged { time_zone } => {
                self.change(|shop| shop.terms.time_zone = time_zone);
            }
            StoreEvent::TaxChanged { tax } => self.change(|shop| shop.terms.tax = tax),
            StoreEvent::PaymentMethodsChanged { payment_methods } => {
                self.change(|shop| shop.terms.payment_methods = payment_methods);
            }
            StoreEvent::CommissionChanged { commission_bps } => {
                self.change(|shop| {
                    shop.terms.commission_bps = commission_bps;
                    shop.commission.standard.bps = commission_bps;
                });
            }
            StoreEvent::CommissionRulesChanged(rules) => self.change(|shop| {
                shop.terms.commission_bps = rules.standard.bps;
                shop.commission = *rules;
            }),
            StoreEvent::PayoutRulesChanged(rules) => {
                self.change(|shop| shop.payout_rules = rules);
            }
            StoreEvent::WebOriginsChanged { web_origins } => {
                self.change(|shop| shop.web_origins = web_origins);
            }
            StoreEvent::PaymentAccountSet { provider } => self.change(|shop| {
                shop.payment_accounts.insert(provider);
            }),
            StoreEvent::PaymentAccountRemoved { provider } => self.change(|shop| {
                shop.payment_accounts.remove(&provider);
            }),
            StoreEvent::LocationAdded { location_id, name }
            | StoreEvent::LocationRenamed { location_id, name } => self.change(|shop| {
                shop.location_names.insert(location_id, name);
            }),
            StoreEvent::MemberAdded { account_id, role }
            | StoreEvent::MemberRoleChanged { account_id, role } => {
                self.change(|shop| shop.team.set(account_id, role));
            }
            StoreEvent::MemberRemoved { account_id } => {
                self.change(|shop| shop.team.remove(account_id));
            }
            StoreEvent::Closed {} => {
                *self = match std::mem::take(self) {
                    Self::NotOpened => Self::NotOpened,
                    Self::Open(shop) | Self::Closed(shop) => Self::Closed(shop),
                };
            }
        }
    }
}
