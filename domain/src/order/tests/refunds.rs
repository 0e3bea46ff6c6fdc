//! What goes back after an order was paid.

use super::*;
use crate::RefundId;

#[test]
fn what_goes_back_is_on_the_order_too_and_once() {
    given([placed(), paid()])
        .when(record_refund(1, 1_000, 2_500))
        .then_expect_events(vec![refunded(1, 1_000, 2_500)]);
    given([placed(), paid(), refunded(1, 1_000, 2_500)])
        .when(record_refund(1, 1_000, 2_500))
        .then_expect_events(vec![]);
    let status = status([placed(), paid(), refunded(1, 1_000, 2_500)]);
    assert_eq!(status, OrderStatus::Paid);
}

#[test]
fn nothing_goes_back_of_an_order_that_another_payment_paid() {
    given([placed()])
        .when(record_refund(1, 1_000, 2_500))
        .then_expect_error(OrderError::PaidOtherwise);
    let other = OrderCommand::RecordRefund {
        payment_id: Uuid::from_u128(99).into(),
        refund_id: refund_id(1),
        amount: kes(1_000),
        kept: kes(2_500),
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

fn refund_id(number: u128) -> RefundId {
    Uuid::from_u128(number).into()
}

fn record_refund(number: u128, amount: i64, kept: i64) -> OrderCommand {
    OrderCommand::RecordRefund {
        payment_id: placement().payment_id,
        refund_id: refund_id(number),
        amount: kes(amount),
        kept: kes(kept),
    }
}

fn refunded(number: u128, amount: i64, kept: i64) -> OrderEvent {
    OrderEvent::Refunded {
        payment_id: placement().payment_id,
        refund_id: refund_id(number),
        amount,
        kept,
    }
}
