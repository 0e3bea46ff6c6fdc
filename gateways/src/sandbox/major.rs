//! Amounts as people write them, to and from minor units, without a float.

/// `None` for what is no amount: signs, separators of thousands, exponents, more decimals than
/// there are.
pub(super) fn minor(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let part = if part.len() > 2 {
        part.trim_end_matches('0')
    } else {
        part
    };
    if whole.is_empty() || whole.len() > 12 || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    let cents: i64 = format!("{part:0<2}").parse().ok()?;
    whole
        .parse::<i64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(cents)
}

/// With two decimals.
pub(super) fn major(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    format!("{sign}{}.{:02}", minor / 100, minor % 100)
}

#[cfg(test)]
mod tests {
    use super::{major, minor};

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (text, amount) in [
            ("99.99", 9999),
            ("5.9", 590),
            ("5", 500),
            ("0.01", 1),
            ("10.500", 1050),
            ("7.", 700),
        ] {
            assert_eq!(minor(text), Some(amount), "{text}");
        }
        for text in [
            "",
            ".5",
            "-1",
            "+1",
            "1,000",
            "1e2",
            "1.005",
            "NaN",
            " 1",
            "9999999999999",
        ] {
            assert_eq!(minor(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_written_with_two_decimals() {
        assert_eq!(major(14950), "149.50");
        assert_eq!(major(-5), "-0.05");
    }
}
