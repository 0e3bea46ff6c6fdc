//! Our side.

use super::Question;
use crate::query::{Within, rows};
use chrono::{DateTime, Utc};
use soko_domain::payment::PaymentProvider;
use soko_domain::statement::LineKind;
use soko_domain::{Currency, Money, OrderId, PaymentId};
use soko_event_log::ScopedReader;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder};

/// A movement of a payment's money, as our books have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    pub payment_id: PaymentId,
    /// Of the event in the log.
    pub position: i64,
    pub order_id: OrderId,
    pub provider: PaymentProvider,
    pub kind: LineKind,
    /// What came is above zero.
    pub amount: Money,
    pub reference: String,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Put on record by somebody of the store, by whichever way it went.
    pub is_by_hand: bool,
}

impl Booked {
    /// In a list.
    pub fn place(&self) -> (DateTime<Utc>, i64) {
        (self.at, self.position)
    }
}

/// What a provider is to have moved in the period, and whatever goes by one of the names, whenever
/// it was recorded and whoever is said to have carried it: what is missing here is put on record
/// days later, and by hand.
pub(super) async fn of(
    reader: &ScopedReader,
    within: Within,
    question: &Question,
    names: Vec<String>,
) -> Result<Vec<Booked>, sqlx::Error> {
    let mut query = QueryBuilder::new("");
    moves(within, question, &mut query)?;
    query.push(" AND p.provider = ANY (");
    query.push_bind(carried(question)?);
    query.push(") AND p.initiated_at <= ");
    query.push_bind(question.period.to);
    query.push(" AND p.changed_at >= ");
    query.push_bind(question.period.from);
    query.push(" AND m.at BETWEEN ");
    query.push_bind(question.period.from).push(" AND ");
    query.push_bind(question.period.to);
    query.push(" UNION ");
    moves(within, question, &mut query)?;
    query
        .push(" AND m.reference = ANY (")
        .push_bind(names.clone());
    query.push(") UNION ");
    moves(within, question, &mut query)?;
    query.push(" AND r.reference = ANY (").push_bind(names);
    query.push(")");
    let found = reader.all(&within.scope(), query).await?;
    found.iter().map(decode).collect()
}

/// Money whose own reference was told after it came goes by that one: it is the first of its payment.
///
/// A refund that no provider was asked for was given by somebody's hand, and its method, which
/// stands in its event alone, says so.
fn moves(
    within: Within,
    question: &Question,
    query: &mut QueryBuilder<'_, Postgres>,
) -> Result<(), sqlx::Error> {
    query.push(
        "SELECT m.payment_id, m.position, p.order_id, p.provider, m.kind, m.delta, m.currency, \
                coalesce(r.reference, m.reference), m.at, \
                p.provider <> ALL (",
    );
    query.push_bind(carried(question)?);
    query.push(
        ") OR (m.kind = 'refund' \
               AND e.payload #>> '{refunded,method}' IS DISTINCT FROM 'provider') AS is_by_hand \
         FROM read_models.payment_moves AS m \
         JOIN read_models.payments AS p ON p.payment_id = m.payment_id \
         LEFT JOIN public.events AS e ON e.position = m.position AND m.kind = 'refund' \
         LEFT JOIN LATERAL (SELECT reference FROM read_models.payment_moves AS r \
                            WHERE r.payment_id = m.payment_id AND r.kind = 'reference' \
                            ORDER BY position DESC LIMIT 1) AS r \
             ON m.kind = 'capture' \
            AND m.position = (SELECT min(position) FROM read_models.payment_moves AS f \
                              WHERE f.payment_id = m.payment_id) \
         WHERE m.kind <> 'reference' AND p.store_id = ",
    );
    query.push_bind(question.store_id.as_uuid());
    within.and_of("p.", query);
    Ok(())
}

/// The payments whose money is on this provider's statements, as their column has them.
fn carried(question: &Question) -> Result<Vec<String>, sqlx::Error> {
    let carried = question.provider.carries().iter();
    carried.map(rows::text_of).collect()
}

fn decode(row: &PgRow) -> Result<Booked, sqlx::Error> {
    let kind: String = rows::column(row, 4)?;
    let currency: Currency = rows::column(row, 6)?;
    Ok(Booked {
        payment_id: rows::column(row, 0)?,
        position: rows::column(row, 1)?,
        order_id: rows::column(row, 2)?,
        provider: rows::column(row, 3)?,
        kind: kind_of(&kind)?,
        amount: Money::new(rows::column(row, 5)?, currency),
        reference: rows::column(row, 7)?,
        at: rows::column(row, 8)?,
        is_by_hand: rows::column(row, 9)?,
    })
}

/// What is compared, money that comes back after it went too: it is a movement of the same kind, the
/// other way. A kind that is not known here is no reason to leave a movement out.
fn kind_of(word: &str) -> Result<LineKind, sqlx::Error> {
    match word {
        "capture" => Ok(LineKind::Capture),
        "refund" | "refund_returned" => Ok(LineKind::Refund),
        "chargeback" | "chargeback_returned" | "chargeback_reversed" => Ok(LineKind::Chargeback),
        other => Err(sqlx::Error::Decode(
            format!("a movement of the kind {other} cannot be compared").into(),
        )),
    }
}
