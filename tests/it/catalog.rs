//! What everybody can see and search.

use serde_json::{Value, json};
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Soko, text};

#[tokio::test]
async fn only_what_is_published_is_there_and_what_is_archived_is_gone() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Kahawa Mug", 500, 5).await;
    let mut vendor = market.vendor.clone();
    let guest = soko.guest().after(&vendor);
    let path = format!("/products/{}", mug.product_id);
    let list = format!("/products?store={}", market.store_id);
    assert_eq!(guest.get(&path).await.expect(200)["name"], "Kahawa Mug");
    assert_eq!(guest.walk(&list, 10).await.len(), 1);

    vendor
        .post(&format!("{path}/unpublish"), json!({}))
        .await
        .ok();
    let guest = guest.after(&vendor);
    guest.get(&path).await.expect_problem(404, "not-found");
    assert_eq!(guest.walk(&list, 10).await, Vec::<Value>::new());
    vendor
        .post(&format!("{path}/publish"), json!({}))
        .await
        .ok();
    assert_eq!(guest.after(&vendor).walk(&list, 10).await.len(), 1);
    vendor
        .post(&format!("{path}/archive"), json!({}))
        .await
        .ok();
    let guest = guest.after(&vendor);
    guest.get(&path).await.expect_problem(404, "not-found");
    assert_eq!(guest.walk(&list, 10).await, Vec::<Value>::new());
    let again = vendor.post(&format!("{path}/publish"), json!({})).await;
    again.expect_problem(409, "state-conflict");
    check_everything(&soko).await;
}

#[tokio::test]
async fn one_slug_may_stand_for_a_product_in_each_store() {
    let soko = Soko::start().await;
    let (mut first, mut second) = (Market::open(&soko).await, Market::open(&soko).await);
    let name = format!("Mug {}", &first.store_id[24..]);
    let mug = first.product(&name, 500, 5).await;
    let other = second.product(&name, 700, 5).await;
    let seo = json!({ "seo": { "title": "Mugs", "description": null } });
    let path = format!("/products/{}", mug.product_id);
    first.vendor.patch(&path, seo.clone()).await.ok();
    let guest = soko.guest().after(&first.vendor).after(&second.vendor);
    let slug = text(&guest.get(&path).await.expect(200)["slug"]);
    for (market, product) in [(&first, &mug), (&second, &other)] {
        let in_store = format!("/products/{slug}?store={}", market.store_id);
        let shown = guest.get(&in_store).await.expect(200);
        assert_eq!(shown["product_id"], product.product_id);
    }
    let shown = guest.get(&path).await.expect(200);
    assert_eq!(shown["seo"], seo["seo"]);
}

#[tokio::test]
async fn a_search_forgives_a_typo_and_keeps_to_price_category_and_vendor() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mut owner = market.owner.clone();
    let category = json!({ "store_id": market.store_id, "name": "Kitchen" });
    let category = text(&owner.post("/categories", category).await.expect(201)["category_id"]);
    let kettle = market.product("Enamel Kettle", 2_500, 5).await;
    market.product("Sisal Basket", 900, 5).await;
    market.product("Soapstone Bowl", 1_800, 0).await;
    let mut vendor = market.vendor.clone();
    let path = format!("/products/{}", kettle.product_id);
    vendor
        .patch(&path, json!({ "category_ids": [category] }))
        .await
        .ok();
    let guest = soko.guest().after(&vendor);
    let list = async |query: &str| -> Vec<String> {
        let path = format!("/products?store={}&{query}", market.store_id);
        guest
            .walk(&path, 10)
            .await
            .iter()
            .map(|item| text(&item["name"]))
            .collect()
    };
    assert_eq!(list("q=kettle").await, ["Enamel Kettle"]);
    assert_eq!(list("q=ketle").await, ["Enamel Kettle"]);
    assert_eq!(
        list(&format!("category={category}")).await,
        ["Enamel Kettle"]
    );
    assert_eq!(list("max_price=1000").await, ["Sisal Basket"]);
    assert_eq!(
        list("min_price=1500&max_price=2000").await,
        ["Soapstone Bowl"]
    );
    assert_eq!(list("in_stock=true").await.len(), 2);
    assert_eq!(list(&format!("vendor={}", market.vendor_id)).await.len(), 3);
    assert_eq!(list("q=nothing-like-it").await, Vec::<String>::new());
    check_everything(&soko).await;
}

/// Filters and orders are put into one query, and each of them must go with all the others.
#[tokio::test]
async fn a_search_goes_with_every_filter_in_every_order() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    market.product("Blue Mug", 500, 5).await;
    market.product("Green Mug", 700, 5).await;
    market.product("Red Mug", 600, 0).await;
    let guest = soko.guest().after(&market.vendor);
    for sort in ["newest", "price_asc", "price_desc", "name", "relevance"] {
        for text in ["", "&q=mug"] {
            for price in ["", "&min_price=1&max_price=100000"] {
                for (stock, count) in [("", 3), ("&in_stock=true", 2)] {
                    let path = format!(
                        "/products?store={}&facets=true&sort={sort}{text}{price}{stock}",
                        market.store_id
                    );
                    let found = guest.walk(&path, 1).await;
                    assert_eq!(found.len(), count, "{path}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_walk_through_the_catalogue_sees_each_product_once() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    for n in 0..23_i64 {
        // Equal prices and names, so that only the tie-breaker tells them apart.
        market
            .product(&format!("Thing {}", n % 3), 100 + n % 4, 1)
            .await;
    }
    let guest = soko.guest().after(&market.vendor);
    for query in ["", "&q=thing"] {
        let path = format!("/products?store={}{query}", market.store_id);
        for limit in [1, 4, 100] {
            let found = guest.walk(&path, limit).await;
            let mut ids: Vec<_> = found.iter().map(|item| text(&item["product_id"])).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!((ids.len(), found.len()), (23, 23), "{query} {limit}");
        }
    }
}

#[tokio::test]
async fn who_has_the_newest_is_not_sent_it_again() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 5).await;
    let guest = soko.guest().after(&market.vendor);
    let list = format!("/products?store={}", market.store_id);
    let tag = guest.get(&list).await.header("etag").unwrap().to_owned();
    let knows = guest.with_header("If-None-Match", &tag);
    assert_eq!(knows.get(&list).await.status, 304);
    let mut vendor = market.vendor.clone();
    let path = format!("/products/{}", mug.product_id);
    let tag = guest.get(&path).await.header("etag").unwrap().to_owned();
    let mut first = vendor.with_header("If-Match", &tag);
    first
        .patch(&path, json!({ "name": "Better Mug" }))
        .await
        .ok();
    let after = knows.after(&first);
    let newer = after.get(&list).await.expect(200);
    assert_eq!(newer["items"][0]["name"], "Better Mug");
    let stale = first.patch(&path, json!({ "name": "Old Mug" })).await;
    stale.expect_problem(412, "precondition-failed");

    // Stock changes the answer too, though not the product.
    let guest = guest.after(&first);
    let tag = guest.get(&list).await;
    let knows = guest.with_header("If-None-Match", tag.header("etag").unwrap());
    let count = json!({ "quantity": 0, "reason": "stocktake" });
    let path = format!("/stock/{}/count", mug.variant_id);
    vendor.post(&path, count).await.ok();
    let after = knows.after(&vendor);
    assert_eq!(after.get(&list).await.status, 200);
}
