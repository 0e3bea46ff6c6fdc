//! What goes back after an order was paid.

use super::*;
use crate::RefundId;

#[test]
fn what_goes_back_is_on_the_order_too_and_once() {
    given([placed(), paid()])
        .when(record_refund(1, 1_000))
        .then_expect_events(vec![refunded(1, 1_000, 2_500)]);
    given([placed(), paid(), refunded(1, 1_000, 2_500)])
        .when(record_refund(1, 1_000))
        .then_expect_events(vec![]);
    let status = status([placed(), paid(), refunded(1, 1_000, 2_500)]);
    assert_eq!(status, OrderStatus::Paid);
}

#[test]
fn nothing_goes_back_of_an_order_that_another_payment_paid() {
    given([placed()])
        .when(record_refund(1, 1_000))
        .then_expect_error(OrderError::PaidOtherwise);
    let other = OrderCommand::RecordRefund {
        payment_id: Uuid::from_u128(99).into(),
        refund_id: refund_id(1),
        amount: kes(1_000),
    };
    given([placed(), paid()])
        .when(other)
        .then_expect_error(OrderError::PaidOtherwise);
}

#[test]
fn only_an_order_whose_money_went_back_can_be_called_off_after_it_was_paid() {
    given([placed(), paid(), refunded(1, 1_000, 2_500)])
        .when(cancel())
        .then_expect_error(OrderError::AlreadyPaid);
    given([
        placed(),
        paid(),
        refunded(1, 1_000, 2_500),
        refunded(2, 2_500, 0),
    ])
    .when(cancel())
    .then_expect_events(vec![cancelled()]);
}

#[test]
fn refunds_take_back_the_sale_and_no_more() {
    let sale = Shares::of_sale(&placement()).unwrap();
    let first = refunded(1, 1_000, 2_500);
    let OrderEvent::Refunded {
        shares: Some(gone), ..
    } = &first
    else {
        unreachable!("it is refunded");
    };
    let left = sale.without(gone).unwrap();
    assert_eq!(left.total(), Ok(kes(2_500)));
    given([placed(), paid(), first])
        .when(record_refund(2, 2_500))
        .then_expect_events(vec![shared(2, 2_500, 0, Some(left))]);
}

/// As they stand in a log that is older than shares.
#[test]
fn events_without_shares_count_as_if_they_had_them() {
    let old = || OrderEvent::Paid {
        payment_id: placement().payment_id,
        amount: 3_500,
        shares: None,
    };
    let sale = Shares::of_sale(&placement()).unwrap();
    given([placed(), old()])
        .when(record_refund(1, 1_000))
        .then_expect_events(vec![refunded(1, 1_000, 2_500)]);
    let left = sale.without(&sale.part(kes(1_000)).unwrap()).unwrap();
    given([placed(), old(), shared(1, 1_000, 2_500, None)])
        .when(record_refund(2, 2_500))
        .then_expect_events(vec![shared(2, 2_500, 0, Some(left))]);
}

fn refund_id(number: u128) -> RefundId {
    Uuid::from_u128(number).into()
}

fn record_refund(number: u128, amount: i64) -> OrderCommand {
    OrderCommand::RecordRefund {
        payment_id: placement().payment_id,
        refund_id: refund_id(number),
        amount: kes(amount),
    }
}

/// The first of the order's refunds.
fn refunded(number: u128, amount: i64, kept: i64) -> OrderEvent {
    let sale = Shares::of_sale(&placement()).unwrap();
    shared(number, amount, kept, sale.part(kes(amount)).ok())
}

fn shared(number: u128, amount: i64, kept: i64, shares: Option<Shares>) -> OrderEvent {
    OrderEvent::Refunded {
        payment_id: placement().payment_id,
        refund_id: refund_id(number),
        amount,
        kept,
        shares,
    }
}
