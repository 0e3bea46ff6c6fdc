//! Chance that can be had again: the same seed and the same question give the same answer.
//!
//! An answer follows from what is asked about, not from how many asked before, so that requests
//! that race each other do not change each other's luck.

use std::sync::atomic::{AtomicU64, Ordering};

const MILLION: u64 = 1_000_000;
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Odd and no multiple of three: it shares no factor with a power of 36.
const STRIDE: u64 = 62_710_561_609_927;
const RECEIPTS: u64 = 36_u64.pow(9);

#[derive(Debug)]
pub(super) struct Dice {
    seed: u64,
    drawn: AtomicU64,
}

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: AtomicU64::new(0),
        }
    }

    /// Whether something that is so in so many of a million cases is so in this one.
    pub(super) fn hits(&self, per_million: u32, case: &[&str]) -> bool {
        self.roll(case) % MILLION < u64::from(per_million)
    }

    pub(super) fn coin(&self, case: &[&str]) -> bool {
        self.roll(case).is_multiple_of(2)
    }

    /// A number that belongs to the case.
    pub(super) fn roll(&self, case: &[&str]) -> u64 {
        let mut hash = self.seed ^ 0xcbf2_9ce4_8422_2325;
        for part in case {
            for byte in part.bytes().chain([0xff]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        scrambled(hash)
    }

    /// Letters and digits that were not given out before.
    pub(super) fn id(&self, length: usize) -> String {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut state = scrambled(self.seed ^ scrambled(number));
        let mut id = String::with_capacity(length);
        let mut left = state;
        while id.len() < length {
            if left < 62 {
                state = scrambled(state.wrapping_add(number).wrapping_add(1));
                left = state;
            }
            id.push(letter(left % 62));
            left /= 62;
        }
        id
    }

    /// Ten capitals and digits, as on a receipt of M-Pesa; none twice.
    pub(super) fn receipt(&self) -> String {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed) % RECEIPTS;
        let start = u128::from(scrambled(self.seed) % RECEIPTS);
        let place = (u128::from(number) * u128::from(STRIDE) + start) % u128::from(RECEIPTS);
        let mut left = u64::try_from(place).unwrap_or_default();
        let mut receipt = String::from("S");
        for _ in 0..9 {
            receipt.push(letter(left % 36));
            left /= 36;
        }
        receipt
    }

    /// A number that was not given out before.
    pub(super) fn number(&self) -> u64 {
        self.drawn.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn uuid(&self) -> String {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        let high = scrambled(self.seed ^ number);
        let low = scrambled(high ^ number);
        uuid::Builder::from_u128((u128::from(high) << 64) | u128::from(low))
            .with_version(uuid::Version::Random)
            .with_variant(uuid::Variant::RFC4122)
            .into_uuid()
            .to_string()
    }
}

fn letter(index: u64) -> char {
    usize::try_from(index)
        .ok()
        .and_then(|index| LETTERS.get(index))
        .map_or('0', |letter| char::from(*letter))
}

/// `SplitMix64`: no two numbers give the same.
const fn scrambled(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Dice;

    #[test]
    fn the_same_seed_gives_the_same() {
        let (one, other) = (Dice::new(7), Dice::new(7));
        assert_eq!(one.roll(&["a", "b"]), other.roll(&["a", "b"]));
        assert_eq!(one.id(24), other.id(24));
        assert_ne!(one.roll(&["a", "b"]), one.roll(&["ab"]));
        assert_ne!(one.roll(&["a"]), Dice::new(8).roll(&["a"]));
    }

    #[test]
    fn a_chance_comes_about_as_often_as_it_says() {
        let dice = Dice::new(3);
        let hits = (0..10_000)
            .filter(|n| dice.hits(250_000, &["late", &n.to_string()]))
            .count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
        assert!(!dice.hits(0, &["x"]) && dice.hits(1_000_000, &["x"]));
    }

    #[test]
    fn no_id_and_no_receipt_comes_twice() {
        let dice = Dice::new(1);
        let receipts: HashSet<_> = (0..50_000).map(|_| dice.receipt()).collect();
        let ids: HashSet<_> = (0..50_000).map(|_| dice.id(24)).collect();
        assert_eq!((receipts.len(), ids.len()), (50_000, 50_000));
        assert!(receipts.iter().all(|receipt| receipt.len() == 10));
    }
}
