//! Carts that nobody came back to.

use super::office::Office;
use crate::world::{context, new_id};
use chrono::{DateTime, TimeDelta, Utc};
use soko_commands::process_managers::AbandonCarts;
use soko_domain::cart::{Cart, CartCommand, CartItem, CartOwner};
use soko_domain::{CartId, Currency, Money};
use soko_embedded::testing::until;
use soko_event_log::{Actor, LogReader, Position, RecordedEvent};
use std::sync::Arc;
use std::time::Duration;

const AFTER: TimeDelta = AbandonCarts::AFTER;

#[tokio::test]
async fn a_cart_that_nobody_touches_is_abandoned_and_it_says_why() {
    let office = Office::new().await;
    let (cart, touched_at, position) = filled(&office).await;
    let _at_work = office.start(AbandonCarts::default()).await;
    let timer = office.timer(cart.as_uuid(), |_| true).await;
    assert_eq!(timer.due_at, touched_at + AFTER);
    assert_eq!(timer.fired_at, None);

    office.set_clock(touched_at + AFTER);
    let timer = office
        .timer(cart.as_uuid(), |timer| timer.fired_at.is_some())
        .await;
    assert_eq!(timer.fired_at, Some(touched_at + AFTER));
    let events = history(&office, cart).await;
    let abandoned = events.last().unwrap();
    assert_eq!(abandoned.event.name(), "cart.abandoned");
    assert_eq!(
        abandoned.metadata.actor,
        Actor::System("abandon_carts".into())
    );
    assert_eq!(abandoned.metadata.causation, Some(position));
    assert_eq!(
        abandoned.metadata.correlation,
        events[0].metadata.correlation
    );
}

#[tokio::test]
async fn who_comes_back_keeps_the_cart() {
    let office = Office::new().await;
    let (kept, ..) = filled(&office).await;
    let (left, touched_at, _) = filled(&office).await;
    command(&office, kept, add(1)).await;
    let _at_work = office.start(AbandonCarts::default()).await;
    office.caught_up("abandon_carts").await;

    office.set_clock(touched_at + AFTER);
    is_abandoned(&office, left).await;
    assert_eq!(
        names(&office, kept).await.last().unwrap(),
        "cart.item_added"
    );
    let timer = office.timer(kept.as_uuid(), |_| true).await;
    assert!(timer.due_at > touched_at + AFTER);
}

#[tokio::test]
async fn a_cart_that_was_checked_out_is_not_waited_for() {
    let office = Office::new().await;
    let (cart, ..) = filled(&office).await;
    let _at_work = office.start(AbandonCarts::default()).await;
    office.timer(cart.as_uuid(), |_| true).await;
    let order_id = new_id();
    command(&office, cart, CartCommand::CheckOut { order_id }).await;
    until("the timer is gone", async || {
        office.timers(cart.as_uuid()).await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn who_comes_back_at_the_last_moment_keeps_the_cart() {
    let office = Office::new().await;
    let (cart, touched_at, _) = filled(&office).await;
    office
        .start(AbandonCarts::default())
        .await
        .stop_after(&office, cart)
        .await;
    // Nobody is at work when the shopper comes back, and the timer of the first visit is due.
    command(&office, cart, add(1)).await;
    sqlx::query("UPDATE process_managers SET position = 1000000")
        .execute(&office.pool())
        .await
        .unwrap();
    office.set_clock(touched_at + AFTER);
    let _at_work = office.start(AbandonCarts::default()).await;
    office
        .timer(cart.as_uuid(), |timer| timer.fired_at.is_some())
        .await;
    assert_eq!(
        names(&office, cart).await.last().unwrap(),
        "cart.item_added"
    );
}

#[tokio::test]
async fn a_timer_that_fires_twice_abandons_once() {
    let office = Office::new().await;
    let (cart, touched_at, _) = filled(&office).await;
    let at_work = office.start(AbandonCarts::default()).await;
    office.caught_up("abandon_carts").await;
    office.set_clock(touched_at + AFTER);
    is_abandoned(&office, cart).await;
    at_work.crash().await;

    // As if it had crashed between the command and writing down that the timer fired.
    sqlx::query("UPDATE timers SET fired_at = NULL")
        .execute(&office.pool())
        .await
        .unwrap();
    command(&office, cart, add(1)).await;
    sqlx::query("UPDATE process_managers SET position = 1000000")
        .execute(&office.pool())
        .await
        .unwrap();
    let _at_work = office.start(AbandonCarts::default()).await;
    office
        .timer(cart.as_uuid(), |timer| timer.fired_at.is_some())
        .await;
    let names = names(&office, cart).await;
    let abandoned = names.iter().filter(|name| *name == "cart.abandoned");
    assert_eq!(abandoned.count(), 1);
    assert_eq!(names.last().unwrap(), "cart.item_added");
}

#[tokio::test]
async fn two_runners_abandon_once() {
    let office = Office::new().await;
    let (cart, touched_at, _) = filled(&office).await;
    let first = office.start(AbandonCarts::default()).await;
    let _second = office.start(AbandonCarts::default()).await;
    office.caught_up("abandon_carts").await;
    first.crash().await;
    office.set_clock(touched_at + AFTER + TimeDelta::seconds(1));
    is_abandoned(&office, cart).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let names = names(&office, cart).await;
    let abandoned = names.iter().filter(|name| *name == "cart.abandoned");
    assert_eq!(abandoned.count(), 1);
}

impl super::office::AtWork {
    /// Ends it once it has set the cart's timer.
    async fn stop_after(self, office: &Office, cart: CartId) {
        office.timer(cart.as_uuid(), |_| true).await;
        self.stop().await;
    }
}

/// A new cart with an item, when it was touched last, and the event that did so.
async fn filled(office: &Office) -> (CartId, DateTime<Utc>, Position) {
    let cart = new_id();
    let committed = office
        .engine()
        .execute::<Cart>(cart, add(2), &context())
        .await
        .unwrap();
    let position = committed.position.unwrap();
    (cart, committed.recorded_at.unwrap(), position)
}

async fn command(office: &Office, cart: CartId, command: CartCommand) {
    let context = context();
    let committed = office.engine().execute::<Cart>(cart, command, &context);
    assert!(committed.await.unwrap().position.is_some());
}

async fn is_abandoned(office: &Office, cart: CartId) {
    until("the cart is abandoned", async || {
        names(office, cart)
            .await
            .contains(&"cart.abandoned".to_owned())
    })
    .await;
}

async fn names(office: &Office, cart: CartId) -> Vec<String> {
    let events = history(office, cart).await;
    events
        .iter()
        .map(|recorded| recorded.event.name().to_owned())
        .collect()
}

async fn history(office: &Office, cart: CartId) -> Vec<Arc<RecordedEvent>> {
    let log = LogReader::new(office.pool());
    let entries = log.stream("cart", cart.as_uuid()).await.unwrap();
    entries
        .into_iter()
        .map(|entry| entry.event.unwrap())
        .collect()
}

fn add(quantity: u32) -> CartCommand {
    let price = Money::new(1_500, "KES".parse::<Currency>().unwrap());
    CartCommand::Add {
        store_id: uuid::Uuid::from_u128(10).into(),
        owner: CartOwner::Guest,
        item: CartItem {
            variant_id: new_id(),
            product_id: new_id(),
            quantity: quantity.try_into().unwrap(),
            unit_price: price,
        },
    }
}
