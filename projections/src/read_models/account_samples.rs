//! A vendor's account to fold, for the tests of several read models.

use super::samples::{ANNA, STORE, WANJIRU, id, time};
use soko_domain::Currency;
use soko_domain::order::VendorShare;
use soko_domain::vendor_account::{Credit, Debit, PayoutMethod, VendorAccountEvent};

/// A vendor's account with the store.
pub(crate) fn opened() -> VendorAccountEvent {
    VendorAccountEvent::Opened {
        store_id: STORE,
        currency: Currency::Kes,
    }
}

/// A tenth more was sold, which the store keeps.
fn share(amount: i64) -> VendorShare {
    VendorShare {
        vendor_id: ANNA,
        gross: amount + amount / 10,
        tax: 0,
        commission: amount / 10,
        commission_tax: 0,
        discount: 0,
        subsidy: 0,
    }
}

pub(crate) fn credited(order: u128, amount: i64, available_at: &str) -> VendorAccountEvent {
    VendorAccountEvent::Credited(Box::new(Credit {
        order_id: id(order),
        amount,
        share: share(amount),
        available_at: time(available_at),
        credited_at: time("2026-03-01T10:00:00Z"),
    }))
}

pub(crate) fn debited(order: u128, amount: i64) -> VendorAccountEvent {
    VendorAccountEvent::Debited(Box::new(Debit {
        order_id: id(order),
        refund_id: id(order + 100),
        amount,
        share: share(amount),
    }))
}

pub(crate) fn requested(payout: u128, amount: i64) -> VendorAccountEvent {
    VendorAccountEvent::PayoutRequested {
        payout_id: id(payout),
        store_id: STORE,
        currency: Currency::Kes,
        amount,
        method: PayoutMethod::ByHand,
        requested_by: Some(id(WANJIRU)),
        requested_at: time("2026-03-01T10:00:00Z"),
    }
}

pub(crate) fn paid_out(payout: u128, amount: i64) -> VendorAccountEvent {
    VendorAccountEvent::PayoutPaid {
        payout_id: id(payout),
        store_id: STORE,
        currency: Currency::Kes,
        method: PayoutMethod::ByHand,
        amount,
        reference: "KCB-1".parse().unwrap(),
        paid_by: Some(id(31)),
    }
}
