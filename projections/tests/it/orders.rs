//! What people ask about orders.

use crate::samples::{
    ANNA, BILL, STORE, TENANT, WANJIRU, cancelled, delivered, guest, id, item, packed, paid,
    placement, shipped,
};
use crate::trade::Trade;
use soko_domain::order::{Customer, FulfilmentStatus, OrderEvent, OrderStatus, Placement};
use soko_domain::{OrderId, TenantId, VendorId};
use soko_event_log::Position;
use soko_projections::read_models::order_tracking::timeline;
use soko_projections::read_models::orders::{
    Audience, OrderFilter, OrderPage, Orders, order, orders, orders_of_account,
};
use soko_projections::{Keyset, Owner, Within, as_of};

#[tokio::test]
async fn an_order_is_found_by_whoever_may_see_it() {
    let mut trade = Trade::none().await;
    trade.log.tenant = TENANT;
    let of_account = trade.place(&mugs()).await;
    let of_guest = trade.place(&guests_mugs("abc")).await;
    trade.is_folded().await;
    let sees = async |audience: &Audience| {
        let mut found = vec![];
        for order_id in [of_account, of_guest] {
            found.push(
                order(trade.reader(), audience, order_id)
                    .await
                    .unwrap()
                    .is_some(),
            );
        }
        found
    };
    let within = Audience::Within;
    for audience in [
        within(Within::Platform),
        within(Within::Tenant(TENANT)),
        within(Within::Store(TENANT, STORE)),
        within(Within::Vendor(TENANT, ANNA)),
        within(Within::Vendor(TENANT, BILL)),
    ] {
        assert_eq!(sees(&audience).await, [true, true], "{audience:?}");
    }
    for audience in [
        within(Within::Tenant(other_tenant())),
        within(Within::Store(other_tenant(), STORE)),
        within(Within::Store(TENANT, id(99))),
        within(Within::Vendor(other_tenant(), ANNA)),
        within(Within::Vendor(TENANT, id(99))),
        Audience::Customer(Owner::Account(id(99))),
        Audience::Customer(Owner::TokenHash("abd".to_owned())),
    ] {
        assert_eq!(sees(&audience).await, [false, false], "{audience:?}");
    }
    let account = Audience::Customer(Owner::Account(id(WANJIRU)));
    assert_eq!(sees(&account).await, [true, false]);
    let guest = Audience::Customer(Owner::TokenHash("abc".to_owned()));
    assert_eq!(sees(&guest).await, [false, true]);
    assert_eq!(
        order(trade.reader(), &within(Within::Platform), id(7))
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn an_order_comes_back_as_it_was_agreed_and_as_it_stands() {
    let mut trade = Trade::none().await;
    let agreed = guests_mugs("abc");
    let order_id = trade.place(&agreed).await;
    trade.happens(order_id, [packed(ANNA), shipped(BILL)]).await;
    let last = trade.happens(order_id, [paid(&agreed)]).await;
    trade.is_folded().await;
    let audience = Audience::Within(Within::Platform);
    let found = order(trade.reader(), &audience, order_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.terms.lines, agreed.lines);
    assert_eq!(found.terms.totals, agreed.totals);
    assert_eq!(found.terms.shipping_address, agreed.shipping_address);
    let Customer::Guest { email, .. } = agreed.customer else {
        panic!("a guest")
    };
    assert_eq!(found.terms.email, Some(email));
    assert_eq!(found.order.status, OrderStatus::PartlyShipped);
    assert_eq!(found.order.version, 4);
    assert_eq!(found.order.vendor_ids, [ANNA, BILL]);
    let parts: Vec<_> = found
        .order
        .fulfilments
        .0
        .iter()
        .map(|part| part.status)
        .collect();
    assert_eq!(parts, [FulfilmentStatus::Packed, FulfilmentStatus::Shipped]);

    let before = as_of::<Orders>(trade.pool(), &[order_id], Position::new(2))
        .await
        .unwrap();
    let [Some(before)] = &before[..] else {
        panic!("it was there")
    };
    assert_eq!((before.status, before.version), (OrderStatus::Confirmed, 2));
    let now = as_of::<Orders>(trade.pool(), &[order_id], last)
        .await
        .unwrap();
    assert_eq!(now, [Some(found.order)]);
}

#[tokio::test]
async fn a_vendor_finds_its_own_part_only() {
    let mut trade = Trade::none().await;
    trade.log.tenant = TENANT;
    let order_id = trade.place(&guests_mugs("abc")).await;
    trade.is_folded().await;
    let within = Within::Vendor(TENANT, BILL);
    let found = order(trade.reader(), &Audience::Within(within), order_id)
        .await
        .unwrap()
        .unwrap();
    let listed = all(orders(trade.reader(), within, &any(), Keyset::first(10))
        .await
        .unwrap());
    assert_eq!(listed, [order_id]);
    assert_eq!(found.order.total, 2_000);
    assert_eq!(found.terms.lines.len(), 1);
    assert_eq!(found.terms.email, None);
    assert_eq!(found.order.vendor_ids, [BILL]);
}

#[tokio::test]
async fn lists_show_the_latest_first_and_go_on_where_they_ended() {
    let mut trade = Trade::none().await;
    let market = market(&mut trade).await;
    for (within, expected) in [
        (Within::Platform, &market[..]),
        (Within::Tenant(TENANT), &market[1..]),
        (Within::Store(TENANT, STORE), &market[2..]),
        (Within::Store(other_tenant(), STORE), &[]),
    ] {
        let latest_first: Vec<_> = expected.iter().rev().copied().collect();
        assert_eq!(
            walk(&trade, within, &any(), 3).await,
            latest_first,
            "{within:?}"
        );
        assert_eq!(walk(&trade, within, &any(), 100).await, latest_first);
    }
    let both: Vec<_> = market[2..].iter().rev().copied().collect();
    assert_eq!(
        walk(&trade, Within::Vendor(TENANT, ANNA), &any(), 2).await,
        both
    );
    let bills: Vec<_> = both.iter().copied().step_by(2).collect();
    assert_eq!(
        walk(&trade, Within::Vendor(TENANT, BILL), &any(), 2).await,
        bills
    );
    assert_eq!(
        walk(&trade, Within::Vendor(other_tenant(), BILL), &any(), 2).await,
        []
    );
}

#[tokio::test]
async fn customers_list_their_own_orders() {
    let mut trade = Trade::none().await;
    let market = market(&mut trade).await;
    let of = async |account: u128, filter: &OrderFilter| {
        let page = Keyset::first(100);
        all(orders_of_account(trade.reader(), id(account), filter, page)
            .await
            .unwrap())
    };
    assert_eq!(
        of(WANJIRU, &any()).await,
        [market[8], market[6], market[4], market[2]]
    );
    assert_eq!(
        of(31, &any()).await,
        [market[7], market[5], market[3], market[1], market[0]]
    );
    assert_eq!(of(32, &any()).await, []);
    let in_another_store = OrderFilter {
        store_id: Some(id(110)),
        ..any()
    };
    assert_eq!(of(31, &in_another_store).await, [market[1]]);
}

#[tokio::test]
async fn lists_are_narrowed_by_status_and_by_number() {
    let mut trade = Trade::none().await;
    let market = market(&mut trade).await;
    trade.happens(market[3], [cancelled(&mugs())]).await;
    trade.happens(market[4], [shipped(ANNA)]).await;
    trade
        .happens(
            market[5],
            [
                shipped(ANNA),
                delivered(ANNA),
                paid(&annas_mug()),
                OrderEvent::Completed {},
            ],
        )
        .await;
    trade.is_folded().await;
    let by = |status| OrderFilter {
        status: Some(status),
        ..any()
    };
    let anna = Within::Vendor(TENANT, ANNA);
    let bill = Within::Vendor(TENANT, BILL);
    for within in [Within::Tenant(TENANT), Within::Store(TENANT, STORE), anna] {
        let listed = async |status| walk(&trade, within, &by(status), 1).await;
        assert_eq!(
            listed(OrderStatus::Cancelled).await,
            [market[3]],
            "{within:?}"
        );
        assert_eq!(listed(OrderStatus::PartlyShipped).await, [market[4]]);
        assert_eq!(listed(OrderStatus::Completed).await, [market[5]]);
        assert_eq!(listed(OrderStatus::Expired).await, []);
    }
    assert_eq!(
        walk(&trade, anna, &by(OrderStatus::Confirmed), 2).await,
        [market[8], market[7], market[6], market[2]]
    );
    assert_eq!(
        walk(&trade, bill, &by(OrderStatus::Confirmed), 1).await,
        [market[8], market[6], market[2]]
    );
    let by_number = OrderFilter {
        number: Some("0000-0006".to_owned()),
        ..any()
    };
    assert_eq!(
        walk(&trade, Within::Tenant(TENANT), &by_number, 10).await,
        [market[6]]
    );
    assert_eq!(
        walk(&trade, Within::Tenant(other_tenant()), &by_number, 10).await,
        []
    );
}

#[tokio::test]
async fn the_way_of_an_order_is_told_from_any_point_on() {
    let mut trade = Trade::none().await;
    trade.log.tenant = TENANT;
    let order_id = trade.place(&guests_mugs("abc")).await;
    let packed = trade.happens(order_id, [packed(ANNA)]).await;
    trade
        .happens(order_id, [shipped(BILL), shipped(ANNA)])
        .await;
    trade.place(&mugs()).await;
    trade.is_folded().await;
    let told = async |audience: Audience, after| {
        let items = timeline(trade.reader(), &audience, order_id, after)
            .await
            .unwrap();
        let kinds = items.into_iter().map(|item| (item.kind, item.vendor_id));
        kinds.collect::<Vec<_>>()
    };
    let kind = |kind: &str, vendor_id: Option<VendorId>| (kind.to_owned(), vendor_id);
    let whole = [
        kind("placed", None),
        kind("packed", Some(ANNA)),
        kind("shipped", Some(BILL)),
        kind("shipped", Some(ANNA)),
    ];
    let customer = || Audience::Customer(Owner::TokenHash("abc".to_owned()));
    assert_eq!(told(customer(), Position::START).await, whole);
    assert_eq!(told(customer(), packed).await, whole[2..]);
    assert_eq!(told(customer(), trade.log.head()).await, []);
    let bill = Audience::Within(Within::Vendor(TENANT, BILL));
    assert_eq!(
        told(bill, Position::START).await,
        [whole[0].clone(), whole[2].clone()]
    );
    for stranger in [
        Audience::Customer(Owner::TokenHash("abd".to_owned())),
        Audience::Customer(Owner::Account(id(WANJIRU))),
        Audience::Within(Within::Tenant(other_tenant())),
    ] {
        assert_eq!(told(stranger, Position::START).await, []);
    }
}

/// Nine orders: the first of another tenant, the second of another store, the others of one store,
/// every second of these of both vendors.
async fn market(trade: &mut Trade) -> Vec<OrderId> {
    let mut market = vec![];
    for number in 0..9_u64 {
        trade.log.tenant = if number == 0 { other_tenant() } else { TENANT };
        let agreed = if number % 2 == 0 { mugs() } else { annas_mug() };
        let is_wanjirus = number >= 2 && number % 2 == 0;
        let account = if is_wanjirus { WANJIRU } else { 31 };
        let mut agreed = Placement {
            number: format!("0000-{number:04}"),
            customer: Customer::Account(id(account)),
            ..agreed
        };
        if number < 2 {
            agreed.store_id = id(109 + u128::from(number));
            for line in &mut agreed.lines {
                line.vendor_id = id(111);
            }
        }
        market.push(trade.place(&agreed).await);
    }
    trade.is_folded().await;
    market
}

/// The whole list, part by part.
async fn walk(trade: &Trade, within: Within, filter: &OrderFilter, limit: i64) -> Vec<OrderId> {
    let mut walked = vec![];
    let mut page = Keyset::first(limit);
    loop {
        let part = orders(trade.reader(), within, filter, page).await.unwrap();
        page.after = part.next;
        let is_full = part.items.len() == usize::try_from(limit).unwrap();
        assert!(is_full || part.next.is_none());
        walked.extend(all(part));
        if page.after.is_none() {
            return walked;
        }
    }
}

fn all(page: OrderPage) -> Vec<OrderId> {
    page.items
        .into_iter()
        .map(|found| found.order.order_id)
        .collect()
}

fn any() -> OrderFilter {
    OrderFilter::default()
}

fn other_tenant() -> TenantId {
    id(2)
}

/// Of both vendors.
fn mugs() -> Placement {
    placement([item(1, ANNA, 1, 1_000), item(2, BILL, 1, 2_000)])
}

fn annas_mug() -> Placement {
    placement([item(1, ANNA, 1, 1_000)])
}

fn guests_mugs(token_hash: &str) -> Placement {
    Placement {
        customer: guest(token_hash),
        ..mugs()
    }
}
