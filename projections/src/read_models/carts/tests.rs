//! The fold, without a database.

use super::*;
use crate::given::{id, row};
use cqrs_es::Aggregate as _;
use proptest::prelude::*;
use soko_domain::cart::{Cart as Aggregate, CartCommand};
use soko_domain::{Currency, Decide, Money};

#[test]
fn a_cart_that_was_checked_out_is_empty_and_may_be_filled_again() {
    let started = CartEvent::Started {
        store_id: id(10),
        owner: CartOwner::Guest,
    };
    let checked_out = CartEvent::CheckedOut { order_id: id(70) };
    let cart = folded([started.clone(), added(1, 2), checked_out.clone()]);
    assert_eq!(cart.status, CartStatus::CheckedOut);
    assert_eq!(cart.last_order, Some(id(70)));
    assert!(cart.items.0.is_empty());
    let cart = folded([started.clone(), added(1, 2), checked_out, added(1, 1)]);
    assert_eq!(cart.status, CartStatus::Active);
    let cart = folded([started, added(1, 2), CartEvent::Abandoned {}]);
    assert_eq!(
        (cart.status, cart.account_id),
        (CartStatus::Abandoned, None)
    );
}

proptest! {
    #[test]
    fn its_items_are_the_aggregates_whatever_is_asked_of_it(
        commands in proptest::collection::vec((0_u8..6, 0_u128..4, 1_u32..5), 1..30),
    ) {
        let mut aggregate = Aggregate::default();
        let mut events = Vec::new();
        for (command, variant, quantity) in commands {
            let command = match command {
                0 | 1 => CartCommand::Add {
                    store_id: id(10),
                    owner: CartOwner::Account(id(40)),
                    item: item(variant, quantity),
                },
                2 => CartCommand::SetQuantity {
                    variant_id: id(variant),
                    quantity: quantity.try_into().unwrap(),
                },
                3 => CartCommand::Remove { variant_id: id(variant) },
                4 => CartCommand::CheckOut { order_id: id(u128::from(quantity)) },
                _ => CartCommand::Clear {},
            };
            for event in aggregate.decide(command).unwrap_or_default() {
                aggregate.apply(event.clone());
                events.push(AnyEvent::Cart(id(1), event));
            }
        }
        prop_assume!(!events.is_empty());
        let cart = row::<Carts>(events);
        prop_assert_eq!(&cart.items.0[..], aggregate.items());
        prop_assert_eq!(cart.status == CartStatus::Active, !aggregate.items().is_empty());
        prop_assert_eq!(cart.last_order, aggregate.basket().and_then(soko_domain::cart::Basket::last_order));
        prop_assert_eq!(cart.account_id, Some(id(40)));
    }
}

fn folded<const N: usize>(events: [CartEvent; N]) -> Cart {
    row::<Carts>(events.map(|event| AnyEvent::Cart(id(1), event)))
}

fn item(variant: u128, quantity: u32) -> CartItem {
    CartItem {
        variant_id: id(variant),
        product_id: id(90),
        quantity: quantity.try_into().unwrap(),
        unit_price: Money::new(100 + i64::from(quantity), Currency::Kes),
    }
}

fn added(variant: u128, quantity: u32) -> CartEvent {
    let item = item(variant, quantity);
    CartEvent::ItemAdded {
        variant_id: item.variant_id,
        product_id: item.product_id,
        quantity: item.quantity,
        unit_price: item.unit_price,
    }
}
