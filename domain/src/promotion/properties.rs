//! What holds of every promotion and every order.

use super::tests::terms;
use super::*;
use crate::commission::CommissionRule;
use crate::order::{self, OrderItem};
use crate::{Quantity, Tax};
use proptest::prelude::*;
use uuid::Uuid;

proptest! {
    /// M10: nothing is lost between the lines, and no line comes out below nothing.
    #[test]
    fn a_discount_is_spread_to_the_last_minor_unit(
        campaign in any_campaign(), prices in proptest::collection::vec((0..4_u128, 0..1_000_000_i64), 0..12),
    ) {
        let lines: Vec<_> = prices.iter().map(|(vendor, price)| (vendor_id(*vendor), kes(*price))).collect();
        let for_it = |(vendor_id, _): &&(VendorId, Money)| campaign.vendor_id.is_none_or(|only| only == *vendor_id);
        let goods: i64 = lines.iter().filter(for_it).map(|(_, price)| price.amount()).sum();
        match campaign.discounts(&lines) {
            Err(PromotionError::NothingToDiscount) => prop_assert_eq!(goods, 0),
            Err(PromotionError::BelowMinimum { .. }) => prop_assert!(goods < campaign.terms.minimum),
            Err(other) => prop_assert!(false, "{other}"),
            Ok(discounts) => {
                let whole = campaign.terms.discount.off(goods, Currency::Kes).unwrap();
                prop_assert!((0..=goods).contains(&whole));
                prop_assert_eq!(discounts.len(), lines.len());
                prop_assert_eq!(discounts.iter().map(|part| part.amount()).sum::<i64>(), whole);
                for (part, line) in discounts.iter().zip(&lines) {
                    prop_assert!((0..=line.1.amount()).contains(&part.amount()));
                    prop_assert!(for_it(&line) || part.amount() == 0);
                }
            }
        }
    }

    /// M8, M10: with a discount an order still adds up, and nobody gets less than nothing of it.
    #[test]
    fn an_order_with_a_discount_adds_up(
        campaign in any_campaign(), prices in proptest::collection::vec((0..4_u128, 1..1_000_000_i64, 1..5_u32), 1..8),
        bps in 0..=10_000_u32, inclusive: bool, kept in 0..=10_000_u32,
    ) {
        let tax = Tax { prices_include_tax: inclusive, rate: bps.try_into().unwrap() };
        let items = prices.iter().map(|(vendor, price, units)| item(*vendor, *price, *units)).collect();
        let (mut lines, _) = order::price(items, tax, Currency::Kes).unwrap();
        let asked: Vec<_> = lines.iter().map(|line| (line.vendor_id, line.price(Currency::Kes).unwrap())).collect();
        if let Ok(discounts) = campaign.discounts(&asked) {
            for (line, discount) in lines.iter_mut().zip(&discounts) {
                line.take_off(*discount, campaign.funder, tax).unwrap();
            }
        }
        for line in &mut lines {
            let rule = CommissionRule::of_bps(kept.try_into().unwrap());
            line.keep_commission(rule, bps.try_into().unwrap(), Currency::Kes).unwrap();
            let proceeds = line.proceeds(Currency::Kes).unwrap().amount();
            prop_assert!(line.total >= 0 && line.tax >= 0);
            prop_assert!(line.commission + line.commission_tax <= proceeds);
            prop_assert_eq!(line.subsidy, if campaign.funder == Funder::Store { line.discount } else { 0 });
        }
        let totals = order::sum(&lines, 0, Currency::Kes).unwrap();
        let on_top = if inclusive { 0 } else { totals.tax };
        prop_assert_eq!(totals.total, totals.subtotal - totals.discount + on_top);
    }

    /// M12: whatever is redeemed and released, in whatever order, the limit holds.
    #[test]
    fn it_is_never_used_more_often_than_it_may_be(
        max in 1..6_u32, steps in proptest::collection::vec((proptest::bool::ANY, 0..8_u128), 0..60),
    ) {
        let mut promotion = Promotion::default();
        let create = PromotionCommand::Create {
            store_id: Uuid::from_u128(10).into(),
            code: "KARIBU".parse().unwrap(),
            vendor_id: None,
            funder: Funder::Store,
            currency: Currency::Kes,
            terms: Terms { uses_max: Some(max), ..terms() },
        };
        for event in promotion.decide(create).unwrap() {
            promotion.apply(event);
        }
        let mut using = std::collections::BTreeSet::new();
        for (is_new, order) in steps {
            let order_id = Uuid::from_u128(order).into();
            // As its handlers do: an order is placed once and dies once.
            let command = match (is_new, using.contains(&order)) {
                (true, false) => PromotionCommand::Redeem {
                    order_id, account_id: None, discount: 1, now: DateTime::UNIX_EPOCH,
                },
                (false, true) => PromotionCommand::Release { order_id, discount: 1 },
                _ => continue,
            };
            match promotion.decide(command) {
                Ok(events) => {
                    for event in events { promotion.apply(event); }
                    if is_new { using.insert(order); } else { using.remove(&order); }
                }
                Err(error) => {
                    prop_assert_eq!(error, PromotionError::Exhausted);
                    prop_assert_eq!(using.len(), max as usize);
                }
            }
            prop_assert!(using.len() <= max as usize);
            prop_assert_eq!(promotion.campaign().unwrap().uses() as usize, using.len());
        }
    }
}

fn any_campaign() -> impl Strategy<Value = Campaign> {
    let cap = proptest::option::of(1..100_000_i64);
    let percentage = (1..=10_000_u32, cap).prop_map(|(bps, at_most)| Discount::Percentage {
        bps: bps.try_into().unwrap(),
        at_most,
    });
    let fixed = (1..2_000_000_i64).prop_map(|amount| Discount::Fixed { amount });
    let discount = prop_oneof![percentage, fixed];
    let owner = proptest::option::of(0..4_u128);
    (discount, owner, proptest::bool::ANY, 0..500_000_i64).prop_map(
        |(discount, owner, is_stores, minimum)| Campaign {
            store_id: Uuid::from_u128(10).into(),
            code: "KARIBU".parse().unwrap(),
            vendor_id: owner.map(vendor_id),
            funder: match (owner, is_stores) {
                (Some(_), false) => Funder::Vendor,
                _ => Funder::Store,
            },
            currency: Currency::Kes,
            terms: Terms {
                discount,
                minimum,
                ..terms()
            },
            uses: 0,
            discounted: 0,
        },
    )
}

fn item(vendor: u128, price: i64, units: u32) -> OrderItem {
    OrderItem {
        variant_id: Uuid::from_u128(1).into(),
        product_id: Uuid::from_u128(2).into(),
        vendor_id: vendor_id(vendor),
        sku: "MUG-1".parse().unwrap(),
        name: "Mug".parse().unwrap(),
        quantity: Quantity::try_from(units).unwrap(),
        unit_price: kes(price),
    }
}

fn vendor_id(n: u128) -> VendorId {
    Uuid::from_u128(100 + n).into()
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}
