//! Products, their variants and their names.

use super::market::{Market, context, description, refusal, sku, taken, variant};
use crate::world::new_id;
use soko_commands::handlers::{
    AddVariant, AddVariantError, CreateProduct, CreateProductError, CreatedProduct,
    DescribeProductError, add_variant, archive_product, create_product, describe_product,
};
use soko_commands::{CommandError, Committed};
use soko_domain::category::{CategoryCommand, CategoryError};
use soko_domain::product::{ProductError, Variant};
use soko_domain::store::StoreError;
use soko_domain::vendor::{VendorError, VendorStatus};
use soko_domain::{Category, CategoryId, Currency, Money, Product, StoreId};

#[tokio::test]
async fn a_product_comes_with_its_variants_and_their_stock() {
    let market = Market::open().await;
    let head = market.head().await;
    let request = CreateProduct {
        variants: vec![variant(100), variant(200)],
        ..market.draft(0)
    };
    let created = create(&market, request.clone()).await.unwrap().value;

    let ids = request.variants.iter().map(|v| v.variant_id).collect();
    assert_eq!(created.product_id, request.product_id);
    assert_eq!(created.variant_ids, Vec::clone(&ids));
    assert_eq!(
        market.events_since(head).await,
        [
            "product.created",
            "product.variant_added",
            "stock.tracked",
            "product.variant_added",
            "stock.tracked"
        ]
    );
    let product = market.read::<Product>(request.product_id).await;
    let listing = product.state.listing().unwrap();
    assert_eq!(listing.variants(), request.variants);
    assert_eq!(listing.slug(), &created.slug);
}

#[tokio::test]
async fn two_variants_of_a_store_never_share_a_sku() {
    let market = Market::open().await;
    let first = market.draft(100);
    create(&market, first.clone()).await.unwrap();
    let twin = |variant: Variant| Variant {
        sku: first.variants[0].sku.clone(),
        ..variant
    };
    let second = CreateProduct {
        variants: vec![twin(variant(100))],
        ..market.draft(0)
    };
    let head = market.head().await;
    assert_eq!(taken(create(&market, second).await), "sku");

    let other = market.draft(100);
    create(&market, other.clone()).await.unwrap();
    let request = AddVariant {
        product_id: other.product_id,
        variant: twin(variant(100)),
    };
    let answer = add_variant(market.engine(), request, &market.context()).await;
    assert_eq!(taken(answer), "sku");
    assert_eq!(market.events_since(head).await.len(), 3);
}

#[tokio::test]
async fn another_store_may_use_the_same_sku_and_slug() {
    let mut market = Market::open().await;
    let here = CreateProduct {
        slug: Some("mug".parse().unwrap()),
        ..market.draft(100)
    };
    create(&market, here.clone()).await.unwrap();
    market.store_id = market.another_store().await;
    let there = CreateProduct {
        slug: here.slug.clone(),
        vendor_id: market.vendor().await,
        variants: vec![Variant {
            sku: here.variants[0].sku.clone(),
            ..variant(100)
        }],
        ..market.draft(0)
    };
    create(&market, there).await.unwrap();
}

#[tokio::test]
async fn products_of_one_name_get_slugs_of_their_own() {
    let market = Market::open().await;
    let slugs = async || {
        let created = create(&market, market.draft(100)).await.unwrap();
        created.value.slug.to_string()
    };
    assert_eq!(slugs().await, "mug");
    let second = slugs().await;
    assert!(second.starts_with("mug-"), "{second}");
    let third = slugs().await;
    assert!(third.starts_with("mug-") && third != second, "{third}");
}

#[tokio::test]
async fn a_name_without_latin_letters_is_a_product_all_the_same() {
    let market = Market::open().await;
    let request = CreateProduct {
        description: description("ቡና"),
        ..market.draft(100)
    };
    let created = create(&market, request).await.unwrap().value;
    assert_eq!(created.slug.as_str(), "product");
}

#[tokio::test]
async fn a_slug_that_was_asked_for_is_that_or_none() {
    let market = Market::open().await;
    let request = || CreateProduct {
        slug: Some("mug".parse().unwrap()),
        ..market.draft(100)
    };
    create(&market, request()).await.unwrap();
    assert_eq!(taken(create(&market, request()).await), "product_slug");
}

#[tokio::test]
async fn products_are_priced_in_the_currency_of_their_store() {
    let market = Market::open().await;
    let dollars = || Variant {
        price: Money::new(100, Currency::Usd),
        ..variant(0)
    };
    let request = CreateProduct {
        variants: vec![dollars()],
        ..market.draft(0)
    };
    let (expected, found) = (Currency::Kes, Currency::Usd);
    assert_eq!(
        refusal(create(&market, request).await),
        CreateProductError::CurrencyDiffers { expected, found }
    );
    let empty = CreateProduct {
        variants: vec![],
        ..market.draft(0)
    };
    let product_id = empty.product_id;
    create(&market, empty).await.unwrap();
    let request = AddVariant {
        product_id,
        variant: dollars(),
    };
    let answer = add_variant(market.engine(), request, &market.context()).await;
    assert_eq!(
        refusal(answer),
        AddVariantError::CurrencyDiffers { expected, found }
    );
}

#[tokio::test]
async fn only_vendors_that_trade_in_the_store_create_products() {
    let market = Market::open().await;
    let pending = market.vendor_to_approve(market.store_id).await;
    let elsewhere = market.vendor_to_approve(market.another_store().await).await;
    let cases = [
        (
            pending,
            VendorError::WrongStatus {
                status: VendorStatus::Pending,
            },
        ),
        (elsewhere, VendorError::NotRegistered),
        (new_id(), VendorError::NotRegistered),
    ];
    for (vendor_id, error) in cases {
        let request = CreateProduct {
            vendor_id,
            ..market.draft(100)
        };
        assert_eq!(
            refusal(create(&market, request).await),
            CreateProductError::Vendor(error)
        );
    }
}

#[tokio::test]
async fn another_tenants_store_is_as_good_as_none() {
    let market = Market::open().await;
    let stranger = context(new_id());
    let answer = create_product(market.engine(), market.draft(100), &stranger).await;
    assert_eq!(
        refusal(answer),
        CreateProductError::Store(StoreError::NotOpened)
    );
    let ware = market.ware(100, 1).await;
    let archived = archive_product(market.engine(), ware.product_id, &stranger).await;
    assert_eq!(refusal(archived), ProductError::NotCreated);
    let described = description("Cup");
    let answer = describe_product(market.engine(), ware.product_id, described, &stranger).await;
    assert_eq!(
        refusal(answer),
        DescribeProductError::Product(ProductError::NotCreated)
    );
    let request = AddVariant {
        product_id: ware.product_id,
        variant: variant(100),
    };
    let answer = add_variant(market.engine(), request, &stranger).await;
    assert_eq!(
        refusal(answer),
        AddVariantError::Store(StoreError::NotOpened)
    );
}

#[tokio::test]
async fn a_product_stands_under_categories_of_its_store() {
    let market = Market::open().await;
    let ours = category(&market, market.store_id).await;
    let theirs = category(&market, market.another_store().await).await;
    let under = |category_id| {
        let mut description = description("Mug");
        description.category_ids.insert(category_id);
        description
    };
    for category_id in [theirs, new_id()] {
        let request = CreateProduct {
            description: under(category_id),
            ..market.draft(100)
        };
        assert_eq!(
            refusal(create(&market, request).await),
            CreateProductError::Category(CategoryError::NotCreated)
        );
    }
    let request = CreateProduct {
        description: under(ours),
        ..market.draft(100)
    };
    let product_id = request.product_id;
    create(&market, request).await.unwrap();

    let describe = async |description| {
        describe_product(market.engine(), product_id, description, &market.context()).await
    };
    assert_eq!(
        refusal(describe(under(theirs)).await),
        DescribeProductError::Category(CategoryError::NotCreated)
    );
    market
        .execute::<Category>(ours, CategoryCommand::Remove)
        .await;
    let mut renamed = under(ours);
    renamed.name = "Cup".parse().unwrap();
    describe(renamed).await.unwrap();
    let product = market.read::<Product>(product_id).await;
    let listing = product.state.listing().unwrap();
    assert_eq!(listing.description().name.as_str(), "Cup");
}

#[tokio::test]
async fn an_added_variant_is_tracked_and_a_repeat_changes_nothing() {
    let market = Market::open().await;
    let ware = market.ware(100, 1).await;
    let request = AddVariant {
        product_id: ware.product_id,
        variant: variant(200),
    };
    let head = market.head().await;
    for _ in 0..2 {
        let answer = add_variant(market.engine(), request.clone(), &market.context()).await;
        answer.unwrap();
    }
    assert_eq!(
        market.events_since(head).await,
        ["product.variant_added", "stock.tracked"]
    );
    let other = AddVariant {
        variant: Variant {
            sku: sku("OTHER"),
            ..request.variant.clone()
        },
        ..request
    };
    let variant_id = other.variant.variant_id;
    let answer = add_variant(market.engine(), other, &market.context()).await;
    assert_eq!(
        refusal(answer),
        AddVariantError::Product(ProductError::VariantExists { variant_id })
    );
}

#[tokio::test]
async fn the_names_of_an_archived_product_can_be_used_again() {
    let market = Market::open().await;
    let old = CreateProduct {
        slug: Some("mug".parse().unwrap()),
        ..market.draft(100)
    };
    create(&market, old.clone()).await.unwrap();
    let archive = async || {
        let context = market.context();
        archive_product(market.engine(), old.product_id, &context).await
    };
    archive().await.unwrap();
    let again = |product: CreateProduct| CreateProduct {
        slug: old.slug.clone(),
        variants: vec![Variant {
            sku: old.variants[0].sku.clone(),
            ..variant(100)
        }],
        ..product
    };
    create(&market, again(market.draft(0))).await.unwrap();

    // Archived twice, it does not give away what is another product's now.
    assert_eq!(archive().await.unwrap().position, None);
    let third = create(&market, again(market.draft(0))).await;
    assert!(matches!(third, Err(CommandError::ClaimTaken { .. })));
}

async fn create(
    market: &Market,
    request: CreateProduct,
) -> Result<Committed<CreatedProduct>, CommandError<CreateProductError>> {
    create_product(market.engine(), request, &market.context()).await
}

async fn category(market: &Market, store_id: StoreId) -> CategoryId {
    let category_id = new_id();
    let create = CategoryCommand::Create {
        category_id,
        store_id,
        slug: "kitchen".parse().unwrap(),
        name: "Kitchen".parse().unwrap(),
        parent: None,
    };
    market.execute::<Category>(category_id, create).await;
    category_id
}
