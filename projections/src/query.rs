//! What all queries share: whose rows they may see, and where a page begins and ends.

pub(crate) mod rows;
pub(crate) mod time_zone;

use soko_domain::{AccountId, StoreId, TenantId, VendorId};
use soko_event_log::Scope;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// Whose rows a query may see. Every query on what is not public takes one; what lies outside is,
/// for the answer, not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// Everything there is: for the platform's own people.
    Platform,
    Tenant(TenantId),
    Store(TenantId, StoreId),
    Vendor(TenantId, VendorId),
}

impl Within {
    /// What the database lets the query see: a business has no wall inside, its stores and vendors
    /// are told apart by the query alone.
    pub fn scope(self) -> Scope {
        match self {
            Self::Platform => Scope::Platform,
            Self::Tenant(tenant_id) | Self::Store(tenant_id, _) | Self::Vendor(tenant_id, _) => {
                Scope::Tenant(tenant_id)
            }
        }
    }

    /// Adds ` AND …`, for a table that carries tenant, store and vendor.
    pub(crate) fn and(self, query: &mut QueryBuilder<'_, Postgres>) {
        self.and_of("", query);
    }

    /// As [`Self::and`], for the table with this prefix.
    pub(crate) fn and_of(self, table: &str, query: &mut QueryBuilder<'_, Postgres>) {
        let equals = |query: &mut QueryBuilder<'_, Postgres>, column: &str, id: Uuid| {
            query.push(" AND ").push(table).push(column);
            query.push(" = ").push_bind(id);
        };
        match self {
            Self::Platform => (),
            Self::Tenant(tenant_id) => equals(query, "tenant_id", tenant_id.as_uuid()),
            Self::Store(tenant_id, store_id) => {
                equals(query, "store_id", store_id.as_uuid());
                equals(query, "tenant_id", tenant_id.as_uuid());
            }
            Self::Vendor(tenant_id, vendor_id) => {
                equals(query, "vendor_id", vendor_id.as_uuid());
                equals(query, "tenant_id", tenant_id.as_uuid());
            }
        }
    }
}

/// Who a thing belongs to, where it belongs to a person and not to a business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    Account(AccountId),
    /// Whoever holds the token; known by its SHA-256 (hex).
    TokenHash(String),
}

impl Owner {
    /// What is theirs.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Account(account_id) => Scope::Account(*account_id),
            Self::TokenHash(hash) => Scope::Token(hash.clone()),
        }
    }

    /// What is theirs, and what hangs on one order or payment.
    pub fn scope_with(&self, thing: Uuid) -> Scope {
        match self {
            Self::Account(account_id) => Scope::PartOfAccount(*account_id, thing),
            Self::TokenHash(hash) => Scope::PartOfToken(hash.clone(), thing),
        }
    }
}

/// A part of a list: so many after a place in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyset<K> {
    /// `None` for the first part.
    pub after: Option<K>,
    pub limit: i64,
}

impl<K> Keyset<K> {
    pub const fn first(limit: i64) -> Self {
        Self { after: None, limit }
    }

    /// Cuts what was read one too far, and tells where the next part begins.
    pub(crate) fn cut<T>(limit: i64, items: &mut Vec<T>, place: impl Fn(&T) -> K) -> Option<K> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if items.len() <= limit {
            return None;
        }
        items.truncate(limit);
        items.last().map(place)
    }
}
