//! Whatever is planted is found, and nothing else, in whatever order both sides stand.

use super::*;
use crate::Currency;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What was done to a movement after both sides had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plant {
    Nothing,
    /// Their row is missing.
    Missing,
    /// Their row has no movement of ours.
    Extra,
    Altered(i64),
    OtherCurrency,
}

/// A movement that both sides had.
#[derive(Debug, Clone)]
struct Movement {
    kind: LineKind,
    amount: i64,
    /// Where our name for it stands among theirs.
    rank: usize,
    /// Movements of one payment share its name in the last place, where it is no name of ours.
    payment: u8,
    plant: Plant,
}

fn movement() -> impl Strategy<Value = Movement> {
    let kind = prop_oneof![
        6 => Just(LineKind::Capture),
        3 => Just(LineKind::Refund),
        1 => Just(LineKind::Chargeback),
    ];
    let plant = prop_oneof![
        4 => Just(Plant::Nothing),
        1 => Just(Plant::Missing),
        1 => Just(Plant::Extra),
        1 => (1_i64..500).prop_map(Plant::Altered),
        1 => Just(Plant::OtherCurrency),
    ];
    // Few amounts, so that many are equal by chance.
    (kind, 1_i64..6, 0_usize..3, 0_u8..4, plant).prop_map(|(kind, amount, rank, payment, plant)| {
        Movement {
            kind,
            amount: amount * 100,
            rank,
            payment,
            plant,
        }
    })
}

proptest! {
    #[test]
    fn every_planted_difference_is_found_and_no_other(
        movements in proptest::collection::vec(movement(), 0..60),
        order in any::<u64>(),
    ) {
        let names: Vec<[String; 3]> = movements
            .iter()
            .enumerate()
            .map(|(index, movement)| {
                let mut names = [0, 1, 2].map(|rank| format!("x{index}-{rank}"));
                names[movement.rank] = format!("m{index}");
                names
            })
            .collect();
        let payments: Vec<String> = movements.iter().map(|m| format!("p{}", m.payment)).collect();
        let both = movements.iter().zip(&names).enumerate();
        let mut ours = Vec::new();
        let mut theirs = Vec::new();
        for (index, (movement, names)) in both {
            let reference = names[movement.rank].as_str();
            if movement.plant != Plant::Extra {
                ours.push((index, Ours {
                    kind: movement.kind,
                    amount: kes(movement.amount),
                    reference,
                    at: DateTime::UNIX_EPOCH,
                    is_by_hand: false,
                }));
            }
            if movement.plant != Plant::Missing {
                let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
                names.push(&payments[index]);
                theirs.push((index, Theirs {
                    kind: movement.kind,
                    amount: match movement.plant {
                        Plant::Altered(by) => kes(movement.amount + by),
                        Plant::OtherCurrency => Money::new(movement.amount, Currency::Usd),
                        Plant::Nothing | Plant::Missing | Plant::Extra => kes(movement.amount),
                    },
                    names,
                    at: DateTime::UNIX_EPOCH,
                }));
            }
        }
        shuffle(&mut ours, order);
        shuffle(&mut theirs, order.rotate_left(17));
        let (our_ids, ours): (Vec<_>, Vec<_>) = ours.into_iter().unzip();
        let (their_ids, theirs): (Vec<_>, Vec<_>) = theirs.into_iter().unzip();
        let found = compare(&ours, &theirs);

        let planted = |wanted: fn(Plant) -> bool| -> BTreeSet<usize> {
            let all = movements.iter().enumerate();
            all.filter(|(_, m)| wanted(m.plant)).map(|(index, _)| index).collect()
        };
        let pair = |&(our, their): &(usize, usize)| {
            assert_eq!(our_ids[our], their_ids[their], "not the same movement");
            our_ids[our]
        };
        let altered = |plant| matches!(plant, Plant::Altered(_) | Plant::OtherCurrency);
        let ids = |ids: &[usize], places: &[usize]| -> BTreeSet<usize> {
            places.iter().map(|place| ids[*place]).collect()
        };
        prop_assert_eq!(ids(&our_ids, &found.ours_only), planted(|p| p == Plant::Missing));
        prop_assert_eq!(ids(&their_ids, &found.theirs_only), planted(|p| p == Plant::Extra));
        let differing: BTreeSet<_> = found.amounts_differ.iter().map(pair).collect();
        prop_assert_eq!(differing, planted(altered));
        let matched: BTreeSet<_> = found.matched.iter().map(pair).collect();
        prop_assert_eq!(matched, planted(|p| p == Plant::Nothing));
    }

    /// Where a provider has one name for several movements, what they come to is found all the same.
    #[test]
    fn movements_of_one_name_are_told_apart_by_their_amounts(
        amounts in proptest::collection::vec(1_i64..8, 0..20),
        missing in proptest::collection::vec(any::<bool>(), 20),
        order in any::<u64>(),
    ) {
        let mut ours: Vec<_> = amounts.iter().map(|amount| shared(*amount)).collect();
        let kept = amounts.iter().zip(&missing).filter(|(_, is_missing)| !**is_missing);
        let mut theirs: Vec<_> = kept
            .map(|(amount, _)| Theirs {
                kind: LineKind::Refund,
                amount: kes(-*amount),
                names: vec!["9510"],
                at: DateTime::UNIX_EPOCH,
            })
            .collect();
        shuffle(&mut ours, order);
        shuffle(&mut theirs, order.rotate_left(31));
        let found = compare(&ours, &theirs);
        prop_assert_eq!(found.matched.len(), theirs.len());
        prop_assert_eq!(found.ours_only.len(), ours.len() - theirs.len());
        prop_assert!(found.theirs_only.is_empty() && found.amounts_differ.is_empty());
    }

    /// Every movement is in one list, and in one only, whatever the names.
    #[test]
    fn nothing_is_lost_and_nothing_is_told_twice(
        ours in proptest::collection::vec((0_u8..6, 1_i64..4, any::<bool>()), 0..30),
        theirs in proptest::collection::vec((0_u8..6, 0_u8..6, 1_i64..4), 0..30),
    ) {
        let names: Vec<String> = (0..6).map(|name| name.to_string()).collect();
        let name = |number: u8| names[usize::from(number)].as_str();
        let ours: Vec<_> = ours.into_iter().map(|(number, amount, is_by_hand)| Ours {
            reference: name(number),
            is_by_hand,
            ..shared(amount)
        }).collect();
        let theirs: Vec<_> = theirs.into_iter().map(|(one, two, amount)| Theirs {
            kind: LineKind::Refund,
            amount: kes(-amount),
            names: vec![name(one), name(two)],
            at: DateTime::UNIX_EPOCH,
        }).collect();
        let found = compare(&ours, &theirs);
        let pairs = || found.matched.iter().chain(&found.amounts_differ);
        let mut our_places: Vec<_> = pairs().map(|pair| pair.0).collect();
        our_places.extend(&found.ours_only);
        our_places.sort_unstable();
        let unmatched_by_hand = (0..ours.len()).filter(|index| {
            ours[*index].is_by_hand && !our_places.contains(index)
        }).count();
        prop_assert_eq!(our_places.len() + unmatched_by_hand, ours.len());
        our_places.dedup();
        prop_assert_eq!(our_places.len() + unmatched_by_hand, ours.len());
        let mut their_places: Vec<_> = pairs().map(|pair| pair.1).collect();
        their_places.extend(&found.theirs_only);
        their_places.sort_unstable();
        prop_assert_eq!(their_places, (0..theirs.len()).collect::<Vec<_>>());
    }
}

fn shared(amount: i64) -> Ours<'static> {
    Ours {
        kind: LineKind::Refund,
        amount: kes(-amount),
        reference: "9510",
        at: DateTime::UNIX_EPOCH,
        is_by_hand: false,
    }
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}

/// Fisher and Yates, with a generator that a seed starts.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed | 1;
    for index in (1..items.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let place = usize::try_from(state >> 33).unwrap() % (index + 1);
        items.swap(index, place);
    }
}
