//! The fold, without a database.

use super::*;
use crate::read_models::account_samples::{credited, debited, opened, paid_out, requested};
use crate::read_models::folding::{folded, only_row, recorded};
use crate::read_models::samples::{ANNA, STORE, TENANT, WANJIRU, id, time};

#[test]
fn a_payout_goes_from_its_request_to_its_end() {
    let payout = after([requested(1, 50_000), approved(Some(id(31)))]);
    assert_eq!(
        payout,
        Payout {
            payout_id: id(1),
            position: 101,
            tenant_id: TENANT,
            store_id: STORE,
            vendor_id: ANNA,
            currency: Currency::Kes,
            amount: 50_000,
            method: PayoutMethod::ByHand,
            status: PayoutStatus::Approved,
            requested_by: Some(id(WANJIRU)),
            requested_at: time("2026-03-01T10:01:00Z"),
            decided_by: Some(id(31)),
            paid_by: None,
            paid_at: None,
            reference: None,
            reason: None,
            changed_at: time("2026-03-01T10:02:00Z"),
        }
    );
    let paid = after([requested(1, 50_000), approved(None), paid_out(1, 50_000)]);
    assert_eq!(paid.status, PayoutStatus::Paid);
    assert_eq!((paid.decided_by, paid.paid_by), (None, Some(id(31))));
    assert_eq!(paid.reference.as_deref(), Some("KCB-1"));
    assert_eq!(paid.paid_at, Some(time("2026-03-01T10:03:00Z")));
}

#[test]
fn what_did_not_come_to_pass_says_why() {
    let reason = || "no such account".parse().unwrap();
    let payout_id = id(1);
    let rejected = VendorAccountEvent::PayoutRejected {
        payout_id,
        amount: 50_000,
        rejected_by: id(31),
        reason: reason(),
    };
    let failed = VendorAccountEvent::PayoutFailed {
        payout_id,
        amount: 50_000,
        reason: reason(),
    };
    let doubted = VendorAccountEvent::PayoutDoubted {
        payout_id,
        because: reason(),
    };
    for (event, status) in [
        (rejected, PayoutStatus::Rejected),
        (failed, PayoutStatus::Failed),
        (doubted, PayoutStatus::Unresolved),
    ] {
        let payout = after([requested(1, 50_000), event]);
        assert_eq!(payout.status, status);
        assert_eq!(payout.reason.as_deref(), Some("no such account"));
    }
}

#[test]
fn only_payouts_are_payouts() {
    let events = [
        opened(),
        credited(1, 50_000, "2026-03-01T10:00:00Z"),
        debited(1, 10),
    ];
    assert!(folded::<Payouts>(&of_anna(events)).is_empty());
}

fn approved(approved_by: Option<AccountId>) -> VendorAccountEvent {
    VendorAccountEvent::PayoutApproved {
        payout_id: id(1),
        approved_by,
    }
}

fn of_anna<const N: usize>(events: [VendorAccountEvent; N]) -> Vec<RecordedEvent> {
    recorded(events.map(|event| AnyEvent::VendorAccount(ANNA, event)))
}

fn after<const N: usize>(events: [VendorAccountEvent; N]) -> Payout {
    only_row::<Payouts>(&of_anna(events))
}
