//! Promotions as they stand: what they give, how often they were used, and what that came to.

#[cfg(test)]
mod tests;

use crate::ReadModel;
use crate::query::{Keyset, Within, rows};
use crate::row::Json;
use chrono::{DateTime, Utc};
use soko_domain::promotion::{Funder, PromotionEvent, Terms};
use soko_domain::{AnyEvent, Currency, PromotionId, StoreId, TenantId, VendorId};
use soko_event_log::{Position, RecordedEvent, ScopedReader};
use sqlx::QueryBuilder;
use uuid::Uuid;

crate::row! {
    /// A promotion; amounts are minor units of its currency.
    pub struct Promotion in "promotions" {
        key { promotion_id: PromotionId }
        /// Of its creation: the order of the lists.
        position: i64,
        tenant_id: TenantId,
        store_id: StoreId,
        /// Whose goods it is for; without, for all that the store sells.
        vendor_id: Option<VendorId>,
        code: String,
        funder: Funder,
        currency: Currency,
        terms: Json<Terms>,
        /// By how many orders it is used that have not died.
        uses: i64,
        /// What was taken off for them.
        discounted: i64,
        created_at: DateTime<Utc>,
        version: i64,
    }
}

/// The read model.
#[derive(Debug)]
pub struct Promotions;

impl ReadModel for Promotions {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["promotion"];

    type Key = PromotionId;
    type Row = Promotion;

    fn keys(recorded: &RecordedEvent) -> Vec<PromotionId> {
        match &recorded.event {
            AnyEvent::Promotion(promotion_id, _) => vec![*promotion_id],
            _ => vec![],
        }
    }

    fn fold(
        row: Option<Promotion>,
        promotion_id: &PromotionId,
        recorded: &RecordedEvent,
    ) -> Option<Promotion> {
        let AnyEvent::Promotion(_, event) = &recorded.event else {
            return row;
        };
        let mut promotion = match event {
            PromotionEvent::Created {
                store_id,
                code,
                vendor_id,
                funder,
                currency,
                terms,
            } => Promotion {
                promotion_id: *promotion_id,
                position: recorded.position.get(),
                tenant_id: recorded.tenant_id,
                store_id: *store_id,
                vendor_id: *vendor_id,
                code: code.to_string(),
                funder: *funder,
                currency: *currency,
                terms: Json(terms.clone()),
                uses: 0,
                discounted: 0,
                created_at: recorded.recorded_at,
                version: 0,
            },
            _ => row?,
        };
        promotion.apply(event);
        promotion.version = super::version(recorded);
        Some(promotion)
    }

    fn sources(promotion_id: &PromotionId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("promotion", promotion_id.as_uuid())])
    }
}

impl Promotion {
    fn apply(&mut self, event: &PromotionEvent) {
        match event {
            PromotionEvent::Created { .. } => (),
            PromotionEvent::TermsChanged { terms } => self.terms = Json(terms.clone()),
            PromotionEvent::Ended { ended_at } => self.terms.0.ends_at = Some(*ended_at),
            PromotionEvent::Redeemed { discount, .. } => {
                self.uses += 1;
                self.discounted += discount;
            }
            PromotionEvent::Released { discount, .. } => {
                self.uses -= 1;
                self.discounted -= discount;
            }
        }
    }
}

/// Promotions, latest first, created before a position.
///
/// # Errors
/// The database failed.
pub async fn promotions(
    reader: &ScopedReader,
    within: Within,
    page: Keyset<Position>,
) -> Result<(Vec<Promotion>, Option<Position>), sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Promotion>());
    query
        .push(" WHERE position < ")
        .push_bind(page.after.map_or(i64::MAX, Position::get));
    within.and(&mut query);
    query.push(" ORDER BY position DESC LIMIT ");
    query.push(page.limit + 1);
    let mut items: Vec<Promotion> = rows::all(query, reader, &within.scope()).await?;
    let next = Keyset::cut(page.limit, &mut items, |last| Position::new(last.position));
    Ok((items, next))
}
