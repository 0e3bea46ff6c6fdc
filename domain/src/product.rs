//! What a vendor sells: a description, and the variants that can be bought.

mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use command::ProductCommand;
pub use error::ProductError;
pub use event::{Description, ProductEvent, Seo, Variant};

use crate::{
    Currency, Decide, Money, ProductId, Slug, StoreId, VariantId, VendorId, write_decision,
};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Product {
    #[default]
    Uncreated,
    Created(Box<Listing>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listing {
    store_id: StoreId,
    vendor_id: VendorId,
    slug: Slug,
    description: Description,
    status: ProductStatus,
    /// In the order in which they were added.
    variants: Vec<Variant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductStatus {
    /// Not yet shown to shoppers, or no longer.
    Draft,
    Published,
    /// For ever out of the catalog.
    Archived,
}

type Decision = Result<Vec<ProductEvent>, ProductError>;

impl Product {
    /// # Errors
    /// [`ProductError::NotCreated`].
    pub fn listing(&self) -> Result<&Listing, ProductError> {
        match self {
            Self::Uncreated => Err(ProductError::NotCreated),
            Self::Created(listing) => Ok(listing),
        }
    }

    /// What may still be changed.
    fn open(&self) -> Result<&Listing, ProductError> {
        let listing = self.listing()?;
        match listing.status {
            ProductStatus::Archived => Err(ProductError::Archived),
            ProductStatus::Draft | ProductStatus::Published => Ok(listing),
        }
    }

    fn create(
        &self,
        store_id: StoreId,
        vendor_id: VendorId,
        slug: Slug,
        description: Description,
    ) -> Decision {
        match self {
            Self::Created(_) => Err(ProductError::AlreadyCreated),
            Self::Uncreated => {
                description.check()?;
                Ok(vec![ProductEvent::Created {
                    store_id,
                    vendor_id,
                    slug,
                    description,
                }])
            }
        }
    }
}

impl Decide for Product {
    type Id = ProductId;

    fn decide(&self, command: ProductCommand) -> Decision {
        match command {
            ProductCommand::Create {
                store_id,
                vendor_id,
                slug,
                description,
            } => self.create(store_id, vendor_id, slug, description),
            ProductCommand::Describe { description } => self.open()?.describe(description),
            ProductCommand::AddVariant { variant } => self.open()?.add_variant(variant),
            ProductCommand::ChangeVariant { variant } => self.open()?.change_variant(variant),
            ProductCommand::ChangePrice { variant_id, price } => {
                self.open()?.change_price(variant_id, price)
            }
            ProductCommand::Publish {} => self.open()?.publish(),
            ProductCommand::Unpublish {} => Ok(self.open()?.unpublish()),
            ProductCommand::Archive {} => Ok(self.listing()?.archive()),
        }
    }
}

impl Listing {
    pub const VARIANTS_MAX: usize = 100;

    pub fn store_id(&self) -> StoreId {
        self.store_id
    }

    pub fn vendor_id(&self) -> VendorId {
        self.vendor_id
    }

    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    pub fn description(&self) -> &Description {
        &self.description
    }

    pub fn status(&self) -> ProductStatus {
        self.status
    }

    pub fn is_published(&self) -> bool {
        self.status == ProductStatus::Published
    }

    /// In the order in which they were added.
    pub fn variants(&self) -> &[Variant] {
        &self.variants
    }

    /// # Errors
    /// [`ProductError::NoSuchVariant`].
    pub fn variant(&self, variant_id: VariantId) -> Result<&Variant, ProductError> {
        self.variants
            .iter()
            .find(|variant| variant.variant_id == variant_id)
            .ok_or(ProductError::NoSuchVariant { variant_id })
    }

    /// The one currency of all its prices; `None` while it has no variant.
    pub fn currency(&self) -> Option<Currency> {
        self.variants.first().map(|first| first.price.currency())
    }

    fn describe(&self, description: Description) -> Decision {
        description.check()?;
        if description == self.description {
            return Ok(vec![]);
        }
        Ok(vec![ProductEvent::Described { description }])
    }

    /// Asked twice for the same, it decides once.
    fn add_variant(&self, variant: Variant) -> Decision {
        variant.check()?;
        if let Ok(present) = self.variant(variant.variant_id) {
            return if *present == variant {
                Ok(vec![])
            } else {
                Err(ProductError::VariantExists {
                    variant_id: variant.variant_id,
                })
            };
        }
        if self.variants.iter().any(|other| other.sku == variant.sku) {
            return Err(ProductError::SkuTaken { sku: variant.sku });
        }
        if self.variants.len() >= Self::VARIANTS_MAX {
            return Err(ProductError::TooManyVariants);
        }
        self.same_currency(variant.price)?;
        Ok(vec![ProductEvent::VariantAdded { variant }])
    }

    /// A new price is an event of its own, so that a price's history is one kind of event.
    fn change_variant(&self, variant: Variant) -> Decision {
        variant.check()?;
        let present = self.variant(variant.variant_id)?;
        if present.sku != variant.sku {
            return Err(ProductError::SkuFixed {
                sku: present.sku.clone(),
            });
        }
        let repriced = self.change_price(variant.variant_id, variant.price)?;
        let variant = Variant {
            price: present.price,
            ..variant
        };
        let changed = (variant != *present).then_some(ProductEvent::VariantChanged { variant });
        Ok(changed.into_iter().chain(repriced).collect())
    }

    fn change_price(&self, variant_id: VariantId, price: Money) -> Decision {
        let present = self.variant(variant_id)?;
        check_price(price)?;
        self.same_currency(price)?;
        if present.price == price {
            return Ok(vec![]);
        }
        Ok(vec![ProductEvent::PriceChanged { variant_id, price }])
    }

    fn publish(&self) -> Decision {
        match self.status {
            ProductStatus::Published => Ok(vec![]),
            ProductStatus::Archived => Err(ProductError::Archived),
            ProductStatus::Draft if self.variants.is_empty() => Err(ProductError::NothingToSell),
            ProductStatus::Draft => Ok(vec![ProductEvent::Published {}]),
        }
    }

    fn unpublish(&self) -> Vec<ProductEvent> {
        match self.status {
            ProductStatus::Published => vec![ProductEvent::Unpublished {}],
            ProductStatus::Draft | ProductStatus::Archived => vec![],
        }
    }

    fn archive(&self) -> Vec<ProductEvent> {
        match self.status {
            ProductStatus::Archived => vec![],
            ProductStatus::Draft | ProductStatus::Published => vec![ProductEvent::Archived {}],
        }
    }

    fn same_currency(&self, price: Money) -> Result<(), ProductError> {
        match self.currency() {
            Some(expected) if expected != price.currency() => Err(ProductError::CurrencyDiffers {
                expected,
                found: price.currency(),
            }),
            Some(_) | None => Ok(()),
        }
    }

    fn apply(&mut self, event: ProductEvent) {
        match event {
            ProductEvent::Created { .. } => (),
            ProductEvent::Described { description } => self.description = description,
            ProductEvent::VariantAdded { variant } => self.variants.push(variant),
            ProductEvent::VariantChanged { variant } => {
                if let Some(present) = self.variant_mut(variant.variant_id) {
                    *present = variant;
                }
            }
            ProductEvent::PriceChanged { variant_id, price } => {
                if let Some(present) = self.variant_mut(variant_id) {
                    present.price = price;
                }
            }
            ProductEvent::Published {} => self.status = ProductStatus::Published,
            ProductEvent::Unpublished {} => self.status = ProductStatus::Draft,
            ProductEvent::Archived {} => self.status = ProductStatus::Archived,
        }
    }

    fn variant_mut(&mut self, variant_id: VariantId) -> Option<&mut Variant> {
        self.variants
            .iter_mut()
            .find(|variant| variant.variant_id == variant_id)
    }
}

impl Description {
    pub const IMAGES_MAX: usize = 20;
    pub const CATEGORIES_MAX: usize = 20;

    fn check(&self) -> Result<(), ProductError> {
        if self.images.len() > Self::IMAGES_MAX {
            return Err(ProductError::TooManyImages);
        }
        if self.category_ids.len() > Self::CATEGORIES_MAX {
            return Err(ProductError::TooManyCategories);
        }
        Ok(())
    }
}

impl Variant {
    pub const OPTIONS_MAX: usize = 10;
    pub const OPTION_NAME_CHARS_MAX: usize = 50;
    /// Minor units. An order of a hundred lines of ordinary quantities stays far below 64 bits.
    pub const PRICE_MAX: i64 = 1_000_000_000_000;

    fn check(&self) -> Result<(), ProductError> {
        check_price(self.price)?;
        let well_named = |name: &String| {
            !name.trim().is_empty() && name.chars().count() <= Self::OPTION_NAME_CHARS_MAX
        };
        if self.options.len() > Self::OPTIONS_MAX {
            return Err(ProductError::TooManyOptions);
        }
        if !self.options.keys().all(well_named) {
            return Err(ProductError::BadOptionName);
        }
        Ok(())
    }
}

fn check_price(price: Money) -> Result<(), ProductError> {
    if (0..=Variant::PRICE_MAX).contains(&price.amount()) {
        Ok(())
    } else {
        Err(ProductError::PriceOutOfRange)
    }
}

impl Aggregate for Product {
    const TYPE: &'static str = "product";
    type Command = ProductCommand;
    type Event = ProductEvent;
    type Error = ProductError;
    type Services = ();

    async fn handle(
        &mut self,
        command: ProductCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), ProductError> {
        write_decision(self, command, sink).await
    }

    fn apply(&mut self, event: ProductEvent) {
        if let ProductEvent::Created {
            store_id,
            vendor_id,
            slug,
            description,
        } = event
        {
            *self = Self::Created(Box::new(Listing {
                store_id,
                vendor_id,
                slug,
                description,
                status: ProductStatus::Draft,
                variants: Vec::new(),
            }));
        } else if let Self::Created(listing) = self {
            listing.apply(event);
        }
    }
}
