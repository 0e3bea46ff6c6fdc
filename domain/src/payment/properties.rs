//! What holds of a payment whatever is asked of it, and in whatever order.

use super::*;
use crate::Currency;
use proptest::prelude::*;
use uuid::Uuid;

const DUE: i64 = 1_000;

proptest! {
    #[test]
    fn what_went_back_never_passes_what_came(
        commands in proptest::collection::vec(any_command(), 0..60),
    ) {
        let mut payment = Payment::default();
        payment.apply(initiated());
        let (mut came, mut gone) = (0, 0);
        for command in commands {
            for event in payment.decide(command).unwrap_or_default() {
                match &event {
                    PaymentEvent::Captured { amount, .. } => came += amount.amount(),
                    PaymentEvent::Refunded(refund) => gone += refund.amount.amount(),
                    _ => (),
                }
                payment.apply(event);
                prop_assert!(0 <= gone && gone <= came && came <= DUE, "{gone} of {came}");
            }
            let demand = payment.demand().unwrap();
            prop_assert_eq!(demand.kept().amount(), came - gone);
            prop_assert_eq!(demand.status().was_captured(), came > 0);
        }
    }

    #[test]
    fn what_was_done_is_not_done_again(
        commands in proptest::collection::vec(any_command(), 0..20), command in any_command(),
    ) {
        let mut payment = Payment::default();
        payment.apply(initiated());
        for command in commands {
            for event in payment.decide(command).unwrap_or_default() {
                payment.apply(event);
            }
        }
        if let Ok(events) = payment.decide(command.clone()) {
            for event in events {
                payment.apply(event);
            }
            prop_assert_eq!(payment.decide(command), Ok(vec![]));
        }
    }
}

fn initiated() -> PaymentEvent {
    PaymentEvent::Initiated {
        order_id: Uuid::from_u128(1).into(),
        store_id: Uuid::from_u128(2).into(),
        provider: PaymentProvider::CashOnDelivery,
        amount: kes(DUE),
        terms: None,
    }
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}

fn any_command() -> impl Strategy<Value = PaymentCommand> {
    prop_oneof![
        2 => Just(PaymentCommand::Capture {
            amount: kes(DUE),
            reference: "R1".parse().unwrap(),
            collected_by: None,
            fee: None,
            source: ReferenceSource::Provider,
        }),
        8 => (0..6_u128, -10..700_i64).prop_map(|(number, amount)| PaymentCommand::Refund(Refund {
            refund_id: Uuid::from_u128(number).into(),
            amount: kes(amount),
            reason: "damaged".parse().unwrap(),
            method: RefundMethod::Cash,
            reference: format!("B{number}").parse().unwrap(),
            refunded_by: Some(Uuid::from_u128(7).into()),
            purpose: None,
        })),
        1 => Just(PaymentCommand::Cancel {
            reason: "called off".parse().unwrap(),
        }),
    ]
}
