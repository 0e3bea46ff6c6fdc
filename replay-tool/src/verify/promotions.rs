//! Whether coupons were used as often as they may be, and by the orders that say so.

use soko_domain::order::OrderEvent;
use soko_domain::promotion::{PromotionEvent, Terms};
use soko_domain::{AccountId, AnyEvent, OrderId, PromotionId};
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Default)]
pub(super) struct Promotions {
    terms: HashMap<PromotionId, Terms>,
    uses: HashMap<PromotionId, i64>,
    customer_uses: HashMap<(PromotionId, AccountId), i64>,
    /// What each order was given, and by whom, until it died and gave it back.
    given: BTreeMap<OrderId, Given>,
    /// What each order that lives says it was given.
    said: BTreeMap<OrderId, (PromotionId, i64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Given {
    promotion: PromotionId,
    account: Option<AccountId>,
    discount: i64,
}

impl Promotions {
    pub(super) fn enter(&mut self, event: &AnyEvent, broken: &mut Vec<String>) {
        match event {
            AnyEvent::Promotion(promotion, event) => self.promotion(*promotion, event, broken),
            AnyEvent::Order(order, event) => self.order(*order, event),
            _ => (),
        }
    }

    /// What can only be said when the whole log has gone by.
    pub(super) fn close(&self, broken: &mut Vec<String>) {
        for (order, (promotion, discount)) in &self.said {
            let given = self.given.get(order);
            let is_given = given
                .is_some_and(|given| (given.promotion, given.discount) == (*promotion, *discount));
            if !is_given {
                broken.push(format!(
                    "order {order} says that promotion {promotion} gave it {discount}, which says otherwise"
                ));
            }
        }
        for (order, given) in &self.given {
            if !self.said.contains_key(order) {
                broken.push(format!(
                    "promotion {} counts order {order}, which has died or says nothing of it",
                    given.promotion
                ));
            }
        }
    }

    fn order(&mut self, order: OrderId, event: &OrderEvent) {
        match event {
            OrderEvent::Placed(placement) => {
                if let Some(coupon) = &placement.coupon {
                    let given = (coupon.promotion_id, placement.totals.discount);
                    self.said.insert(order, given);
                }
            }
            OrderEvent::Cancelled { .. } | OrderEvent::Expired { .. } => {
                self.said.remove(&order);
            }
            OrderEvent::Paid { .. }
            | OrderEvent::Refunded { .. }
            | OrderEvent::PaymentAttempted { .. }
            | OrderEvent::PartlyPaid { .. }
            | OrderEvent::Packed { .. }
            | OrderEvent::Shipped { .. }
            | OrderEvent::Delivered { .. }
            | OrderEvent::Completed {} => (),
        }
    }

    fn promotion(
        &mut self,
        promotion: PromotionId,
        event: &PromotionEvent,
        broken: &mut Vec<String>,
    ) {
        match event {
            PromotionEvent::Created { terms, .. } | PromotionEvent::TermsChanged { terms } => {
                self.terms.insert(promotion, terms.clone());
            }
            PromotionEvent::Ended { .. } => (),
            PromotionEvent::Redeemed {
                order_id,
                account_id,
                discount,
            } => {
                let given = Given {
                    promotion,
                    account: *account_id,
                    discount: *discount,
                };
                if self.given.insert(*order_id, given).is_some() {
                    broken.push(format!("order {order_id} was given two coupons"));
                }
                self.count(given, 1);
                self.within_limits(given, broken);
            }
            PromotionEvent::Released { order_id, .. } => match self.given.remove(order_id) {
                Some(given) if given.promotion == promotion => self.count(given, -1),
                _ => broken.push(format!(
                    "promotion {promotion} took back from order {order_id} what it had not given"
                )),
            },
        }
    }

    fn count(&mut self, given: Given, change: i64) {
        *self.uses.entry(given.promotion).or_default() += change;
        if let Some(account) = given.account {
            let key = (given.promotion, account);
            *self.customer_uses.entry(key).or_default() += change;
        }
    }

    fn within_limits(&self, given: Given, broken: &mut Vec<String>) {
        let promotion = given.promotion;
        let Some(terms) = self.terms.get(&promotion) else {
            broken.push(format!("promotion {promotion} was given and never made"));
            return;
        };
        let uses = self.uses.get(&promotion).copied().unwrap_or_default();
        if let Some(max) = terms.uses_max
            && uses > i64::from(max)
        {
            broken.push(format!(
                "promotion {promotion} is used {uses} times, not {max}"
            ));
        }
        let Some(max) = terms.uses_per_customer else {
            return;
        };
        let Some(account) = given.account else {
            broken.push(format!(
                "promotion {promotion} is counted and was given to a guest"
            ));
            return;
        };
        let key = (promotion, account);
        let uses = self.customer_uses.get(&key).copied().unwrap_or_default();
        if uses > i64::from(max) {
            broken.push(format!(
                "promotion {promotion} is used {uses} times by account {account}, not {max}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use soko_domain::order::CancelledBy;
    use soko_domain::promotion::{Discount, Funder};
    use soko_domain::{Currency, StoreId};
    use uuid::Uuid;

    #[test]
    fn what_is_given_and_given_back_within_its_limits_has_no_findings() {
        let found = findings([
            redeemed(1, Some(30)),
            redeemed(2, Some(31)),
            released(1),
            redeemed(3, Some(32)),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn too_many_uses_are_found() {
        let found = findings([
            redeemed(1, Some(30)),
            redeemed(2, Some(31)),
            redeemed(3, Some(32)),
        ]);
        assert!(found[0].contains("is used 3 times, not 2"), "{found:?}");
    }

    #[test]
    fn too_many_uses_of_one_customer_are_found() {
        let found = findings([redeemed(1, Some(30)), redeemed(2, Some(30))]);
        assert!(found[0].contains("2 times by account"), "{found:?}");
        let found = findings([redeemed(1, None)]);
        assert!(found[0].contains("to a guest"), "{found:?}");
    }

    #[test]
    fn what_is_given_back_twice_is_found() {
        let found = findings([redeemed(1, Some(30)), released(1), released(1)]);
        assert!(found[0].contains("what it had not given"), "{found:?}");
    }

    #[test]
    fn an_order_that_died_and_kept_its_coupon_is_found() {
        let mut promotions = Promotions::default();
        let mut found = Vec::new();
        promotions.enter(&created(), &mut found);
        promotions.enter(&redeemed(1, Some(30)), &mut found);
        promotions.said.insert(id(1), (id(5), 100));
        promotions.close(&mut found);
        assert_eq!(found, Vec::<String>::new());
        let cancelled = OrderEvent::Cancelled {
            by: CancelledBy::Customer,
            reason: None,
            store_id: StoreId::from_uuid(Uuid::nil()),
            currency: Currency::Kes,
            lines: vec![],
        };
        promotions.enter(&AnyEvent::Order(id(1), cancelled), &mut found);
        promotions.close(&mut found);
        assert!(found[0].contains("which has died"), "{found:?}");
    }

    #[test]
    fn an_order_that_was_given_less_than_it_says_is_found() {
        let mut promotions = Promotions::default();
        let mut found = Vec::new();
        promotions.enter(&created(), &mut found);
        promotions.enter(&redeemed(1, Some(30)), &mut found);
        promotions.said.insert(id(1), (id(5), 101));
        promotions.close(&mut found);
        assert!(found[0].contains("says otherwise"), "{found:?}");
    }

    /// Of a coupon for two orders of different customers; without its end.
    fn findings<const N: usize>(events: [AnyEvent; N]) -> Vec<String> {
        let mut promotions = Promotions::default();
        let mut found = Vec::new();
        promotions.enter(&created(), &mut found);
        for event in events {
            promotions.enter(&event, &mut found);
        }
        found
    }

    fn created() -> AnyEvent {
        let terms = Terms {
            name: "Karibu".parse().unwrap(),
            discount: Discount::Fixed { amount: 100 },
            minimum: 0,
            starts_at: None,
            ends_at: None,
            uses_max: Some(2),
            uses_per_customer: Some(1),
        };
        let created = PromotionEvent::Created {
            store_id: id(10),
            code: "KARIBU".parse().unwrap(),
            vendor_id: None,
            funder: Funder::Store,
            currency: Currency::Kes,
            terms,
        };
        AnyEvent::Promotion(id(5), created)
    }

    fn redeemed(order: u128, account: Option<u128>) -> AnyEvent {
        let redeemed = PromotionEvent::Redeemed {
            order_id: id(order),
            account_id: account.map(id),
            discount: 100,
        };
        AnyEvent::Promotion(id(5), redeemed)
    }

    fn released(order: u128) -> AnyEvent {
        let released = PromotionEvent::Released {
            order_id: id(order),
            discount: 100,
        };
        AnyEvent::Promotion(id(5), released)
    }

    fn id<T: From<Uuid>>(n: u128) -> T {
        Uuid::from_u128(n).into()
    }
}
