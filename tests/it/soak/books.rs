//! Our book beside the providers'.

use soko_gateways::sandbox::{Kind, Movement, Provider};
use soko_tests::Soko;
use soko_tests::till::Till;
use std::collections::BTreeMap;

/// Of one movement that came: provider, reference, currency; and how much.
type Lines = BTreeMap<(String, String, String), Vec<i64>>;

/// Each movement that came is in both under the same reference and with the same amount, once; and of
/// each as much went back in both.
pub(super) async fn are_equal(soko: &Soko, till: &Till) {
    let book = till.sandbox.book();
    let mut theirs = Lines::new();
    let mut back: BTreeMap<String, i64> = BTreeMap::new();
    let mut payment_of = BTreeMap::new();
    for movement in &book {
        match movement.kind {
            Kind::Payment => {
                payment_of.insert(
                    (name(movement.provider), movement.payment.clone()),
                    movement.provider_reference.clone(),
                );
                let key = (
                    name(movement.provider),
                    movement.provider_reference.clone(),
                    movement.currency.clone(),
                );
                theirs.entry(key).or_default().push(movement.amount);
            }
            Kind::Refund | Kind::RefundReturned => {
                let of = (name(movement.provider), movement.payment.clone());
                let reference = payment_of[&of].clone();
                *back.entry(reference).or_default() -= movement.amount;
            }
            _ => (),
        }
    }
    back.retain(|_, amount| *amount != 0);

    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT CASE p.provider WHEN 'stripe_checkout' THEN 'stripe' ELSE p.provider END, \
                coalesce(r.reference, m.reference), m.currency, m.delta \
         FROM read_models.payment_moves AS m JOIN read_models.payments AS p USING (payment_id) \
         LEFT JOIN LATERAL (SELECT reference FROM read_models.payment_moves AS r \
                            WHERE r.payment_id = m.payment_id AND r.kind = 'reference' \
                            ORDER BY position DESC LIMIT 1) AS r \
             ON m.position = (SELECT min(position) FROM read_models.payment_moves AS f \
                              WHERE f.payment_id = m.payment_id) \
         WHERE m.kind = 'capture' AND p.provider <> 'cash_on_delivery'",
    )
    .fetch_all(soko.database())
    .await
    .unwrap();
    let mut ours = Lines::new();
    for (provider, reference, currency, amount) in rows {
        ours.entry((provider, reference, currency))
            .or_default()
            .push(amount);
    }
    let only_ours: Vec<_> = ours
        .iter()
        .filter(|(key, one)| theirs.get(*key) != Some(one))
        .collect();
    let only_theirs: Vec<_> = theirs
        .iter()
        .filter(|(key, one)| ours.get(*key) != Some(one))
        .collect();
    if !only_ours.is_empty() || !only_theirs.is_empty() {
        let differ = only_ours.iter().chain(&only_theirs);
        let references: Vec<_> = differ.map(|((_, reference, _), _)| reference).collect();
        let of_them = |movement: &&Movement| references.contains(&&movement.provider_reference);
        let stories = stories(soko, book.iter().filter(of_them)).await;
        panic!("ours only: {only_ours:#?}\ntheirs only: {only_theirs:#?}\n{stories}");
    }
    assert!(theirs.values().all(|amounts| amounts.len() == 1));

    // What went back, by the first money of its payment.
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT coalesce(r.reference, c.reference), -sum(m.delta)::bigint \
         FROM read_models.payment_moves AS m \
         JOIN LATERAL (SELECT reference, payment_id FROM read_models.payment_moves AS f \
                       WHERE f.payment_id = m.payment_id AND f.kind = 'capture' \
                       ORDER BY position LIMIT 1) AS c ON true \
         LEFT JOIN LATERAL (SELECT reference FROM read_models.payment_moves AS r \
                            WHERE r.payment_id = m.payment_id AND r.kind = 'reference' \
                            ORDER BY position DESC LIMIT 1) AS r ON true \
         WHERE m.kind IN ('refund', 'refund_returned') GROUP BY 1",
    )
    .fetch_all(soko.database())
    .await
    .unwrap();
    let by_hand: Vec<String> = sqlx::query_scalar(
        "SELECT p.reference FROM read_models.payments AS p \
         WHERE p.provider = 'paynow' AND p.reference IS NOT NULL",
    )
    .fetch_all(soko.database())
    .await
    .unwrap();
    let mut ours: BTreeMap<String, i64> = rows.into_iter().collect();
    // Paynow gives nothing back by itself: what went back went by hand, past its book.
    ours.retain(|reference, amount| *amount != 0 && !by_hand.contains(reference));
    assert_eq!(ours, back);
}

/// All that happened to the payments that these movements are of.
async fn stories(soko: &Soko, movements: impl Iterator<Item = &Movement>) -> String {
    let names: Vec<_> = movements
        .map(|movement| movement.reference.clone())
        .collect();
    let events: Vec<String> = sqlx::query_scalar(
        "SELECT concat_ws(' ', o.number, e.stream_id, e.event_type, e.payload) \
         FROM audit.events AS e \
         JOIN read_models.payments AS p ON e.stream_type = 'payment' AND e.stream_id = p.payment_id::text \
         JOIN read_models.orders AS o USING (order_id) \
         WHERE o.number = ANY($1) OR p.payment_id::text = ANY($1) ORDER BY e.position",
    )
    .bind(names)
    .fetch_all(soko.database())
    .await
    .unwrap();
    events.join("\n")
}

/// Of each payment's money, an order has it, it went back, or it is kept for the payer by name; and no
/// order counts as paid that is not.
pub(super) async fn no_money_is_without_a_place(soko: &Soko) {
    let homeless: Vec<String> = sqlx::query_scalar(
        "SELECT concat_ws(' ', p.payment_id, p.provider, p.status, o.status) \
         FROM read_models.payments AS p JOIN read_models.orders AS o USING (order_id) \
         WHERE o.status IN ('cancelled', 'expired', 'pending_payment') \
           AND p.captured - p.refunded - p.charged_back - p.credit > 0",
    )
    .fetch_all(soko.database())
    .await
    .unwrap();
    assert!(homeless.is_empty(), "{homeless:#?}");
    let unpaid: Vec<String> = sqlx::query_scalar(
        "SELECT concat_ws(' ', o.order_id, o.status, o.total) FROM read_models.orders AS o \
         WHERE o.status IN ('paid', 'partly_shipped', 'shipped', 'completed') \
           AND (SELECT coalesce(sum(captured), 0) FROM read_models.payments AS p \
                WHERE p.order_id = o.order_id) < o.total",
    )
    .fetch_all(soko.database())
    .await
    .unwrap();
    assert!(unpaid.is_empty(), "{unpaid:#?}");
    let held: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM read_models.orders AS o WHERE o.is_final \
           AND EXISTS (SELECT FROM read_models.payments AS p WHERE p.order_id = o.order_id \
                       AND p.status IN ('initiated', 'pending', 'authorised'))",
    )
    .fetch_one(soko.database())
    .await
    .unwrap();
    assert_eq!(held, 0, "orders that ended have payments that did not");
}

fn name(provider: Provider) -> String {
    provider.to_string()
}
