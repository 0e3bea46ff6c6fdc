//! Who may see an order.

use super::Order;
use crate::query::{Owner, Within};
use soko_domain::VendorId;
use soko_event_log::Scope;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// Whoever asks for an order, and for what belongs to it: its tracking, its payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Somebody of the business; a vendor sees its own part only.
    Within(Within),
    /// Who ordered it.
    Customer(Owner),
}

impl Audience {
    /// What the database lets a query on orders see.
    pub(super) fn scope(&self) -> Scope {
        match self {
            Self::Within(within) => within.scope(),
            Self::Customer(owner) => owner.scope(),
        }
    }

    /// The same for a query on what hangs on an order or a payment.
    pub(in crate::read_models) fn scope_with(&self, thing: Uuid) -> Scope {
        match self {
            Self::Within(within) => within.scope(),
            Self::Customer(owner) => owner.scope_with(thing),
        }
    }

    pub(super) fn may_see(&self, order: &Order) -> bool {
        match self {
            Self::Within(Within::Platform) => true,
            Self::Within(Within::Tenant(tenant_id)) => order.tenant_id == *tenant_id,
            Self::Within(Within::Store(tenant_id, store_id)) => {
                order.tenant_id == *tenant_id && order.store_id == *store_id
            }
            Self::Within(Within::Vendor(tenant_id, vendor_id)) => {
                order.tenant_id == *tenant_id && order.vendor_ids.contains(vendor_id)
            }
            Self::Customer(Owner::Account(account_id)) => order.account_id == Some(*account_id),
            Self::Customer(Owner::TokenHash(hash)) => order.token_hash.as_ref() == Some(hash),
        }
    }

    /// Whose part alone is seen, if it is not the whole order.
    pub(in crate::read_models) fn vendor(&self) -> Option<VendorId> {
        match self {
            Self::Within(Within::Vendor(_, vendor_id)) => Some(*vendor_id),
            Self::Within(Within::Platform | Within::Tenant(_) | Within::Store(..))
            | Self::Customer(_) => None,
        }
    }

    /// Adds ` AND …`, for rows whose `order_id` names an order that the audience may see.
    pub(in crate::read_models) fn and_its_order(
        &self,
        order_id: &str,
        query: &mut QueryBuilder<'_, Postgres>,
    ) {
        query.push(" AND EXISTS (SELECT FROM read_models.orders AS o WHERE o.order_id = ");
        query.push(order_id);
        self.and_of("o.", query);
        query.push(")");
    }

    /// Adds ` AND …`, for the table of orders with this prefix.
    pub(super) fn and_of(&self, table: &str, query: &mut QueryBuilder<'_, Postgres>) {
        match self {
            Self::Within(Within::Vendor(tenant_id, vendor_id)) => {
                Within::Tenant(*tenant_id).and_of(table, query);
                query.push(" AND ").push_bind(vendor_id.as_uuid());
                query.push(" = ANY (").push(table).push("vendor_ids)");
            }
            Self::Within(within @ (Within::Platform | Within::Tenant(_) | Within::Store(..))) => {
                within.and_of(table, query);
            }
            Self::Customer(Owner::Account(account_id)) => {
                query.push(" AND ").push(table).push("account_id = ");
                query.push_bind(account_id.as_uuid());
            }
            Self::Customer(Owner::TokenHash(hash)) => {
                query.push(" AND ").push(table).push("token_hash = ");
                query.push_bind(hash.clone());
            }
        }
    }
}
