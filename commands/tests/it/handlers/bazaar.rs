//! Many customers and vendors at two nodes at once, and afterwards the books are right.

use super::market::{Market, Ware, quantity};
use futures::future::join_all;
use soko_commands::handlers::{
    CancelOrder, CollectPayment, OrderSource, PlaceOrder, PlaceOrderError, ShipOrder, cancel_order,
    collect_payment, deliver_order, place_order, ship_order,
};
use soko_commands::{CommandContext, CommandError, Engine};
use soko_domain::order::{CancelledBy, OrderStatus};
use soko_domain::payment::PaymentStatus;
use soko_domain::{AnyEvent, Decide, Order, OrderId, Payment, Stock, VariantId, VendorId};
use soko_event_log::{LogReader, Position};
use std::collections::BTreeMap;
use std::fmt::Debug;
use uuid::Uuid;

const WARES: usize = 3;
const UNITS_EACH: u32 = 40;
const CUSTOMERS: u64 = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_busy_day_at_two_nodes_the_books_are_right() {
    let market = Market::open().await;
    let mut wares = Vec::new();
    for _ in 0..WARES {
        wares.push(market.ware(650, UNITS_EACH).await);
    }
    let engines = [market.engine().clone(), market.world.node().await];
    let customers = (0..CUSTOMERS).map(|n| {
        let mut choices = Choices(n);
        let lines = choices.lines(&wares);
        let visit = Visit {
            engines: engines.clone(),
            context: market.context(),
            vendor_id: market.vendor_id,
            request: market.order_from(OrderSource::Lines(lines)),
            choices,
        };
        tokio::spawn(visit.run())
    });
    for customer in join_all(customers).await {
        customer.unwrap();
    }
    Books::read(&market).await.audit(&market, &wares);
}

/// One customer's order, from the placing to wherever it gets.
struct Visit {
    engines: [Engine; 2],
    context: CommandContext,
    vendor_id: VendorId,
    request: PlaceOrder,
    choices: Choices,
}

impl Visit {
    async fn run(mut self) {
        let request = self.request.clone();
        let engine = self.engine().clone();
        match place_order(&engine, request, &self.context).await {
            Ok(_) => (),
            Err(CommandError::Rejected {
                rejection: PlaceOrderError::OutOfStock { .. },
                ..
            }) => return,
            Err(other) => panic!("{other:?}"),
        }
        for _ in 0..self.choices.up_to(6) {
            self.step().await;
        }
    }

    /// Whatever comes to somebody's mind; much of it is refused.
    async fn step(&mut self) {
        let order_id = self.request.order_id;
        let vendor_id = self.vendor_id;
        let (choice, engine) = (self.choices.up_to(6), self.engine().clone());
        match choice {
            0 | 1 => {
                let request = ShipOrder {
                    order_id,
                    vendor_id,
                    carrier: None,
                    tracking_number: None,
                };
                told(ship_order(&engine, request, &self.context).await);
            }
            2 | 3 => told(deliver_order(&engine, order_id, vendor_id, &self.context).await),
            4 => {
                let request = CollectPayment {
                    payment_id: self.request.payment_id,
                    amount: None,
                    reference: None,
                    collected_by: Uuid::from_u128(30).into(),
                };
                told(collect_payment(&engine, request, &self.context).await);
            }
            _ => {
                let request = CancelOrder {
                    order_id,
                    by: CancelledBy::Customer,
                    reason: None,
                };
                told(cancel_order(&engine, request, &self.context).await);
            }
        }
    }

    fn engine(&mut self) -> &Engine {
        let node = self.choices.up_to(2);
        &self.engines[node]
    }
}

/// Done or refused; nothing else is an answer.
fn told<T, R: Debug>(answer: Result<T, CommandError<R>>) {
    match answer {
        Ok(_) | Err(CommandError::Rejected { .. }) => (),
        Err(other) => panic!("{other:?}"),
    }
}

/// What an auditor makes of the log alone.
#[derive(Default)]
struct Books {
    orders: BTreeMap<OrderId, Order>,
    payments: BTreeMap<OrderId, Payment>,
    stocks: BTreeMap<VariantId, Stock>,
}

impl Books {
    async fn read(market: &Market) -> Self {
        let reader = LogReader::new(market.world.pool());
        let mut books = Self::default();
        let mut position = Position::START;
        loop {
            let entries = reader.read(position, 500).await.unwrap();
            let Some(last) = entries.last() else {
                return books;
            };
            position = last.position;
            for entry in entries {
                books.enter(&entry.event.unwrap().event);
            }
        }
    }

    fn enter(&mut self, event: &AnyEvent) {
        match event {
            AnyEvent::Order(id, event) => apply(self.orders.entry(*id).or_default(), event),
            AnyEvent::Stock(id, event) => apply(self.stocks.entry(*id).or_default(), event),
            AnyEvent::Payment(id, event) => {
                let placed = self.orders.iter().find(|(_, order)| {
                    let placement = order.progress().unwrap().placement();
                    placement.payment_id == *id
                });
                let order_id = *placed.unwrap().0;
                apply(self.payments.entry(order_id).or_default(), event);
            }
            _ => (),
        }
    }

    fn audit(&self, market: &Market, wares: &[Ware]) {
        let mut held = BTreeMap::new();
        let mut gone = BTreeMap::new();
        for (order_id, order) in &self.orders {
            let progress = order.progress().unwrap();
            let payment = self.payments[order_id].demand().unwrap();
            let is_paid = progress.paid_by().is_some();
            assert_eq!(payment.status() == PaymentStatus::Captured, is_paid);
            let side = match progress.status() {
                OrderStatus::Cancelled => {
                    assert_eq!(payment.status(), PaymentStatus::Cancelled);
                    continue;
                }
                OrderStatus::Confirmed | OrderStatus::Paid => &mut held,
                _ => &mut gone,
            };
            for line in &progress.placement().lines {
                *side.entry(line.variant_id).or_insert(0) += line.quantity.units();
            }
        }
        for ware in wares {
            let of = |side: &BTreeMap<_, _>| side.get(&ware.variant_id).copied().unwrap_or(0);
            let levels = self.stocks[&ware.variant_id].levels().unwrap();
            assert_eq!(levels.on_hand(), i64::from(UNITS_EACH) - of(&gone));
            assert_eq!(levels.on_hand() - levels.available(), of(&held));
        }
        assert_eq!(self.orders.len(), self.payments.len());
        assert!(self.orders.len() > WARES, "somebody bought something");
        assert_eq!(self.stocks.len(), wares.len());
        let placed = self.orders.values().map(|order| order.progress().unwrap());
        assert!(
            placed
                .into_iter()
                .all(|p| p.placement().store_id == market.store_id)
        );
    }
}

fn apply<A: Decide>(state: &mut A, event: &A::Event) {
    state.apply(event.clone());
}

/// The same numbers in every run; how they meet is not.
struct Choices(u64);

impl Choices {
    fn up_to(&mut self, bound: usize) -> usize {
        // Knuth's MMIX; the low bits of it are poor.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn lines(&mut self, wares: &[Ware]) -> Vec<(VariantId, soko_domain::Quantity)> {
        let count = 1 + self.up_to(wares.len());
        (0..count)
            .map(|_| {
                let ware = wares[self.up_to(wares.len())];
                let units = u32::try_from(1 + self.up_to(4)).unwrap();
                (ware.variant_id, quantity(units))
            })
            .collect()
    }
}
