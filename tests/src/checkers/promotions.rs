//! Coupons: used as often as they may be, by the orders that say so, and spread over their lines to
//! the last minor unit.

use super::expect_none;
use sqlx::PgConnection;

/// What orders were given and have not given back.
const GIVEN: &str = "given AS (
    SELECT stream_id AS promotion, payload->'redeemed'->>'order_id' AS order_id,
           payload->'redeemed'->>'account_id' AS account_id,
           (payload->'redeemed'->>'discount')::bigint AS discount
    FROM audit.events AS e WHERE event_type = 'promotion.redeemed' AND NOT EXISTS (
        SELECT FROM audit.events AS r WHERE r.event_type = 'promotion.released'
           AND r.stream_id = e.stream_id
           AND r.payload->'released'->>'order_id' = e.payload->'redeemed'->>'order_id'))";

pub(super) async fn are_within_limits(auditor: &mut PgConnection) {
    // The most that any of its terms allowed; none if any allowed all.
    let terms = "terms AS (
        SELECT stream_id AS promotion, jsonb_path_query_first(payload::jsonb, '$.*.terms') AS terms
        FROM audit.events WHERE event_type IN ('promotion.created', 'promotion.terms_changed'))";
    let too_often = format!(
        "WITH {GIVEN}, {terms} SELECT promotion, uses, most FROM
            (SELECT promotion, count(*) AS uses FROM given GROUP BY promotion) AS used
            JOIN (SELECT promotion, max((terms->>'uses_max')::bigint) AS most,
                         bool_or(terms->>'uses_max' IS NULL) AS unlimited
                  FROM terms GROUP BY promotion) AS allowed USING (promotion)
         WHERE NOT unlimited AND uses > most"
    );
    expect_none(auditor, "a coupon is used too often", &too_often).await;
    let by_one = format!(
        "WITH {GIVEN}, {terms} SELECT promotion, account_id, uses, most FROM
            (SELECT promotion, account_id, count(*) AS uses FROM given GROUP BY 1, 2) AS used
            JOIN (SELECT promotion, max((terms->>'uses_per_customer')::bigint) AS most,
                         bool_or(terms->>'uses_per_customer' IS NULL) AS unlimited
                  FROM terms GROUP BY promotion) AS allowed USING (promotion)
         WHERE NOT unlimited AND (account_id IS NULL OR uses > most)"
    );
    expect_none(auditor, "a customer uses a coupon too often", &by_one).await;
    let said = format!(
        "WITH {GIVEN}, said AS (
            SELECT stream_id::text AS order_id,
                   payload->'placed'->'coupon'->>'promotion_id' AS promotion,
                   (payload->'placed'->'totals'->>'discount')::bigint AS discount
            FROM audit.events AS p WHERE event_type = 'order.placed'
              AND payload->'placed'->'coupon' IS NOT NULL AND NOT EXISTS (
                SELECT FROM audit.events AS d WHERE d.stream_type = 'order'
                   AND d.stream_id = p.stream_id
                   AND d.event_type IN ('order.cancelled', 'order.expired')))
         SELECT * FROM said FULL JOIN (SELECT order_id, promotion::text, discount FROM given) AS given
            USING (order_id)
         WHERE (said.promotion, said.discount) IS DISTINCT FROM (given.promotion, given.discount)"
    );
    expect_none(auditor, "an order and its coupon differ", &said).await;
    let sums = "SELECT stream_id FROM audit.events AS e,
            LATERAL (SELECT payload->'placed' AS placed) AS p,
            LATERAL (SELECT sum((line->>'discount')::bigint) AS discount,
                            bool_or((line->>'discount')::bigint NOT BETWEEN 0 AND
                                (line->>'unit_price')::bigint * (line->>'quantity')::bigint) AS odd
                     FROM jsonb_array_elements((placed->'lines')::jsonb) AS line) AS lines
        WHERE event_type = 'order.placed'
          AND (odd OR discount <> (placed->'totals'->>'discount')::bigint)";
    expect_none(auditor, "discounts of lines are not the order's", sums).await;
}
