//! Products: what vendors offer, and in which forms.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::web::Data;
use soko_commands::handlers::{
    AddVariant, AddVariantError, CreateProduct, CreateProductError, CreatedProduct,
    DescribeProductError, add_variant, archive_product, create_product, describe_product,
};
use soko_domain::product::{Description, Product, ProductCommand, ProductError, Seo, Variant};
use soko_domain::stock::Stock;
use soko_domain::{CategoryId, Money, ProductId, Sku, Slug, StoreId, Text, VariantId, VendorId};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Permit, Place};
use crate::change::Change;
use crate::command::{Command, NoBody};
use crate::problem::{Code, Problem, Result};
use crate::query::Path;
use crate::recorded::{New, Recorded};
use crate::schema::{answer, body};

body! {
    pub(crate) struct NewProduct {
        pub store_id: StoreId,
        pub vendor_id: VendorId,
        pub name: Text<200>,
        /// Made of the name if left out.
        pub slug: Option<Slug>,
        pub description: Option<Text<5000>>,
        pub category_ids: Option<BTreeSet<CategoryId>>,
        pub variants: Vec<NewVariant>,
        /// Addresses of pictures, the first one first.
        pub images: Option<Vec<Text<500>>>,
        pub seo: Option<NewSeo>,
    }

    pub(crate) struct NewSeo {
        pub title: Option<Text<200>>,
        pub description: Option<Text<500>>,
    }

    pub(crate) struct NewVariant {
        pub sku: Sku,
        pub name: Text<200>,
        pub price: Money,
        pub barcode: Option<Text<64>>,
        /// Grams.
        pub weight_g: Option<u32>,
        /// Such as `{"colour": "red"}`.
        pub options: Option<BTreeMap<String, Text<100>>>,
    }

    pub(crate) struct ChangeProduct {
        pub name: Option<Text<200>>,
        #[serde(default)]
        pub description: Change<Text<5000>>,
        pub category_ids: Option<BTreeSet<CategoryId>>,
        pub images: Option<Vec<Text<500>>>,
        #[serde(default)]
        pub seo: Change<NewSeo>,
    }

    pub(crate) struct ChangeVariant {
        pub name: Option<Text<200>>,
        pub price: Option<Money>,
        #[serde(default)]
        pub barcode: Change<Text<64>>,
        #[serde(default)]
        pub weight_g: Change<u32>,
        pub options: Option<BTreeMap<String, Text<100>>>,
    }
}

answer! {
    pub(crate) struct ProductCreated {
        pub product_id: ProductId,
        pub slug: Slug,
        /// In the order in which they were given.
        pub variant_ids: Vec<VariantId>,
    }

    pub(crate) struct VariantAdded {
        pub variant_id: VariantId,
    }
}

pub(crate) async fn create(
    app: Data<App>,
    caller: Caller,
    command: Command<NewProduct>,
) -> Result<New<ProductCreated>> {
    let NewProduct {
        store_id,
        vendor_id,
        ..
    } = command.body;
    let place = Place::store(store_id).shared_by([vendor_id]);
    let context = caller.permit(place).await?.context(&command);
    let NewProduct {
        name,
        slug,
        description,
        category_ids,
        variants,
        images,
        seo,
        ..
    } = command.body;
    let product_id = ProductId::from_uuid(Uuid::now_v7());
    let request = CreateProduct {
        product_id,
        store_id,
        vendor_id,
        slug,
        description: Description {
            name,
            description,
            category_ids: category_ids.unwrap_or_default(),
            images: images.unwrap_or_default(),
            seo: seo.map(Seo::from),
        },
        variants: variants.into_iter().map(Variant::from).collect(),
    };
    let created = create_product(app.engine(), request, &context).await;
    let recorded: New<CreatedProduct> = app
        .recorded_of::<Product, _, _, _>(product_id, created, &context)
        .await?;
    Ok(recorded
        .map(
            |CreatedProduct {
                 product_id,
                 slug,
                 variant_ids,
             }| {
                ProductCreated {
                    product_id,
                    slug,
                    variant_ids,
                }
            },
        )
        .at(|created| format!("/products/{}", created.product_id)))
}

pub(crate) async fn change(
    app: Data<App>,
    caller: Caller,
    product_id: Path<ProductId>,
    command: Command<ChangeProduct>,
) -> Result<Recorded<()>> {
    let context = permit(&app, &caller, *product_id).await?.context(&command);
    let product = app.engine().read::<Product>(*product_id).await?;
    let mut description = product.state.listing()?.description().clone();
    let ChangeProduct {
        name,
        description: text,
        category_ids,
        images,
        seo,
    } = command.body;
    if let Some(name) = name {
        description.name = name;
    }
    text.apply(&mut description.description);
    if let Some(category_ids) = category_ids {
        description.category_ids = category_ids;
    }
    if let Some(images) = images {
        description.images = images;
    }
    seo.map(Seo::from).apply(&mut description.seo);
    let done = describe_product(app.engine(), *product_id, description, &context).await;
    app.recorded_of::<Product, _, _, _>(*product_id, done, &context)
        .await
}

pub(crate) async fn publish(
    app: Data<App>,
    caller: Caller,
    product_id: Path<ProductId>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    execute(
        &app,
        &caller,
        *product_id,
        &command,
        ProductCommand::Publish {},
    )
    .await
}

pub(crate) async fn unpublish(
    app: Data<App>,
    caller: Caller,
    product_id: Path<ProductId>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    execute(
        &app,
        &caller,
        *product_id,
        &command,
        ProductCommand::Unpublish {},
    )
    .await
}

/// Also what `DELETE` means: what was once sold cannot be made not to have been.
pub(crate) async fn archive(
    app: Data<App>,
    caller: Caller,
    product_id: Path<ProductId>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let context = permit(&app, &caller, *product_id).await?.context(&command);
    let done = archive_product(app.engine(), *product_id, &context).await;
    app.recorded_of::<Product, _, _, _>(*product_id, done, &context)
        .await
}

pub(crate) async fn add(
    app: Data<App>,
    caller: Caller,
    product_id: Path<ProductId>,
    command: Command<NewVariant>,
) -> Result<New<VariantAdded>> {
    let context = permit(&app, &caller, *product_id).await?.context(&command);
    let variant = Variant::from(command.body);
    let request = AddVariant {
        product_id: *product_id,
        variant,
    };
    let added = add_variant(app.engine(), request, &context).await;
    let recorded: New<VariantId> = app
        .recorded_of::<Product, _, _, _>(*product_id, added, &context)
        .await?;
    Ok(recorded.map(|variant_id| VariantAdded { variant_id }))
}

pub(crate) async fn change_variant(
    app: Data<App>,
    caller: Caller,
    variant_id: Path<VariantId>,
    command: Command<ChangeVariant>,
) -> Result<Recorded<()>> {
    let stock = app.engine().read::<Stock>(*variant_id).await?;
    let levels = stock
        .state
        .levels()
        .map_err(|_| Problem::new(Code::NotFound))?;
    let product_id = levels.product_id();
    let product = app.engine().read::<Product>(product_id).await?;
    let mut variant = product.state.listing()?.variant(*variant_id)?.clone();
    let ChangeVariant {
        name,
        price,
        barcode,
        weight_g,
        options,
    } = &command.body;
    if let Some(name) = name {
        variant.name = name.clone();
    }
    if let Some(price) = price {
        variant.price = *price;
    }
    barcode.clone().apply(&mut variant.barcode);
    weight_g.clone().apply(&mut variant.weight_g);
    if let Some(options) = options {
        variant.options.clone_from(options);
    }
    let change = ProductCommand::ChangeVariant { variant };
    execute(&app, &caller, product_id, &command, change).await
}

async fn execute<T>(
    app: &App,
    caller: &Caller,
    product_id: ProductId,
    command: &Command<T>,
    product_command: ProductCommand,
) -> Result<Recorded<()>> {
    let context = permit(app, caller, product_id).await?.context(command);
    let done = app
        .engine()
        .execute::<Product>(product_id, product_command, &context)
        .await;
    app.recorded_of::<Product, _, _, _>(product_id, done, &context)
        .await
}

/// A product lies with its vendor, in a store.
async fn permit(app: &App, caller: &Caller, product_id: ProductId) -> Result<Permit> {
    let product = app.engine().read::<Product>(product_id).await?;
    let listing = product
        .state
        .listing()
        .map_err(|_| Problem::new(Code::NotFound))?;
    caller
        .permit(Place::store(listing.store_id()).shared_by([listing.vendor_id()]))
        .await
}

impl From<NewSeo> for Seo {
    fn from(seo: NewSeo) -> Self {
        Self {
            title: seo.title,
            description: seo.description,
        }
    }
}

impl From<NewVariant> for Variant {
    fn from(variant: NewVariant) -> Self {
        Self {
            variant_id: VariantId::from_uuid(Uuid::now_v7()),
            sku: variant.sku,
            name: variant.name,
            price: variant.price,
            barcode: variant.barcode,
            weight_g: variant.weight_g,
            options: variant.options.unwrap_or_default(),
        }
    }
}

impl From<CreateProductError> for Problem {
    fn from(error: CreateProductError) -> Self {
        match error {
            CreateProductError::Store(error) => error.into(),
            CreateProductError::Vendor(error) => error.into(),
            CreateProductError::Category(_) => Self::invalid_at("/category_ids", error),
            CreateProductError::CurrencyDiffers { .. } => Self::invalid_at("/variants", error),
            CreateProductError::Product(error) => error.into(),
            CreateProductError::Stock(error) => error.into(),
        }
    }
}

impl From<AddVariantError> for Problem {
    fn from(error: AddVariantError) -> Self {
        match error {
            AddVariantError::Product(error) => error.into(),
            AddVariantError::Store(error) => error.into(),
            AddVariantError::CurrencyDiffers { .. } => Self::invalid_at("/price/currency", error),
            AddVariantError::Stock(error) => error.into(),
        }
    }
}

impl From<DescribeProductError> for Problem {
    fn from(error: DescribeProductError) -> Self {
        match error {
            DescribeProductError::Product(error) => error.into(),
            DescribeProductError::Category(_) => Self::invalid_at("/category_ids", error),
        }
    }
}

impl From<ProductError> for Problem {
    fn from(error: ProductError) -> Self {
        let pointer = match &error {
            ProductError::NotCreated | ProductError::NoSuchVariant { .. } => {
                return Self::new(Code::NotFound).with_detail(error);
            }
            ProductError::AlreadyCreated
            | ProductError::VariantExists { .. }
            | ProductError::SkuTaken { .. } => {
                return Self::new(Code::AlreadyExists).with_detail(error);
            }
            ProductError::Archived | ProductError::NothingToSell => {
                return Self::new(Code::StateConflict).with_detail(error);
            }
            ProductError::SkuFixed { .. } => "/sku",
            ProductError::TooManyVariants => "/variants",
            ProductError::CurrencyDiffers { .. } | ProductError::PriceOutOfRange => "/price",
            ProductError::TooManyImages => "/images",
            ProductError::TooManyCategories => "/category_ids",
            ProductError::TooManyOptions | ProductError::BadOptionName => "/options",
        };
        Self::invalid_at(pointer, error)
    }
}
