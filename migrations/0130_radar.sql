-- What is stuck, and how payments went: found by few rows, however many are behind them.

-- Each refund as far as it has come; what a person gave back by hand is done from the start.
CREATE TABLE read_models.payment_refunds (
    payment_id   uuid        NOT NULL,
    refund_id    uuid        NOT NULL,
    tenant_id    uuid        NOT NULL,
    -- requested, unresolved, done, failed, returned
    stage        text        NOT NULL,
    currency     text        NOT NULL,
    -- Minor units.
    amount       bigint      NOT NULL,
    -- Why it failed, or is not known.
    reason       text,
    requested_at timestamptz NOT NULL,
    -- Since when it is at this stage.
    stage_at     timestamptz NOT NULL,
    PRIMARY KEY (payment_id, refund_id)
) WITH (fillfactor = 75);

CREATE INDEX payment_refunds_open ON read_models.payment_refunds (payment_id)
    WHERE stage IN ('requested', 'unresolved', 'failed');

SELECT guard_rows('read_models.payment_refunds', NULL);
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.payment_refunds');
SELECT grant_to('soko_reader', 'SELECT ON read_models.payment_refunds');

-- Since when something is kept for the payer, until when somebody is to have given it back, and
-- until when a bank hears what the store has to say.
ALTER TABLE read_models.payments
    ADD COLUMN credit_at timestamptz,
    ADD COLUMN credit_by timestamptz,
    ADD COLUMN answer_by timestamptz;

CREATE INDEX payments_credit ON read_models.payments (store_id) WHERE credit > 0;

-- What was started in some hours: of a store, and of all. Rows lie in the order in which payments
-- were started, so that the second costs next to nothing.
CREATE INDEX payments_started ON read_models.payments (store_id, initiated_at);
CREATE INDEX payments_started_everywhere ON read_models.payments
    USING brin (initiated_at) WITH (pages_per_range = 32, autosummarize = on);

-- A callback that was tried as often as any is, and never confirmed by its provider.
ALTER TABLE provider_callbacks ADD COLUMN was_given_up boolean NOT NULL DEFAULT false;
CREATE INDEX provider_callbacks_given_up ON provider_callbacks (received_at) WHERE was_given_up;
SELECT grant_to('soko_reader', 'SELECT (was_given_up) ON provider_callbacks');
