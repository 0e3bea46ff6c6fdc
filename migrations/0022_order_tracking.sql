-- What has become of each order, for who waits for it: one row for each step, written once.
CREATE TABLE read_models.order_tracking (
    order_id        uuid        NOT NULL,
    position        bigint      NOT NULL,
    tenant_id       uuid        NOT NULL,
    at              timestamptz NOT NULL,
    -- The event's name without its stream: placed, paid, packed, shipped, …
    kind            text        NOT NULL,
    text            text        NOT NULL,
    -- Whose part of the order it is about; null if it is about all of it.
    vendor_id       uuid,
    carrier         text,
    tracking_number text,
    PRIMARY KEY (order_id, position)
);

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.order_tracking');
