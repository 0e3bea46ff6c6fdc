//! A market whose orders are folded into all models of orders.

use crate::log::Log;
use crate::running::{Node, assert_equals_its_replay, digest_of};
use crate::samples::{id, of_order, placed};
use soko_domain::order::{OrderEvent, Placement};
use soko_domain::{AnyEvent, OrderId};
use soko_event_log::{Position, ScopedReader};
use soko_projections::read_models::order_tracking::OrderTracking;
use soko_projections::read_models::orders::{Orders, VendorOrders};
use soko_projections::read_models::payments::{PaymentMoves, PaymentRefunds, Payments};
use soko_projections::read_models::sales::Sales;
use soko_projections::{Model, ReadModel, RebuildOptions};
use sqlx::PgPool;

pub(crate) struct Trade {
    pub(crate) log: Log,
    orders: u128,
}

impl Trade {
    pub(crate) async fn none() -> Self {
        Self {
            log: Log::empty().await,
            orders: 0,
        }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        self.log.pool()
    }

    pub(crate) fn reader(&self) -> &ScopedReader {
        self.log.reader()
    }

    pub(crate) async fn place(&mut self, placement: &Placement) -> OrderId {
        self.orders += 1;
        let order_id = id(1_000_000 + self.orders);
        self.happens(order_id, [placed(placement)]).await;
        order_id
    }

    pub(crate) async fn happens(
        &mut self,
        order_id: OrderId,
        events: impl IntoIterator<Item = OrderEvent>,
    ) -> Position {
        let events = events.into_iter().map(|event| of_order(order_id, event));
        self.log.append(events).await
    }

    pub(crate) async fn pays(&mut self, events: impl IntoIterator<Item = AnyEvent>) -> Position {
        self.log.append(events).await
    }

    /// Lets workers fold all that happened, and proves that what they made can be made again.
    pub(crate) async fn is_folded(&self) {
        let node = Node::of(&self.log)
            .working_on::<Orders>()
            .working_on::<VendorOrders>()
            .working_on::<OrderTracking>()
            .working_on::<Payments>()
            .working_on::<PaymentMoves>()
            .working_on::<PaymentRefunds>()
            .working_on::<Sales>();
        self.can_be_made_again::<Orders>(&node).await;
        self.can_be_made_again::<VendorOrders>(&node).await;
        self.can_be_made_again::<OrderTracking>(&node).await;
        self.can_be_made_again::<Payments>(&node).await;
        self.can_be_made_again::<PaymentMoves>(&node).await;
        self.can_be_made_again::<PaymentRefunds>(&node).await;
        self.can_be_made_again::<Sales>(&node).await;
        node.shut_down().await;
    }

    async fn can_be_made_again<M: ReadModel>(&self, node: &Node) {
        node.has_folded::<M>(self.log.head()).await;
        assert_equals_its_replay::<M>(self.pool()).await;
        let live = digest_of::<M>(self.pool()).await;
        let model = Model::<M>::boxed();
        let options = RebuildOptions::default();
        model.rebuild(self.pool(), &options).await.unwrap();
        assert_eq!(digest_of::<M>(self.pool()).await, live);
    }
}
