//! Given, when, then.

use super::*;
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

#[test]
fn a_created_product_is_a_draft_without_variants() {
    nothing().when(create()).then_expect_events(vec![created()]);

    let product = product([created()]);
    let listing = product.listing().unwrap();
    assert_eq!(listing.status(), ProductStatus::Draft);
    assert!(!listing.is_published());
    assert!(listing.variants().is_empty());
    assert_eq!(listing.currency(), None);
    assert_eq!(listing.vendor_id(), Uuid::from_u128(11).into());
    assert_eq!(listing.store_id(), Uuid::from_u128(10).into());
    assert_eq!(listing.slug().as_str(), "mug");
}

#[test]
fn a_product_is_created_once() {
    given([created()])
        .when(create())
        .then_expect_error(ProductError::AlreadyCreated);
}

#[test]
fn nothing_can_be_done_with_a_product_that_was_never_created() {
    for command in [
        describe("Mug"),
        add(mug(1)),
        change(mug(1)),
        change_price(1, 100),
        ProductCommand::Publish {},
        ProductCommand::Unpublish {},
        ProductCommand::Archive {},
    ] {
        nothing()
            .when(command)
            .then_expect_error(ProductError::NotCreated);
    }
}

#[test]
fn nothing_but_archiving_again_can_be_done_with_an_archived_product() {
    let archived = || given([created(), added(mug(1)), ProductEvent::Archived {}]);
    for command in [
        describe("Cup"),
        add(mug(2)),
        change(mug(1)),
        change_price(1, 100),
        ProductCommand::Publish {},
        ProductCommand::Unpublish {},
    ] {
        archived()
            .when(command)
            .then_expect_error(ProductError::Archived);
    }
    archived()
        .when(ProductCommand::Archive {})
        .then_expect_events(vec![]);
}

#[test]
fn a_new_description_replaces_the_old_one() {
    given([created()])
        .when(describe("Cup"))
        .then_expect_events(vec![described("Cup")]);
    assert_eq!(
        product([created(), described("Cup")])
            .listing()
            .unwrap()
            .description()
            .name
            .as_str(),
        "Cup"
    );
}

#[test]
fn the_same_description_changes_nothing() {
    given([created()])
        .when(describe("Mug"))
        .then_expect_events(vec![]);
}

#[test]
fn a_description_has_a_limited_number_of_images_and_categories() {
    let mut many_images = description("Mug");
    many_images.images = vec!["https://example.com/1.jpg".parse().unwrap(); 21];
    let mut many_categories = description("Mug");
    many_categories.category_ids = (0..21).map(|n| Uuid::from_u128(n).into()).collect();

    for (description, error) in [
        (many_images, ProductError::TooManyImages),
        (many_categories, ProductError::TooManyCategories),
    ] {
        given([created()])
            .when(ProductCommand::Describe {
                description: description.clone(),
            })
            .then_expect_error(error.clone());
        nothing()
            .when(ProductCommand::Create {
                store_id: Uuid::from_u128(10).into(),
                vendor_id: Uuid::from_u128(11).into(),
                slug: "mug".parse().unwrap(),
                description,
            })
            .then_expect_error(error);
    }
}

#[test]
fn variants_are_kept_in_the_order_in_which_they_were_added() {
    given([created(), added(mug(2))])
        .when(add(mug(1)))
        .then_expect_events(vec![added(mug(1))]);
    let product = product([created(), added(mug(2)), added(mug(1))]);
    let listing = product.listing().unwrap();
    assert_eq!(listing.variants(), [mug(2), mug(1)]);
    assert_eq!(listing.variant(variant_id(1)), Ok(&mug(1)));
    assert_eq!(listing.currency(), Some(Currency::Kes));
    assert_eq!(
        listing.variant(variant_id(3)),
        Err(ProductError::NoSuchVariant {
            variant_id: variant_id(3)
        })
    );
}

#[test]
fn a_repeated_variant_is_added_once() {
    given([created(), added(mug(1))])
        .when(add(mug(1)))
        .then_expect_events(vec![]);
}

#[test]
fn a_variant_id_stands_for_one_variant() {
    let other = Variant {
        sku: "OTHER".parse().unwrap(),
        ..mug(1)
    };
    given([created(), added(mug(1))])
        .when(add(other))
        .then_expect_error(ProductError::VariantExists {
            variant_id: variant_id(1),
        });
}

#[test]
fn two_variants_never_share_a_sku() {
    let twin = Variant {
        sku: mug(1).sku,
        ..mug(2)
    };
    given([created(), added(mug(1))])
        .when(add(twin))
        .then_expect_error(ProductError::SkuTaken { sku: mug(1).sku });
}

#[test]
fn a_product_has_at_most_a_hundred_variants() {
    let events = |n: u128| {
        std::iter::once(created())
            .chain((0..n).map(|n| added(mug(n))))
            .collect::<Vec<_>>()
    };
    TestFramework::<Product>::with(())
        .given(events(99))
        .when(add(mug(1000)))
        .then_expect_events(vec![added(mug(1000))]);
    TestFramework::<Product>::with(())
        .given(events(100))
        .when(add(mug(1000)))
        .then_expect_error(ProductError::TooManyVariants);
}

#[test]
fn a_product_is_priced_in_one_currency() {
    let in_dollars = Variant {
        price: Money::new(100, Currency::Usd),
        ..mug(2)
    };
    let differs = ProductError::CurrencyDiffers {
        expected: Currency::Kes,
        found: Currency::Usd,
    };
    given([created(), added(mug(1))])
        .when(add(in_dollars))
        .then_expect_error(differs.clone());
    given([created(), added(mug(1))])
        .when(ProductCommand::ChangePrice {
            variant_id: variant_id(1),
            price: Money::new(100, Currency::Usd),
        })
        .then_expect_error(differs.clone());
    given([created(), added(mug(1))])
        .when(change(Variant {
            price: Money::new(100, Currency::Usd),
            ..mug(1)
        }))
        .then_expect_error(differs);
}

#[test]
fn a_price_is_neither_negative_nor_absurd() {
    for amount in [-1, Variant::PRICE_MAX + 1, i64::MAX, i64::MIN] {
        let variant = Variant {
            price: kes(amount),
            ..mug(1)
        };
        given([created()])
            .when(add(variant.clone()))
            .then_expect_error(ProductError::PriceOutOfRange);
        given([created(), added(mug(1))])
            .when(change(variant))
            .then_expect_error(ProductError::PriceOutOfRange);
        given([created(), added(mug(1))])
            .when(change_price(1, amount))
            .then_expect_error(ProductError::PriceOutOfRange);
    }
    for amount in [0, Variant::PRICE_MAX] {
        given([created(), added(mug(1))])
            .when(change_price(1, amount))
            .then_expect_events(vec![price_changed(1, amount)]);
    }
}

#[test]
fn a_variant_has_few_options_with_short_names() {
    let with_options = |names: Vec<String>| Variant {
        options: names
            .into_iter()
            .map(|name| (name, "red".parse().unwrap()))
            .collect(),
        ..mug(1)
    };
    let eleven = with_options((0..11).map(|n| n.to_string()).collect());
    let blank = with_options(vec![" ".to_owned()]);
    let long = with_options(vec!["x".repeat(51)]);
    for (variant, error) in [
        (eleven, ProductError::TooManyOptions),
        (blank, ProductError::BadOptionName),
        (long, ProductError::BadOptionName),
    ] {
        given([created()])
            .when(add(variant.clone()))
            .then_expect_error(error.clone());
        given([created(), added(mug(1))])
            .when(change(variant))
            .then_expect_error(error);
    }
}

#[test]
fn a_changed_variant_and_its_new_price_are_two_facts() {
    let renamed = Variant {
        name: "Large mug".parse().unwrap(),
        ..mug(1)
    };
    given([created(), added(mug(1))])
        .when(change(Variant {
            price: kes(70_000),
            ..renamed.clone()
        }))
        .then_expect_events(vec![
            ProductEvent::VariantChanged {
                variant: renamed.clone(),
            },
            price_changed(1, 70_000),
        ]);
    given([created(), added(mug(1))])
        .when(change(renamed.clone()))
        .then_expect_events(vec![ProductEvent::VariantChanged {
            variant: renamed.clone(),
        }]);
    given([created(), added(mug(1))])
        .when(change(Variant {
            price: kes(70_000),
            ..mug(1)
        }))
        .then_expect_events(vec![price_changed(1, 70_000)]);
    let product = product([
        created(),
        added(mug(1)),
        ProductEvent::VariantChanged {
            variant: renamed.clone(),
        },
        price_changed(1, 70_000),
    ]);
    assert_eq!(
        product.listing().unwrap().variant(variant_id(1)),
        Ok(&Variant {
            price: kes(70_000),
            ..renamed
        })
    );
}

#[test]
fn an_unchanged_variant_or_price_changes_nothing() {
    given([created(), added(mug(1))])
        .when(change(mug(1)))
        .then_expect_events(vec![]);
    given([created(), added(mug(1))])
        .when(change_price(1, 65_000))
        .then_expect_events(vec![]);
}

#[test]
fn the_sku_of_a_variant_never_changes() {
    given([created(), added(mug(1))])
        .when(change(Variant {
            sku: "OTHER".parse().unwrap(),
            ..mug(1)
        }))
        .then_expect_error(ProductError::SkuFixed { sku: mug(1).sku });
}

#[test]
fn only_a_variant_of_the_product_can_change() {
    let missing = ProductError::NoSuchVariant {
        variant_id: variant_id(2),
    };
    given([created(), added(mug(1))])
        .when(change(mug(2)))
        .then_expect_error(missing.clone());
    given([created(), added(mug(1))])
        .when(change_price(2, 100))
        .then_expect_error(missing);
}

#[test]
fn a_product_with_a_variant_can_be_published() {
    given([created(), added(mug(1))])
        .when(ProductCommand::Publish {})
        .then_expect_events(vec![ProductEvent::Published {}]);
    assert!(
        product([created(), added(mug(1)), ProductEvent::Published {}])
            .listing()
            .unwrap()
            .is_published()
    );
}

#[test]
fn a_product_without_variants_cannot_be_published() {
    given([created()])
        .when(ProductCommand::Publish {})
        .then_expect_error(ProductError::NothingToSell);
}

#[test]
fn publishing_again_changes_nothing() {
    given([created(), added(mug(1)), ProductEvent::Published {}])
        .when(ProductCommand::Publish {})
        .then_expect_events(vec![]);
}

#[test]
fn an_unpublished_product_is_a_draft_again() {
    given([created(), added(mug(1)), ProductEvent::Published {}])
        .when(ProductCommand::Unpublish {})
        .then_expect_events(vec![ProductEvent::Unpublished {}]);
    given([
        created(),
        added(mug(1)),
        ProductEvent::Published {},
        ProductEvent::Unpublished {},
    ])
    .when(ProductCommand::Unpublish {})
    .then_expect_events(vec![]);
    given([
        created(),
        added(mug(1)),
        ProductEvent::Published {},
        ProductEvent::Unpublished {},
    ])
    .when(ProductCommand::Publish {})
    .then_expect_events(vec![ProductEvent::Published {}]);
}

#[test]
fn a_draft_and_a_published_product_can_be_archived() {
    given([created()])
        .when(ProductCommand::Archive {})
        .then_expect_events(vec![ProductEvent::Archived {}]);
    given([created(), added(mug(1)), ProductEvent::Published {}])
        .when(ProductCommand::Archive {})
        .then_expect_events(vec![ProductEvent::Archived {}]);
}

fn given<const N: usize>(events: [ProductEvent; N]) -> AggregateTestExecutor<Product> {
    TestFramework::with(()).given(events.into())
}

fn nothing() -> AggregateTestExecutor<Product> {
    TestFramework::with(()).given_no_previous_events()
}

fn product<const N: usize>(events: [ProductEvent; N]) -> Product {
    let mut product = Product::default();
    for event in events {
        product.apply(event);
    }
    product
}

fn variant_id(n: u128) -> VariantId {
    Uuid::from_u128(n).into()
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}

fn mug(n: u128) -> Variant {
    Variant {
        variant_id: variant_id(n),
        sku: format!("MUG-{n}").parse().unwrap(),
        name: "Mug".parse().unwrap(),
        price: kes(65_000),
        barcode: None,
        weight_g: Some(350),
        options: std::iter::once(("colour".to_owned(), "red".parse().unwrap())).collect(),
    }
}

fn description(name: &str) -> Description {
    Description {
        name: name.parse().unwrap(),
        description: None,
        category_ids: std::collections::BTreeSet::new(),
        images: vec![],
        seo: None,
    }
}

fn created() -> ProductEvent {
    ProductEvent::Created {
        store_id: Uuid::from_u128(10).into(),
        vendor_id: Uuid::from_u128(11).into(),
        slug: "mug".parse().unwrap(),
        description: description("Mug"),
    }
}

fn described(name: &str) -> ProductEvent {
    ProductEvent::Described {
        description: description(name),
    }
}

fn added(variant: Variant) -> ProductEvent {
    ProductEvent::VariantAdded { variant }
}

fn price_changed(n: u128, amount: i64) -> ProductEvent {
    ProductEvent::PriceChanged {
        variant_id: variant_id(n),
        price: kes(amount),
    }
}

fn create() -> ProductCommand {
    ProductCommand::Create {
        store_id: Uuid::from_u128(10).into(),
        vendor_id: Uuid::from_u128(11).into(),
        slug: "mug".parse().unwrap(),
        description: description("Mug"),
    }
}

fn describe(name: &str) -> ProductCommand {
    ProductCommand::Describe {
        description: description(name),
    }
}

fn add(variant: Variant) -> ProductCommand {
    ProductCommand::AddVariant { variant }
}

fn change(variant: Variant) -> ProductCommand {
    ProductCommand::ChangeVariant { variant }
}

fn change_price(n: u128, amount: i64) -> ProductCommand {
    ProductCommand::ChangePrice {
        variant_id: variant_id(n),
        price: kes(amount),
    }
}
