//! Where stuck things are found. What else can be stuck is added here, and in [`Stuck`].

use super::Stuck;
use chrono::{DateTime, Utc};
use sqlx::{Postgres, QueryBuilder};

/// One kind of thing, found in a table. `{now}` in its texts is the moment that is asked about.
pub(super) struct Source {
    pub(super) what: Stuck,
    /// An expression of text.
    stage: &'static str,
    /// Named where the line names some.
    id: &'static str,
    /// Since when it is at its stage, and by when somebody is to have done something.
    since: &'static str,
    due: &'static str,
    /// The columns of its tenant and store.
    owner: &'static str,
    currency: &'static str,
    amount: &'static str,
    /// The rest of the query, from `FROM` on.
    from: &'static str,
}

impl Source {
    /// Pushes `SELECT …`, each column by its name; `number` tells the source.
    pub(super) fn push(
        &self,
        query: &mut QueryBuilder<'_, Postgres>,
        number: usize,
        now: DateTime<Utc>,
    ) {
        let Self {
            what: _,
            stage,
            id,
            since,
            due,
            owner,
            currency,
            amount,
            from,
        } = self;
        let text = format!(
            "SELECT {number} AS what, {stage} AS stage, {id} AS id, {since} AS since, {due} AS due, \
             {owner}, {currency} AS currency, {amount} AS amount FROM {from}"
        );
        for (part, piece) in text.split("{now}").enumerate() {
            if part > 0 {
                query.push_bind(now);
            }
            query.push(piece);
        }
    }
}

const NO_TIME: &str = "NULL::timestamptz";
const NO_CURRENCY: &str = "NULL::text";
const NO_AMOUNT: &str = "NULL::bigint";

/// What came and did not go back.
const KEPT: &str = "p.captured - p.refunded - p.charged_back";

pub(super) const SOURCES: &[Source] = &[
    Source {
        what: Stuck::Payment,
        stage: "CASE WHEN provider IN ('bank_transfer', 'cash_on_delivery') \
                THEN 'by_hand' ELSE status END",
        id: "payment_id",
        since: "changed_at",
        due: NO_TIME,
        owner: "tenant_id, store_id",
        currency: "currency",
        amount: "amount",
        from: "read_models.payments \
               WHERE status IN ('initiated', 'pending', 'authorised', 'unresolved')",
    },
    Source {
        what: Stuck::Refund,
        stage: "r.stage",
        id: "r.payment_id",
        since: "r.stage_at",
        due: NO_TIME,
        owner: "p.tenant_id, p.store_id",
        currency: "r.currency",
        amount: "r.amount",
        // What failed is made good by another refund after it, or when nothing is left to go back.
        from: "read_models.payment_refunds AS r JOIN read_models.payments AS p USING (payment_id) \
               WHERE r.stage IN ('requested', 'unresolved', 'failed') \
                 AND (r.stage <> 'failed' OR p.captured > p.refunded + p.charged_back \
                      AND NOT EXISTS ( \
                          SELECT FROM read_models.payment_refunds AS later \
                          WHERE later.payment_id = r.payment_id \
                            AND later.requested_at > r.stage_at \
                            AND later.stage IN ('requested', 'unresolved', 'done')))",
    },
    Source {
        what: Stuck::Credit,
        stage: "CASE WHEN credit_by <= {now} THEN 'overdue' ELSE 'held' END",
        id: "payment_id",
        since: "coalesce(credit_at, changed_at)",
        due: "credit_by",
        owner: "tenant_id, store_id",
        currency: "currency",
        amount: "credit",
        from: "read_models.payments WHERE credit > 0",
    },
    Source {
        what: Stuck::Reference,
        stage: "reference_doubt",
        id: "payment_id",
        since: "changed_at",
        due: NO_TIME,
        owner: "tenant_id, store_id",
        currency: "currency",
        amount: "captured",
        from: "read_models.payments WHERE reference_doubt IS NOT NULL",
    },
    Source {
        what: Stuck::Dispute,
        stage: "'open'",
        id: "payment_id",
        since: "changed_at",
        due: "answer_by",
        owner: "tenant_id, store_id",
        currency: "currency",
        amount: "captured - refunded",
        from: "read_models.payments WHERE status = 'disputed' AND is_disputed",
    },
    Source {
        what: Stuck::MoneyOfDeadOrder,
        stage: "o.status",
        id: "p.payment_id",
        since: "greatest(p.captured_at, o.changed_at)",
        due: "p.credit_by",
        owner: "p.tenant_id, p.store_id",
        currency: "p.currency",
        amount: KEPT,
        // Whatever comes for a dead order is asked back or kept for its payer in the same unit, so
        // that there is none beside these.
        from: "( \
                   SELECT payment_id FROM read_models.payment_refunds \
                   WHERE stage IN ('requested', 'unresolved', 'failed') \
                   UNION SELECT payment_id FROM read_models.payments WHERE credit > 0 \
               ) AS open JOIN read_models.payments AS p USING (payment_id) \
               JOIN read_models.orders AS o USING (order_id) \
               WHERE o.status IN ('cancelled', 'expired') \
                 AND p.captured > p.refunded + p.charged_back",
    },
    Source {
        what: Stuck::Callback,
        stage: "'waiting'",
        id: "callback_id",
        since: "received_at",
        due: NO_TIME,
        owner: "tenant_id, store_id",
        currency: NO_CURRENCY,
        amount: NO_AMOUNT,
        from: "provider_callbacks WHERE verdict IS NULL",
    },
    Source {
        what: Stuck::UnconfirmedCallback,
        stage: "'given_up'",
        id: "callback_id",
        since: "received_at",
        due: NO_TIME,
        owner: "tenant_id, store_id",
        currency: NO_CURRENCY,
        amount: NO_AMOUNT,
        from: "provider_callbacks \
               WHERE was_given_up AND received_at > {now} - interval '7 days'",
    },
    Source {
        what: Stuck::UnacceptedOrder,
        stage: "o.status",
        id: "o.order_id",
        since: "coalesce(p.captured_at, o.changed_at)",
        due: NO_TIME,
        owner: "o.tenant_id, o.store_id",
        currency: "o.currency",
        amount: "o.total",
        from: "read_models.orders AS o \
               LEFT JOIN read_models.payments AS p ON p.payment_id = o.payment_id \
               WHERE NOT o.is_final AND o.status IN ('paid', 'partly_shipped') \
                 AND o.payment_status IN ('captured', 'partly_refunded') \
                 AND EXISTS (SELECT FROM json_array_elements(o.fulfilments) AS part \
                             WHERE part ->> 'status' = 'pending')",
    },
    Source {
        what: Stuck::Payout,
        stage: "status",
        id: "payout_id",
        since: "changed_at",
        due: NO_TIME,
        owner: "tenant_id, store_id",
        currency: "currency",
        amount: "amount",
        from: "read_models.payouts \
               WHERE status IN ('requested', 'approved', 'sent', 'unresolved')",
    },
];
