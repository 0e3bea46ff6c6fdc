-- Payments as they stand. Amounts are minor units of the payment's currency.
CREATE TABLE read_models.payments (
    payment_id   uuid        NOT NULL PRIMARY KEY,
    tenant_id    uuid        NOT NULL,
    store_id     uuid        NOT NULL,
    order_id     uuid        NOT NULL,
    provider     text        NOT NULL,
    status       text        NOT NULL,
    currency     text        NOT NULL,
    -- What was asked for, what came, and what went back.
    amount       bigint      NOT NULL,
    captured     bigint      NOT NULL,
    refunded     bigint      NOT NULL,
    -- Under which the money's carrier knows it, once it is there.
    reference    text,
    -- Who took the cash.
    collected_by uuid,
    reason       text,
    initiated_at timestamptz NOT NULL,
    captured_at  timestamptz,
    cancelled_at timestamptz,
    changed_at   timestamptz NOT NULL,
    version      bigint      NOT NULL
    -- Most payments change once, and none of their indexed columns does.
) WITH (fillfactor = 60);

CREATE INDEX payments_order ON read_models.payments (order_id);

-- Every movement of money, written once.
CREATE TABLE read_models.payment_moves (
    payment_id uuid        NOT NULL,
    position   bigint      NOT NULL,
    tenant_id  uuid        NOT NULL,
    at         timestamptz NOT NULL,
    -- capture
    kind       text        NOT NULL,
    -- Minor units; what comes in is positive.
    delta      bigint      NOT NULL,
    currency   text        NOT NULL,
    reference  text        NOT NULL,
    PRIMARY KEY (payment_id, position)
);

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.payments, read_models.payment_moves');
