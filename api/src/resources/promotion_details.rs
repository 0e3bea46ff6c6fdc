//! A promotion as clients see it, in lists and alone.

use chrono::{DateTime, Utc};
use soko_domain::promotion::{Campaign, Discount, Funder, PromotionStatus, Terms};
use soko_domain::{Currency, Money, PromotionId, StoreId, TaxRate, VendorId};
use soko_projections::read_models::promotions as found;

use crate::schema::{answer, words};

/// How much is taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DiscountType {
    Percentage,
    Fixed,
}

words! {
    DiscountType = "DiscountType" ["percentage", "fixed"],
    PromotionStatus = "PromotionStatus" ["scheduled", "active", "exhausted", "ended"],
    Funder = "Funder" ["store", "vendor"],
}

answer! {
    pub(crate) struct PromotionDetails {
        pub promotion_id: PromotionId,
        pub store_id: StoreId,
        /// For the goods of this vendor only.
        pub vendor_id: Option<VendorId>,
        /// Who bears what is taken off.
        pub funder: Funder,
        pub code: String,
        pub name: String,
        pub status: PromotionStatus,
        pub discount: DiscountDetails,
        pub minimum: Option<Money>,
        pub starts_at: Option<DateTime<Utc>>,
        pub ends_at: Option<DateTime<Utc>>,
        pub uses_max: Option<u32>,
        pub uses_per_customer: Option<u8>,
        /// By how many orders it is used that have not died.
        pub uses: u32,
        /// What was taken off for them.
        pub discounted: Money,
    }

    pub(crate) struct DiscountDetails {
        pub r#type: DiscountType,
        pub bps: Option<TaxRate>,
        pub at_most: Option<Money>,
        pub amount: Option<Money>,
    }
}

/// What is known of a promotion, wherever it was read.
pub(super) struct Facts<'a> {
    promotion_id: PromotionId,
    store_id: StoreId,
    vendor_id: Option<VendorId>,
    funder: Funder,
    code: String,
    currency: Currency,
    terms: &'a Terms,
    uses: u32,
    discounted: i64,
}

impl<'a> Facts<'a> {
    pub(super) fn of_campaign(promotion_id: PromotionId, campaign: &'a Campaign) -> Self {
        Self {
            promotion_id,
            store_id: campaign.store_id(),
            vendor_id: campaign.vendor_id(),
            funder: campaign.funder(),
            code: campaign.code().to_string(),
            currency: campaign.currency(),
            terms: campaign.terms(),
            uses: campaign.uses(),
            discounted: campaign.discounted(),
        }
    }

    pub(super) fn of_row(row: &'a found::Promotion) -> Self {
        Self {
            promotion_id: row.promotion_id,
            store_id: row.store_id,
            vendor_id: row.vendor_id,
            funder: row.funder,
            code: row.code.clone(),
            currency: row.currency,
            terms: &row.terms.0,
            uses: u32::try_from(row.uses).unwrap_or_default(),
            discounted: row.discounted,
        }
    }

    pub(super) fn told(self, now: DateTime<Utc>) -> PromotionDetails {
        let money = |amount| Money::new(amount, self.currency);
        let Terms {
            name,
            discount,
            minimum,
            starts_at,
            ends_at,
            uses_max,
            uses_per_customer,
        } = self.terms;
        PromotionDetails {
            promotion_id: self.promotion_id,
            store_id: self.store_id,
            vendor_id: self.vendor_id,
            funder: self.funder,
            code: self.code,
            name: name.to_string(),
            status: self.terms.status(self.uses, now),
            discount: match discount {
                Discount::Percentage { bps, at_most } => DiscountDetails {
                    r#type: DiscountType::Percentage,
                    bps: Some(*bps),
                    at_most: at_most.map(money),
                    amount: None,
                },
                Discount::Fixed { amount } => DiscountDetails {
                    r#type: DiscountType::Fixed,
                    bps: None,
                    at_most: None,
                    amount: Some(money(*amount)),
                },
            },
            minimum: Some(*minimum).filter(|minimum| *minimum != 0).map(money),
            starts_at: *starts_at,
            ends_at: *ends_at,
            uses_max: *uses_max,
            uses_per_customer: *uses_per_customer,
            uses: self.uses,
            discounted: money(self.discounted),
        }
    }
}
