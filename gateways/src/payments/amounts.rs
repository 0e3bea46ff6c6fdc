//! Amounts as providers write them, to the last digit.

use soko_domain::{Currency, Money};

/// What a provider says was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportedAmount {
    Exact(Money),
    /// It is no amount of a currency that Soko trades in: another currency, a fraction of a minor
    /// unit, or no number. As it was written.
    Other(String),
}

/// A word of theirs is never kept longer than this.
const OTHER_CHARS_MAX: usize = 60;

impl ReportedAmount {
    /// Whether it is what was asked for, to the last digit and in the same currency.
    pub fn is(&self, asked: Money) -> bool {
        *self == Self::Exact(asked)
    }

    pub const fn money(&self) -> Option<Money> {
        match self {
            Self::Exact(money) => Some(*money),
            Self::Other(_) => None,
        }
    }

    /// Of a number with or without decimals, as in `149.50`.
    pub(super) fn of_decimal(text: &str, currency: Option<Currency>, currency_word: &str) -> Self {
        let exact = currency.and_then(|currency| {
            let minor = minor_units(text, currency.exponent())?;
            Some(Self::Exact(Money::new(minor, currency)))
        });
        exact.unwrap_or_else(|| Self::other(text, currency_word))
    }

    /// Of a whole number of minor units, as in `14950`.
    pub(super) fn of_minor(text: &str, currency_word: &str) -> Self {
        let currency = currency_word.to_ascii_uppercase().parse().ok();
        let exact = currency.and_then(|currency| {
            let minor = minor_units(text, 0)?;
            Some(Self::Exact(Money::new(minor, currency)))
        });
        exact.unwrap_or_else(|| Self::other(text, currency_word))
    }

    fn other(text: &str, currency_word: &str) -> Self {
        let words = format!("{currency_word} {text}");
        Self::Other(
            words
                .chars()
                .filter(|c| !c.is_control())
                .take(OTHER_CHARS_MAX)
                .collect(),
        )
    }
}

/// `None` if it is not a plain number, negative, too large, or finer than a minor unit. Zeros behind
/// the last digit change nothing.
pub(crate) fn minor_units(text: &str, exponent: u32) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let missing = exponent.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let digits: i64 = format!("{whole}{fraction}").parse().ok()?;
    digits.checked_mul(10_i64.checked_pow(missing)?)
}

/// With as many decimals as the currency has, and nothing else: `149.50`.
pub(super) fn decimal(money: Money) -> String {
    let exponent = money.currency().exponent();
    let scale = 10_u64.pow(exponent);
    let sign = if money.is_negative() { "-" } else { "" };
    let units = money.amount().unsigned_abs();
    let (whole, fraction) = (units / scale, units % scale);
    match exponent {
        0 => format!("{sign}{whole}"),
        _ => format!(
            "{sign}{whole}.{fraction:0digits$}",
            digits = exponent as usize
        ),
    }
}

/// In whole major units, if it is so many.
pub(super) fn whole(money: Money) -> Option<i64> {
    let scale = 10_i64.pow(money.currency().exponent());
    (money.amount() % scale == 0).then_some(money.amount() / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Option<i64> {
        let amount = ReportedAmount::of_decimal(text, Some(Currency::Usd), "USD");
        amount.money().map(Money::amount)
    }

    #[test]
    fn a_decimal_is_read_to_the_last_digit() {
        for (text, minor) in [
            ("149.50", 14_950),
            ("149.5", 14_950),
            ("10", 1_000),
            ("10.0", 1_000),
            ("10.500", 1_050),
            ("0.07", 7),
            ("007.10", 710),
            ("92233720368547758.07", i64::MAX),
        ] {
            assert_eq!(usd(text), Some(minor), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_told_as_it_was_written() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1,000.00",
            "0.005",
            "NaN",
            "٣",
            " 1",
            "92233720368547758.08",
            "99999999999999999999",
        ] {
            let amount = ReportedAmount::of_decimal(text, Some(Currency::Usd), "USD");
            assert_eq!(
                amount,
                ReportedAmount::Other(format!("USD {text}")),
                "{text}"
            );
        }
        let foreign = ReportedAmount::of_decimal("5", None, "ZWL");
        assert_eq!(foreign, ReportedAmount::Other("ZWL 5".to_owned()));
    }

    #[test]
    fn minor_units_are_whole() {
        let rand = Money::new(14_950, Currency::Zar);
        assert!(ReportedAmount::of_minor("14950", "ZAR").is(rand));
        assert!(ReportedAmount::of_minor("14950", "zar").is(rand));
        assert!(!ReportedAmount::of_minor("14950", "USD").is(rand));
        assert!(!ReportedAmount::of_minor("14951", "ZAR").is(rand));
        let broken = ReportedAmount::of_minor("149.5", "ZAR");
        assert_eq!(broken, ReportedAmount::Other("ZAR 149.5".to_owned()));
    }

    #[test]
    fn an_amount_is_written_with_its_decimals() {
        assert_eq!(decimal(Money::new(14_950, Currency::Usd)), "149.50");
        assert_eq!(decimal(Money::new(5, Currency::Usd)), "0.05");
        assert_eq!(decimal(Money::new(-5, Currency::Usd)), "-0.05");
        assert_eq!(whole(Money::new(1_000, Currency::Kes)), Some(10));
        assert_eq!(whole(Money::new(1_001, Currency::Kes)), None);
    }

    #[test]
    fn every_amount_reads_as_it_was_written() {
        bolero::check!().with_type::<i64>().for_each(|minor| {
            let money = Money::new(minor.saturating_abs(), Currency::Zwg);
            let read = ReportedAmount::of_decimal(&decimal(money), Some(Currency::Zwg), "ZWG");
            assert!(read.is(money));
        });
    }
}
