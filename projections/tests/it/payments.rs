//! What people ask about payments.

use crate::samples::{ANNA, BILL, STORE, TENANT, WANJIRU, address, id, item, placement};
use crate::trade::Trade;
use soko_domain::payment::{PaymentEvent, PaymentProvider, PaymentStatus};
use soko_domain::{AnyEvent, Currency, Money, OrderId, PaymentId};
use soko_projections::read_models::orders::Audience;
use soko_projections::read_models::payments::{payment, payment_moves, payments_of_order};
use soko_projections::{Owner, Within};

#[tokio::test]
async fn a_payment_is_found_by_whoever_may_see_it() {
    let mut trade = Trade::none().await;
    let order_id = paid_order(&mut trade).await;
    let within = Audience::Within;
    for (audience, is_seen) in [
        (within(Within::Platform), true),
        (within(Within::Tenant(TENANT)), true),
        (within(Within::Store(TENANT, STORE)), true),
        (within(Within::Vendor(TENANT, ANNA)), true),
        (Audience::Customer(Owner::Account(id(WANJIRU))), true),
        (within(Within::Tenant(id(2))), false),
        (within(Within::Store(TENANT, id(99))), false),
        (within(Within::Store(id(2), STORE)), false),
        (within(Within::Vendor(TENANT, BILL)), false),
        (Audience::Customer(Owner::Account(id(99))), false),
        (
            Audience::Customer(Owner::TokenHash("abc".to_owned())),
            false,
        ),
    ] {
        let found = payment(trade.reader(), &audience, id(40)).await.unwrap();
        assert_eq!(found.is_some(), is_seen, "{audience:?}");
        let of_order = payments_of_order(trade.reader(), &audience, order_id)
            .await
            .unwrap();
        assert_eq!(of_order.len(), if is_seen { 2 } else { 0 }, "{audience:?}");
        let moves = payment_moves(trade.reader(), &audience, id(40))
            .await
            .unwrap();
        assert_eq!(moves.len(), usize::from(is_seen), "{audience:?}");
    }
}

#[tokio::test]
async fn payments_of_an_order_come_in_the_order_in_which_they_were_asked_for() {
    let mut trade = Trade::none().await;
    let order_id = paid_order(&mut trade).await;
    let audience = Audience::Within(Within::Platform);
    let found = payments_of_order(trade.reader(), &audience, order_id)
        .await
        .unwrap();
    let statuses: Vec<_> = found
        .iter()
        .map(|payment| (payment.payment_id, payment.status, payment.captured))
        .collect();
    assert_eq!(
        statuses,
        [
            (id(41), PaymentStatus::Cancelled, 0),
            (id(40), PaymentStatus::Captured, 1_000),
        ]
    );
    assert_eq!(found[0].reason.as_deref(), Some("too slow"));
    assert_eq!(found[1].reference.as_deref(), Some("RECEIPT-1"));
    assert_eq!(found[1].provider, PaymentProvider::CashOnDelivery);

    let moves = payment_moves(trade.reader(), &audience, id(40))
        .await
        .unwrap();
    let moves: Vec<_> = moves
        .iter()
        .map(|moved| (moved.kind.as_str(), moved.delta, moved.reference.as_str()))
        .collect();
    assert_eq!(moves, [("capture", 1_000, "RECEIPT-1")]);
    assert_eq!(
        payment_moves(trade.reader(), &audience, id(41))
            .await
            .unwrap(),
        []
    );
}

/// Tried once by phone, then paid in cash.
async fn paid_order(trade: &mut Trade) -> OrderId {
    trade.log.tenant = TENANT;
    let agreed = placement([item(1, ANNA, 1, 1_000)]);
    assert_eq!(agreed.shipping_address.value(), Some(&address()));
    let order_id = trade.place(&agreed).await;
    let amount = Money::new(1_000, Currency::Kes);
    let initiated = |provider| PaymentEvent::Initiated {
        order_id,
        store_id: STORE,
        provider,
        amount,
        terms: None,
    };
    let of = |number: u128, event| AnyEvent::Payment(id::<PaymentId>(number), event);
    trade
        .pays([of(41, initiated(PaymentProvider::Mpesa))])
        .await;
    trade
        .pays([
            of(40, initiated(PaymentProvider::CashOnDelivery)),
            of(
                41,
                PaymentEvent::Cancelled {
                    reason: "too slow".parse().unwrap(),
                },
            ),
            of(
                40,
                PaymentEvent::Captured {
                    amount,
                    reference: "RECEIPT-1".parse().unwrap(),
                    collected_by: None,
                    fee: None,
                    is_provisional: false,
                    is_hearsay: false,
                    purpose: None,
                },
            ),
        ])
        .await;
    trade.is_folded().await;
    order_id
}
