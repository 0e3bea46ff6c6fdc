//! The folds, without a database.

use super::*;
use crate::read_models::folding::{folded, only_row, recorded};
use crate::read_models::samples::{STORE, TENANT, WANJIRU, id, time};
use soko_domain::Money;
use soko_domain::payment::{Dispute, Refund, RefundMethod, RefundRequest};

#[test]
fn a_payment_is_asked_for() {
    let payment = after([initiated(PaymentProvider::Mpesa)]);
    assert_eq!(
        payment,
        Payment {
            payment_id: id(40),
            tenant_id: TENANT,
            store_id: STORE,
            order_id: id(50),
            provider: PaymentProvider::Mpesa,
            status: PaymentStatus::Initiated,
            currency: Currency::Kes,
            amount: 3_500,
            captured: 0,
            refunded: 0,
            charged_back: 0,
            is_disputed: false,
            credit: 0,
            credit_at: None,
            credit_by: None,
            answer_by: None,
            reference: None,
            reference_doubt: None,
            collected_by: None,
            reason: None,
            initiated_at: time("2026-03-01T10:01:00Z"),
            captured_at: None,
            cancelled_at: None,
            changed_at: time("2026-03-01T10:01:00Z"),
            version: 1,
        }
    );
}

#[test]
fn cash_is_the_payers_turn_from_the_start() {
    let payment = after([initiated(PaymentProvider::CashOnDelivery)]);
    assert_eq!(payment.status, PaymentStatus::Pending);
}

#[test]
fn a_reference_is_doubted_until_the_providers_own_is_known() {
    let reference = |text: &str| text.parse().unwrap();
    let provisional = PaymentEvent::Captured {
        amount: Money::new(3_500, Currency::Kes),
        reference: reference("ws_CO_1"),
        collected_by: None,
        fee: None,
        is_provisional: true,
        is_hearsay: false,
        purpose: None,
    };
    let learned = |once, name, is_hearsay| PaymentEvent::ReferenceLearned {
        provisional: reference(once),
        reference: reference(name),
        amount: Money::new(3_500, Currency::Kes),
        is_hearsay,
    };
    let contested = PaymentEvent::ReferenceContested {
        reference: reference("FORGED1"),
        told: reference("SJK1"),
        amount: Money::new(3_500, Currency::Kes),
    };
    let mut payment = after([initiated(PaymentProvider::Mpesa)]);
    for (event, name, doubt) in [
        (provisional, "ws_CO_1", Some(ReferenceDoubt::Provisional)),
        (learned("ws_CO_1", "FORGED1", true), "FORGED1", None),
        (contested, "FORGED1", Some(ReferenceDoubt::Contested)),
        (learned("FORGED1", "SJK1", false), "SJK1", None),
    ] {
        payment.apply(&event, payment.changed_at);
        assert_eq!(payment.reference.as_deref(), Some(name));
        assert_eq!(payment.reference_doubt, doubt);
        assert_eq!(payment.captured, 3_500);
    }
}

#[test]
fn money_that_came_has_a_reference_and_a_collector() {
    let payment = after([initiated(PaymentProvider::CashOnDelivery), captured()]);
    assert_eq!(payment.status, PaymentStatus::Captured);
    assert_eq!(
        (payment.amount, payment.captured, payment.refunded),
        (3_500, 3_500, 0)
    );
    assert_eq!(payment.reference.as_deref(), Some("RECEIPT-1"));
    assert_eq!(payment.collected_by, Some(id(WANJIRU)));
    assert_eq!(payment.captured_at, Some(time("2026-03-01T10:02:00Z")));
    assert_eq!(payment.initiated_at, time("2026-03-01T10:01:00Z"));
    assert_eq!(payment.version, 2);
}

#[test]
fn a_cancelled_payment_says_why() {
    let payment = after([initiated(PaymentProvider::Mpesa), cancelled()]);
    assert_eq!(payment.status, PaymentStatus::Cancelled);
    assert_eq!(payment.reason.as_deref(), Some("the order was cancelled"));
    assert_eq!(payment.cancelled_at, Some(time("2026-03-01T10:02:00Z")));
    assert_eq!((payment.captured, payment.captured_at), (0, None));
}

#[test]
fn only_money_that_moves_is_a_move() {
    let events = events([initiated(PaymentProvider::Mpesa), captured(), cancelled()]);
    let moved = only_row::<PaymentMoves>(&events);
    assert_eq!(
        moved,
        PaymentMove {
            payment_id: id(40),
            position: 102,
            tenant_id: TENANT,
            at: time("2026-03-01T10:02:00Z"),
            kind: "capture".to_owned(),
            delta: 3_500,
            currency: Currency::Kes,
            reference: "RECEIPT-1".to_owned(),
            by_hand: false,
        }
    );
}

#[test]
fn a_refund_that_a_person_saw_to_is_told_from_the_providers() {
    for (method, by_hand) in [
        (RefundMethod::Provider, false),
        (RefundMethod::Cash, true),
        (RefundMethod::BankTransfer, true),
        (RefundMethod::MobileMoney, true),
    ] {
        let PaymentEvent::Refunded(refund) = refunded(500) else {
            panic!("another event");
        };
        let refund = PaymentEvent::Refunded(Refund { method, ..refund });
        let moved = only_row::<PaymentMoves>(&events([refund]));
        assert_eq!((&*moved.kind, moved.by_hand), ("refund", by_hand));
    }
}

#[test]
fn a_payment_whose_beginning_was_left_out_is_not_there() {
    for event in [captured(), cancelled()] {
        let recorded = &events([event])[0];
        assert_eq!(Payments::fold(None, &id(40), recorded), None);
    }
}

#[test]
fn payments_do_not_mix() {
    let of = |number| AnyEvent::Payment(id(number), initiated(PaymentProvider::Paystack));
    let rows = folded::<Payments>(&recorded([of(40)]));
    assert!(rows.contains_key(&id(40)) && rows.len() == 1);
}

#[test]
fn what_is_kept_for_the_payer_has_a_deadline_until_it_is_back() {
    let kept = after([initiated(PaymentProvider::Paynow), captured(), held(900)]);
    assert_eq!(kept.credit_at, Some(time("2026-03-01T10:03:00Z")));
    assert_eq!(kept.credit_by, Some(time("2026-03-15T00:00:00Z")));
    let partly = after([
        initiated(PaymentProvider::Paynow),
        captured(),
        held(900),
        refunded(500),
    ]);
    assert_eq!((partly.credit, partly.credit_at), (400, kept.credit_at));
    assert_eq!(partly.credit_by, kept.credit_by);
    let back = after([
        initiated(PaymentProvider::Paynow),
        captured(),
        held(900),
        refunded(900),
    ]);
    assert_eq!(
        (back.credit, back.credit_at, back.credit_by),
        (0, None, None)
    );
}

#[test]
fn a_bank_is_answered_while_the_dispute_is_open() {
    let told = |stage, answer_by: Option<&str>| {
        PaymentEvent::Disputed(Dispute {
            reference: "D-1".parse().unwrap(),
            amount: Money::new(3_500, Currency::Kes),
            stage,
            money: None,
            words: None,
            answer_by: answer_by.map(time),
            purpose: None,
        })
    };
    let open = told(DisputeStage::Open, Some("2026-03-09T00:00:00Z"));
    let again = told(DisputeStage::Open, None);
    let won = told(DisputeStage::Won, None);
    let begun = [initiated(PaymentProvider::Stripe), captured(), open, again];
    let disputed = after(begun.clone());
    assert_eq!(disputed.answer_by, Some(time("2026-03-09T00:00:00Z")));
    let [first, second, third, fourth] = begun;
    assert_eq!(after([first, second, third, fourth, won]).answer_by, None);
}

#[test]
fn a_refund_is_followed_to_its_end() {
    let stages = [
        (vec![], RefundStage::Requested, None),
        (
            vec![doubted()],
            RefundStage::Unresolved,
            Some("the answer was lost"),
        ),
        (vec![failed()], RefundStage::Failed, Some("other")),
        // It was given up, and done all the same.
        (vec![failed(), refunded(500)], RefundStage::Done, None),
        (vec![refunded(500), returned()], RefundStage::Returned, None),
    ];
    for (then, stage, reason) in stages {
        let happened = [initiated(PaymentProvider::Mpesa), captured(), requested()];
        let happened: Vec<_> = happened.into_iter().chain(then).collect();
        let last = i64::try_from(happened.len()).unwrap();
        let of = |event| AnyEvent::Payment(id(40), event);
        let refund = only_row::<PaymentRefunds>(&recorded(happened.into_iter().map(of)));
        assert_eq!((refund.stage, refund.reason.as_deref()), (stage, reason));
        assert_eq!(refund.requested_at, time("2026-03-01T10:03:00Z"));
        let minutes = chrono::TimeDelta::minutes(last);
        assert_eq!(refund.stage_at, time("2026-03-01T10:00:00Z") + minutes);
        assert_eq!((refund.amount, refund.currency), (500, Currency::Kes));
    }
}

#[test]
fn what_went_back_by_hand_is_done_from_the_start() {
    let happened = [
        initiated(PaymentProvider::CashOnDelivery),
        captured(),
        refunded(500),
    ];
    let refund = only_row::<PaymentRefunds>(&events(happened));
    assert_eq!(refund.stage, RefundStage::Done);
    assert_eq!(refund.requested_at, refund.stage_at);
}

#[test]
fn a_refund_whose_beginning_was_left_out_is_not_there() {
    for event in [doubted(), failed(), returned()] {
        let recorded = &events([event])[0];
        let key = (id(40), id(60));
        assert_eq!(PaymentRefunds::keys(recorded), [key]);
        assert_eq!(PaymentRefunds::fold(None, &key, recorded), None);
    }
}

fn held(amount: i64) -> PaymentEvent {
    PaymentEvent::CreditHeld {
        amount: Money::new(amount, Currency::Kes),
        decide_by: time("2026-03-15T00:00:00Z"),
        because: "the order does not need it".parse().unwrap(),
    }
}

fn requested() -> PaymentEvent {
    PaymentEvent::RefundRequested {
        request: RefundRequest {
            refund_id: id(60),
            amount: Money::new(500, Currency::Kes),
            reason: "it was broken".parse().unwrap(),
            is_surplus: false,
            requested_by: None,
        },
        of: "RECEIPT-1".parse().unwrap(),
    }
}

fn doubted() -> PaymentEvent {
    PaymentEvent::RefundDoubted {
        refund_id: id(60),
        because: "the answer was lost".parse().unwrap(),
    }
}

fn failed() -> PaymentEvent {
    PaymentEvent::RefundFailed {
        refund_id: id(60),
        reason: "other".parse().unwrap(),
        words: None,
    }
}

fn refunded(amount: i64) -> PaymentEvent {
    PaymentEvent::Refunded(Refund {
        refund_id: id(60),
        amount: Money::new(amount, Currency::Kes),
        reason: "it was broken".parse().unwrap(),
        method: RefundMethod::Provider,
        reference: "R-1".parse().unwrap(),
        refunded_by: None,
        purpose: None,
    })
}

fn returned() -> PaymentEvent {
    PaymentEvent::RefundReturned {
        refund_id: id(60),
        amount: Money::new(500, Currency::Kes),
        purpose: None,
    }
}

fn initiated(provider: PaymentProvider) -> PaymentEvent {
    PaymentEvent::Initiated {
        order_id: id(50),
        store_id: STORE,
        provider,
        amount: Money::new(3_500, Currency::Kes),
        terms: None,
    }
}

fn captured() -> PaymentEvent {
    PaymentEvent::Captured {
        amount: Money::new(3_500, Currency::Kes),
        reference: "RECEIPT-1".parse().unwrap(),
        collected_by: Some(id(WANJIRU)),
        fee: None,
        is_provisional: false,
        is_hearsay: false,
        purpose: None,
    }
}

fn cancelled() -> PaymentEvent {
    PaymentEvent::Cancelled {
        reason: "the order was cancelled".parse().unwrap(),
    }
}

fn events<const N: usize>(events: [PaymentEvent; N]) -> Vec<RecordedEvent> {
    recorded(events.map(|event| AnyEvent::Payment(id(40), event)))
}

fn after<const N: usize>(happened: [PaymentEvent; N]) -> Payment {
    only_row::<Payments>(&events(happened))
}
