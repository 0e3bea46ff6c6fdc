//! Parts add up to the whole, whatever the parts.

use super::*;
use crate::commission::CommissionRule;
use crate::order::{OrderItem, price};
use crate::promotion::Funder;
use crate::{Tax, TaxRate};
use proptest::prelude::*;
use uuid::Uuid;

const ANNA: VendorId = VendorId::from_uuid(Uuid::from_u128(11));
const BILL: VendorId = VendorId::from_uuid(Uuid::from_u128(12));

#[test]
fn the_whole_is_the_sum_of_the_lines_of_each_vendor() {
    let lines = [(ANNA, 1_000), (BILL, 2_000), (ANNA, 500)];
    let sale = sale(&lines, rule(1_000, 10), 1_600, 300);
    assert_eq!(sale.shipping, 300);
    // 16/116 of 1000 is 138, of 500 is 69; a tenth and 10 of each line, and 16 % of that.
    let (anna, bill) = (
        share(ANNA, 1_500, 207, 170, 28),
        share(BILL, 2_000, 276, 210, 34),
    );
    assert_eq!(sale.vendors, [anna, bill]);
    assert_eq!(sale.total(), Ok(kes(3_800)));
    assert_eq!(anna.payable(), Ok(1_302));
}

#[test]
fn a_part_is_taken_from_everybody_in_proportion() {
    let sale = sale(&[(ANNA, 1_000), (BILL, 3_000)], rule(1_000, 0), 1_600, 0);
    let part = sale.part(kes(400)).unwrap();
    let anna = share(ANNA, 100, 14, 10, 2);
    // 300 of 2652, 300 and 48: 265.2, 30 and 4.8.
    let bill = share(BILL, 300, 41, 30, 5);
    assert_eq!(part.vendors, [anna, bill]);
}

#[test]
fn what_is_left_goes_back_exactly() {
    let sale = sale(&[(ANNA, 1_000), (BILL, 3_000)], rule(1_000, 7), 1_600, 301);
    let first = sale.part(kes(333)).unwrap();
    let left = sale.without(&first).unwrap();
    let second = left.part(left.total().unwrap()).unwrap();
    assert_eq!(second, left);
    let nothing = left.without(&second).unwrap();
    assert_eq!((nothing.shipping, nothing.vendors), (0, vec![]));
}

#[test]
fn what_the_store_makes_up_for_is_the_vendors_and_goes_back_with_the_rest() {
    let mut placement = placement(&[(ANNA, 1_000)], rule(0, 0), 1_600, 0);
    take_off(&mut placement, &[200], Funder::Store, rule(1_000, 0));
    let sale = Shares::of_sale(&placement).unwrap();
    // As without a promotion, the store keeps a tenth of 1000 and 16 % of that.
    let anna = VendorShare {
        discount: 200,
        subsidy: 200,
        ..share(ANNA, 800, 110, 100, 16)
    };
    assert_eq!(sale.vendors, [anna]);
    assert_eq!(anna.payable(), Ok(884));
    assert_eq!(sale.total(), Ok(kes(800)), "what the buyer pays");
    let half = VendorShare {
        discount: 100,
        subsidy: 100,
        ..share(ANNA, 400, 55, 50, 8)
    };
    assert_eq!(sale.part(kes(400)).unwrap().vendors, [half]);
    assert_eq!(half.payable(), Ok(442));
}

#[test]
fn what_a_vendor_takes_off_is_its_own_loss() {
    let mut placement = placement(&[(ANNA, 1_000)], rule(0, 0), 1_600, 0);
    take_off(&mut placement, &[200], Funder::Vendor, rule(1_000, 0));
    let sale = Shares::of_sale(&placement).unwrap();
    let anna = VendorShare {
        discount: 200,
        ..share(ANNA, 800, 110, 80, 13)
    };
    assert_eq!(sale.vendors, [anna]);
    assert_eq!(anna.payable(), Ok(707));
}

#[test]
fn who_gets_nothing_back_is_not_named() {
    let sale = sale(&[(ANNA, 1), (BILL, 10_000)], rule(0, 0), 0, 0);
    let part = sale.part(kes(10)).unwrap();
    assert_eq!(part.vendors, [share(BILL, 10, 1, 0, 0)]);
}

#[test]
fn a_sale_for_nothing_has_shares_of_nothing() {
    let sale = sale(&[(ANNA, 0)], rule(1_000, 10), 1_600, 0);
    assert_eq!(sale.vendors, [share(ANNA, 0, 0, 0, 0)]);
    assert_eq!(sale.part(kes(0)), Ok(sale));
}

#[test]
fn nothing_negative_and_nothing_of_another_currency_goes_back() {
    let sale = sale(&[(ANNA, 1_000)], rule(0, 0), 0, 0);
    assert_eq!(sale.part(kes(-1)), Err(MoneyError::NegativeSplit));
    let dollars = Money::new(1, Currency::Usd);
    assert!(matches!(
        sale.part(dollars),
        Err(MoneyError::CurrenciesDiffer { .. })
    ));
}

proptest! {
    #[test]
    fn the_parts_of_a_sale_are_the_sale(
        placement in any_placement(),
    ) {
        let sale = Shares::of_sale(&placement).unwrap();
        prop_assert_eq!(sale.total(), Ok(placement.total()));
        let sum = |amount: fn(&VendorShare) -> i64| sale.vendors.iter().map(amount).sum::<i64>();
        prop_assert_eq!(sum(|share| share.tax), placement.totals.tax);
        let commission = placement.lines.iter().map(|line| line.commission + line.commission_tax);
        prop_assert_eq!(sum(|share| share.commission + share.commission_tax), commission.sum::<i64>());
        for share in &sale.vendors {
            prop_assert!(share.payable().unwrap() >= 0);
        }
    }

    #[test]
    fn refunds_in_any_parts_never_pass_the_sale_and_end_exactly_at_it(
        placement in any_placement(), cuts in proptest::collection::vec(0..=1_000_i64, 0..12),
    ) {
        let sale = Shares::of_sale(&placement).unwrap();
        let total = sale.total().unwrap().amount();
        let mut left = sale.clone();
        let mut gone: BTreeMap<VendorId, VendorShare> = BTreeMap::new();
        let mut shipping = 0;
        let amounts = cuts.iter().map(|thousandths| total / 1_000 * thousandths / 4 + thousandths);
        for amount in amounts.chain([total]) {
            let due = amount.min(left.total().unwrap().amount());
            let part = left.part(kes(amount)).unwrap();
            prop_assert_eq!(part.total(), Ok(kes(due)));
            let rest = left.without(&part).unwrap();
            not_negative(&part)?;
            not_negative(&rest)?;
            shipping += part.shipping;
            for share in &part.vendors {
                let gone = gone.entry(share.vendor_id);
                gone.or_insert(VendorShare::nothing(share.vendor_id)).add(share).unwrap();
            }
            left = rest;
        }
        prop_assert_eq!((left.shipping, left.vendors), (0, vec![]));
        prop_assert_eq!(shipping, sale.shipping);
        let sold = sale.vendors.into_iter().filter(|share| *share != VendorShare::nothing(share.vendor_id));
        prop_assert_eq!(gone.into_values().collect::<Vec<_>>(), sold.collect::<Vec<_>>());
    }

    #[test]
    fn they_are_read_as_they_were_written(placement in any_placement()) {
        let sale = Shares::of_sale(&placement).unwrap();
        let json = serde_json::to_value(&sale).unwrap();
        prop_assert_eq!(serde_json::from_value::<Shares>(json).unwrap(), sale);
    }
}

fn not_negative(shares: &Shares) -> Result<(), TestCaseError> {
    prop_assert!(shares.shipping >= 0);
    for share in &shares.vendors {
        let VendorShare {
            gross,
            tax,
            commission,
            commission_tax,
            discount,
            subsidy,
            ..
        } = *share;
        for amount in [gross, tax, commission, commission_tax, discount, subsidy] {
            prop_assert!(amount >= 0, "{share:?}");
        }
        prop_assert!(share.payable().unwrap() >= 0, "{share:?}");
        prop_assert!(tax <= gross + 1, "{share:?}");
        prop_assert!(subsidy <= discount, "{share:?}");
    }
    Ok(())
}

fn any_placement() -> impl Strategy<Value = Placement> {
    let line = (0..5_u128, 0..1_000_000_i64);
    let coupon = (proptest::bool::ANY, 0..=1_000_i64);
    (
        proptest::collection::vec(line, 1..8),
        (0..=10_000_u32, 0..500_i64),
        0..=10_000_u32,
        0..100_000_i64,
        coupon,
    )
        .prop_map(|(lines, (bps, fixed), tax, shipping, (is_stores, off))| {
            let lines: Vec<_> = lines
                .into_iter()
                .map(|(vendor, amount)| (Uuid::from_u128(vendor).into(), amount))
                .collect();
            let mut placement = placement(&lines, rule(0, 0), tax, shipping);
            let funder = if is_stores {
                Funder::Store
            } else {
                Funder::Vendor
            };
            let discounts: Vec<_> = lines.iter().map(|(_, price)| price / 1_000 * off).collect();
            take_off(&mut placement, &discounts, funder, rule(bps, fixed));
            for line in &mut placement.lines {
                let commission_tax = tax.try_into().unwrap();
                line.keep_commission(rule(bps, fixed), commission_tax, Currency::Kes)
                    .unwrap();
            }
            placement
        })
}

fn sale(lines: &[(VendorId, i64)], rule: CommissionRule, tax: u32, shipping: i64) -> Shares {
    Shares::of_sale(&placement(lines, rule, tax, shipping)).unwrap()
}

/// With 16 % of tax in the prices, and so much tax on the commission.
fn placement(
    lines: &[(VendorId, i64)],
    rule: CommissionRule,
    commission_tax: u32,
    shipping: i64,
) -> Placement {
    let items = (1_u128..)
        .zip(lines)
        .map(|(n, (vendor_id, amount))| OrderItem {
            variant_id: Uuid::from_u128(n).into(),
            product_id: Uuid::from_u128(20).into(),
            vendor_id: *vendor_id,
            sku: "MUG-1".parse().unwrap(),
            name: "Mug".parse().unwrap(),
            quantity: crate::Quantity::ONE,
            unit_price: kes(*amount),
        });
    let tax = Tax {
        prices_include_tax: true,
        rate: bps(1_600),
    };
    let (mut lines, mut totals) = price(items.collect(), tax, Currency::Kes).unwrap();
    for line in &mut lines {
        line.keep_commission(rule, bps(commission_tax), Currency::Kes)
            .unwrap();
    }
    totals.shipping = shipping;
    totals.total += shipping;
    Placement {
        lines,
        totals,
        ..crate::order::tests::placement()
    }
}

/// Something off each line, before the store keeps its part, with 16 % of tax on that.
fn take_off(placement: &mut Placement, discounts: &[i64], funder: Funder, rule: CommissionRule) {
    for (line, discount) in placement.lines.iter_mut().zip(discounts) {
        line.take_off(kes(*discount), funder, placement.tax)
            .unwrap();
        line.keep_commission(rule, bps(1_600), Currency::Kes)
            .unwrap();
    }
    let shipping = placement.totals.shipping;
    placement.totals = crate::order::sum(&placement.lines, shipping, Currency::Kes).unwrap();
    placement.check().unwrap();
}

fn share(
    vendor_id: VendorId,
    gross: i64,
    tax: i64,
    commission: i64,
    commission_tax: i64,
) -> VendorShare {
    VendorShare {
        vendor_id,
        gross,
        tax,
        commission,
        commission_tax,
        discount: 0,
        subsidy: 0,
    }
}

fn rule(percentage: u32, fixed: i64) -> CommissionRule {
    CommissionRule {
        fixed,
        ..CommissionRule::of_bps(bps(percentage))
    }
}

fn bps(rate: u32) -> TaxRate {
    rate.try_into().unwrap()
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}
