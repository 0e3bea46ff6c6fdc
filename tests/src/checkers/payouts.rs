//! Invariant M11: a payout is made once, and only from what is cleared.

use super::expect_none;
use crate::Soko;
use sqlx::PgConnection;
use std::time::{Duration, Instant};

const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// What orders have told of whose their money is, and no account has heard yet.
const UNSETTLED: &str = "
    SELECT told.event_type, share ->> 'vendor_id', told.about
    FROM (SELECT event_type, payload::jsonb -> 'paid' -> 'shares' AS shares,
                 stream_id::text AS about
          FROM audit.events WHERE event_type = 'order.paid'
          UNION ALL
          SELECT event_type, payload::jsonb -> 'refunded' -> 'shares',
                 payload::jsonb -> 'refunded' ->> 'refund_id'
          FROM audit.events WHERE event_type = 'order.refunded') AS told,
         jsonb_array_elements(told.shares -> 'vendors') AS share
    EXCEPT
    SELECT 'order.paid', stream_id::text, payload::jsonb -> 'credited' ->> 'order_id'
    FROM audit.events WHERE event_type = 'vendor_account.credited'
    EXCEPT
    SELECT 'order.refunded', stream_id::text, payload::jsonb -> 'debited' ->> 'refund_id'
    FROM audit.events WHERE event_type = 'vendor_account.debited'";

/// Every movement of every account: what is owed more or less by it, from when on, and what is paid
/// out or kept aside for it.
const MOVES: &str = "
    SELECT stream_id AS vendor_id, position, event_type,
           coalesce((payload::jsonb -> 'credited' ->> 'amount')::bigint, 0) AS credit,
           (payload::jsonb -> 'credited' ->> 'available_at')::timestamptz AS available_at,
           coalesce((payload::jsonb -> 'debited' ->> 'amount')::bigint, 0) AS debit,
           CASE event_type
                WHEN 'vendor_account.payout_requested'
                THEN (payload::jsonb -> 'payout_requested' ->> 'amount')::bigint
                WHEN 'vendor_account.payout_rejected'
                THEN -(payload::jsonb -> 'payout_rejected' ->> 'amount')::bigint
                WHEN 'vendor_account.payout_failed'
                THEN -(payload::jsonb -> 'payout_failed' ->> 'amount')::bigint
                WHEN 'vendor_account.payout_returned'
                THEN -(payload::jsonb -> 'payout_returned' ->> 'amount')::bigint
                ELSE 0 END AS taken,
           coalesce((payload::jsonb -> 'payout_requested' ->> 'requested_at')::timestamptz,
                    recorded_at) AS at
    FROM audit.events WHERE stream_type = 'vendor_account'";

/// Waits until the accounts of vendors have heard of every sale and every refund: then nothing moves
/// by itself any more.
pub(super) async fn are_settled(soko: &Soko, auditor: &mut PgConnection) {
    let since = Instant::now();
    loop {
        let unsettled: Vec<(String, String, String)> = sqlx::query_as(UNSETTLED)
            .fetch_all(&mut *auditor)
            .await
            .unwrap();
        if unsettled.is_empty() {
            return;
        }
        assert!(
            since.elapsed() < SETTLED_WITHIN,
            "not settled: {unsettled:?}\n{}",
            soko.log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(super) async fn are_made_once_and_from_what_is_cleared(auditor: &mut PgConnection) {
    let twice = "SELECT payload, count(*) FROM (
            SELECT payload::jsonb -> split_part(event_type, '.', 2) ->> 'payout_id' AS payload,
                   event_type
            FROM audit.events
            WHERE event_type IN ('vendor_account.payout_requested', 'vendor_account.payout_paid')
        ) AS made GROUP BY payload, event_type HAVING count(*) > 1";
    expect_none(auditor, "a payout was made twice", twice).await;
    let settled_twice = "SELECT key, count(*) FROM (
            SELECT stream_id, coalesce(payload::jsonb -> 'credited' ->> 'order_id',
                                       payload::jsonb -> 'debited' ->> 'refund_id') AS key
            FROM audit.events
            WHERE event_type IN ('vendor_account.credited', 'vendor_account.debited')
        ) AS settled GROUP BY stream_id, key HAVING count(*) > 1";
    expect_none(
        auditor,
        "a vendor was credited or debited twice",
        settled_twice,
    )
    .await;
    // At the position of each request, and not only at the end: what is taken, it among it, is no
    // more than what was cleared by then and did not go back.
    let uncovered = format!(
        "WITH moves AS MATERIALIZED ({MOVES})
         SELECT r.vendor_id, r.position FROM moves AS r
         WHERE r.event_type = 'vendor_account.payout_requested'
           AND (SELECT sum(m.taken) + sum(m.debit)
                       - coalesce(sum(m.credit) FILTER (WHERE m.available_at <= r.at), 0)
                FROM moves AS m
                WHERE m.vendor_id = r.vendor_id AND m.position <= r.position) > 0"
    );
    expect_none(auditor, "more is paid out than was cleared", &uncovered).await;
    // Whatever went back since: never more than was ever sold.
    let unsold = format!(
        "SELECT * FROM (SELECT vendor_id, position,
                               sum(taken) OVER along AS taken, sum(credit) OVER along AS credit
                        FROM ({MOVES}) AS moves
                        WINDOW along AS (PARTITION BY vendor_id ORDER BY position)) AS running
         WHERE taken > credit OR taken < 0"
    );
    expect_none(auditor, "more is paid out than was sold", &unsold).await;
    // What the books say is owed is what the account says, to the last unit.
    let owed = "SELECT vendor_id, owed, booked FROM (
            SELECT stream_id::text AS vendor_id,
                   sum(coalesce((payload::jsonb -> 'credited' ->> 'amount')::bigint, 0)
                       - coalesce((payload::jsonb -> 'debited' ->> 'amount')::bigint, 0)
                       - coalesce((payload::jsonb -> 'payout_paid' ->> 'amount')::bigint, 0)
                       + coalesce((payload::jsonb -> 'payout_returned' ->> 'amount')::bigint, 0))
                       AS owed
            FROM audit.events WHERE stream_type = 'vendor_account' GROUP BY stream_id) AS accounts
        FULL JOIN (
            SELECT split_part(account, ':', 2) AS vendor_id, -sum(amount) AS booked
            FROM audit.ledger WHERE account LIKE 'vendor_payable:%' GROUP BY account) AS ledger
        USING (vendor_id)
        WHERE coalesce(owed, 0) <> coalesce(booked, 0)";
    expect_none(
        auditor,
        "the ledger says otherwise of what a vendor is owed",
        owed,
    )
    .await;
}
