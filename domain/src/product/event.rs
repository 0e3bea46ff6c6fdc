//! What has happened to a product.

use crate::event_names::event_names;
use crate::{CategoryId, Money, Sku, Slug, StoreId, Text, VariantId, VendorId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What shoppers read about a product, and search engines with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    pub name: Text<200>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<5000>>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub category_ids: BTreeSet<CategoryId>,
    /// Addresses of pictures, the first one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Text<500>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seo: Option<Seo>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seo {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text<200>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<500>>,
}

/// One form of a product that can be bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    pub variant_id: VariantId,
    pub sku: Sku,
    pub name: Text<200>,
    pub price: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<Text<64>>,
    /// Grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<u32>,
    /// Such as `{"colour": "red"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, Text<100>>,
}

/// A created product is a draft without variants; each of them is an event of its own, so that no
/// event grows with their number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductEvent {
    Created {
        store_id: StoreId,
        vendor_id: VendorId,
        slug: Slug,
        description: Description,
    },
    Described {
        description: Description,
    },
    VariantAdded {
        variant: Variant,
    },
    VariantChanged {
        variant: Variant,
    },
    PriceChanged {
        variant_id: VariantId,
        price: Money,
    },
    Published {},
    Unpublished {},
    Archived {},
}

event_names!(ProductEvent, "product", {
    Created => "created" v 1,
    Described => "described" v 1,
    VariantAdded => "variant_added" v 1,
    VariantChanged => "variant_changed" v 1,
    PriceChanged => "price_changed" v 1,
    Published => "published" v 1,
    Unpublished => "unpublished" v 1,
    Archived => "archived" v 1,
});
