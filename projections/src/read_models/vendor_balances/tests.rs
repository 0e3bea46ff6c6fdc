//! The fold, without a database.

use super::*;
use crate::read_models::account_samples::{credited, debited, opened, paid_out, requested};
use crate::read_models::folding::{folded, only_row, recorded};
use crate::read_models::samples::{ANNA, BILL, STORE, TENANT, id, time};
use soko_domain::PayoutId;

#[test]
fn what_is_sold_is_pending_until_it_is_available() {
    let balance = after([
        opened(),
        credited(1, 900, "2026-03-08T10:00:00Z"),
        credited(2, 100, "2026-03-08T09:00:00Z"),
        credited(3, 50, "2026-03-08T10:00:00Z"),
        credited(4, 7, "2026-03-01T10:00:00Z"),
    ]);
    assert_eq!(
        balance,
        VendorBalance {
            vendor_id: ANNA,
            tenant_id: TENANT,
            store_id: STORE,
            currency: Currency::Kes,
            credited: 1_057,
            debited: 0,
            paid_out: 0,
            under_way: 0,
            on_hold: Json(vec![
                held("2026-03-08T09:00:00Z", 100),
                held("2026-03-08T10:00:00Z", 950),
            ]),
            payout_method: None,
            usable_from: None,
            changed_at: time("2026-03-01T10:05:00Z"),
            version: 5,
        }
    );
    let now = balance.changed_at;
    assert_eq!((balance.available(now), balance.pending(now)), (7, 1_050));
    let later = time("2026-03-08T09:00:00Z");
    assert_eq!(
        (balance.available(later), balance.pending(later)),
        (107, 950)
    );
    let held_later: Vec<_> = balance.held(later).collect();
    assert_eq!(held_later, [held("2026-03-08T10:00:00Z", 950)]);
}

#[test]
fn refunds_and_payouts_take_from_what_is_available() {
    let sold = credited(1, 50_000, "2026-03-01T10:00:00Z");
    let events = [
        opened(),
        sold,
        requested(1, 40_000),
        paid_out(1, 40_000),
        debited(1, 15_000),
        requested(2, 1_000),
    ];
    let balance = after(events);
    assert_eq!(
        (balance.paid_out, balance.under_way, balance.debited),
        (40_000, 1_000, 15_000)
    );
    assert_eq!(balance.available(balance.changed_at), -6_000);
}

#[test]
fn what_was_not_paid_out_can_be_paid_out_again() {
    let sold = || credited(1, 50_000, "2026-03-01T10:00:00Z");
    let payout_id: PayoutId = id(1);
    let rejected = VendorAccountEvent::PayoutRejected {
        payout_id,
        amount: 40_000,
        rejected_by: id(30),
        reason: "no".parse().unwrap(),
    };
    let failed = VendorAccountEvent::PayoutFailed {
        payout_id,
        amount: 40_000,
        reason: "no".parse().unwrap(),
    };
    for ended in [rejected, failed] {
        let balance = after([opened(), sold(), requested(1, 40_000), ended]);
        assert_eq!(balance.available(balance.changed_at), 50_000);
    }
    let returned = VendorAccountEvent::PayoutReturned {
        payout_id,
        store_id: STORE,
        currency: Currency::Kes,
        method: PayoutMethod::ByHand,
        amount: 40_000,
        reason: "no".parse().unwrap(),
        recorded_by: None,
    };
    let events = [
        opened(),
        sold(),
        requested(1, 40_000),
        paid_out(1, 40_000),
        returned,
    ];
    let balance = after(events);
    assert_eq!((balance.paid_out, balance.under_way), (0, 0));
    assert_eq!(balance.available(balance.changed_at), 50_000);
}

#[test]
fn accounts_do_not_mix() {
    let events = [ANNA, BILL].map(|vendor_id| AnyEvent::VendorAccount(vendor_id, opened()));
    assert_eq!(folded::<VendorBalances>(&recorded(events)).len(), 2);
}

fn held(available_at: &str, amount: i64) -> OnHold {
    OnHold {
        available_at: time(available_at),
        amount,
    }
}

fn after<const N: usize>(events: [VendorAccountEvent; N]) -> VendorBalance {
    only_row::<VendorBalances>(&recorded(
        events.map(|event| AnyEvent::VendorAccount(ANNA, event)),
    ))
}
