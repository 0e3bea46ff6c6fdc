//! An order that is paid in parts, by several payments, late or never.

use super::*;
use crate::PaymentId;

#[test]
fn parts_add_up_until_all_is_there() {
    given([online()])
        .when(brought(40, 1_500))
        .then_expect_events(vec![partly(40, 1_500, 2_000)]);
    let part = order([online(), partly(40, 1_500, 2_000)]);
    let progress = part.progress().unwrap();
    assert_eq!(progress.status(), OrderStatus::PendingPayment);
    assert_eq!((progress.due(), progress.kept()), (kes(2_000), kes(1_500)));
    given([online(), partly(40, 1_500, 2_000)])
        .when(brought(40, 1_500))
        .then_expect_events(vec![]);
    given([online(), partly(40, 1_500, 2_000)])
        .when(brought(41, 2_000))
        .then_expect_events(vec![paid_by(41, 2_000)]);
    given([online(), partly(40, 1_500, 2_000)])
        .when(brought(40, 3_500))
        .then_expect_events(vec![paid_by(40, 2_000)]);
}

#[test]
fn it_accepts_what_it_needs() {
    let accepts = |order: Order, amount| order.progress().unwrap().accepts(kes(amount));
    assert_eq!(accepts(order([online()]), 4_000), kes(3_500));
    assert_eq!(accepts(order([online()]), 1_000), kes(1_000));
    let part = order([online(), partly(40, 1_500, 2_000)]);
    assert_eq!(accepts(part, 3_500), kes(2_000));
    for end in [paid_by(40, 3_500), cancelled(), expired()] {
        assert_eq!(accepts(order([online(), end]), 3_500), kes(0));
    }
}

#[test]
fn a_buyer_may_try_to_pay_another_way() {
    given([online()])
        .when(attempt(41, PaymentProvider::Paystack))
        .then_expect_events(vec![attempted(41, PaymentProvider::Paystack)]);
    given([online(), attempted(41, PaymentProvider::Paystack)])
        .when(attempt(41, PaymentProvider::Paystack))
        .then_expect_events(vec![]);
    let cash = order([online(), attempted(41, PaymentProvider::CashOnDelivery)]);
    let progress = cash.progress().unwrap();
    assert_eq!(progress.status(), OrderStatus::Confirmed);
    assert_eq!(progress.attempts(), [payment(40), payment(41)]);
    for (end, error) in [
        (paid_by(40, 3_500), OrderError::AlreadyPaid),
        (cancelled(), OrderError::Cancelled),
        (expired(), OrderError::Expired),
    ] {
        given([online(), end])
            .when(attempt(41, PaymentProvider::Paystack))
            .then_expect_error(error);
    }
}

#[test]
fn nobody_tries_without_end() {
    let mut events = vec![online()];
    for number in 41..41 + Placement::ATTEMPTS_MAX as u128 - 1 {
        events.push(attempted(number, PaymentProvider::Mpesa));
    }
    TestFramework::<Order>::with(())
        .given(events)
        .when(attempt(99, PaymentProvider::Mpesa))
        .then_expect_error(OrderError::TooManyAttempts);
}

#[test]
fn an_order_that_nobody_paid_in_time_expires_once() {
    given([online()])
        .when(OrderCommand::Expire {})
        .then_expect_events(vec![expired()]);
    given([online(), expired()])
        .when(OrderCommand::Expire {})
        .then_expect_events(vec![]);
    assert_eq!(status([online(), expired()]), OrderStatus::Expired);
    for (events, error) in [
        (vec![placed()], OrderError::PaidOtherwise),
        (vec![online(), paid_by(40, 3_500)], OrderError::AlreadyPaid),
        (vec![online(), cancelled()], OrderError::Cancelled),
    ] {
        TestFramework::<Order>::with(())
            .given(events)
            .when(OrderCommand::Expire {})
            .then_expect_error(error);
    }
}

#[test]
fn a_dead_order_takes_no_money_and_is_not_worked_on() {
    given([online(), expired()])
        .when(brought(40, 3_500))
        .then_expect_error(OrderError::Expired);
    given([online(), expired()])
        .when(pack(ANNA))
        .then_expect_error(OrderError::Expired);
}

#[test]
fn a_paid_order_can_be_called_off_if_its_money_goes_back() {
    let cancel = OrderCommand::Cancel {
        by: CancelledBy::Customer,
        reason: None,
        refund_follows: true,
    };
    given([online(), paid_by(40, 3_500)])
        .when(cancel.clone())
        .then_expect_events(vec![cancelled()]);
    given([online(), paid_by(40, 3_500), shipped(ANNA)])
        .when(cancel)
        .then_expect_error(OrderError::AlreadyShipped);
}

fn online() -> OrderEvent {
    OrderEvent::Placed(Box::new(online_placement()))
}

fn payment(number: u128) -> PaymentId {
    Uuid::from_u128(number).into()
}

fn brought(number: u128, amount: i64) -> OrderCommand {
    OrderCommand::RecordPayment {
        payment_id: payment(number),
        brought: kes(amount),
    }
}

fn partly(number: u128, amount: i64, due: i64) -> OrderEvent {
    OrderEvent::PartlyPaid {
        payment_id: payment(number),
        amount,
        due,
    }
}

fn paid_by(number: u128, amount: i64) -> OrderEvent {
    OrderEvent::Paid {
        payment_id: payment(number),
        amount,
        shares: Shares::of_sale(&placement()).ok(),
    }
}

fn attempt(number: u128, provider: PaymentProvider) -> OrderCommand {
    OrderCommand::AttemptPayment {
        payment_id: payment(number),
        provider,
    }
}

fn attempted(number: u128, provider: PaymentProvider) -> OrderEvent {
    OrderEvent::PaymentAttempted {
        payment_id: payment(number),
        provider,
    }
}

fn expired() -> OrderEvent {
    OrderEvent::Expired {
        store_id: placement().store_id,
        currency: Currency::Kes,
        lines: placement().lines.iter().map(Into::into).collect(),
    }
}
