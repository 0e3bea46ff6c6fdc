//! What people call an order.

/// Crockford's base 32: no letter that is taken for a digit or another letter.
/// Source: <https://www.crockford.com/base32.html>.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS_PER_GROUP: u32 = 4;
const DIGIT_BITS: u32 = 5;

/// A number such as `7KQ2-M9XD`, made of the low 40 bits: short enough to be read out on the
/// phone, too many to be guessed, and telling nobody how many orders a store has.
pub fn number(random: u64) -> String {
    let group = |bits: u64| {
        (0..DIGITS_PER_GROUP).rev().map(move |place| {
            let digit = (bits >> (place * DIGIT_BITS)) & 0b1_1111;
            char::from(DIGITS[digit as usize])
        })
    };
    let group_bits = DIGITS_PER_GROUP * DIGIT_BITS;
    group(random >> group_bits)
        .chain(std::iter::once('-'))
        .chain(group(random))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_number_has_two_groups_of_four() {
        assert_eq!(number(0), "0000-0000");
        assert_eq!(number(1), "0000-0001");
        assert_eq!(number(32), "0000-0010");
        assert_eq!(number(1 << 20), "0001-0000");
        assert_eq!(number((1 << 40) - 1), "ZZZZ-ZZZZ");
        assert_eq!(number(u64::MAX), "ZZZZ-ZZZZ");
    }

    #[test]
    fn no_digit_is_taken_for_another() {
        assert_eq!(DIGITS.iter().collect::<BTreeSet<_>>().len(), 32);
        assert!(DIGITS.iter().all(|digit| !b"ILOU".contains(digit)));
    }

    proptest! {
        #[test]
        fn different_bits_make_different_numbers(a in 0..1_u64 << 40, b in 0..1_u64 << 40) {
            prop_assert_eq!(number(a) == number(b), a == b);
        }
    }
}
