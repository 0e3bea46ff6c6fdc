//! The fold, without a database.

use super::*;
use crate::given::{id, row, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn a_created_product_is_a_draft_without_a_price() {
    let product = folded([]);
    assert_eq!(product.status, ProductStatus::Draft);
    assert_eq!((product.currency, product.price_min), (None, 0));
    assert_eq!(product.name_key, "blue mug");
    assert_eq!(product.category_ids, [id(5)]);
    assert_eq!(card(&product).get("price"), None);
}

#[test]
fn a_card_shows_the_range_of_the_prices() {
    let product = folded([added(1, 500), added(2, 300), ProductEvent::Published {}]);
    assert_eq!((product.price_min, product.price_max), (300, 500));
    let expected = json!({
        "product_id": product.product_id,
        "store_id": product.store_id,
        "vendor_id": product.vendor_id,
        "slug": "blue-mug",
        "name": "Blue Mug",
        "image": "https://example.com/mug.jpg",
        "price": { "amount": 300, "currency": "KES" },
        "price_max": { "amount": 500, "currency": "KES" },
        "category_ids": product.category_ids,
        "variants": 2,
        "status": "published",
    });
    assert_eq!(card(&product), expected);
}

#[test]
fn one_price_is_no_range() {
    let product = folded([added(1, 500), added(2, 500)]);
    assert_eq!(card(&product).get("price_max"), None);
}

#[test]
fn a_changed_price_changes_the_card() {
    let changed = ProductEvent::PriceChanged {
        variant_id: id(1),
        price: Money::new(250, Currency::Kes),
    };
    let product = folded([added(1, 500), added(2, 300), changed]);
    assert_eq!((product.price_min, product.price_max), (250, 300));
    assert_eq!(product.variant(id(1)).unwrap().price.amount(), 250);
    assert_eq!(product.version, 4);
}

#[test]
fn a_product_is_found_by_its_skus_and_options() {
    let product = folded([added(1, 500)]);
    assert_eq!(product.keywords, "MUG-1 Variant 1 red");
}

fn card(product: &Product) -> Value {
    serde_json::from_str(product.card.as_str()).unwrap()
}

fn folded<const N: usize>(events: [ProductEvent; N]) -> Product {
    let created = ProductEvent::Created {
        store_id: id(10),
        vendor_id: id(20),
        slug: text("blue-mug"),
        description: Description {
            name: text("Blue Mug"),
            description: None,
            category_ids: [id(5)].into(),
            images: vec![text("https://example.com/mug.jpg")],
            seo: None,
        },
    };
    let events = std::iter::once(created).chain(events);
    row::<Products>(events.map(|event| AnyEvent::Product(id(9), event)))
}

fn added(number: u128, price: i64) -> ProductEvent {
    let variant = Variant {
        variant_id: id(number),
        sku: text(&format!("MUG-{number}")),
        name: text(&format!("Variant {number}")),
        price: Money::new(price, Currency::Kes),
        barcode: None,
        weight_g: None,
        options: BTreeMap::from([("colour".to_owned(), text("red"))]),
    };
    ProductEvent::VariantAdded { variant }
}
