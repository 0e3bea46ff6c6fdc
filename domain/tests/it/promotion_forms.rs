//! One of every event of a promotion, the other forms that some have, and what an order says of one.

use crate::samples::{id, kes, placement, text};
use soko_domain::order::{OrderCoupon, OrderEvent, Placement, Shares};
use soko_domain::promotion::{Discount, Funder, PromotionEvent, Terms};
use soko_domain::{AnyEvent, Currency, PromotionId};

pub(crate) fn promotion() -> impl Iterator<Item = PromotionEvent> {
    let terms = Terms {
        name: text("Karibu"),
        discount: Discount::Percentage {
            bps: 1_000.try_into().unwrap(),
            at_most: Some(50_000),
        },
        minimum: 100_000,
        starts_at: Some("2026-12-01T00:00:00Z".parse().unwrap()),
        ends_at: Some("2027-01-01T00:00:00Z".parse().unwrap()),
        uses_max: Some(500),
        uses_per_customer: Some(1),
    };
    [
        PromotionEvent::Created {
            store_id: id(10),
            code: text("KARIBU-10"),
            vendor_id: Some(id(11)),
            funder: Funder::Vendor,
            currency: Currency::Kes,
            terms: terms.clone(),
        },
        PromotionEvent::TermsChanged { terms },
        PromotionEvent::Ended {
            ended_at: "2026-12-12T10:00:00Z".parse().unwrap(),
        },
        PromotionEvent::Redeemed {
            order_id: id(50),
            account_id: Some(id(30)),
            discount: 5_000,
        },
        PromotionEvent::Released {
            order_id: id(50),
            discount: 5_000,
        },
    ]
    .into_iter()
}

pub(crate) fn promotion_forms() -> Vec<(String, AnyEvent)> {
    let of = |event| AnyEvent::Promotion(id(1), event);
    let created = PromotionEvent::Created {
        store_id: id(10),
        code: text("HUNDRED"),
        vendor_id: None,
        funder: Funder::Store,
        currency: Currency::Kes,
        terms: Terms {
            name: text("A hundred off"),
            discount: Discount::Fixed { amount: 10_000 },
            minimum: 0,
            starts_at: None,
            ends_at: None,
            uses_max: None,
            uses_per_customer: None,
        },
    };
    let redeemed = PromotionEvent::Redeemed {
        order_id: id(50),
        account_id: None,
        discount: 10_000,
    };
    let order = |event| AnyEvent::Order(id(1), event);
    let paid = OrderEvent::Paid {
        payment_id: id(40),
        amount: 220_000,
        shares: Shares::of_sale(&with_coupon(None)).ok(),
    };
    [
        ("bare", of(created)),
        ("guest", of(redeemed)),
        ("coupon", order(placed(with_coupon(Some(0))))),
        ("coupon_uncounted", order(placed(with_coupon(None)))),
        ("subsidised", order(paid)),
    ]
    .map(|(case, event)| (case.to_owned(), event))
    .into()
}

fn placed(placement: Placement) -> OrderEvent {
    OrderEvent::Placed(Box::new(placement))
}

/// For which the store pays.
fn with_coupon(customer_use: Option<u8>) -> Placement {
    let mut placement = placement();
    let line = &mut placement.lines[0];
    line.take_off(kes(5_000), Funder::Store, placement.tax)
        .unwrap();
    let code = text("KARIBU-10");
    placement.coupon = Some(OrderCoupon {
        promotion_id: PromotionId::of_code(placement.store_id, &code),
        code,
        customer_use,
    });
    placement
}
