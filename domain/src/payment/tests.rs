//! Given, when, then.

mod online;
mod returns;

use super::*;
use crate::{AccountId, Currency, Personal, SubjectId, Text};
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

#[test]
fn cash_on_delivery_is_pending_until_it_is_collected() {
    given([])
        .when(initiate(CASH, 1_000))
        .then_expect_events(vec![initiated(CASH, 1_000)]);
    let payment = payment([initiated(CASH, 1_000)]);
    let demand = payment.demand().unwrap();
    assert_eq!(demand.status(), PaymentStatus::Pending);
    assert_eq!(demand.amount(), kes(1_000));
    assert_eq!(demand.provider(), CASH);
    assert_eq!(demand.order_id(), order());
    assert_eq!(demand.store_id(), store());
    assert_eq!(demand.reference(), None);
}

#[test]
fn a_provider_that_must_be_asked_leaves_the_payment_initiated() {
    let payment = payment([initiated(PaymentProvider::Mpesa, 1_000)]);
    assert_eq!(payment.demand().unwrap().status(), PaymentStatus::Initiated);
}

#[test]
fn a_repeated_initiation_changes_nothing() {
    given([initiated(CASH, 1_000)])
        .when(initiate(CASH, 1_000))
        .then_expect_events(vec![]);
}

#[test]
fn a_payment_is_for_one_thing_only() {
    for other in [
        initiate(CASH, 2_000),
        initiate(PaymentProvider::Mpesa, 1_000),
    ] {
        given([initiated(CASH, 1_000)])
            .when(other)
            .then_expect_error(PaymentError::AlreadyInitiated);
    }
}

#[test]
fn nobody_is_asked_for_less_than_nothing() {
    given([])
        .when(initiate(CASH, -1))
        .then_expect_error(PaymentError::NegativeAmount);
    given([])
        .when(initiate(CASH, 0))
        .then_expect_events(vec![initiated(CASH, 0)]);
}

#[test]
fn nothing_happens_to_a_payment_that_was_never_initiated() {
    for command in [capture(1_000, "R1"), refund(1, 1), cancel()] {
        given([])
            .when(command)
            .then_expect_error(PaymentError::NotInitiated);
    }
}

#[test]
fn money_is_captured_with_its_reference_and_collector() {
    given([initiated(CASH, 1_000)])
        .when(capture(1_000, "R1"))
        .then_expect_events(vec![captured(1_000, "R1")]);
    let payment = payment([initiated(CASH, 1_000), captured(1_000, "R1")]);
    let demand = payment.demand().unwrap();
    assert_eq!(demand.status(), PaymentStatus::Captured);
    assert_eq!(demand.reference().unwrap().as_str(), "R1");
}

#[test]
fn the_same_money_told_twice_is_taken_once() {
    given([initiated(CASH, 1_000), captured(1_000, "R1")])
        .when(capture(1_000, "R1"))
        .then_expect_events(vec![]);
}

#[test]
fn a_captured_payment_takes_no_other_money() {
    given([initiated(CASH, 1_000), captured(1_000, "R1")])
        .when(capture(1_000, "R2"))
        .then_expect_error(PaymentError::AlreadyCaptured);
}

#[test]
fn only_the_amount_that_is_due_is_captured() {
    for amount in [999, 1_001] {
        let differs = PaymentError::AmountDiffers {
            expected: kes(1_000),
            found: kes(amount),
        };
        given([initiated(CASH, 1_000)])
            .when(capture(amount, "R1"))
            .then_expect_error(differs.clone());
        given([initiated(CASH, 1_000), captured(1_000, "R1")])
            .when(capture(amount, "R1"))
            .then_expect_error(differs);
    }
    let dollars = Money::new(1_000, Currency::Usd);
    given([initiated(CASH, 1_000)])
        .when(PaymentCommand::Capture {
            amount: dollars,
            reference: "R1".parse().unwrap(),
            collected_by: None,
            fee: None,
            source: ReferenceSource::Provider,
        })
        .then_expect_error(PaymentError::CurrencyDiffers { asked: dollars });
}

#[test]
fn what_came_can_go_back_in_parts_and_never_more_of_it() {
    let paid = || vec![initiated(CASH, 1_000), captured(1_000, "R1")];
    given_events(paid())
        .when(refund(1, 400))
        .then_expect_events(vec![refunded(1, 400)]);
    let part = payment([
        initiated(CASH, 1_000),
        captured(1_000, "R1"),
        refunded(1, 400),
    ]);
    let demand = part.demand().unwrap();
    assert_eq!(demand.status(), PaymentStatus::PartlyRefunded);
    assert_eq!(demand.kept(), kes(600));
    let mut partly = paid();
    partly.push(refunded(1, 400));
    given_events(partly.clone())
        .when(refund(2, 601))
        .then_expect_error(PaymentError::RefundTooLarge {
            refundable: kes(600),
            asked: kes(601),
        });
    given_events(partly.clone())
        .when(refund(2, 600))
        .then_expect_events(vec![refunded(2, 600)]);
    partly.push(refunded(2, 600));
    given_events(partly)
        .when(refund(3, 1))
        .then_expect_error(PaymentError::RefundTooLarge {
            refundable: kes(0),
            asked: kes(1),
        });
}

#[test]
fn all_of_it_gone_back_is_refunded() {
    let payment = payment([
        initiated(CASH, 1_000),
        captured(1_000, "R1"),
        refunded(1, 1_000),
    ]);
    assert_eq!(payment.demand().unwrap().status(), PaymentStatus::Refunded);
}

#[test]
fn the_same_refund_told_twice_goes_back_once() {
    let paid = || {
        vec![
            initiated(CASH, 1_000),
            captured(1_000, "R1"),
            refunded(1, 400),
        ]
    };
    given_events(paid())
        .when(refund(1, 400))
        .then_expect_events(vec![]);
    given_events(paid())
        .when(refund(1, 500))
        .then_expect_error(PaymentError::AlreadyRefunded);
}

#[test]
fn nothing_goes_back_that_never_came_or_is_no_money_of_it() {
    given([initiated(CASH, 1_000)])
        .when(refund(1, 1))
        .then_expect_error(PaymentError::NotCaptured);
    given([initiated(CASH, 1_000), cancelled()])
        .when(refund(1, 1))
        .then_expect_error(PaymentError::NotCaptured);
    for amount in [0, -1] {
        given([initiated(CASH, 1_000), captured(1_000, "R1")])
            .when(refund(1, amount))
            .then_expect_error(PaymentError::NoRefund);
    }
    let mut dollars = a_refund(1, 1);
    dollars.amount = Money::new(1, Currency::Usd);
    given([initiated(CASH, 1_000), captured(1_000, "R1")])
        .when(PaymentCommand::Refund(dollars))
        .then_expect_error(PaymentError::NoRefund);
}

#[test]
fn an_open_payment_is_cancelled_once() {
    given([initiated(CASH, 1_000)])
        .when(cancel())
        .then_expect_events(vec![cancelled()]);
    given([initiated(CASH, 1_000), cancelled()])
        .when(cancel())
        .then_expect_events(vec![]);
    assert_eq!(
        payment([initiated(CASH, 1_000), cancelled()])
            .demand()
            .unwrap()
            .status(),
        PaymentStatus::Cancelled
    );
}

#[test]
fn captured_money_cannot_be_cancelled_away() {
    given([initiated(CASH, 1_000), captured(1_000, "R1")])
        .when(cancel())
        .then_expect_error(PaymentError::AlreadyCaptured);
}

#[test]
fn a_cancelled_payment_takes_no_money() {
    given([initiated(CASH, 1_000), cancelled()])
        .when(capture(1_000, "R1"))
        .then_expect_error(PaymentError::Cancelled);
}

const CASH: PaymentProvider = PaymentProvider::CashOnDelivery;

fn a_refund(number: u128, amount: i64) -> Refund {
    Refund {
        refund_id: Uuid::from_u128(number).into(),
        amount: kes(amount),
        reason: "damaged".parse().unwrap(),
        method: RefundMethod::Cash,
        reference: format!("B{number}").parse().unwrap(),
        refunded_by: Some(Uuid::from_u128(7).into()),
        purpose: None,
    }
}

fn refund(number: u128, amount: i64) -> PaymentCommand {
    PaymentCommand::Refund(a_refund(number, amount))
}

fn refunded(number: u128, amount: i64) -> PaymentEvent {
    PaymentEvent::Refunded(Refund {
        purpose: Some(purpose(CASH)),
        ..a_refund(number, amount)
    })
}

fn given_events(events: Vec<PaymentEvent>) -> AggregateTestExecutor<Payment> {
    TestFramework::with(()).given(events)
}

fn given<const N: usize>(events: [PaymentEvent; N]) -> AggregateTestExecutor<Payment> {
    TestFramework::with(()).given(events.into())
}

fn payment<const N: usize>(events: [PaymentEvent; N]) -> Payment {
    let mut payment = Payment::default();
    for event in events {
        payment.apply(event);
    }
    payment
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}

fn order() -> OrderId {
    Uuid::from_u128(1).into()
}

fn store() -> StoreId {
    Uuid::from_u128(10).into()
}

fn cashier() -> AccountId {
    Uuid::from_u128(30).into()
}

fn initiated(provider: PaymentProvider, amount: i64) -> PaymentEvent {
    PaymentEvent::Initiated {
        order_id: order(),
        store_id: store(),
        provider,
        amount: kes(amount),
        terms: terms(provider),
    }
}

fn terms(provider: PaymentProvider) -> Option<Box<Terms>> {
    let terms = Terms {
        payer: Personal::new(SubjectId::from(order()), Payer::default()),
        asked_at: chrono::DateTime::UNIX_EPOCH,
        pay_by: chrono::DateTime::UNIX_EPOCH,
        capture_later: false,
    };
    (!provider.is_recorded_by_hand()).then(|| Box::new(terms))
}

fn captured(amount: i64, reference: &str) -> PaymentEvent {
    PaymentEvent::Captured {
        amount: kes(amount),
        reference: reference.parse().unwrap(),
        collected_by: Some(cashier()),
        fee: None,
        is_provisional: false,
        is_hearsay: false,
        purpose: Some(purpose(CASH)),
    }
}

fn purpose(provider: PaymentProvider) -> Purpose {
    Purpose {
        order_id: order(),
        store_id: store(),
        provider,
    }
}

fn cancelled() -> PaymentEvent {
    PaymentEvent::Cancelled {
        reason: "order cancelled".parse().unwrap(),
    }
}

fn initiate(provider: PaymentProvider, amount: i64) -> PaymentCommand {
    PaymentCommand::Initiate {
        order_id: order(),
        store_id: store(),
        provider,
        amount: kes(amount),
        terms: terms(provider),
    }
}

fn capture(amount: i64, reference: &str) -> PaymentCommand {
    PaymentCommand::Capture {
        amount: kes(amount),
        reference: reference.parse().unwrap(),
        collected_by: Some(cashier()),
        fee: None,
        source: ReferenceSource::Provider,
    }
}

fn cancel() -> PaymentCommand {
    PaymentCommand::Cancel {
        reason: "order cancelled".parse().unwrap(),
    }
}
