//! The catalog is browsed, filtered and searched.

use crate::log::{Log, id, tenant};
use crate::market::{
    coffee, draft, drinks, on_sale, opening, product_id, store, variant_of, vendor,
};
use crate::running::built;
use soko_domain::product::ProductStatus;
use soko_event_log::ScopedReader;
use soko_projections::read_models::categories::categories;
use soko_projections::read_models::products::{
    Audience, ProductFilter, ProductPage, ProductSort, facets, offers, product, product_by_slug,
    products,
};
use soko_projections::{Keyset, Within};

#[tokio::test]
async fn a_list_is_walked_to_its_end_in_every_order() {
    let log = catalog().await;
    let reader = log.reader();
    let filter = ProductFilter::default();
    for (sort, expected) in [
        (ProductSort::Newest, [6, 5, 3, 2, 1]),
        (ProductSort::PriceAsc, [2, 3, 5, 1, 6]),
        (ProductSort::PriceDesc, [6, 1, 5, 3, 2]),
        (ProductSort::Name, [5, 3, 2, 6, 1]),
        (ProductSort::Relevance, [6, 5, 3, 2, 1]),
    ] {
        for limit in [1, 2, 5, 100] {
            let found = walk(reader, &filter, sort, limit).await;
            assert_eq!(found, expected, "{sort:?} by {limit}");
        }
    }
}

#[tokio::test]
async fn the_public_sees_what_is_on_sale_and_the_team_sees_the_rest() {
    let log = catalog().await;
    let reader = log.reader();
    let see = async |audience| {
        let page = page(reader, audience, &ProductFilter::default()).await;
        page.items.len()
    };
    assert_eq!(see(Audience::Public).await, 5);
    assert_eq!(
        see(Audience::Team(Within::Store(tenant(), store()))).await,
        6
    );
    assert_eq!(
        see(Audience::Team(Within::Vendor(tenant(), vendor(1)))).await,
        2
    );
    assert_eq!(see(Audience::Team(Within::Tenant(id(999)))).await, 0);
    let draft = product(reader, Audience::Public, product_id(4))
        .await
        .unwrap();
    assert_eq!(draft, None);
    let team = Audience::Team(Within::Vendor(tenant(), vendor(1)));
    let draft = product(reader, team, product_id(4)).await.unwrap().unwrap();
    assert_eq!(draft.product.status, ProductStatus::Draft);
}

#[tokio::test]
async fn filters_narrow_a_list() {
    let log = catalog().await;
    let reader = log.reader();
    let find = async |filter: ProductFilter| walk(reader, &filter, ProductSort::Newest, 10).await;
    let any = ProductFilter::default;
    let of_vendor = ProductFilter {
        vendor_id: Some(vendor(1)),
        ..any()
    };
    assert_eq!(find(of_vendor).await, [5]);
    let in_coffee = ProductFilter {
        category_id: Some(coffee()),
        ..any()
    };
    assert_eq!(find(in_coffee).await, [2, 1]);
    let in_drinks_and_below = ProductFilter {
        category_id: Some(drinks()),
        ..any()
    };
    assert_eq!(find(in_drinks_and_below).await, [3, 2, 1]);
    let by_price = ProductFilter {
        min_price: Some(200),
        max_price: Some(400),
        ..any()
    };
    assert_eq!(find(by_price).await, [5, 3]);
    let in_stock = ProductFilter {
        only_in_stock: true,
        ..any()
    };
    assert_eq!(find(in_stock).await, [6, 3, 1]);
    let elsewhere = ProductFilter {
        store_id: Some(id(999)),
        ..any()
    };
    assert!(find(elsewhere).await.is_empty());
}

#[tokio::test]
async fn words_find_what_was_meant() {
    let log = catalog().await;
    let reader = log.reader();
    let find = async |text: &str| {
        let filter = ProductFilter {
            text: Some(text.to_owned()),
            ..ProductFilter::default()
        };
        walk(reader, &filter, ProductSort::Relevance, 2).await
    };
    assert_eq!(find("mugs").await, [5]);
    assert_eq!(find("tea").await, [3]);
    // A name counts for more than a description, and a typing error is forgiven.
    assert_eq!(find("cofee beans").await, [1]);
    assert_eq!(find("SKU-000002").await, [2]);
    assert_eq!(find("africa").await.len(), 5);
    // Whatever people type is a question.
    for odd in [
        "",
        "the",
        "' OR 1=1 --",
        "a & | !",
        "\"unfinished",
        "%_\\",
        "🥤",
    ] {
        assert!(find(odd).await.len() <= 5);
    }
}

#[tokio::test]
async fn a_list_says_how_much_there_is() {
    let log = catalog().await;
    let page = page(log.reader(), Audience::Public, &ProductFilter::default()).await;
    let available: Vec<_> = page.items.iter().map(|item| item.available).collect();
    assert_eq!(available, [9, 0, 7, 0, 5]);
    let card: serde_json::Value = serde_json::from_str(page.items[0].card.as_str()).unwrap();
    assert_eq!(card["name"], "Water");
}

#[tokio::test]
async fn facets_count_what_else_could_be_chosen() {
    let log = catalog().await;
    let filter = ProductFilter {
        category_id: Some(coffee()),
        ..ProductFilter::default()
    };
    let facets = facets(log.reader(), Audience::Public, &filter)
        .await
        .unwrap();
    assert_eq!(facets.categories, [(drinks(), 3), (coffee(), 2)]);
    assert_eq!(facets.vendors, [(vendor(0), 2)]);
    assert_eq!(facets.prices, Some((100, 500)));
}

#[tokio::test]
async fn one_product_is_found_by_its_id_and_by_its_slug() {
    let log = catalog().await;
    let reader = log.reader();
    let by_id = product(reader, Audience::Public, product_id(1))
        .await
        .unwrap();
    let by_slug = product_by_slug(reader, Audience::Public, None, "product-1")
        .await
        .unwrap();
    assert_eq!(by_id, by_slug);
    let found = by_id.unwrap();
    assert_eq!(found.product.name, "Zanzibar coffee beans");
    assert_eq!(found.available[&variant_of(1)], 5);
    let nowhere = product_by_slug(reader, Audience::Public, None, "nothing")
        .await
        .unwrap();
    assert_eq!(nowhere, None);
}

#[tokio::test]
async fn offers_are_what_a_cart_is_compared_with() {
    let log = catalog().await;
    let ids = [variant_of(1), variant_of(4), id(12345)];
    let mut offers = offers(log.reader(), tenant(), &ids).await.unwrap();
    offers.sort_by_key(|offer| offer.variant.variant_id);
    let found: Vec<_> = offers
        .iter()
        .map(|offer| (offer.variant.price.amount(), offer.available, offer.status))
        .collect();
    assert_eq!(
        found,
        [
            (500, 5, ProductStatus::Published),
            (400, 0, ProductStatus::Draft),
        ]
    );
}

#[tokio::test]
async fn the_tree_of_categories_is_there() {
    let log = catalog().await;
    let tree = categories(log.reader(), store()).await.unwrap();
    let names: Vec<_> = tree
        .iter()
        .map(|category| (category.name.as_str(), category.parent_id))
        .collect();
    assert_eq!(names, [("coffee", Some(drinks())), ("drinks", None)]);
}

/// Six products, one of them a draft.
async fn catalog() -> Log {
    let mut log = Log::empty().await;
    log.append(opening()).await;
    for product in [
        on_sale(1, 0, "Zanzibar coffee beans", 500, 5, &[coffee()]),
        on_sale(2, 0, "Ground coffee", 100, 0, &[coffee()]),
        on_sale(3, 0, "Green tea", 200, 7, &[drinks()]),
        draft(4, 1, "Teapot", 400, &[]),
        on_sale(5, 1, "Blue mug", 300, 0, &[]),
        on_sale(6, 0, "Water", 900, 9, &[]),
    ] {
        log.append(product).await;
    }
    built(log.pool()).await;
    log
}

async fn page(reader: &ScopedReader, audience: Audience, filter: &ProductFilter) -> ProductPage {
    products(
        reader,
        audience,
        filter,
        ProductSort::Newest,
        Keyset::first(100),
    )
    .await
    .unwrap()
}

/// The numbers of all products of a list.
async fn walk(
    reader: &ScopedReader,
    filter: &ProductFilter,
    sort: ProductSort,
    limit: i64,
) -> Vec<u128> {
    let mut found = Vec::new();
    let mut keyset = Keyset::first(limit);
    loop {
        let page = products(reader, Audience::Public, filter, sort, keyset)
            .await
            .unwrap();
        assert!(page.items.len() <= usize::try_from(limit).unwrap());
        let first = product_id(0).as_uuid().as_u128();
        found.extend(
            page.items
                .iter()
                .map(|item| item.product_id.as_uuid().as_u128() - first),
        );
        match page.next {
            None => return found,
            after => keyset = Keyset { after, limit },
        }
    }
}
