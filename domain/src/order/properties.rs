//! What holds of an order whatever is asked of it, and in whatever order.

use super::tests::{ANNA, BILL, online_placement, placement};
use super::*;
use crate::Money;
use proptest::prelude::*;
use uuid::Uuid;

proptest! {
    #[test]
    fn an_order_ends_once_and_for_a_reason(
        is_online: bool, commands in proptest::collection::vec(any_command(), 0..40),
    ) {
        let placement = if is_online { online_placement() } else { placement() };
        let mut order = Order::default();
        order.apply(OrderEvent::Placed(Box::new(placement)));
        let mut seen = Seen::default();
        for command in commands {
            let was_final = order.progress().unwrap().status().is_final();
            for event in order.decide(command).unwrap_or_default() {
                let is_refund = matches!(event, OrderEvent::Refunded { .. });
                prop_assert!(!was_final || is_refund, "{event:?} after the end");
                seen.note(&event)?;
                order.apply(event);
            }
            seen.agree_with(order.progress().unwrap(), is_online)?;
        }
    }

    #[test]
    fn a_snapshot_is_the_same_order(
        commands in proptest::collection::vec(any_command(), 0..20),
    ) {
        let mut order = Order::default();
        order.apply(OrderEvent::Placed(Box::new(placement())));
        for command in commands {
            for event in order.decide(command).unwrap_or_default() {
                order.apply(event);
            }
        }
        let json = serde_json::to_value(&order).unwrap();
        let restored: Order = serde_json::from_value(json.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(&restored).unwrap(), json);
    }

    #[test]
    fn what_was_done_is_not_done_again(
        commands in proptest::collection::vec(any_command(), 0..20), command in any_command(),
    ) {
        let mut order = Order::default();
        order.apply(OrderEvent::Placed(Box::new(placement())));
        for command in commands {
            for event in order.decide(command).unwrap_or_default() {
                order.apply(event);
            }
        }
        if let Ok(events) = order.decide(command.clone()) {
            for event in events {
                order.apply(event);
            }
            prop_assert_eq!(order.decide(command), Ok(vec![]));
        }
    }
}

/// What an auditor would reckon from the events alone.
#[derive(Default)]
struct Seen {
    paid: u32,
    kept: i64,
    shipped: Vec<VendorId>,
    delivered: Vec<VendorId>,
    completed: bool,
    cancelled: bool,
    expired: bool,
}

impl Seen {
    fn note(&mut self, event: &OrderEvent) -> Result<(), TestCaseError> {
        match event {
            OrderEvent::Placed(_) => prop_assert!(false, "placed twice"),
            OrderEvent::PaymentAttempted { .. } => prop_assert!(self.paid == 0),
            OrderEvent::PartlyPaid { amount, due, .. } => {
                prop_assert!(*amount > 0 || *due > 0);
                self.kept += amount;
            }
            OrderEvent::Paid { amount, .. } => {
                self.paid += 1;
                self.kept += amount;
            }
            OrderEvent::Refunded { amount, kept, .. } => {
                self.kept -= amount;
                prop_assert_eq!(self.kept, *kept);
            }
            OrderEvent::Packed { vendor_id } => prop_assert!(!self.shipped.contains(vendor_id)),
            OrderEvent::Shipped { vendor_id, .. } => {
                prop_assert!(!self.shipped.contains(vendor_id));
                self.shipped.push(*vendor_id);
            }
            OrderEvent::Delivered { vendor_id } => {
                prop_assert!(self.shipped.contains(vendor_id));
                prop_assert!(!self.delivered.contains(vendor_id));
                self.delivered.push(*vendor_id);
            }
            OrderEvent::Completed {} => self.completed = true,
            OrderEvent::Cancelled { .. } => self.cancelled = true,
            OrderEvent::Expired { .. } => self.expired = true,
        }
        Ok(())
    }

    fn agree_with(&self, progress: &Progress, is_online: bool) -> Result<(), TestCaseError> {
        prop_assert!(self.paid <= 1);
        let is_delivered = self.delivered.len() == 2;
        prop_assert_eq!(self.completed, is_delivered && self.paid == 1);
        if self.cancelled {
            prop_assert!(self.shipped.is_empty());
        }
        prop_assert!(!self.expired || (is_online && self.paid == 0));
        prop_assert!(self.kept >= 0 && self.kept <= placement().total().amount());
        prop_assert_eq!(progress.kept().amount(), self.kept);
        if is_online && self.paid == 0 {
            prop_assert!(self.shipped.is_empty());
        }
        let status = if self.cancelled {
            OrderStatus::Cancelled
        } else if self.expired {
            OrderStatus::Expired
        } else if self.completed {
            OrderStatus::Completed
        } else if is_delivered {
            OrderStatus::Delivered
        } else if self.shipped.len() == 2 {
            OrderStatus::Shipped
        } else if self.shipped.len() == 1 {
            OrderStatus::PartlyShipped
        } else if self.paid == 1 {
            OrderStatus::Paid
        } else if is_online {
            OrderStatus::PendingPayment
        } else {
            OrderStatus::Confirmed
        };
        prop_assert_eq!(progress.status(), status);
        Ok(())
    }
}

fn any_command() -> impl Strategy<Value = OrderCommand> {
    prop_oneof![
        2 => any_payment(),
        1 => any_refund(),
        2 => any_vendor().prop_map(|vendor_id| OrderCommand::Pack { vendor_id }),
        4 => any_vendor().prop_map(|vendor_id| OrderCommand::Ship {
            vendor_id,
            carrier: None,
            tracking_number: None,
        }),
        4 => any_vendor().prop_map(|vendor_id| OrderCommand::Deliver { vendor_id }),
        1 => Just(OrderCommand::Cancel {
            by: CancelledBy::Customer,
            reason: None,
            refund_follows: false,
        }),
        1 => Just(OrderCommand::Expire {}),
        1 => Just(OrderCommand::Place(Box::new(placement()))),
    ]
}

/// Mostly what is due.
fn any_payment() -> impl Strategy<Value = OrderCommand> {
    let payment_ids = vec![placement().payment_id, Uuid::from_u128(99).into()];
    let total = placement().total().amount();
    let amounts = [total, total, total - 1, 1, 0];
    let amounts = amounts.map(|amount| Money::new(amount, placement().currency));
    (
        proptest::sample::select(payment_ids),
        proptest::sample::select(amounts.to_vec()),
    )
        .prop_map(|(payment_id, brought)| OrderCommand::RecordPayment {
            payment_id,
            brought,
        })
}

/// As the payment tells it, which knows what is left: here, a part or all of it.
fn any_refund() -> impl Strategy<Value = OrderCommand> {
    (1..3_u128).prop_map(|number| {
        let total = placement().total().amount();
        let currency = placement().currency;
        let kept = if number == 1 { total - 1 } else { 0 };
        OrderCommand::RecordRefund {
            payment_id: placement().payment_id,
            refund_id: Uuid::from_u128(number).into(),
            amount: Money::new(total - kept, currency),
        }
    })
}

fn any_vendor() -> impl Strategy<Value = VendorId> {
    proptest::sample::select(vec![ANNA, BILL, Uuid::from_u128(99).into()])
}
