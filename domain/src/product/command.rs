//! What may be asked of a product.

use super::{Description, Variant};
use crate::{Money, Slug, StoreId, VariantId, VendorId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductCommand {
    /// A draft without variants.
    Create {
        store_id: StoreId,
        vendor_id: VendorId,
        slug: Slug,
        description: Description,
    },
    Describe {
        description: Description,
    },
    AddVariant {
        variant: Variant,
    },
    /// Everything about a variant but its SKU, by which stock and orders know it.
    ChangeVariant {
        variant: Variant,
    },
    ChangePrice {
        variant_id: VariantId,
        price: Money,
    },
    Publish {},
    Unpublish {},
    Archive {},
}
