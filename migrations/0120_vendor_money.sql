-- What stores owe their vendors, and what they paid them. Amounts are minor units of the account's
-- currency.
CREATE TABLE read_models.vendor_balances (
    vendor_id     uuid        NOT NULL PRIMARY KEY,
    tenant_id     uuid        NOT NULL,
    store_id      uuid        NOT NULL,
    currency      text        NOT NULL,
    -- All that was ever sold, without what the store kept of it; what went back; what was paid out;
    -- and what is kept aside for payouts that are under way.
    credited      bigint      NOT NULL,
    debited       bigint      NOT NULL,
    paid_out      bigint      NOT NULL,
    under_way     bigint      NOT NULL,
    -- [{"available_at", "amount"}]: what of `credited` may not be paid out yet. What has become
    -- available since the last event is still in it: who asks compares the times.
    on_hold       json        NOT NULL,
    payout_method text,
    -- Before that nothing is paid out.
    usable_from   timestamptz,
    changed_at    timestamptz NOT NULL,
    version       bigint      NOT NULL
) WITH (fillfactor = 60);

CREATE TABLE read_models.payouts (
    payout_id    uuid        NOT NULL PRIMARY KEY,
    -- Of its request: the order of the lists.
    position     bigint      NOT NULL,
    tenant_id    uuid        NOT NULL,
    store_id     uuid        NOT NULL,
    vendor_id    uuid        NOT NULL,
    currency     text        NOT NULL,
    amount       bigint      NOT NULL,
    method       text        NOT NULL,
    status       text        NOT NULL,
    -- Null: it was time by the store's schedule.
    requested_by uuid,
    requested_at timestamptz NOT NULL,
    -- Who approved or rejected it; null if nobody had to.
    decided_by   uuid,
    paid_by      uuid,
    paid_at      timestamptz,
    reference    text,
    -- Why it was rejected, doubted, failed or returned.
    reason       text,
    changed_at   timestamptz NOT NULL
) WITH (fillfactor = 60);

CREATE INDEX payouts_vendor ON read_models.payouts (vendor_id, position DESC);
CREATE INDEX payouts_store ON read_models.payouts (store_id, position DESC);
-- What waits for somebody.
CREATE INDEX payouts_under_way ON read_models.payouts (store_id, status, position DESC)
    WHERE status IN ('requested', 'approved', 'sent', 'unresolved');

-- Every movement of what a vendor is owed, written once.
CREATE TABLE read_models.account_moves (
    vendor_id      uuid        NOT NULL,
    position       bigint      NOT NULL,
    tenant_id      uuid        NOT NULL,
    at             timestamptz NOT NULL,
    -- sale, refund, payout, payout_returned
    kind           text        NOT NULL,
    order_id       uuid,
    refund_id      uuid,
    payout_id      uuid,
    -- Of a payout: under which who carried it knows it.
    reference      text,
    -- What the buyer paid, or got back as less than nothing, and what the store kept of it.
    gross          bigint      NOT NULL,
    commission     bigint      NOT NULL,
    commission_tax bigint      NOT NULL,
    -- What the vendor is owed more, or less.
    amount         bigint      NOT NULL,
    PRIMARY KEY (vendor_id, position)
);

SELECT guard_rows('read_models.vendor_balances', NULL);
SELECT guard_rows('read_models.payouts', NULL);
SELECT guard_rows('read_models.account_moves', NULL);
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.vendor_balances, read_models.payouts, read_models.account_moves');
SELECT grant_to('soko_reader', 'SELECT ON read_models.vendor_balances, read_models.payouts, read_models.account_moves');
