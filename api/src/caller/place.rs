//! Where something lies: with which vendor, in which store, of which tenant.

use soko_domain::{StoreId, TenantId, VendorId};

/// Where a thing lies that a caller wants to see or change. What lies around it is found from it:
/// a vendor's store, a store's tenant, and the platform around all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Place {
    pub(super) is_own: bool,
    pub(super) vendors: Vec<VendorId>,
    pub(super) store: Option<StoreId>,
    pub(super) tenant: Option<TenantId>,
}

impl Place {
    /// What belongs to no tenant.
    pub fn platform() -> Self {
        Self::default()
    }

    /// What belongs to the caller, and to no tenant.
    pub fn own() -> Self {
        Self {
            is_own: true,
            ..Self::default()
        }
    }

    pub fn tenant(tenant_id: TenantId) -> Self {
        Self {
            tenant: Some(tenant_id),
            ..Self::default()
        }
    }

    pub fn store(store_id: StoreId) -> Self {
        Self {
            store: Some(store_id),
            ..Self::default()
        }
    }

    pub fn vendor(vendor_id: VendorId) -> Self {
        Self {
            vendors: vec![vendor_id],
            ..Self::default()
        }
    }

    /// Also of these vendors: an order's lines are theirs.
    #[must_use]
    pub fn shared_by(mut self, vendors: impl IntoIterator<Item = VendorId>) -> Self {
        self.vendors.extend(vendors);
        self
    }

    /// Also the caller's own, if that is so: the order of a customer lies in a store.
    #[must_use]
    pub fn owned(mut self, is_own: bool) -> Self {
        self.is_own = is_own;
        self
    }
}
