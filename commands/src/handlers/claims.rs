//! What the handlers claim. A claim is unique in the whole system, so what only a store has to
//! keep apart names its store.

use sha2::{Digest, Sha256};
use soko_domain::payment::PaymentProvider;
use soko_domain::{
    AccountId, AggregateId, EmailAddress, OrderId, PayoutId, PromotionId, RefundId, Sku, Slug,
    StoreId, Text,
};
use soko_event_log::{Claim, ClaimKind, Release};
use std::fmt::Display;

/// A name that is not to be had twice.
pub(crate) struct Name {
    pub(crate) kind: ClaimKind,
    pub(crate) value: String,
}

impl Name {
    pub(super) fn email(email: &EmailAddress) -> Self {
        Self {
            kind: ClaimKind::Email,
            value: email_claim(email),
        }
    }

    pub(super) fn category_slug(store_id: StoreId, slug: &Slug) -> Self {
        Self::within(store_id, ClaimKind::CategorySlug, slug)
    }

    pub(super) fn store_slug(slug: &Slug) -> Self {
        Self {
            kind: ClaimKind::StoreSlug,
            value: slug.to_string(),
        }
    }

    pub(super) fn product_slug(store_id: StoreId, slug: &Slug) -> Self {
        Self::within(store_id, ClaimKind::ProductSlug, slug)
    }

    pub(super) fn sku(store_id: StoreId, sku: &Sku) -> Self {
        Self::within(store_id, ClaimKind::Sku, sku)
    }

    pub(crate) fn order_number(store_id: StoreId, number: &str) -> Self {
        Self::within(store_id, ClaimKind::OrderNumber, number)
    }

    /// One of the uses that a customer may have of a coupon, from 0.
    pub(super) fn coupon_use(
        promotion_id: PromotionId,
        account_id: AccountId,
        customer_use: u8,
    ) -> Self {
        Self {
            kind: ClaimKind::CouponUse,
            value: format!("{promotion_id}/{account_id}/{customer_use}"),
        }
    }

    /// Receipts for cash are numbered by each store for itself.
    pub(super) fn cash_receipt(store_id: StoreId, reference: &Text<200>) -> Self {
        Self {
            kind: ClaimKind::PaymentReference,
            value: format!("cash_on_delivery/{store_id}/{reference}"),
        }
    }

    /// Whoever's account it came to: a provider calls no two movements the same.
    pub(crate) fn captured(provider: PaymentProvider, reference: &Text<200>) -> Self {
        Self {
            kind: ClaimKind::PaymentReference,
            value: format!("{}/{reference}", provider.account().as_str()),
        }
    }

    /// What a provider gave back.
    pub(super) fn returned(provider: PaymentProvider, reference: &Text<200>) -> Self {
        Self {
            kind: ClaimKind::PaymentReference,
            value: format!("refund/{}/{reference}", provider.account().as_str()),
        }
    }

    /// Which payment our own id of something asked of a provider belongs to: callbacks name no more.
    pub(crate) fn operation(id: impl AggregateId) -> Self {
        Self {
            kind: ClaimKind::ProviderOperation,
            value: id.to_string(),
        }
    }

    /// And so are what they give back, whichever way it goes.
    pub(super) fn refund(store_id: StoreId, reference: &Text<200>) -> Self {
        Self {
            kind: ClaimKind::PaymentReference,
            value: format!("refund/{store_id}/{reference}"),
        }
    }

    /// That an order was paid, in the accounts of its vendors.
    pub(super) fn credited(order_id: OrderId) -> Self {
        Self {
            kind: ClaimKind::Settlement,
            value: format!("paid/{order_id}"),
        }
    }

    /// That some of it went back.
    pub(super) fn debited(refund_id: RefundId) -> Self {
        Self {
            kind: ClaimKind::Settlement,
            value: format!("refunded/{refund_id}"),
        }
    }

    /// By which the vendor of a payout is found.
    pub(crate) fn payout(payout_id: PayoutId) -> Self {
        Self {
            kind: ClaimKind::Payout,
            value: payout_id.to_string(),
        }
    }

    /// What was paid by hand is numbered by each store for itself.
    pub(super) fn paid_out(store_id: StoreId, reference: &Text<200>) -> Self {
        Self {
            kind: ClaimKind::PaymentReference,
            value: format!("payout/{store_id}/{reference}"),
        }
    }

    /// What a provider paid out: it calls no two movements the same.
    pub(super) fn sent(provider: PaymentProvider, reference: &Text<200>) -> Self {
        Self {
            kind: ClaimKind::PaymentReference,
            value: format!("payout/{}/{reference}", provider.account().as_str()),
        }
    }

    fn within(store_id: StoreId, kind: ClaimKind, name: impl Display) -> Self {
        Self {
            kind,
            value: format!("{store_id}/{name}"),
        }
    }

    /// `owner` is the id of the aggregate whose name it is.
    pub(super) fn claimed_by(self, owner: impl AggregateId) -> Claim {
        Claim {
            kind: self.kind,
            value: self.value,
            owner: Some(owner.to_string()),
            digest: None,
            outcome: None,
        }
    }

    pub(super) fn given_back(self) -> Release {
        Release {
            kind: self.kind,
            value: self.value,
        }
    }
}

/// What an e-mail is claimed by, however it was typed: the SHA-256 (hex) of what all that are equal
/// have in common, for claims are kept in the clear.
pub fn email_claim(email: &EmailAddress) -> String {
    hex::encode(Sha256::digest(email.comparison_form()))
}
