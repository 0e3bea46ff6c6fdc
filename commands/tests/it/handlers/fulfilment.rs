//! What becomes of an order: shipped, delivered and paid, or called off.

use super::market::{Market, Ware, context, kes, refusal, taken};
use crate::world::new_id;
use soko_commands::handlers::{
    CancelOrder, CancelOrderError, CollectPayment, CollectPaymentError, CollectedPayment,
    FulfilOrderError, ShipOrder, cancel_order, collect_payment, deliver_order, pack_order,
    ship_order,
};
use soko_commands::{CommandError, Committed};
use soko_domain::order::{CancelledBy, OrderError, OrderStatus};
use soko_domain::payment::{
    Payer, PaymentCommand, PaymentError, PaymentProvider, PaymentStatus, Terms,
};
use soko_domain::{OrderId, Payment, PaymentId, Personal, Stock, VendorId};

#[tokio::test]
async fn a_cancelled_order_gives_its_stock_back_and_asks_for_no_money() {
    let market = Market::open().await;
    let (mug, pot) = (market.ware(650, 5).await, market.ware(2_500, 1).await);
    let (order_id, payment_id) = market.placed([(mug, 2), (pot, 1)]).await;
    let head = market.head().await;
    let cancelled = cancel(&market, order_id).await.unwrap();

    assert_eq!(cancelled.value, OrderStatus::Cancelled);
    assert_eq!(
        market.events_since(head).await,
        [
            "order.cancelled",
            "stock.released",
            "stock.released",
            "stock.replenished",
            "payment.cancelled"
        ]
    );
    assert_eq!(market.available(mug).await, 5);
    assert_eq!(market.available(pot).await, 1);
    let payment = market.payment(payment_id).await;
    let demand = payment.state.demand().unwrap();
    assert_eq!(demand.status(), PaymentStatus::Cancelled);
}

#[tokio::test]
async fn an_order_is_cancelled_once() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let (order_id, _) = market.placed([(mug, 2)]).await;
    cancel(&market, order_id).await.unwrap();
    let again = cancel(&market, order_id).await.unwrap();
    assert_eq!(again.value, OrderStatus::Cancelled);
    assert_eq!(again.position, None);
    assert_eq!(market.available(mug).await, 5);
}

#[tokio::test]
async fn what_is_on_its_way_or_paid_cannot_be_cancelled() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let (shipped, _) = market.placed([(mug, 1)]).await;
    ship(&market, shipped, market.vendor_id).await.unwrap();
    let (paid, payment_id) = market.placed([(mug, 1)]).await;
    collect(&market, payment_id, None).await.unwrap();
    let head = market.head().await;
    assert_eq!(
        refusal(cancel(&market, shipped).await),
        CancelOrderError::Order(OrderError::AlreadyShipped)
    );
    assert_eq!(
        refusal(cancel(&market, paid).await),
        CancelOrderError::Order(OrderError::AlreadyPaid)
    );
    assert_eq!(
        refusal(cancel(&market, new_id()).await),
        CancelOrderError::Order(OrderError::NotPlaced)
    );
    assert_eq!(market.head().await, head);
}

#[tokio::test]
async fn each_vendor_ships_its_own_part() {
    let market = Market::open().await;
    let (anna, bill) = (market.vendor_id, market.vendor().await);
    let (mug, pot) = (
        market.ware(650, 5).await,
        market.ware_of(bill, 2_500, 5).await,
    );
    let (order_id, _) = market.placed([(mug, 2), (pot, 3)]).await;
    let head = market.head().await;

    let packed = pack_order(market.engine(), order_id, anna, &market.context()).await;
    assert_eq!(packed.unwrap().value, OrderStatus::Confirmed);
    let shipped = ship(&market, order_id, anna).await.unwrap();
    assert_eq!(shipped.value, OrderStatus::PartlyShipped);
    assert_eq!(
        market.events_since(head).await,
        ["order.packed", "order.shipped", "stock.committed"]
    );
    assert_eq!(on_hand(&market, mug).await, (3, 0));
    assert_eq!(on_hand(&market, pot).await, (5, 3));

    let shipped = ship(&market, order_id, bill).await.unwrap();
    assert_eq!(shipped.value, OrderStatus::Shipped);
    assert_eq!(on_hand(&market, pot).await, (2, 0));
}

#[tokio::test]
async fn a_repeated_shipment_moves_no_stock() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let (order_id, _) = market.placed([(mug, 2)]).await;
    ship(&market, order_id, market.vendor_id).await.unwrap();
    let again = ship(&market, order_id, market.vendor_id).await.unwrap();
    assert_eq!(again.position, None);
    assert_eq!(again.value, OrderStatus::Shipped);
    assert_eq!(on_hand(&market, mug).await, (3, 0));
}

#[tokio::test]
async fn only_vendors_of_an_order_fulfil_it() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let (order_id, _) = market.placed([(mug, 2)]).await;
    let vendor_id = market.vendor().await;
    let no_part = FulfilOrderError::Order(OrderError::NoSuchVendor { vendor_id });
    let context = market.context();
    let packed = pack_order(market.engine(), order_id, vendor_id, &context).await;
    assert_eq!(refusal(packed), no_part);
    assert_eq!(refusal(ship(&market, order_id, vendor_id).await), no_part);
    assert_eq!(
        refusal(deliver(&market, order_id, vendor_id).await),
        no_part
    );
    assert_eq!(
        refusal(ship(&market, new_id(), vendor_id).await),
        FulfilOrderError::Order(OrderError::NotPlaced)
    );
}

#[tokio::test]
async fn a_cancelled_order_is_not_shipped() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let (order_id, _) = market.placed([(mug, 2)]).await;
    cancel(&market, order_id).await.unwrap();
    assert_eq!(
        refusal(ship(&market, order_id, market.vendor_id).await),
        FulfilOrderError::Order(OrderError::Cancelled)
    );
}

#[tokio::test]
async fn another_tenants_order_is_as_good_as_none() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let (order_id, payment_id) = market.placed([(mug, 2)]).await;
    let head = market.head().await;
    let stranger = context(new_id());
    let engine = market.engine();
    let vendor_id = market.vendor_id;

    let cancelled = cancel_order(engine, cancellation(order_id), &stranger).await;
    assert_eq!(
        refusal(cancelled),
        CancelOrderError::Order(OrderError::NotPlaced)
    );
    let none = FulfilOrderError::Order(OrderError::NotPlaced);
    let shipped = ship_order(engine, shipment(order_id, vendor_id), &stranger).await;
    assert_eq!(refusal(shipped), none);
    let packed = pack_order(engine, order_id, vendor_id, &stranger).await;
    assert_eq!(refusal(packed), none);
    let collected = collect_payment(engine, collection(payment_id, None), &stranger).await;
    assert_eq!(
        refusal(collected),
        CollectPaymentError::Payment(PaymentError::NotInitiated)
    );
    assert_eq!(market.head().await, head);
}

#[tokio::test]
async fn an_order_is_completed_when_it_is_delivered_and_then_paid() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let (order_id, payment_id) = market.placed([(mug, 2)]).await;
    ship(&market, order_id, market.vendor_id).await.unwrap();
    let delivered = deliver(&market, order_id, market.vendor_id).await.unwrap();
    assert_eq!(delivered.value, OrderStatus::Delivered);
    let head = market.head().await;

    let collected = collect(&market, payment_id, Some("R-1")).await.unwrap();
    assert_eq!(
        market.events_since(head).await,
        ["payment.captured", "order.paid", "order.completed"]
    );
    let CollectedPayment {
        payment_status,
        amount,
        order_status,
        ..
    } = collected.value;
    assert_eq!(payment_status, PaymentStatus::Captured);
    assert_eq!(amount, kes(1_300));
    assert_eq!(order_status, OrderStatus::Completed);
}

#[tokio::test]
async fn an_order_is_completed_when_it_is_paid_and_then_delivered() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let (order_id, payment_id) = market.placed([(mug, 2)]).await;
    collect(&market, payment_id, None).await.unwrap();
    assert_eq!(market.status(order_id).await, OrderStatus::Paid);
    ship(&market, order_id, market.vendor_id).await.unwrap();
    let delivered = deliver(&market, order_id, market.vendor_id).await.unwrap();
    assert_eq!(delivered.value, OrderStatus::Completed);
}

#[tokio::test]
async fn the_same_cash_is_taken_once() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let (_, payment_id) = market.placed([(mug, 1)]).await;
    for reference in [None, Some("R-1")] {
        let (_, payment_id) = market.placed([(mug, 1)]).await;
        collect(&market, payment_id, reference).await.unwrap();
        let again = collect(&market, payment_id, reference).await.unwrap();
        assert_eq!(again.position, None);
        assert_eq!(again.value.payment_status, PaymentStatus::Captured);
        assert_eq!(
            refusal(collect(&market, payment_id, Some("R-2")).await),
            CollectPaymentError::Payment(PaymentError::AlreadyCaptured)
        );
    }
    let used = collect(&market, payment_id, Some("R-1")).await;
    assert_eq!(taken(used), "payment_reference");
    let payment = market.payment(payment_id).await;
    let demand = payment.state.demand().unwrap();
    assert_eq!(demand.status(), PaymentStatus::Pending);
}

#[tokio::test]
async fn only_what_is_due_is_collected() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let (_, payment_id) = market.placed([(mug, 1)]).await;
    let request = CollectPayment {
        amount: Some(kes(600)),
        ..collection(payment_id, None)
    };
    let answer = collect_payment(market.engine(), request, &market.context()).await;
    assert_eq!(
        refusal(answer),
        CollectPaymentError::Payment(PaymentError::AmountDiffers {
            expected: kes(650),
            found: kes(600)
        })
    );
    assert_eq!(
        refusal(collect(&market, new_id(), None).await),
        CollectPaymentError::Payment(PaymentError::NotInitiated)
    );
}

#[tokio::test]
async fn nothing_is_collected_for_a_cancelled_order() {
    let market = Market::open().await;
    let mug = market.ware(650, 5).await;
    let (order_id, payment_id) = market.placed([(mug, 1)]).await;
    cancel(&market, order_id).await.unwrap();
    assert_eq!(
        refusal(collect(&market, payment_id, None).await),
        CollectPaymentError::Payment(PaymentError::Cancelled)
    );
}

#[tokio::test]
async fn only_what_is_recorded_by_hand_is_collected() {
    let market = Market::open().await;
    let (payment_id, order_id): (_, OrderId) = (new_id(), new_id());
    let initiate = PaymentCommand::Initiate {
        order_id,
        store_id: market.store_id,
        provider: PaymentProvider::Mpesa,
        amount: kes(650),
        terms: Some(Box::new(Terms {
            payer: Personal::new(order_id.into(), Payer::default()),
            asked_at: chrono::DateTime::UNIX_EPOCH,
            pay_by: chrono::DateTime::UNIX_EPOCH,
            capture_later: false,
        })),
    };
    market.execute::<Payment>(payment_id, initiate).await;
    assert_eq!(
        refusal(collect(&market, payment_id, None).await),
        CollectPaymentError::NotByHand
    );
}

async fn cancel(
    market: &Market,
    order_id: OrderId,
) -> Result<Committed<OrderStatus>, CommandError<CancelOrderError>> {
    cancel_order(market.engine(), cancellation(order_id), &market.context()).await
}

fn cancellation(order_id: OrderId) -> CancelOrder {
    CancelOrder {
        order_id,
        by: CancelledBy::Customer,
        reason: Some("changed my mind".parse().unwrap()),
    }
}

type Fulfilled = Result<Committed<OrderStatus>, CommandError<FulfilOrderError>>;

async fn ship(market: &Market, order_id: OrderId, vendor_id: VendorId) -> Fulfilled {
    let request = shipment(order_id, vendor_id);
    ship_order(market.engine(), request, &market.context()).await
}

fn shipment(order_id: OrderId, vendor_id: VendorId) -> ShipOrder {
    ShipOrder {
        order_id,
        vendor_id,
        carrier: Some("G4S".parse().unwrap()),
        tracking_number: None,
    }
}

async fn deliver(market: &Market, order_id: OrderId, vendor_id: VendorId) -> Fulfilled {
    deliver_order(market.engine(), order_id, vendor_id, &market.context()).await
}

async fn collect(
    market: &Market,
    payment_id: PaymentId,
    reference: Option<&str>,
) -> Result<Committed<CollectedPayment>, CommandError<CollectPaymentError>> {
    let request = collection(payment_id, reference);
    collect_payment(market.engine(), request, &market.context()).await
}

fn collection(payment_id: PaymentId, reference: Option<&str>) -> CollectPayment {
    CollectPayment {
        payment_id,
        amount: None,
        reference: reference.map(|reference| reference.parse().unwrap()),
        collected_by: new_id(),
    }
}

/// What is on hand, and how much of it is reserved.
async fn on_hand(market: &Market, ware: Ware) -> (i64, i64) {
    let stock = market.read::<Stock>(ware.variant_id).await;
    let levels = stock.state.levels().unwrap();
    (levels.on_hand(), levels.on_hand() - levels.available())
}
