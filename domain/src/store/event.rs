//! What has happened to a store.

use super::PayoutRules;
use crate::commission::CommissionRules;
use crate::event_names::event_names;
use crate::payment::PaymentProvider;
use crate::{
    AccountId, CountryCode, Currency, LocationId, Slug, Tax, TaxRate, TenantId, Text, WebOrigin,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A role in one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreRole {
    Manager,
    Staff,
    Auditor,
    Analyst,
}

/// What a store trades by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub tenant_id: TenantId,
    /// Unique in the whole system.
    pub slug: Slug,
    pub name: Text<120>,
    pub currency: Currency,
    pub country: CountryCode,
    /// An IANA name, such as `Africa/Nairobi`.
    pub time_zone: Text<64>,
    pub tax: Tax,
    pub payment_methods: BTreeSet<PaymentProvider>,
    /// What the store keeps of a vendor's sales.
    pub commission_bps: TaxRate,
    /// Where stock lies that names no other place.
    pub main_location: LocationId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreEvent {
    Opened(Box<Terms>),
    Renamed {
        name: Text<120>,
    },
    TimeZoneChanged {
        time_zone: Text<64>,
    },
    TaxChanged {
        tax: Tax,
    },
    PaymentMethodsChanged {
        payment_methods: BTreeSet<PaymentProvider>,
    },
    CommissionChanged {
        commission_bps: TaxRate,
    },
    /// All of them, the store's own percentage among them.
    CommissionRulesChanged(Box<CommissionRules>),
    /// All of them.
    PayoutRulesChanged(PayoutRules),
    WebOriginsChanged {
        web_origins: BTreeSet<WebOrigin>,
    },
    /// What opens its account with a provider was set, once more perhaps. It lies elsewhere, sealed.
    PaymentAccountSet {
        provider: PaymentProvider,
    },
    PaymentAccountRemoved {
        provider: PaymentProvider,
    },
    LocationAdded {
        location_id: LocationId,
        name: Text<120>,
    },
    LocationRenamed {
        location_id: LocationId,
        name: Text<120>,
    },
    MemberAdded {
        account_id: AccountId,
        role: StoreRole,
    },
    MemberRoleChanged {
        account_id: AccountId,
        role: StoreRole,
    },
    MemberRemoved {
        account_id: AccountId,
    },
    Closed {},
}

event_names!(StoreEvent, "store", {
    Opened => "opened" v 1,
    Renamed => "renamed" v 1,
    TimeZoneChanged => "time_zone_changed" v 1,
    TaxChanged => "tax_changed" v 1,
    PaymentMethodsChanged => "payment_methods_changed" v 1,
    CommissionChanged => "commission_changed" v 1,
    CommissionRulesChanged => "commission_rules_changed" v 1,
    PayoutRulesChanged => "payout_rules_changed" v 1,
    WebOriginsChanged => "web_origins_changed" v 1,
    PaymentAccountSet => "payment_account_set" v 1,
    PaymentAccountRemoved => "payment_account_removed" v 1,
    LocationAdded => "location_added" v 1,
    LocationRenamed => "location_renamed" v 1,
    MemberAdded => "member_added" v 1,
    MemberRoleChanged => "member_role_changed" v 1,
    MemberRemoved => "member_removed" v 1,
    Closed => "closed" v 1,
});
