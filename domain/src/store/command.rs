//! What may be asked of a store.

use super::{PayoutRules, StoreRole, Terms};
use crate::commission::CommissionRules;
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
    /// All of them, in place of those that there were.
    ChangeCommissionRules(Box<CommissionRules>),
    ChangePayoutRules(PayoutRules),
    ChangeWebOrigins {
        web_origins: BTreeSet<WebOrigin>,
    },
    /// The caller has put what opens the account into safe keeping.
    SetPaymentAccount {
        provider: PaymentProvider,
    },
    RemovePaymentAccount {
        provider: PaymentProvider,
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
