//! What may be asked of a promotion.

use super::{Funder, Terms};
use crate::{AccountId, CouponCode, Currency, OrderId, StoreId, VendorId};
use chrono::{DateTime, Utc};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromotionCommand {
    Create {
        store_id: StoreId,
        code: CouponCode,
        /// Whose goods it is for; without, for all that the store sells.
        vendor_id: Option<VendorId>,
        funder: Funder,
        /// The store's.
        currency: Currency,
        terms: Terms,
    },
    ChangeTerms {
        terms: Terms,
    },
    End {
        now: DateTime<Utc>,
    },
    /// For a new order, with the order, in one unit of work.
    Redeem {
        order_id: OrderId,
        /// None for a guest.
        account_id: Option<AccountId>,
        /// Minor units of the store's currency: what [`discounts`](super::Campaign::discounts) comes
        /// to.
        discount: i64,
        now: DateTime<Utc>,
    },
    /// With the end of an order that was given it, in one unit of work: an order ends once, so this
    /// is said once.
    Release {
        order_id: OrderId,
        discount: i64,
    },
}
