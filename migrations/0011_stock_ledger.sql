-- Why there is so much of each variant: every move, written once.
CREATE TABLE read_models.stock_ledger (
    position       bigint      NOT NULL PRIMARY KEY,
    tenant_id      uuid        NOT NULL,
    variant_id     uuid        NOT NULL,
    location_id    uuid        NOT NULL,
    at             timestamptz NOT NULL,
    -- The event's name without its stream: received, reserved, …
    kind           text        NOT NULL,
    on_hand_delta  bigint      NOT NULL,
    reserved_delta bigint      NOT NULL,
    order_id       uuid,
    reason         text,
    note           text,
    actor          text        NOT NULL
);

CREATE INDEX stock_ledger_variant ON read_models.stock_ledger (variant_id, position);

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.stock_ledger');
