//! What is on sale at the moment of a decision.

use crate::UnitOfWork;
use soko_domain::category::CategoryError;
use soko_domain::product::Variant;
use soko_domain::store::{Shop, StoreError};
use soko_domain::vendor::{VendorError, VendorStatus};
use soko_domain::{
    Category, CategoryId, Product, ProductId, Store, StoreId, TenantId, VariantId, Vendor, VendorId,
};

/// The store, if it is open. One of another tenant is as good as none.
pub(super) fn open_store<'u>(
    unit: &'u UnitOfWork<'_>,
    store_id: StoreId,
    tenant_id: TenantId,
) -> Result<&'u Shop, StoreError> {
    let shop = unit.state::<Store>(store_id).open()?;
    if shop.tenant_id() == tenant_id {
        Ok(shop)
    } else {
        Err(StoreError::NotOpened)
    }
}

/// Whether the store, open or closed, is the tenant's. What belongs to a store of another tenant is
/// to be as good as nothing.
pub(super) fn is_store_of(unit: &UnitOfWork<'_>, store_id: StoreId, tenant_id: TenantId) -> bool {
    let shop = unit.state::<Store>(store_id).shop();
    shop.is_ok_and(|shop| shop.tenant_id() == tenant_id)
}

/// Refuses a vendor of another store, and one that may not trade.
pub(super) fn trading_vendor(
    unit: &UnitOfWork<'_>,
    vendor_id: VendorId,
    store_id: StoreId,
) -> Result<(), VendorError> {
    let seller = unit.state::<Vendor>(vendor_id).seller()?;
    if seller.store_id() != store_id {
        return Err(VendorError::NotRegistered);
    }
    match seller.status() {
        VendorStatus::Approved => Ok(()),
        status @ (VendorStatus::Pending | VendorStatus::Rejected | VendorStatus::Suspended) => {
            Err(VendorError::WrongStatus { status })
        }
    }
}

/// The variant, if shoppers of the store can buy it: published, of a vendor that trades.
pub(super) fn on_sale<'u>(
    unit: &'u UnitOfWork<'_>,
    store_id: StoreId,
    product_id: ProductId,
    variant_id: VariantId,
) -> Option<(&'u Variant, VendorId)> {
    let listing = unit.state::<Product>(product_id).listing().ok()?;
    if listing.store_id() != store_id || !listing.is_published() {
        return None;
    }
    let variant = listing.variant(variant_id).ok()?;
    trading_vendor(unit, listing.vendor_id(), store_id).ok()?;
    Some((variant, listing.vendor_id()))
}

/// Refuses categories of other stores, and those that are gone.
pub(super) fn categories_exist<'a>(
    unit: &UnitOfWork<'_>,
    store_id: StoreId,
    category_ids: impl IntoIterator<Item = &'a CategoryId> + Clone,
) -> Result<(), CategoryError> {
    unit.require::<Category>(category_ids.clone().into_iter().copied());
    for category_id in category_ids {
        let section = unit.state::<Category>(*category_id).section()?;
        if section.store_id() != store_id {
            return Err(CategoryError::NotCreated);
        }
    }
    Ok(())
}
