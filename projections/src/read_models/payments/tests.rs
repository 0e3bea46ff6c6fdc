//! The folds, without a database.

use super::*;
use crate::read_models::folding::{folded, only_row, recorded};
use crate::read_models::samples::{STORE, TENANT, WANJIRU, id, time};
use soko_domain::Money;

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
            reference: None,
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
        }
    );
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

fn initiated(provider: PaymentProvider) -> PaymentEvent {
    PaymentEvent::Initiated {
        order_id: id(50),
        store_id: STORE,
        provider,
        amount: Money::new(3_500, Currency::Kes),
    }
}

fn captured() -> PaymentEvent {
    PaymentEvent::Captured {
        amount: Money::new(3_500, Currency::Kes),
        reference: "RECEIPT-1".parse().unwrap(),
        collected_by: Some(id(WANJIRU)),
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
