//! What may be asked of a store.

use super::{StoreRole, Terms};
use crate::payment::PaymentProvider;
use crate::{AccountId, LocationId, Tax, TaxRate, Text, WebOrigin};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreCommand {
    /// The caller claims the slug.
    Open(Box<Terms>),
    Rename {
        name: Text<120>,
    },
    ChangeTimeZone {
        time_zone: Text<64>,
    },
    ChangeTax {
        tax: Tax,
    },
    ChangePaymentMethods {
        payment_methods: BTreeSet<PaymentProvider>,
    },
    ChangeCommission {
        commission_bps: TaxRate,
    },
    ChangeWebOrigins {
        web_origins: BTreeSet<WebOrigin>,
    },
    AddLocation {
        location_id: LocationId,
        name: Text<120>,
    },
    RenameLocation {
        location_id: LocationId,
        name: Text<120>,
    },
    AddMember {
        account_id: AccountId,
        role: StoreRole,
    },
    ChangeMemberRole {
        account_id: AccountId,
        role: StoreRole,
    },
    RemoveMember {
        account_id: AccountId,
    },
    Close,
}
