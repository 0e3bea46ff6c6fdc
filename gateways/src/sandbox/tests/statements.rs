//! What the sandbox prints is read again, and every movement of its book is accounted for.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use proptest::prelude::*;
use soko_domain::Money;
use soko_domain::statement::{LineKind, StatementLine, StatementProvider};

use crate::sandbox::statement::statement;
use crate::sandbox::{Kind, Movement, Provider};
use crate::statements::read;

const KINDS: [Kind; 9] = [
    Kind::Payment,
    Kind::Fee,
    Kind::Refund,
    Kind::RefundReturned,
    Kind::Chargeback,
    Kind::ChargebackReversed,
    Kind::Payout,
    Kind::PayoutReturned,
    Kind::TopUp,
];

const PRINTED: [(Provider, StatementProvider, &str); 4] = [
    (Provider::Mpesa, StatementProvider::Mpesa, "KES"),
    (Provider::Paystack, StatementProvider::Paystack, "ZAR"),
    (Provider::Stripe, StatementProvider::Stripe, "USD"),
    (Provider::Paynow, StatementProvider::Paynow, "ZWG"),
];

proptest! {
    #[test]
    fn every_line_that_is_printed_is_read(
        book in proptest::collection::vec((proptest::sample::select(KINDS.to_vec()), 1_i64..10_000_000), 0..40),
        which in 0_usize..4,
    ) {
        let (provider, prints, currency) = PRINTED[which];
        let book: Vec<Movement> = book
            .into_iter()
            .filter(|(kind, _)| has(provider, *kind))
            .zip(1_u64..)
            .map(|((kind, amount), number)| movement(provider, currency, number, kind, amount))
            .collect();
        let charge = |payment: &str| Some(format!("ch_{payment}"));
        let printed = statement(provider, &book, charge).unwrap();
        let lines = read(prints, printed.as_bytes()).unwrap();

        let told: Vec<_> = lines.iter().map(told).collect();
        prop_assert_eq!(told, expected(provider, &book));
        let sum = |amounts: &mut dyn Iterator<Item = i64>| amounts.sum::<i64>();
        let kept = sum(&mut lines.iter().filter_map(|line| line.fee).map(Money::amount));
        let came = sum(&mut lines.iter().map(|line| line.amount.amount()));
        prop_assert_eq!(came - kept, sum(&mut book.iter().map(|movement| movement.amount)));
    }
}

/// The kind, the amount, the first name, and the second in which it happened.
type Told = (LineKind, i64, Option<String>, DateTime<Utc>);

fn told(line: &StatementLine) -> Told {
    (
        line.kind,
        line.amount.amount(),
        line.name.as_ref().map(ToString::to_string),
        line.happened_at,
    )
}

/// By what our adapters call each movement, too.
fn expected(provider: Provider, book: &[Movement]) -> Vec<Told> {
    let has_line =
        |movement: &&Movement| provider != Provider::Stripe || movement.kind != Kind::Fee;
    let told = book.iter().filter(has_line).map(|movement| {
        let kind = match movement.kind {
            Kind::Payment => LineKind::Capture,
            Kind::Refund | Kind::RefundReturned => LineKind::Refund,
            Kind::Chargeback | Kind::ChargebackReversed => LineKind::Chargeback,
            Kind::Payout | Kind::PayoutReturned => LineKind::Payout,
            Kind::Fee => LineKind::Fee,
            Kind::TopUp => LineKind::Other,
        };
        let name = match (provider, movement.kind) {
            _ if !kind.is_of_a_payment() => None,
            (Provider::Stripe, Kind::Payment) | (Provider::Paynow, _) => Some(&movement.payment),
            _ => Some(&movement.provider_reference),
        };
        (
            kind,
            movement.amount,
            name.cloned(),
            movement.at.trunc_subsecs(0),
        )
    });
    told.collect()
}

/// What the sandbox's providers write into their books. A fee of Stripe's stands in the line of its
/// payment, so none is made up without one.
fn has(provider: Provider, kind: Kind) -> bool {
    match provider {
        Provider::Mpesa => matches!(
            kind,
            Kind::Payment | Kind::Refund | Kind::Payout | Kind::TopUp
        ),
        Provider::Paynow => !matches!(kind, Kind::Payout | Kind::PayoutReturned | Kind::TopUp),
        Provider::Stripe => kind != Kind::Fee,
        Provider::Paystack | Provider::Ecocash => true,
    }
}

fn movement(provider: Provider, currency: &str, number: u64, kind: Kind, amount: i64) -> Movement {
    let is_in = matches!(
        kind,
        Kind::Payment
            | Kind::RefundReturned
            | Kind::ChargebackReversed
            | Kind::PayoutReturned
            | Kind::TopUp
    );
    let start: DateTime<Utc> = "2026-11-21T22:59:59.250Z".parse().unwrap();
    Movement {
        number,
        at: start + TimeDelta::minutes(i64::try_from(number).unwrap()),
        provider,
        account: "demo".to_owned(),
        kind,
        payment: format!("p{}", number / 3),
        provider_reference: format!("r{number}"),
        reference: format!("order-{number}"),
        amount: if is_in { amount } else { -amount },
        currency: currency.to_owned(),
    }
}

#[test]
fn the_fee_of_a_stripe_payment_stands_in_its_line() {
    let mut paid = movement(Provider::Stripe, "USD", 1, Kind::Payment, 1_999);
    paid.payment = "pi_1".to_owned();
    let fee = Movement {
        number: 2,
        kind: Kind::Fee,
        amount: -88,
        ..paid.clone()
    };
    let printed = statement(Provider::Stripe, &[paid, fee], |_| Some("ch_1".to_owned())).unwrap();
    let lines = read(StatementProvider::Stripe, printed.as_bytes()).unwrap();
    let fees: Vec<_> = lines
        .iter()
        .map(|line| line.fee.map(Money::amount))
        .collect();
    assert_eq!(fees, [Some(88)]);
    assert_eq!(lines[0].name.as_ref().unwrap().as_str(), "pi_1");
    assert_eq!(lines[0].other_name.as_ref().unwrap().as_str(), "ch_1");
    assert_eq!(lines[0].reference.as_str(), "txn_00000001");
}
