//! The fold, without a database.

use super::*;
use crate::read_models::account_samples::{credited, debited, opened, paid_out, requested};
use crate::read_models::folding::{folded, recorded};
use crate::read_models::samples::{ANNA, STORE, TENANT, id, time};
use soko_domain::Currency;
use soko_domain::vendor_account::PayoutMethod;

#[test]
fn a_sale_says_what_the_store_kept() {
    let lines = lines([opened(), credited(1, 1_000, "2026-03-08T10:00:00Z")]);
    assert_eq!(
        lines,
        [AccountMove {
            vendor_id: ANNA,
            position: 102,
            tenant_id: TENANT,
            at: time("2026-03-01T10:02:00Z"),
            kind: "sale".to_owned(),
            order_id: Some(id(1)),
            refund_id: None,
            payout_id: None,
            reference: None,
            gross: 1_100,
            subsidy: 0,
            commission: 100,
            commission_tax: 0,
            amount: 1_000,
        }]
    );
}

#[test]
fn what_leaves_is_less_than_nothing_and_what_is_kept_aside_has_not_left() {
    let returned = VendorAccountEvent::PayoutReturned {
        payout_id: id(1),
        store_id: STORE,
        currency: Currency::Kes,
        method: PayoutMethod::ByHand,
        amount: 600,
        reason: "no such account".parse().unwrap(),
        recorded_by: None,
    };
    let lines = lines([
        credited(1, 1_000, "2026-03-01T10:00:00Z"),
        debited(1, 400),
        requested(1, 600),
        paid_out(1, 600),
        returned,
    ]);
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.kind.as_str(), line.gross, line.amount))
        .collect();
    assert_eq!(
        told,
        [
            ("sale", 1_100, 1_000),
            ("refund", -440, -400),
            ("payout", 0, -600),
            ("payout_returned", 0, 600),
        ]
    );
    assert_eq!(lines[2].reference.as_deref(), Some("KCB-1"));
    assert_eq!(lines[2].payout_id, Some(id(1)));
    assert_eq!(lines[1].refund_id, Some(id(101)));
}

fn lines<const N: usize>(events: [VendorAccountEvent; N]) -> Vec<AccountMove> {
    let events = events.map(|event| AnyEvent::VendorAccount(ANNA, event));
    folded::<AccountMoves>(&recorded(events))
        .into_values()
        .collect()
}
