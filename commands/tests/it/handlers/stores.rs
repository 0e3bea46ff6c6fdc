//! Stores and who sells in them.

use super::market::{Market, context, refusal, taken, vendor_of};
use crate::world::new_id;
use soko_commands::handlers::{
    OpenStore, OpenStoreError, RegisterVendorError, open_store, register_vendor,
};
use soko_domain::Store;
use soko_domain::store::{StoreCommand, StoreError};
use soko_domain::tenant::TenantError;
use std::collections::BTreeSet;

#[tokio::test]
async fn two_stores_never_share_a_slug() {
    let market = Market::open().await;
    let terms = market.terms();
    let request = || OpenStore {
        store_id: new_id(),
        terms: terms.clone(),
        web_origins: BTreeSet::new(),
    };
    let first = open_store(market.engine(), request(), &market.context()).await;
    first.unwrap();
    let second = open_store(market.engine(), request(), &market.context()).await;
    assert_eq!(taken(second), "store_slug");
}

#[tokio::test]
async fn a_store_opens_with_its_web_shops() {
    let market = Market::open().await;
    let (store_id, origin) = (new_id(), "https://shop.example".parse().unwrap());
    let request = OpenStore {
        store_id,
        terms: market.terms(),
        web_origins: BTreeSet::from([origin]),
    };
    let opened = open_store(market.engine(), request.clone(), &market.context()).await;
    opened.unwrap();
    let store = market.engine().read::<Store>(store_id).await.unwrap();
    let shop = store.state.open().unwrap();
    assert_eq!(*shop.web_origins(), request.web_origins);
    assert_eq!(store.version, 2);
}

#[tokio::test]
async fn a_store_belongs_to_a_tenant_that_there_is() {
    let market = Market::open().await;
    let mut terms = market.terms();
    terms.tenant_id = new_id();
    let nobodys = context(terms.tenant_id);
    let request = || OpenStore {
        store_id: new_id(),
        terms: terms.clone(),
        web_origins: BTreeSet::new(),
    };
    for context in [nobodys, market.context()] {
        let answer = open_store(market.engine(), request(), &context).await;
        assert_eq!(
            refusal(answer),
            OpenStoreError::Tenant(TenantError::NotCreated)
        );
    }
}

#[tokio::test]
async fn a_store_is_opened_for_the_tenant_that_asks() {
    let market = Market::open().await;
    let request = OpenStore {
        store_id: new_id(),
        terms: market.terms(),
        web_origins: BTreeSet::new(),
    };
    let answer = open_store(market.engine(), request, &context(new_id())).await;
    assert_eq!(
        refusal(answer),
        OpenStoreError::Tenant(TenantError::NotCreated)
    );
}

#[tokio::test]
async fn vendors_register_at_open_stores_of_the_tenant() {
    let market = Market::open().await;
    let closed = market.another_store().await;
    market.execute::<Store>(closed, StoreCommand::Close).await;
    let cases = [
        (new_id(), market.context(), StoreError::NotOpened),
        (closed, market.context(), StoreError::Closed),
        (market.store_id, context(new_id()), StoreError::NotOpened),
    ];
    for (store_id, context, error) in cases {
        let answer = register_vendor(market.engine(), vendor_of(store_id), &context).await;
        assert_eq!(refusal(answer), RegisterVendorError::Store(error));
    }
}
