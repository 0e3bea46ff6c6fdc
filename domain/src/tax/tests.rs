//! Value-added tax as the revenue authorities compute it.

use super::*;
use crate::Currency;
use proptest::prelude::*;

/// Standard rates of South Africa, Kenya, Zimbabwe (before and from 2026), Nigeria, and a currency
/// without minor units at 18 %.
#[test]
fn tax_in_a_price_is_what_the_authorities_say() {
    let table = [
        (Currency::Zar, 9_999, 1_500, 1_304),
        (Currency::Kes, 100_000, 1_600, 13_793),
        (Currency::Zwg, 10_000, 1_500, 1_304),
        (Currency::Zwg, 10_000, 1_550, 1_342),
        (Currency::Usd, 250_000, 750, 17_442),
        (Currency::Usd, 1_000, 1_800, 153),
    ];
    for (currency, price, bps, tax) in table {
        let price = Money::new(price, currency);
        let expected = Money::new(tax, currency);
        assert_eq!(included(bps).of(price), Ok(expected), "{price} at {bps}");
        assert_eq!(included(bps).gross(price), Ok(price));
    }
}

#[test]
fn half_a_cent_is_rounded_up_and_less_is_dropped() {
    assert_eq!(on_top(1_500).of(zar(10)), Ok(zar(2)));
    assert_eq!(on_top(1_500).of(zar(3)), Ok(zar(0)));
    assert_eq!(on_top(1_500).of(zar(4)), Ok(zar(1)));
}

#[test]
fn tax_on_top_is_part_of_what_the_buyer_pays() {
    assert_eq!(on_top(1_500).gross(zar(10_000)), Ok(zar(11_500)));
}

#[test]
fn without_a_rate_there_is_no_tax() {
    assert_eq!(included(0).of(zar(9_999)), Ok(zar(0)));
    assert_eq!(on_top(0).gross(zar(9_999)), Ok(zar(9_999)));
}

#[test]
fn a_gross_price_beyond_64_bits_is_refused() {
    let most = zar(i64::MAX);
    assert_eq!(on_top(10_000).of(most), Ok(most));
    assert_eq!(on_top(10_000).gross(most), Err(MoneyError::TooLarge));
}

#[test]
fn a_rate_is_at_most_the_whole() {
    assert_eq!(TaxRate::try_from(10_000).unwrap().bps(), 10_000);
    assert_eq!(TaxRate::try_from(10_001), Err(TaxRateError));
    assert_eq!(TaxRate::try_from(65_536), Err(TaxRateError));
    assert!(serde_json::from_str::<TaxRate>("15.5").is_err());
}

proptest! {
    /// The tax that is shown is never off the exact tax by more than half a minor unit.
    #[test]
    fn tax_is_off_by_half_a_minor_unit_at_most(
        price in 0..1_000_000_000_000_i64,
        bps in 0..=10_000_u32,
        prices_include_tax: bool,
    ) {
        let tax = Tax { prices_include_tax, rate: bps.try_into().unwrap() };
        let of_price = i128::from(tax.of(zar(price)).unwrap().amount());
        let divisor = 10_000 + if prices_include_tax { i128::from(bps) } else { 0 };
        let off = of_price * divisor - i128::from(price) * i128::from(bps);
        prop_assert!(2 * off <= divisor && -divisor < 2 * off);
    }
}

fn included(bps: u32) -> Tax {
    Tax {
        prices_include_tax: true,
        rate: bps.try_into().unwrap(),
    }
}

fn on_top(bps: u32) -> Tax {
    Tax {
        prices_include_tax: false,
        rate: bps.try_into().unwrap(),
    }
}

fn zar(amount: i64) -> Money {
    Money::new(amount, Currency::Zar)
}
