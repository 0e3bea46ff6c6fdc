//! What goes into a cart.

use super::market::{Market, Ware, context, kes, quantity, refusal};
use crate::world::new_id;
use futures::future::join_all;
use soko_commands::handlers::{
    AddToCart, CartItemError, SetCartQuantity, add_to_cart, set_cart_quantity,
};
use soko_commands::{CommandError, Committed};
use soko_domain::cart::{CartError, CartOwner};
use soko_domain::product::ProductCommand;
use soko_domain::store::{StoreCommand, StoreError};
use soko_domain::{Cart, CartId, Product, Store};

#[tokio::test]
async fn an_item_goes_into_the_cart_at_its_price() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let head = market.head().await;
    let cart_id = market.cart([(mug, 2), (mug, 3)]).await;
    assert_eq!(
        market.events_since(head).await,
        ["cart.started", "cart.item_added", "cart.item_added"]
    );
    let cart = market.read::<Cart>(cart_id).await;
    let item = &cart.state.items()[0];
    assert_eq!(item.unit_price, kes(650));
    assert_eq!(item.quantity, quantity(5));
    assert_eq!(item.product_id, mug.product_id);
}

#[tokio::test]
async fn what_is_not_on_sale_stays_out_of_carts() {
    let market = Market::open().await;
    let draft = market.ware(650, 5).await;
    market
        .execute::<Product>(draft.product_id, ProductCommand::Unpublish {})
        .await;
    let unknown = Ware {
        product_id: draft.product_id,
        variant_id: new_id(),
    };
    for ware in [draft, unknown] {
        let request = market.item(new_id(), ware, 1);
        assert_eq!(
            refusal(add(&market, request).await),
            CartItemError::NotOnSale {
                variant_id: ware.variant_id
            }
        );
    }
}

#[tokio::test]
async fn another_stores_goods_stay_out_of_the_cart() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let request = AddToCart {
        store_id: market.another_store().await,
        ..market.item(new_id(), mug, 1)
    };
    assert_eq!(
        refusal(add(&market, request).await),
        CartItemError::NotOnSale {
            variant_id: mug.variant_id
        }
    );
}

#[tokio::test]
async fn a_store_that_is_closed_or_anothers_fills_no_carts() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let request = market.item(new_id(), mug, 1);
    let answer = add_to_cart(market.engine(), request.clone(), &context(new_id())).await;
    assert_eq!(refusal(answer), CartItemError::Store(StoreError::NotOpened));

    market
        .execute::<Store>(market.store_id, StoreCommand::Close)
        .await;
    assert_eq!(
        refusal(add(&market, request).await),
        CartItemError::Store(StoreError::Closed)
    );
}

#[tokio::test]
async fn no_more_goes_into_a_cart_than_is_in_stock() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let cart_id = market.cart([(mug, 3)]).await;
    let short = |requested| CartItemError::OutOfStock {
        variant_id: mug.variant_id,
        requested,
        available: 5,
    };
    let more = market.item(cart_id, mug, 3);
    assert_eq!(refusal(add(&market, more).await), short(6));
    assert_eq!(refusal(set(&market, cart_id, mug, 7).await), short(7));
    set(&market, cart_id, mug, 5).await.unwrap();
    assert_eq!(market.items(cart_id).await, [(mug.variant_id, 5)]);
}

#[tokio::test]
async fn less_of_what_has_become_scarce_can_be_wanted() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let cart_id = market.cart([(mug, 5)]).await;
    market.placed([(mug, 4)]).await;
    set(&market, cart_id, mug, 3).await.unwrap();
    assert_eq!(market.items(cart_id).await, [(mug.variant_id, 3)]);
}

#[tokio::test]
async fn only_what_is_in_the_cart_has_a_quantity() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let variant_id = mug.variant_id;
    assert_eq!(
        refusal(set(&market, new_id(), mug, 1).await),
        CartItemError::Cart(CartError::NotInCart { variant_id })
    );
}

#[tokio::test]
async fn nobody_fills_a_strangers_cart() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let cart_id = market.cart([(mug, 1)]).await;
    let request = AddToCart {
        owner: CartOwner::Account(new_id()),
        ..market.item(cart_id, mug, 1)
    };
    assert_eq!(
        refusal(add(&market, request).await),
        CartItemError::Cart(CartError::AnotherCart)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn carts_are_filled_while_the_stock_moves() {
    let market = Market::open().await;
    let mug = market.ware(650, 1_000).await;
    let fill = join_all((0..50).map(|_| add(&market, market.item(new_id(), mug, 1))));
    let buy = join_all((0..50).map(|_| market.place(market.order_of([(mug, 1)]))));
    let (filled, bought) = tokio::join!(fill, buy);
    assert!(filled.iter().all(Result::is_ok), "{filled:?}");
    assert!(bought.iter().all(Result::is_ok), "{bought:?}");
}

type Answer = Result<Committed<()>, CommandError<CartItemError>>;

async fn add(market: &Market, request: AddToCart) -> Answer {
    add_to_cart(market.engine(), request, &market.context()).await
}

async fn set(market: &Market, cart_id: CartId, ware: Ware, units: u32) -> Answer {
    let request = SetCartQuantity {
        cart_id,
        variant_id: ware.variant_id,
        quantity: quantity(units),
    };
    set_cart_quantity(market.engine(), request, &market.context()).await
}
