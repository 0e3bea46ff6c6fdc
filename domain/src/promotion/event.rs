//! What has happened to a promotion.

use super::{Funder, Terms};
use crate::event_names::event_names;
use crate::{AccountId, CouponCode, Currency, OrderId, StoreId, VendorId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromotionEvent {
    Created {
        store_id: StoreId,
        code: CouponCode,
        /// Whose goods it is for; without, for all that the store sells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vendor_id: Option<VendorId>,
        funder: Funder,
        currency: Currency,
        terms: Terms,
    },
    /// For orders from now on.
    TermsChanged { terms: Terms },
    /// As if its terms had said so; other terms may say otherwise again.
    Ended { ended_at: DateTime<Utc> },
    /// An order was given it. Amounts are minor units of the store's currency.
    Redeemed {
        order_id: OrderId,
        /// None for a guest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account_id: Option<AccountId>,
        discount: i64,
    },
    /// The order died: somebody else may be given it. The amount is minor units of the store's
    /// currency.
    Released { order_id: OrderId, discount: i64 },
}

event_names!(PromotionEvent, "promotion", {
    Created => "created" v 1,
    TermsChanged => "terms_changed" v 1,
    Ended => "ended" v 1,
    Redeemed => "redeemed" v 1,
    Released => "released" v 1,
});
