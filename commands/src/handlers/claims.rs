//! What the handlers claim. A claim is unique in the whole system, so what only a store has to
//! keep apart names its store.

use sha2::{Digest, Sha256};
use soko_domain::{AggregateId, EmailAddress, Sku, Slug, StoreId, Text};
use soko_event_log::{Claim, ClaimKind, Release};
use std::fmt::Display;

/// A name that is not to be had twice.
pub(super) struct Name {
    kind: ClaimKind,
    value: String,
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

    pub(super) fn order_number(store_id: StoreId, number: &str) -> Self {
        Self::within(store_id, ClaimKind::OrderNumber, number)
    }

    /// Receipts for cash are numbered by each store for itself.
    pub(super) fn cash_receipt(store_id: StoreId, reference: &Text<200>) -> Self {
        Self {
            kind: ClaimKind::PaymentReference,
            value: format!("cash_on_delivery/{store_id}/{reference}"),
        }
    }

    /// And so are what they give back, whichever way it goes.
    pub(super) fn refund(store_id: StoreId, reference: &Text<200>) -> Self {
        Self {
            kind: ClaimKind::PaymentReference,
            value: format!("refund/{store_id}/{reference}"),
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
