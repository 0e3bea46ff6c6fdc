//! What an order costs.

use super::{OrderLine, Totals};
use crate::commission::CommissionRule;
use crate::promotion::Funder;
use crate::{
    Currency, Money, MoneyError, ProductId, Quantity, Sku, Tax, TaxRate, Text, VariantId, VendorId,
};

/// What somebody wants to buy, at the price that the vendor asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderItem {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub vendor_id: VendorId,
    pub sku: Sku,
    pub name: Text<200>,
    pub quantity: Quantity,
    pub unit_price: Money,
}

/// The lines of an order and their sums. Tax is rounded on each line, so that the lines add up to
/// the total.
///
/// # Errors
/// A price in another currency, or a sum beyond 64 bits.
pub fn price(
    items: Vec<OrderItem>,
    tax: Tax,
    currency: Currency,
) -> Result<(Vec<OrderLine>, Totals), MoneyError> {
    let lines = items
        .into_iter()
        .map(|item| line(item, tax, currency))
        .collect::<Result<Vec<_>, _>>()?;
    let totals = sum(&lines, 0, currency)?;
    Ok((lines, totals))
}

fn line(item: OrderItem, tax: Tax, currency: Currency) -> Result<OrderLine, MoneyError> {
    // Adding nothing refuses another currency.
    let price = Money::zero(currency).add(item.unit_price.times(item.quantity)?)?;
    Ok(OrderLine {
        variant_id: item.variant_id,
        product_id: item.product_id,
        vendor_id: item.vendor_id,
        sku: item.sku,
        name: item.name,
        quantity: item.quantity,
        unit_price: item.unit_price.amount(),
        discount: 0,
        subsidy: 0,
        tax: tax.of(price)?.amount(),
        total: tax.gross(price)?.amount(),
        commission: 0,
        commission_tax: 0,
    })
}

impl OrderLine {
    /// What it costs before anything is taken off, as shown to the buyer.
    ///
    /// # Errors
    /// A product beyond 64 bits, which it is of no line that was priced.
    pub fn price(&self, currency: Currency) -> Result<Money, MoneyError> {
        Money::new(self.unit_price, currency).times(self.quantity)
    }

    /// What it brings whoever sold it and the store: what the buyer pays, and what the store makes
    /// up for.
    ///
    /// # Errors
    /// A sum beyond 64 bits.
    pub fn proceeds(&self, currency: Currency) -> Result<Money, MoneyError> {
        Money::new(self.total, currency).add(Money::new(self.subsidy, currency))
    }

    /// Takes something off a line that has its full price; tax is then of what is left.
    ///
    /// # Errors
    /// Another currency, or a difference beyond 64 bits.
    pub fn take_off(
        &mut self,
        discount: Money,
        funder: Funder,
        tax: Tax,
    ) -> Result<(), MoneyError> {
        let price = self.price(discount.currency())?.subtract(discount)?;
        self.discount = discount.amount();
        self.subsidy = match funder {
            Funder::Store => discount.amount(),
            Funder::Vendor => 0,
        };
        self.tax = tax.of(price)?.amount();
        self.total = tax.gross(price)?.amount();
        Ok(())
    }

    /// Has the store keep some of it by a rule: to be done last, for it depends on what was
    /// taken off, and once, for the rule may change and what was agreed may not.
    ///
    /// # Errors
    /// A sum beyond 64 bits.
    pub fn keep_commission(
        &mut self,
        rule: CommissionRule,
        tax_rate: TaxRate,
        currency: Currency,
    ) -> Result<(), MoneyError> {
        let kept = rule.of(self.proceeds(currency)?, tax_rate)?;
        self.commission = kept.amount;
        self.commission_tax = kept.tax;
        Ok(())
    }
}

/// The sums of lines, with `shipping` in minor units.
///
/// # Errors
/// A sum beyond 64 bits.
pub fn sum(lines: &[OrderLine], shipping: i64, currency: Currency) -> Result<Totals, MoneyError> {
    let sum_of = |amount: fn(&OrderLine) -> i64| {
        let amounts = lines.iter().map(|line| Money::new(amount(line), currency));
        Money::sum(currency, amounts)
    };
    let prices = lines
        .iter()
        .map(|line| line.price(currency))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Totals {
        subtotal: Money::sum(currency, prices)?.amount(),
        discount: sum_of(|line| line.discount)?.amount(),
        shipping,
        tax: sum_of(|line| line.tax)?.amount(),
        total: sum_of(|line| line.total)?
            .add(Money::new(shipping, currency))?
            .amount(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    #[test]
    fn tax_on_top_is_part_of_the_total() {
        let (lines, totals) =
            price(vec![mugs(2, 1_000)], tax(1_600, false), Currency::Kes).unwrap();
        assert_eq!((lines[0].tax, lines[0].total), (320, 2_320));
        assert_eq!(
            totals,
            Totals {
                subtotal: 2_000,
                discount: 0,
                shipping: 0,
                tax: 320,
                total: 2_320
            }
        );
    }

    #[test]
    fn tax_within_the_price_is_only_named() {
        let (lines, totals) = price(vec![mugs(2, 1_000)], tax(1_600, true), Currency::Kes).unwrap();
        // 2000 * 16 / 116 = 275.86…
        assert_eq!((lines[0].tax, lines[0].total), (276, 2_000));
        assert_eq!((totals.tax, totals.total), (276, 2_000));
    }

    #[test]
    fn half_a_minor_unit_of_tax_is_rounded_up_on_each_line() {
        // 5 % of 10 is 0.5: one on each line, not one on both.
        let (lines, totals) = price(
            vec![mugs(1, 10), mugs(1, 10)],
            tax(500, false),
            Currency::Kes,
        )
        .unwrap();
        assert_eq!((lines[0].tax, lines[1].tax), (1, 1));
        assert_eq!((totals.tax, totals.total), (2, 22));
    }

    #[test]
    fn a_price_in_another_currency_is_refused() {
        assert_eq!(
            price(vec![mugs(1, 10)], tax(0, true), Currency::Usd),
            Err(MoneyError::CurrenciesDiffer {
                left: Currency::Usd,
                right: Currency::Kes
            })
        );
    }

    #[test]
    fn a_sum_beyond_64_bits_is_refused() {
        for items in [
            vec![mugs(2, i64::MAX)],
            vec![mugs(1, i64::MAX), mugs(1, 1)],
            vec![mugs(1, i64::MAX - 1)],
        ] {
            assert_eq!(
                price(items, tax(1_600, false), Currency::Kes),
                Err(MoneyError::TooLarge)
            );
        }
    }

    proptest! {
        #[test]
        fn lines_add_up_to_the_totals_and_nothing_is_negative(
            items in any_items(), bps in 0..=10_000_u32, inclusive: bool,
        ) {
            let (lines, totals) = price(items, tax(bps, inclusive), Currency::Kes).unwrap();
            let subtotal: i64 = lines.iter().map(|l| l.unit_price * l.quantity.units()).sum();
            prop_assert_eq!(totals.subtotal, subtotal);
            prop_assert_eq!(totals.tax, lines.iter().map(|l| l.tax).sum::<i64>());
            prop_assert_eq!(totals.total, lines.iter().map(|l| l.total).sum::<i64>());
            let on_top = if inclusive { 0 } else { totals.tax };
            prop_assert_eq!(totals.total, totals.subtotal + on_top);
            prop_assert!(lines.iter().all(|l| l.tax >= 0 && l.total >= l.tax));
            prop_assert!(totals.tax >= 0 && totals.total >= totals.tax);
        }

        #[test]
        fn tax_within_prices_never_changes_the_total(items in any_items(), bps in 0..=10_000_u32) {
            let (_, taxed) = price(items.clone(), tax(bps, true), Currency::Kes).unwrap();
            let (_, untaxed) = price(items, tax(0, true), Currency::Kes).unwrap();
            prop_assert_eq!(taxed.total, untaxed.total);
        }

        #[test]
        fn no_price_however_absurd_makes_it_panic(
            amount: i64, units in 1..=Quantity::MAX, bps in 0..=10_000_u32, inclusive: bool,
        ) {
            let mug = mugs(units, amount);
            let priced = price(vec![mug.clone(), mug], tax(bps, inclusive), Currency::Kes);
            if let Ok((lines, totals)) = priced {
                prop_assert_eq!(i128::from(totals.total),
                    lines.iter().map(|l| i128::from(l.total)).sum::<i128>());
            }
        }
    }

    fn any_items() -> impl Strategy<Value = Vec<OrderItem>> {
        let item = (1..=Quantity::MAX, 0..=10_000_000_i64);
        let item = item.prop_map(|(units, amount)| mugs(units, amount));
        proptest::collection::vec(item, 1..20)
    }

    fn mugs(units: u32, amount: i64) -> OrderItem {
        OrderItem {
            variant_id: Uuid::from_u128(1).into(),
            product_id: Uuid::from_u128(2).into(),
            vendor_id: Uuid::from_u128(3).into(),
            sku: "MUG-1".parse().unwrap(),
            name: "Mug".parse().unwrap(),
            quantity: units.try_into().unwrap(),
            unit_price: Money::new(amount, Currency::Kes),
        }
    }

    fn tax(bps: u32, prices_include_tax: bool) -> Tax {
        Tax {
            prices_include_tax,
            rate: bps.try_into().unwrap(),
        }
    }
}
