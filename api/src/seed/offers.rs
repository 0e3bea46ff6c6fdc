//! What vendors offer: products with their variants and stock.

use std::collections::BTreeMap;

use soko_commands::handlers::{CreateProduct, create_product};
use soko_domain::product::{Description, Product, ProductCommand, Variant};
use soko_domain::stock::{Stock, StockCommand, StockNote};
use soko_domain::{CategoryId, Money, ProductId, Quantity, StoreId, Text, VariantId};

use super::goods::{self, Good, VendorOf};
use super::market::{Article, Seller, Shop, location};
use super::{By, Seed, SeedError, done, failed, id, parsed};

/// Every so many variants one is scarce, so that there is something to see among what is low.
const SCARCE_EVERY: usize = 17;

const LOW: u32 = 5;

/// A vendor's good, and where it is put on sale.
pub(super) struct Offer<'a> {
    pub number: usize,
    pub vendor: &'a VendorOf,
    pub shop: &'a Shop,
    pub seller: &'a Seller,
    pub good: &'a Good,
    pub category: Option<CategoryId>,
    pub store_id: StoreId,
}

/// A product with its variants and their stock; the last of each vendor stays a draft.
pub(super) async fn offer(seed: &Seed<'_>, by: By, offer: Offer<'_>) -> Result<Article, SeedError> {
    let Offer {
        number,
        vendor,
        shop,
        seller,
        good: (name, cents),
        category,
        store_id,
    } = offer;
    let step = format!("product-{number}");
    let product_id: ProductId = id(&step);
    let variants = vendor.variants.iter().enumerate().map(|(n, option)| {
        let price = goods::price(*cents, n, shop.rate);
        Ok(Variant {
            variant_id: id(&format!("{step}-{option}")),
            sku: parsed(&format!("{}-{number:03}-{n}", vendor.prefix))?,
            name: parsed(&format!("{name}, {option}"))?,
            price: Money::new(price, shop.currency),
            barcode: None,
            weight_g: None,
            options: BTreeMap::from([(vendor.option.to_owned(), parsed(option)?)]),
        })
    });
    let variants: Vec<Variant> = variants.collect::<Result<_, SeedError>>()?;
    let variant_ids: Vec<_> = variants.iter().map(|variant| variant.variant_id).collect();
    let about = format!("{name} by {}. {}", vendor.name, vendor.about);
    let request = CreateProduct {
        product_id,
        store_id,
        vendor_id: seller.vendor_id,
        slug: None,
        description: Description {
            name: parsed(name)?,
            description: Some(parsed(&about)?),
            category_ids: category.into_iter().collect(),
            images: vec![],
            seo: None,
        },
        variants,
    };
    let context = seed.context(by, &step);
    done(
        &step,
        create_product(seed.engine(), request, &context).await,
    )?;
    let mut plenty = Vec::new();
    for (n, variant_id) in variant_ids.into_iter().enumerate() {
        let is_scarce = (number + n) % SCARCE_EVERY == SCARCE_EVERY - 1;
        let quantity = if is_scarce {
            3
        } else {
            60 + (number * 7 + n * 13) % 90
        };
        stock_up(seed, by, shop, variant_id, quantity).await?;
        if !is_scarce {
            plenty.push(variant_id);
        }
    }
    let is_draft = vendor.goods.last().is_some_and(|(last, _)| last == name);
    if is_draft {
        return Ok(Article {
            store: vendor.store,
            variants: vec![],
        });
    }
    let step = format!("{step}-published");
    let context = seed.context(by, &step);
    let publish = ProductCommand::Publish {};
    done(
        &step,
        seed.engine()
            .execute::<Product>(product_id, publish, &context)
            .await,
    )?;
    Ok(Article {
        store: vendor.store,
        variants: plenty,
    })
}

async fn stock_up(
    seed: &Seed<'_>,
    by: By,
    shop: &Shop,
    variant_id: VariantId,
    quantity: usize,
) -> Result<(), SeedError> {
    let step = format!("stock-{variant_id}");
    let quantity = u32::try_from(quantity).map_err(|cause| failed(&step, cause))?;
    let quantity = Quantity::try_from(quantity).map_err(|cause| failed(&step, cause))?;
    let note = StockNote {
        reason: Text::literal("delivery"),
        note: None,
    };
    let receive = StockCommand::Receive {
        location_id: location(shop.slug),
        quantity,
        note,
    };
    let context = seed.context(by, &step);
    done(
        &step,
        seed.engine()
            .execute::<Stock>(variant_id, receive, &context)
            .await,
    )?;
    let step = format!("{step}-low");
    let context = seed.context(by, &step);
    let low = StockCommand::SetLowStockThreshold { threshold: LOW };
    done(
        &step,
        seed.engine()
            .execute::<Stock>(variant_id, low, &context)
            .await,
    )
}
