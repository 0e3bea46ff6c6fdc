//! Whatever merchants, customers and faults do, the book says of each payment what its status says.

mod play;

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use self::play::Play;
use crate::sandbox::{Act, Fault, Kind, Provider};

const ACTS: [Act; 12] = [
    Act::Pay,
    Act::Pay,
    Act::Pay,
    Act::Pay,
    Act::Pay,
    Act::Pay,
    Act::Cancel,
    Act::InsufficientFunds,
    Act::WrongPin,
    Act::Unreachable,
    Act::Decline,
    Act::Open,
];
const LIES: [Fault; 6] = [
    Fault::QueryLags,
    Fault::QueryDenies,
    Fault::QueryClaims,
    Fault::RefundFails,
    Fault::PayoutFails,
    Fault::CustomerPaysLate,
];

/// What somebody does next. Numbers pick among what there is.
#[derive(Debug, Clone)]
enum Step {
    Start(Provider, i64, bool),
    Act(usize, Act),
    Refund(usize, i64),
    Capture(usize, i64),
    Cancel(usize),
    Dispute(usize, Option<i64>),
    RefundByHand(usize, Option<i64>),
    Bill(i64),
    PayOut(i64),
    Ask(usize),
    Time,
}

fn step() -> impl Strategy<Value = Step> {
    let provider = proptest::sample::select(Provider::ALL.to_vec());
    let amount = 1_i64..40;
    prop_oneof![
        8 => (provider, amount.clone(), any::<bool>())
            .prop_map(|(provider, amount, odd)| Step::Start(provider, amount * 100, odd)),
        10 => (any::<usize>(), proptest::sample::select(ACTS.to_vec()))
            .prop_map(|(which, act)| Step::Act(which, act)),
        6 => (any::<usize>(), amount.clone()).prop_map(|(which, sum)| Step::Refund(which, sum * 100)),
        2 => (any::<usize>(), amount.clone()).prop_map(|(which, sum)| Step::Capture(which, sum * 100)),
        1 => any::<usize>().prop_map(Step::Cancel),
        3 => (any::<usize>(), proptest::option::of(amount.clone()))
            .prop_map(|(which, sum)| Step::Dispute(which, sum)),
        1 => (any::<usize>(), proptest::option::of(amount.clone()))
            .prop_map(|(which, sum)| Step::RefundByHand(which, sum)),
        1 => amount.clone().prop_map(|sum| Step::Bill(sum * 100)),
        1 => amount.prop_map(|sum| Step::PayOut(sum * 100)),
        2 => any::<usize>().prop_map(Step::Ask),
        1 => Just(Step::Time),
    ]
}

#[test]
fn the_book_of_each_payment_is_what_its_status_says() {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(256)
    };
    let lies = proptest::sample::subsequence(LIES.to_vec(), 0..=LIES.len());
    let steps = proptest::collection::vec(step(), 1..100);
    let seen = std::cell::RefCell::new(BTreeSet::new());
    TestRunner::new(config)
        .run(&(any::<u64>(), lies, steps), |(seed, lies, steps)| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let kinds = runtime.block_on(played(seed, &lies, steps));
            seen.borrow_mut().extend(kinds);
            Ok(())
        })
        .unwrap();
    // A game in which nothing happens would prove nothing.
    let seen = seen.into_inner();
    for (provider, kinds) in [
        (
            Provider::Mpesa,
            &[Kind::Payment, Kind::Refund, Kind::Payout][..],
        ),
        (
            Provider::Paystack,
            &[
                Kind::Payment,
                Kind::Fee,
                Kind::Refund,
                Kind::RefundReturned,
                Kind::Chargeback,
            ],
        ),
        (
            Provider::Stripe,
            &[Kind::Payment, Kind::Fee, Kind::Refund, Kind::Chargeback],
        ),
        (
            Provider::Paynow,
            &[Kind::Payment, Kind::Refund, Kind::Chargeback],
        ),
        (Provider::Ecocash, &[Kind::Payment, Kind::Refund]),
    ] {
        for kind in kinds {
            assert!(
                seen.contains(&(provider, kind.as_str())),
                "{provider} {kind:?}"
            );
        }
    }
}

async fn played(seed: u64, lies: &[Fault], steps: Vec<Step>) -> BTreeSet<(Provider, &'static str)> {
    let mut play = Play::new(seed, lies);
    for step in steps {
        play.take(step).await;
        play.agrees();
    }
    tokio::time::sleep(Duration::from_millis(8)).await;
    play.agrees();
    play.end()
}
