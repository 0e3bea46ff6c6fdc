//! One of every event of a vendor's account, and the other forms that some have.

use crate::samples::{id, personal_of, text};
use chrono::{DateTime, Utc};
use soko_domain::order::VendorShare;
use soko_domain::store::{PayoutRules, PayoutSchedule, StoreEvent};
use soko_domain::vendor_account::{Credit, Debit, PayoutDetails, PayoutMethod, VendorAccountEvent};
use soko_domain::{AccountId, AnyEvent, Currency, PayoutId};

pub(crate) fn vendor_account() -> impl Iterator<Item = VendorAccountEvent> {
    let share = VendorShare {
        vendor_id: id(11),
        gross: 220_000,
        tax: 30_345,
        commission: 22_000,
        commission_tax: 3_520,
        discount: 1_000,
        subsidy: 0,
    };
    let payout_id = id(90);
    let amount = 194_480;
    [
        VendorAccountEvent::Opened {
            store_id: id(10),
            currency: Currency::Kes,
        },
        VendorAccountEvent::Credited(Box::new(Credit {
            order_id: id(50),
            amount,
            share,
            available_at: time("2026-03-08T11:00:00Z"),
            credited_at: time("2026-03-01T10:00:00Z"),
        })),
        VendorAccountEvent::Debited(Box::new(Debit {
            order_id: id(50),
            refund_id: id(41),
            amount: 97_240,
            share: VendorShare {
                gross: 110_000,
                tax: 15_173,
                commission: 11_000,
                commission_tax: 1_760,
                discount: 500,
                ..share
            },
        })),
        set(PayoutDetails::Mpesa {
            phone: text("+254712345678"),
        }),
        requested(payout_id, Some(id(30))),
        VendorAccountEvent::PayoutApproved {
            payout_id,
            approved_by: Some(id(31)),
        },
        VendorAccountEvent::PayoutRejected {
            payout_id,
            amount,
            rejected_by: id(31),
            reason: text("the bank is closed"),
        },
        VendorAccountEvent::PayoutStarted { payout_id },
        VendorAccountEvent::PayoutSent {
            payout_id,
            handle: text("AG_20260308_1"),
        },
        VendorAccountEvent::PayoutDoubted {
            payout_id,
            because: text("no answer came"),
        },
        paid(payout_id, Some(id(31))),
        VendorAccountEvent::PayoutFailed {
            payout_id,
            amount,
            reason: text("no such phone"),
        },
        returned(payout_id, Some(id(31))),
    ]
    .into_iter()
}

/// What may be left out, left out, and every way of paying.
pub(crate) fn vendor_account_forms() -> Vec<(String, AnyEvent)> {
    let payout_id = id(90);
    let by_hand = PayoutDetails::ByHand {
        name: text("Mama Mboga"),
        account: text("KCB Moi Avenue 1234567"),
    };
    let paystack = PayoutDetails::Paystack {
        kind: text("basa"),
        name: text("Mama Mboga"),
        account_number: text("0001234567"),
        bank_code: text("632005"),
    };
    let by_itself = VendorAccountEvent::PayoutApproved {
        payout_id,
        approved_by: None,
    };
    let forms = [
        ("by_hand", set(by_hand)),
        ("paystack", set(paystack)),
        ("by_schedule", requested(payout_id, None)),
        ("by_itself", by_itself),
        ("by_provider", paid(payout_id, None)),
        ("by_provider", returned(payout_id, None)),
    ];
    let of_account =
        forms.map(|(case, event)| (case.to_owned(), AnyEvent::VendorAccount(id(1), event)));
    let rules = [
        ("never", PayoutRules::default()),
        (
            "daily",
            PayoutRules {
                schedule: PayoutSchedule::Daily,
                ..PayoutRules::default()
            },
        ),
    ];
    let of_store = rules.map(|(case, rules)| {
        let event = StoreEvent::PayoutRulesChanged(rules);
        (case.to_owned(), AnyEvent::Store(id(1), event))
    });
    of_account.into_iter().chain(of_store).collect()
}

fn set(details: PayoutDetails) -> VendorAccountEvent {
    VendorAccountEvent::PayoutAccountSet {
        method: details.method(),
        details: personal_of(details),
        usable_from: time("2026-03-02T10:00:00Z"),
        set_by: id(30),
    }
}

fn requested(payout_id: PayoutId, requested_by: Option<AccountId>) -> VendorAccountEvent {
    VendorAccountEvent::PayoutRequested {
        payout_id,
        store_id: id(10),
        currency: Currency::Kes,
        amount: 194_480,
        method: PayoutMethod::Mpesa,
        requested_by,
        requested_at: time("2026-03-08T12:00:00Z"),
    }
}

fn paid(payout_id: PayoutId, paid_by: Option<AccountId>) -> VendorAccountEvent {
    VendorAccountEvent::PayoutPaid {
        payout_id,
        store_id: id(10),
        currency: Currency::Kes,
        method: PayoutMethod::ByHand,
        amount: 194_480,
        reference: text("QK1ABC"),
        paid_by,
    }
}

fn returned(payout_id: PayoutId, recorded_by: Option<AccountId>) -> VendorAccountEvent {
    VendorAccountEvent::PayoutReturned {
        payout_id,
        store_id: id(10),
        currency: Currency::Kes,
        method: PayoutMethod::ByHand,
        amount: 194_480,
        reason: text("the account is closed"),
        recorded_by,
    }
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
