//! Coupons: an order and the use of its coupon are one unit, and so are its death and what it gives
//! back.

use super::market::{Market, Ware, kes, refusal};
use crate::world::new_id;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use soko_commands::handlers::{
    ApplyCoupon, ApplyCouponError, CancelOrder, CreatePromotion, Expiry, OrderSource, PlaceOrder,
    PlaceOrderError, PlacedOrder, RunPromotionError, apply_coupon, cancel_order, create_promotion,
    expire_order,
};
use soko_commands::{CommandError, Committed};
use soko_domain::cart::CartOwner;
use soko_domain::order::{CancelledBy, Customer, OrderCoupon};
use soko_domain::payment::PaymentProvider;
use soko_domain::promotion::{Discount, Funder, PromotionError, Terms};
use soko_domain::store::StoreCommand;
use soko_domain::vendor::VendorError;
use soko_domain::{
    Cart, CartId, CouponCode, Order, OrderId, Personal, Promotion, PromotionId, Store, VendorId,
};
use soko_event_log::{ClaimKind, Claims};

#[tokio::test]
async fn an_order_is_given_what_its_coupon_is_worth() {
    let market = Market::open().await;
    let bill = market.vendor().await;
    let (mug, pot) = (
        market.ware(650, 5).await,
        market.ware_of(bill, 2_501, 5).await,
    );
    make(&market, None, terms(percentage(1_000))).await;
    let head = market.head().await;
    let placed = place(&market, [(mug, 2), (pot, 1)]).await.unwrap().value;
    assert_eq!(
        market.events_since(head).await,
        [
            "order.placed",
            "payment.initiated",
            "stock.reserved",
            "stock.reserved",
            "promotion.redeemed",
        ]
    );
    // A tenth of 3801 is 380.1: 129.96 and 250.04 of it.
    let totals = placed.totals;
    assert_eq!(
        (totals.subtotal, totals.discount, totals.total),
        (3_801, 380, 3_421)
    );
    assert_eq!(discounts(&placed), [130, 250]);
    // 16 % of what is left, within it: 161.4 and 310.5.
    assert_eq!(totals.tax, 161 + 310);
    assert_eq!(placed.coupon, Some(code()));
    let order = market.read::<Order>(placed.order_id).await;
    let coupon = order.state.progress().unwrap().placement().coupon.clone();
    let expected = OrderCoupon {
        promotion_id: promotion_id(&market),
        code: code(),
        customer_use: None,
    };
    assert_eq!(coupon, Some(expected));
    assert_eq!(used(&market).await, (1, 380));
}

#[tokio::test]
async fn a_vendors_coupon_is_for_its_own_goods_and_at_its_own_cost() {
    let market = Market::open().await;
    let bill = market.vendor().await;
    let (mug, pot) = (
        market.ware(650, 5).await,
        market.ware_of(bill, 2_500, 5).await,
    );
    make(
        &market,
        Some((bill, Funder::Vendor)),
        terms(percentage(1_000)),
    )
    .await;
    let placed = place(&market, [(mug, 1), (pot, 1)]).await.unwrap().value;
    assert_eq!(discounts(&placed), [0, 250]);
    // The store keeps a tenth of what the buyer pays.
    let kept: Vec<_> = placed
        .lines
        .iter()
        .map(|l| (l.subsidy, l.commission))
        .collect();
    assert_eq!(kept, [(0, 65), (0, 225)]);
    let refused = refusal(place(&market, [(mug, 1)]).await);
    let expected = PromotionError::NothingToDiscount;
    assert_eq!(refused, PlaceOrderError::Promotion(expected));
}

#[tokio::test]
async fn what_the_store_takes_off_costs_the_vendor_nothing() {
    let market = Market::open().await;
    let pot = market.ware(2_500, 5).await;
    make(&market, None, terms(percentage(2_000))).await;
    let placed = place(&market, [(pot, 1)]).await.unwrap().value;
    let line = &placed.lines[0];
    assert_eq!(
        (line.total, line.subsidy, line.commission),
        (2_000, 500, 250)
    );
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_and_nothing_is_kept() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let promotion = |error| PlaceOrderError::Promotion(error);
    let head = market.head().await;
    let answer = refusal(place(&market, [(mug, 1)]).await);
    assert_eq!(answer, promotion(PromotionError::NotCreated));
    assert_eq!(market.events_since(head).await, Vec::<&str>::new());

    for (terms, error) in [
        (
            Terms {
                starts_at: Some(later()),
                ..terms(fixed(100))
            },
            promotion(PromotionError::NotStarted),
        ),
        (
            Terms {
                ends_at: Some(DateTime::UNIX_EPOCH),
                ..terms(fixed(100))
            },
            promotion(PromotionError::Ended),
        ),
        (
            Terms {
                minimum: 651,
                ..terms(fixed(100))
            },
            promotion(PromotionError::BelowMinimum {
                minimum: kes(651),
                found: kes(650),
            }),
        ),
        (terms(fixed(650)), PlaceOrderError::NothingLeftToPay),
    ] {
        let market = Market::open().await;
        let mug = market.ware(650, 5).await;
        make(&market, None, terms).await;
        let head = market.head().await;
        assert_eq!(refusal(place(&market, [(mug, 1)]).await), error);
        assert_eq!(market.events_since(head).await, Vec::<&str>::new());
        assert_eq!(market.available(mug).await, 5);
    }
}

#[tokio::test]
async fn its_last_use_is_given_once_and_again_after_its_order_died() {
    let market = Market::open().await;
    let mug = market.ware(650, 50).await;
    make(
        &market,
        None,
        Terms {
            uses_max: Some(3),
            ..terms(fixed(100))
        },
    )
    .await;
    let orders = join_all((0..10).map(|_| place(&market, [(mug, 1)]))).await;
    let (placed, refused): (Vec<_>, Vec<_>) = orders.into_iter().partition(Result::is_ok);
    assert_eq!(placed.len(), 3);
    for answer in refused {
        let exhausted = PlaceOrderError::Promotion(PromotionError::Exhausted);
        assert_eq!(refusal(answer), exhausted);
    }
    assert_eq!(used(&market).await, (3, 300));
    assert_eq!(market.available(mug).await, 47);

    let order_id = placed[0].as_ref().unwrap().value.order_id;
    let head = market.head().await;
    cancel(&market, order_id).await;
    cancel(&market, order_id).await;
    let ended = [
        "order.cancelled",
        "stock.released",
        "promotion.released",
        "payment.cancelled",
    ];
    assert_eq!(market.events_since(head).await, ended);
    assert_eq!(used(&market).await, (2, 200));
    place(&market, [(mug, 1)]).await.unwrap();
    assert_eq!(used(&market).await, (3, 300));
}

#[tokio::test]
async fn a_customer_uses_it_as_often_as_one_may() {
    let market = Market::open().await;
    let mug = market.ware(650, 50).await;
    make(
        &market,
        None,
        Terms {
            uses_per_customer: Some(2),
            ..terms(fixed(100))
        },
    )
    .await;
    let wanjiru = Customer::Account(new_id());
    let order = || PlaceOrder {
        customer: wanjiru.clone(),
        ..with_coupon(&market, [(mug, 1)])
    };
    let orders = join_all((0..6).map(|_| market.place(order()))).await;
    let (placed, refused): (Vec<_>, Vec<_>) = orders.into_iter().partition(Result::is_ok);
    assert_eq!(placed.len(), 2);
    for answer in refused {
        assert_eq!(refusal(answer), PlaceOrderError::CouponUsedUp);
    }
    // Others are not concerned.
    place(&market, [(mug, 1)]).await.unwrap();
    assert_eq!(used(&market).await, (3, 300));

    let order_id = placed[0].as_ref().unwrap().value.order_id;
    assert_eq!(claimed_by(&market, &wanjiru).await, 2);
    cancel(&market, order_id).await;
    assert_eq!(claimed_by(&market, &wanjiru).await, 1);
    market.place(order()).await.unwrap();
    assert_eq!(
        refusal(market.place(order()).await),
        PlaceOrderError::CouponUsedUp
    );

    let guest = PlaceOrder {
        customer: Customer::Guest {
            email: Personal::new(new_id::<OrderId>().into(), "a@example.com".parse().unwrap()),
            token_hash: "cafe".to_owned(),
        },
        ..with_coupon(&market, [(mug, 1)])
    };
    let needs = PlaceOrderError::CouponNeedsAccount;
    assert_eq!(refusal(market.place(guest).await), needs);
}

#[tokio::test]
async fn an_order_that_nobody_pays_gives_it_back() {
    let market = Market::open().await;
    let mug = market.ware(650, 50).await;
    make(
        &market,
        None,
        Terms {
            uses_max: Some(1),
            ..terms(fixed(100))
        },
    )
    .await;
    let by_bank = StoreCommand::ChangePaymentMethods {
        payment_methods: [PaymentProvider::BankTransfer].into(),
    };
    market.execute::<Store>(market.store_id, by_bank).await;
    let order = PlaceOrder {
        provider: PaymentProvider::BankTransfer,
        ..with_coupon(&market, [(mug, 1)])
    };
    let order_id = market.place(order).await.unwrap().value.order_id;
    assert_eq!(used(&market).await, (1, 100));
    let expired = expire_order(market.engine(), order_id, &market.context()).await;
    assert_eq!(expired.unwrap().value, Expiry::Expired);
    assert_eq!(used(&market).await, (0, 0));
}

#[tokio::test]
async fn a_carts_coupon_is_used_with_its_order() {
    let market = Market::open().await;
    let mug = market.ware(650, 50).await;
    make(&market, None, terms(fixed(100))).await;
    let cart_id = market.cart([(mug, 2)]).await;
    apply(&market, cart_id, "karibu").await.unwrap();
    let order = market.order_from(OrderSource::Cart(cart_id));
    let placed = market.place(order).await.unwrap().value;
    assert_eq!(placed.totals.discount, 100);
    assert_eq!(placed.coupon, Some(code()));
    assert_eq!(market.read::<Cart>(cart_id).await.state.coupon(), None);
}

#[tokio::test]
async fn a_cart_takes_no_coupon_that_is_good_for_nothing() {
    let market = Market::open().await;
    let mug = market.ware(650, 50).await;
    let cart_id = market.cart([(mug, 2)]).await;
    let nothing = refusal(apply(&market, cart_id, "KARIBU").await);
    assert_eq!(
        nothing,
        ApplyCouponError::Promotion(PromotionError::NotCreated)
    );
    let of_accounts = Terms {
        uses_per_customer: Some(1),
        ..terms(fixed(100))
    };
    make(&market, None, of_accounts).await;
    let refused = refusal(apply(&market, cart_id, "KARIBU").await);
    assert_eq!(refused, ApplyCouponError::NeedsAccount);
}

#[tokio::test]
async fn who_pays_for_what_they_do_not_sell_is_refused() {
    let market = Market::open().await;
    let nobody = CreatePromotion {
        funder: Funder::Vendor,
        ..coupon(&market, None, terms(fixed(100)))
    };
    let made = create_promotion(market.engine(), nobody, &market.context()).await;
    let error = RunPromotionError::Promotion(PromotionError::NobodyToFund);
    assert_eq!(refusal(made), error);
    let elsewhere = CreatePromotion {
        store_id: market.another_store().await,
        ..coupon(
            &market,
            Some((market.vendor_id, Funder::Vendor)),
            terms(fixed(100)),
        )
    };
    let made = create_promotion(market.engine(), elsewhere, &market.context()).await;
    let error = RunPromotionError::Vendor(VendorError::NotRegistered);
    assert_eq!(refusal(made), error);
}

async fn make(market: &Market, of: Option<(VendorId, Funder)>, terms: Terms) {
    let request = coupon(market, of, terms);
    let made = create_promotion(market.engine(), request, &market.context()).await;
    assert_eq!(made.unwrap().value, promotion_id(market));
}

fn coupon(market: &Market, of: Option<(VendorId, Funder)>, terms: Terms) -> CreatePromotion {
    CreatePromotion {
        store_id: market.store_id,
        code: code(),
        vendor_id: of.map(|(vendor_id, _)| vendor_id),
        funder: of.map_or(Funder::Store, |(_, funder)| funder),
        terms,
    }
}

fn with_coupon<const N: usize>(market: &Market, lines: [(Ware, u32); N]) -> PlaceOrder {
    PlaceOrder {
        coupon: Some(code()),
        ..market.order_of(lines)
    }
}

async fn place<const N: usize>(
    market: &Market,
    lines: [(Ware, u32); N],
) -> Result<Committed<PlacedOrder>, CommandError<PlaceOrderError>> {
    market.place(with_coupon(market, lines)).await
}

async fn cancel(market: &Market, order_id: OrderId) {
    let request = CancelOrder {
        order_id,
        by: CancelledBy::Customer,
        reason: None,
    };
    let cancelled = cancel_order(market.engine(), request, &market.context()).await;
    cancelled.unwrap();
}

async fn apply(
    market: &Market,
    cart_id: CartId,
    code: &str,
) -> Result<Committed<()>, CommandError<ApplyCouponError>> {
    let request = ApplyCoupon {
        cart_id,
        store_id: market.store_id,
        owner: CartOwner::Guest,
        code: code.parse().unwrap(),
    };
    apply_coupon(market.engine(), request, &market.context()).await
}

/// How often, and what was taken off for it.
async fn used(market: &Market) -> (u32, i64) {
    let promotion = market.read::<Promotion>(promotion_id(market)).await;
    let campaign = promotion.state.campaign().unwrap();
    (campaign.uses(), campaign.discounted())
}

/// Of the first two uses that a customer may have.
async fn claimed_by(market: &Market, customer: &Customer) -> usize {
    let Customer::Account(account_id) = customer else {
        panic!("{customer:?}");
    };
    let claims = Claims::new(market.world.pool());
    let mut found = 0;
    for customer_use in 0..2 {
        let value = format!("{}/{account_id}/{customer_use}", promotion_id(market));
        let claim = claims.find(ClaimKind::CouponUse, &value).await.unwrap();
        found += usize::from(claim.is_some());
    }
    found
}

fn discounts(placed: &PlacedOrder) -> Vec<i64> {
    placed.lines.iter().map(|line| line.discount).collect()
}

fn promotion_id(market: &Market) -> PromotionId {
    PromotionId::of_code(market.store_id, &code())
}

fn code() -> CouponCode {
    "KARIBU".parse().unwrap()
}

fn terms(discount: Discount) -> Terms {
    Terms {
        name: "Karibu".parse().unwrap(),
        discount,
        minimum: 0,
        starts_at: None,
        ends_at: None,
        uses_max: None,
        uses_per_customer: None,
    }
}

fn percentage(bps: u32) -> Discount {
    Discount::Percentage {
        bps: bps.try_into().unwrap(),
        at_most: None,
    }
}

const fn fixed(amount: i64) -> Discount {
    Discount::Fixed { amount }
}

/// After what the tests' commands call now.
fn later() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(1)
}
