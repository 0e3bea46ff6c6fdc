//! Given, when, then.

use super::*;
use crate::Currency;
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

#[test]
fn a_cart_starts_with_its_first_item() {
    TestFramework::<Cart>::with(())
        .given_no_previous_events()
        .when(add(1, 2))
        .then_expect_events(vec![started(), added(1, 2)]);
}

#[test]
fn items_are_kept_in_the_order_in_which_they_were_added() {
    given([started(), added(2, 1)])
        .when(add(1, 1))
        .then_expect_events(vec![added(1, 1)]);
    let cart = cart([started(), added(2, 1), added(1, 4)]);
    assert_eq!(cart.items(), [item(2, 1), item(1, 4)]);
}

#[test]
fn more_of_the_same_adds_to_its_quantity_and_renews_its_price() {
    given([started(), added(1, 2)])
        .when(add(1, 3))
        .then_expect_events(vec![added(1, 3)]);
    let dearer = CartEvent::ItemAdded {
        variant_id: variant(1),
        product_id: Uuid::from_u128(20).into(),
        quantity: units(3),
        unit_price: kes(70_000),
    };
    assert_eq!(
        cart([started(), added(1, 2), dearer]).items(),
        [CartItem {
            unit_price: kes(70_000),
            ..item(1, 5)
        }]
    );
}

#[test]
fn a_cart_has_at_most_a_hundred_different_items() {
    let hundred = || {
        let events = std::iter::once(started()).chain((0..100).map(|n| added(n, 1)));
        TestFramework::<Cart>::with(()).given(events.collect())
    };
    hundred()
        .when(add(100, 1))
        .then_expect_error(CartError::TooManyItems);
    hundred()
        .when(add(99, 1))
        .then_expect_events(vec![added(99, 1)]);
}

#[test]
fn a_cart_has_at_most_a_million_of_one_item() {
    given([started(), added(1, Quantity::MAX - 1)])
        .when(add(1, 1))
        .then_expect_events(vec![added(1, 1)]);
    given([started(), added(1, Quantity::MAX)])
        .when(add(1, 1))
        .then_expect_error(CartError::TooManyOfOne);
}

#[test]
fn a_cart_stays_with_its_owner_and_store() {
    let strangers = CartCommand::Add {
        store_id: store(),
        owner: CartOwner::Account(Uuid::from_u128(99).into()),
        item: item(1, 1),
    };
    let elsewhere = CartCommand::Add {
        store_id: Uuid::from_u128(99).into(),
        owner: CartOwner::Guest,
        item: item(1, 1),
    };
    for command in [strangers, elsewhere] {
        given([started()])
            .when(command)
            .then_expect_error(CartError::AnotherCart);
    }
}

#[test]
fn a_cart_is_priced_in_one_currency() {
    let in_dollars = CartCommand::Add {
        store_id: store(),
        owner: CartOwner::Guest,
        item: CartItem {
            unit_price: Money::new(100, Currency::Usd),
            ..item(2, 1)
        },
    };
    given([started(), added(1, 1)])
        .when(in_dollars.clone())
        .then_expect_error(CartError::CurrencyDiffers {
            expected: Currency::Kes,
            found: Currency::Usd,
        });
    given([started(), added(1, 1), CartEvent::Cleared {}])
        .when(in_dollars)
        .then_expect_events(vec![CartEvent::ItemAdded {
            variant_id: variant(2),
            product_id: Uuid::from_u128(20).into(),
            quantity: units(1),
            unit_price: Money::new(100, Currency::Usd),
        }]);
}

#[test]
fn a_quantity_can_be_set() {
    given([started(), added(1, 2)])
        .when(set_quantity(1, 7))
        .then_expect_events(vec![quantity_changed(1, 7)]);
    assert_eq!(
        cart([started(), added(1, 2), quantity_changed(1, 7)]).items(),
        [item(1, 7)]
    );
}

#[test]
fn the_same_quantity_changes_nothing() {
    given([started(), added(1, 2)])
        .when(set_quantity(1, 2))
        .then_expect_events(vec![]);
}

#[test]
fn only_what_is_in_the_cart_has_a_quantity() {
    let missing = CartError::NotInCart {
        variant_id: variant(2),
    };
    given([started(), added(1, 2)])
        .when(set_quantity(2, 2))
        .then_expect_error(missing.clone());
    given([])
        .when(set_quantity(2, 2))
        .then_expect_error(missing);
}

#[test]
fn a_removed_item_is_gone_and_a_repeated_removal_changes_nothing() {
    given([started(), added(1, 2)])
        .when(remove(1))
        .then_expect_events(vec![removed(1)]);
    given([started(), added(1, 2), removed(1)])
        .when(remove(1))
        .then_expect_events(vec![]);
    given([]).when(remove(1)).then_expect_events(vec![]);
    assert_eq!(
        cart([started(), added(1, 2), added(2, 1), removed(1)]).items(),
        [item(2, 1)]
    );
}

#[test]
fn a_cart_is_cleared_once() {
    given([started(), added(1, 2)])
        .when(CartCommand::Clear {})
        .then_expect_events(vec![CartEvent::Cleared {}]);
    given([started(), added(1, 2), CartEvent::Cleared {}])
        .when(CartCommand::Clear {})
        .then_expect_events(vec![]);
    given([])
        .when(CartCommand::Clear {})
        .then_expect_events(vec![]);
}

#[test]
fn checking_out_empties_the_cart() {
    given([started(), added(1, 2)])
        .when(check_out(1))
        .then_expect_events(vec![checked_out(1)]);
    let cart = cart([started(), added(1, 2), checked_out(1)]);
    assert!(cart.items().is_empty());
    assert_eq!(cart.basket().unwrap().last_order(), Some(order(1)));
}

#[test]
fn an_empty_cart_cannot_be_checked_out() {
    given([])
        .when(check_out(1))
        .then_expect_error(CartError::Empty);
    given([started(), added(1, 2), removed(1)])
        .when(check_out(1))
        .then_expect_error(CartError::Empty);
    given([started(), added(1, 2), checked_out(1)])
        .when(check_out(2))
        .then_expect_error(CartError::Empty);
}

#[test]
fn a_repeated_check_out_changes_nothing() {
    given([started(), added(1, 2), checked_out(1)])
        .when(check_out(1))
        .then_expect_events(vec![]);
}

#[test]
fn a_cart_can_be_filled_again_after_its_check_out() {
    given([started(), added(1, 2), checked_out(1)])
        .when(add(1, 1))
        .then_expect_events(vec![added(1, 1)]);
    let cart = cart([started(), added(1, 2), checked_out(1), added(1, 1)]);
    assert_eq!(cart.items(), [item(1, 1)]);
    assert_eq!(cart.basket().unwrap().store_id(), store());
    assert_eq!(cart.basket().unwrap().owner(), CartOwner::Guest);
}

#[test]
fn a_cart_with_items_is_abandoned_once() {
    given([started(), added(1, 2)])
        .when(CartCommand::Abandon {})
        .then_expect_events(vec![CartEvent::Abandoned {}]);
    given([started(), added(1, 2), CartEvent::Abandoned {}])
        .when(CartCommand::Abandon {})
        .then_expect_events(vec![]);
    given([])
        .when(CartCommand::Abandon {})
        .then_expect_events(vec![]);
    assert!(
        cart([started(), added(1, 2), CartEvent::Abandoned {}])
            .items()
            .is_empty()
    );
}

#[test]
fn a_coupon_takes_the_place_of_another_and_goes_when_it_is_asked_to() {
    given([started(), added(1, 2)])
        .when(apply_coupon("KARIBU"))
        .then_expect_events(vec![coupon_applied("KARIBU")]);
    given([started(), added(1, 2), coupon_applied("KARIBU")])
        .when(apply_coupon("karibu"))
        .then_expect_events(vec![]);
    given([started(), added(1, 2), coupon_applied("KARIBU")])
        .when(apply_coupon("OTHER"))
        .then_expect_events(vec![coupon_applied("OTHER")]);
    given([started(), added(1, 2), coupon_applied("KARIBU")])
        .when(CartCommand::RemoveCoupon {})
        .then_expect_events(vec![CartEvent::CouponRemoved {}]);
    given([started(), added(1, 2)])
        .when(CartCommand::RemoveCoupon {})
        .then_expect_events(vec![]);
}

#[test]
fn an_empty_cart_has_no_coupon() {
    given([started(), added(1, 2), removed(1)])
        .when(apply_coupon("KARIBU"))
        .then_expect_error(CartError::Empty);
    for emptied in [
        CartEvent::Cleared {},
        CartEvent::Abandoned {},
        checked_out(1),
    ] {
        let history = [started(), added(1, 2), coupon_applied("KARIBU"), emptied];
        assert_eq!(cart(history).coupon(), None);
    }
}

fn apply_coupon(code: &str) -> CartCommand {
    CartCommand::ApplyCoupon {
        code: code.parse().unwrap(),
    }
}

fn coupon_applied(code: &str) -> CartEvent {
    CartEvent::CouponApplied {
        code: code.parse().unwrap(),
    }
}

fn given<const N: usize>(events: [CartEvent; N]) -> AggregateTestExecutor<Cart> {
    TestFramework::with(()).given(events.into())
}

fn cart<const N: usize>(events: [CartEvent; N]) -> Cart {
    let mut cart = Cart::default();
    for event in events {
        cart.apply(event);
    }
    cart
}

fn store() -> StoreId {
    Uuid::from_u128(10).into()
}

fn variant(n: u128) -> VariantId {
    Uuid::from_u128(n).into()
}

fn order(n: u128) -> OrderId {
    Uuid::from_u128(n).into()
}

fn units(n: u32) -> Quantity {
    n.try_into().unwrap()
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}

fn item(n: u128, quantity: u32) -> CartItem {
    CartItem {
        variant_id: variant(n),
        product_id: Uuid::from_u128(20).into(),
        quantity: units(quantity),
        unit_price: kes(65_000),
    }
}

fn started() -> CartEvent {
    CartEvent::Started {
        store_id: store(),
        owner: CartOwner::Guest,
    }
}

fn added(n: u128, quantity: u32) -> CartEvent {
    let item = item(n, quantity);
    CartEvent::ItemAdded {
        variant_id: item.variant_id,
        product_id: item.product_id,
        quantity: item.quantity,
        unit_price: item.unit_price,
    }
}

fn quantity_changed(n: u128, quantity: u32) -> CartEvent {
    CartEvent::QuantityChanged {
        variant_id: variant(n),
        quantity: units(quantity),
    }
}

fn removed(n: u128) -> CartEvent {
    CartEvent::ItemRemoved {
        variant_id: variant(n),
    }
}

fn checked_out(n: u128) -> CartEvent {
    CartEvent::CheckedOut { order_id: order(n) }
}

fn add(n: u128, quantity: u32) -> CartCommand {
    CartCommand::Add {
        store_id: store(),
        owner: CartOwner::Guest,
        item: item(n, quantity),
    }
}

fn set_quantity(n: u128, quantity: u32) -> CartCommand {
    CartCommand::SetQuantity {
        variant_id: variant(n),
        quantity: units(quantity),
    }
}

fn remove(n: u128) -> CartCommand {
    CartCommand::Remove {
        variant_id: variant(n),
    }
}

fn check_out(n: u128) -> CartCommand {
    CartCommand::CheckOut { order_id: order(n) }
}
