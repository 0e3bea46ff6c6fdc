//! Which roles an account has at a place.
//!
//! They are read from the aggregates themselves, which know at once what was just changed. What was
//! found is kept for a second, for the sake of those who ask often: a role that was taken away
//! counts for that long at the most.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use soko_commands::{Engine, Lanes, UnitOfWork};
use soko_domain::account::Account;
use soko_domain::permission::{Permission, Role, allows};
use soko_domain::store::Store;
use soko_domain::tenant::Tenant;
use soko_domain::vendor::Vendor;
use soko_domain::{AccountId, StoreId, TenantId};
use soko_event_log::ShortMemory;

use super::Place;
use crate::problem::{Code, Problem, Result};

/// The stores whose tenants are known; they never move.
const STORES_MAX: NonZeroUsize = NonZeroUsize::new(8_192).unwrap();

/// The roles of all who ask.
pub struct Standings {
    engine: Engine,
    found: ShortMemory<(AccountId, Place), Standing>,
    tenants: Mutex<LruCache<StoreId, TenantId>>,
}

/// What somebody is at a place, and whose the place is.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub roles: Vec<Role>,
    pub tenant_id: TenantId,
}

impl Standings {
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            found: ShortMemory::default(),
            tenants: Mutex::new(LruCache::new(STORES_MAX)),
        }
    }

    /// # Errors
    /// `not-found` if there is no such place.
    pub(super) async fn of(
        &self,
        account_id: Option<AccountId>,
        place: &Place,
        permission: Permission,
    ) -> Result<Standing> {
        let own = if account_id.is_some() {
            Role::Customer
        } else {
            Role::Guest
        };
        if place.is_own && allows(own, permission) {
            // Enough; what else they are need not be looked up.
            let tenant_id = self.tenant_of(place).await?;
            return Ok(Standing {
                roles: vec![own],
                tenant_id,
            });
        }
        let Some(account_id) = account_id else {
            let roles = if place.is_own { vec![own] } else { vec![] };
            return Ok(Standing {
                roles,
                tenant_id: TenantId::PLATFORM,
            });
        };
        let key = (account_id, place.clone());
        if let Some(standing) = self.found.get(&key) {
            return Ok(standing);
        }
        let since = self.found.begin();
        let standing = self.look_up(account_id, place).await?;
        // Nobody should wait for a role that they were just given.
        if standing.roles.iter().any(|role| allows(*role, permission)) {
            self.found.keep(key, standing.clone(), since);
        }
        Ok(standing)
    }

    /// Roles have changed here.
    pub fn forget(&self) {
        self.found.forget_all();
    }

    /// Whose the store is.
    ///
    /// # Errors
    /// `not-found` if there is no such store.
    pub async fn tenant_of_store(&self, store_id: StoreId) -> Result<TenantId> {
        let known = self
            .tenants
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&store_id)
            .copied();
        if let Some(tenant_id) = known {
            return Ok(tenant_id);
        }
        let store = self.engine.read::<Store>(store_id).await?;
        let tenant_id = store.state.shop().map_err(|_| nothing())?.tenant_id();
        self.tenants
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .put(store_id, tenant_id);
        Ok(tenant_id)
    }

    async fn tenant_of(&self, place: &Place) -> Result<TenantId> {
        match (place.tenant, place.store, place.vendors.first()) {
            (Some(tenant_id), ..) => Ok(tenant_id),
            (None, Some(store_id), _) => self.tenant_of_store(store_id).await,
            (None, None, Some(vendor_id)) => {
                let vendor = self.engine.read::<Vendor>(*vendor_id).await?;
                let store_id = vendor.state.seller().map_err(|_| nothing())?.store_id();
                self.tenant_of_store(store_id).await
            }
            (None, None, None) => Ok(TenantId::PLATFORM),
        }
    }

    async fn look_up(&self, account_id: AccountId, place: &Place) -> Result<Standing> {
        let vendors = place.vendors.iter().copied();
        let lanes = Lanes::new()
            .with::<Account>(account_id)
            .with_all::<Vendor>(vendors)
            .with_all::<Store>(place.store)
            .with_all::<Tenant>(place.tenant);
        let look = |unit: &UnitOfWork<'_>| standing(unit, account_id, place);
        self.engine.view(lanes, look).await?
    }
}

/// From the innermost outwards.
fn standing(unit: &UnitOfWork<'_>, account_id: AccountId, place: &Place) -> Result<Standing> {
    let mut roles: Vec<Role> = place.is_own.then_some(Role::Customer).into_iter().collect();
    let mut store_id = place.store;
    for vendor_id in &place.vendors {
        let vendor = unit.state::<Vendor>(*vendor_id);
        let seller = vendor.seller().map_err(|_| nothing())?;
        roles.extend(vendor.role_of(account_id).map(Role::from));
        store_id = store_id.or(Some(seller.store_id()));
    }
    let mut tenant_id = place.tenant;
    if let Some(store_id) = store_id {
        let store = unit.state::<Store>(store_id);
        let shop = store.shop().map_err(|_| nothing())?;
        roles.extend(store.role_of(account_id).map(Role::from));
        tenant_id = Some(shop.tenant_id());
    }
    if let Some(tenant_id) = tenant_id {
        let tenant = unit.state::<Tenant>(tenant_id);
        tenant.business().map_err(|_| nothing())?;
        roles.extend(tenant.role_of(account_id).map(Role::from));
    }
    let account = unit.state::<Account>(account_id);
    if account.profile().is_err() {
        return Err(Problem::new(Code::Unauthenticated));
    }
    roles.extend(account.platform_roles().map(Role::from));
    Ok(Standing {
        roles,
        tenant_id: tenant_id.unwrap_or(TenantId::PLATFORM),
    })
}

fn nothing() -> Problem {
    Problem::new(Code::NotFound)
}
