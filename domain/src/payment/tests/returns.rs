//! What a provider gives back, and what a bank takes.

use super::online::{came, take};
use super::*;
use PaymentProvider::Mpesa;

#[test]
fn what_is_on_its_way_back_cannot_be_asked_for_again() {
    given(paid())
        .when(request(1, 700))
        .then_expect_events(vec![requested(1, 700, "SJK1")]);
    given_events([paid().to_vec(), vec![requested(1, 700, "SJK1")]].concat())
        .when(request(2, 301))
        .then_expect_error(PaymentError::RefundTooLarge {
            refundable: kes(300),
            asked: kes(301),
        });
    let payment = after([requested(1, 700, "SJK1")]);
    let demand = payment.demand().unwrap();
    assert_eq!((demand.kept(), demand.refundable()), (kes(1_000), kes(300)));
    assert_eq!(demand.status(), PaymentStatus::Captured);
}

#[test]
fn asked_twice_for_the_same_it_asks_once() {
    let asked = || [paid().to_vec(), vec![requested(1, 700, "SJK1")]].concat();
    given_events(asked())
        .when(request(1, 700))
        .then_expect_events(vec![]);
    given_events(asked())
        .when(request(1, 300))
        .then_expect_error(PaymentError::AlreadyRefunded);
}

#[test]
fn what_failed_can_be_asked_for_again() {
    let failed = PaymentEvent::RefundFailed {
        refund_id: refund_id(1),
        reason: "other".parse().unwrap(),
        words: None,
    };
    let payment = after([requested(1, 700, "SJK1"), failed]);
    assert_eq!(payment.demand().unwrap().refundable(), kes(1_000));
}

#[test]
fn what_was_given_up_and_done_all_the_same_is_done() {
    for end in [
        PaymentEvent::RefundFailed {
            refund_id: refund_id(1),
            reason: "other".parse().unwrap(),
            words: None,
        },
        PaymentEvent::RefundDoubted {
            refund_id: refund_id(1),
            because: "no answer in time".parse().unwrap(),
        },
    ] {
        let events = [paid().to_vec(), vec![requested(1, 700, "SJK1"), end]].concat();
        given_events(events)
            .when(complete(1))
            .then_expect_events(vec![went_back(1, 700)]);
    }
    let done = after([requested(1, 700, "SJK1"), went_back(1, 700)]);
    let demand = done.demand().unwrap();
    assert_eq!(demand.kept(), kes(300));
    assert_eq!(demand.status(), PaymentStatus::PartlyRefunded);
    assert_eq!(done.decide(complete(1)), Ok(vec![]));
}

#[test]
fn what_comes_to_us_again_is_kept() {
    let returned = PaymentEvent::RefundReturned {
        refund_id: refund_id(1),
        amount: kes(700),
        purpose: Some(purpose(Mpesa)),
    };
    let payment = after([requested(1, 700, "SJK1"), went_back(1, 700), returned]);
    let demand = payment.demand().unwrap();
    assert_eq!(
        (demand.kept(), demand.refundable()),
        (kes(1_000), kes(1_000))
    );
}

#[test]
fn nobody_completes_what_nobody_asked_for() {
    given(paid())
        .when(complete(1))
        .then_expect_error(PaymentError::NoSuchRefund);
}

#[test]
fn each_capture_goes_back_for_itself() {
    let mut twice = paid().to_vec();
    twice.push(came(1_000, "SJK2"));
    given_events(twice.clone())
        .when(request(1, 1_001))
        .then_expect_error(PaymentError::RefundTooLarge {
            refundable: kes(2_000),
            asked: kes(1_001),
        });
    twice.push(requested(1, 600, "SJK1"));
    given_events(twice)
        .when(request(2, 500))
        .then_expect_events(vec![requested(2, 500, "SJK2")]);
}

#[test]
fn money_that_a_bank_took_is_not_kept_until_it_is_given_back() {
    let taken = after([disputed(DisputeStage::Open, Some(DisputedMoney::Withdrawn))]);
    let demand = taken.demand().unwrap();
    assert_eq!(demand.status(), PaymentStatus::Disputed);
    assert_eq!((demand.kept(), demand.refundable()), (kes(0), kes(0)));
    let won = after([
        disputed(DisputeStage::Open, Some(DisputedMoney::Withdrawn)),
        disputed(DisputeStage::Won, Some(DisputedMoney::Reinstated)),
    ]);
    let demand = won.demand().unwrap();
    assert_eq!(demand.status(), PaymentStatus::Captured);
    assert_eq!(demand.kept(), kes(1_000));
}

#[test]
fn a_dispute_ends_the_same_in_whatever_order_it_is_told() {
    let told = [
        dispute(DisputeStage::Open, None),
        dispute(DisputeStage::Open, Some(DisputedMoney::Withdrawn)),
        dispute(DisputeStage::Won, Some(DisputedMoney::Reinstated)),
    ];
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let mut payment = payment(paid());
        for index in order.into_iter().chain(order) {
            let command = PaymentCommand::RecordDispute(told[index].clone());
            for event in payment.decide(command).unwrap() {
                payment.apply(event);
            }
        }
        let demand = payment.demand().unwrap();
        assert_eq!(demand.kept(), kes(1_000), "{order:?}");
        assert_eq!(demand.status(), PaymentStatus::Captured, "{order:?}");
    }
}

#[test]
fn five_words_in_any_order_come_to_the_same() {
    let words = [
        take(1_000, "SJK1"),
        take(1_000, "SJK1"),
        PaymentCommand::Fail {
            reason: "other".parse().unwrap(),
            words: None,
        },
        PaymentCommand::Doubt {
            because: "no answer in time".parse().unwrap(),
        },
        PaymentCommand::Expire {},
    ];
    for order in permutations(words.len()) {
        let mut payment = payment([initiated(Mpesa, 1_000)]);
        for index in &order {
            for event in payment.decide(words[*index].clone()).unwrap() {
                payment.apply(event);
            }
        }
        let demand = payment.demand().unwrap();
        assert_eq!(demand.status(), PaymentStatus::Captured, "{order:?}");
        assert_eq!(demand.captured(), kes(1_000), "{order:?}");
    }
}

fn permutations(length: usize) -> Vec<Vec<usize>> {
    let Some(last) = length.checked_sub(1) else {
        return vec![vec![]];
    };
    let with_last = |shorter: Vec<usize>| {
        (0..=shorter.len()).map(move |at| {
            let mut longer = shorter.clone();
            longer.insert(at, last);
            longer
        })
    };
    permutations(last).into_iter().flat_map(with_last).collect()
}

fn paid() -> [PaymentEvent; 2] {
    [initiated(Mpesa, 1_000), came(1_000, "SJK1")]
}

fn after<const N: usize>(events: [PaymentEvent; N]) -> Payment {
    let mut payment = payment(paid());
    for event in events {
        payment.apply(event);
    }
    payment
}

fn refund_id(number: u128) -> crate::RefundId {
    Uuid::from_u128(number).into()
}

fn a_request(number: u128, amount: i64) -> RefundRequest {
    RefundRequest {
        refund_id: refund_id(number),
        amount: kes(amount),
        reason: "damaged".parse().unwrap(),
        is_surplus: false,
        requested_by: None,
    }
}

fn request(number: u128, amount: i64) -> PaymentCommand {
    PaymentCommand::RequestRefund {
        request: a_request(number, amount),
        of: None,
    }
}

fn requested(number: u128, amount: i64, of: &str) -> PaymentEvent {
    PaymentEvent::RefundRequested {
        request: a_request(number, amount),
        of: of.parse().unwrap(),
    }
}

fn complete(number: u128) -> PaymentCommand {
    PaymentCommand::CompleteRefund {
        refund_id: refund_id(number),
        reference: "RV1".parse().unwrap(),
    }
}

fn went_back(number: u128, amount: i64) -> PaymentEvent {
    PaymentEvent::Refunded(Refund {
        refund_id: refund_id(number),
        amount: kes(amount),
        reason: "damaged".parse().unwrap(),
        method: RefundMethod::Provider,
        reference: "RV1".parse().unwrap(),
        refunded_by: None,
        purpose: Some(purpose(Mpesa)),
    })
}

fn dispute(stage: DisputeStage, money: Option<DisputedMoney>) -> Dispute {
    Dispute {
        reference: "dp_1".parse().unwrap(),
        amount: kes(1_000),
        stage,
        money,
        words: None,
        answer_by: None,
        purpose: None,
    }
}

fn disputed(stage: DisputeStage, money: Option<DisputedMoney>) -> PaymentEvent {
    PaymentEvent::Disputed(Dispute {
        purpose: Some(purpose(Mpesa)),
        ..dispute(stage, money)
    })
}
