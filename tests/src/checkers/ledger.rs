//! Invariant 3: the books come to nothing, and say of each payment what came of it and stayed.

use super::expect_none;
use sqlx::PgConnection;

pub(super) async fn is_balanced(auditor: &mut PgConnection) {
    let unbalanced = "SELECT transaction_id, currency, sum(amount) AS left_over FROM audit.ledger
        GROUP BY transaction_id, currency HAVING sum(amount) <> 0";
    expect_none(
        auditor,
        "a transaction does not come to nothing",
        unbalanced,
    )
    .await;
    let mixed = "SELECT transaction_id FROM audit.ledger
        GROUP BY transaction_id HAVING count(DISTINCT (position, tenant_id, currency)) > 1";
    expect_none(
        auditor,
        "a transaction is of several events, or currencies",
        mixed,
    )
    .await;
    let payments = "SELECT * FROM (
            SELECT payment_id, currency, sum(delta) AS kept FROM audit.payment_moves
            GROUP BY payment_id, currency) AS moved
        FULL JOIN (
            SELECT payment_id, currency, sum(amount) AS booked FROM audit.ledger
            WHERE payment_id IS NOT NULL
              AND (account LIKE 'clearing:%' OR account LIKE 'fees:%')
            GROUP BY payment_id, currency) AS ledger USING (payment_id, currency)
        WHERE kept IS DISTINCT FROM booked";
    expect_none(auditor, "the ledger says otherwise of a payment", payments).await;
    // Sold is what the buyers paid and the store made up for, to the last unit: as what it is, and as
    // whose it is.
    let orders = "SELECT * FROM (
            SELECT order_id,
                sum(amount) FILTER (WHERE account ~ '^(sales|refunds|tax|discount|shipping)(:|$)'
                                      AND account <> 'discount:store')
                    AS sold,
                sum(amount) FILTER (WHERE account ~ '^(vendor_payable|commission|commission_tax|shipping)(:|$)')
                    AS handed_on
            FROM audit.ledger WHERE order_id IS NOT NULL GROUP BY order_id) AS sums
        WHERE sold IS DISTINCT FROM handed_on";
    expect_none(auditor, "what was sold is not what was handed on", orders).await;
    let unbooked = "SELECT position, event_type FROM audit.events
        WHERE coalesce(payload #>> '{paid,amount}', payload #>> '{captured,amount,amount}',
                       payload #>> '{refunded,amount,amount}', payload #>> '{refund_returned,amount,amount}', '0') <> '0'
          AND event_type IN ('order.paid', 'payment.captured', 'payment.refunded', 'payment.refund_returned')
          AND position NOT IN (SELECT position FROM audit.ledger)";
    expect_none(auditor, "money moved that is not in the books", unbooked).await;
}
