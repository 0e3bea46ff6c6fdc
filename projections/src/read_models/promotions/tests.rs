//! The fold, without a database.

use super::*;
use crate::given::{id, row, text};
use soko_domain::promotion::Discount;

#[test]
fn uses_count_orders_that_have_not_died() {
    let promotion = told([redeemed(50, 100), redeemed(51, 250), released(50, 100)]);
    assert_eq!((promotion.uses, promotion.discounted), (1, 250));
    assert_eq!(promotion.version, 4);
    assert_eq!(promotion.position, 1);
}

#[test]
fn an_end_is_part_of_its_terms() {
    let ended_at = "2026-06-01T00:00:00Z".parse().unwrap();
    let promotion = told([PromotionEvent::Ended { ended_at }]);
    assert_eq!(promotion.terms.0.ends_at, Some(ended_at));
    let terms = terms("Karibu tena");
    let changed = PromotionEvent::TermsChanged {
        terms: terms.clone(),
    };
    let promotion = told([PromotionEvent::Ended { ended_at }, changed]);
    assert_eq!(promotion.terms.0, terms);
}

fn told<const N: usize>(events: [PromotionEvent; N]) -> Promotion {
    let created = PromotionEvent::Created {
        store_id: id(10),
        code: text("KARIBU"),
        vendor_id: Some(id(11)),
        funder: Funder::Store,
        currency: Currency::Kes,
        terms: terms("Karibu"),
    };
    let events = std::iter::once(created).chain(events);
    row::<Promotions>(events.map(|event| AnyEvent::Promotion(id(5), event)))
}

fn terms(name: &str) -> Terms {
    Terms {
        name: text(name),
        discount: Discount::Fixed { amount: 100 },
        minimum: 0,
        starts_at: None,
        ends_at: None,
        uses_max: None,
        uses_per_customer: None,
    }
}

fn redeemed(order: u128, discount: i64) -> PromotionEvent {
    PromotionEvent::Redeemed {
        order_id: id(order),
        account_id: None,
        discount,
    }
}

fn released(order: u128, discount: i64) -> PromotionEvent {
    PromotionEvent::Released {
        order_id: id(order),
        discount,
    }
}
