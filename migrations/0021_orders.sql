-- Orders as they stand: who placed them, how far they are, and what was agreed.
CREATE TABLE read_models.orders (
    order_id       uuid        NOT NULL PRIMARY KEY,
    tenant_id      uuid        NOT NULL,
    store_id       uuid        NOT NULL,
    -- Who ordered: an account, or a guest, who holds a token with this SHA-256 (hex).
    account_id     uuid,
    token_hash     text,
    -- Who sells, in the order of their ids.
    vendor_ids     uuid[]      NOT NULL,
    number         text        NOT NULL,
    status         text        NOT NULL,
    is_final       boolean     NOT NULL,
    -- Who must act next, such as 'vendor:<id> to ship'; null when nobody must.
    waiting_for    text,
    currency       text        NOT NULL,
    -- What the buyer pays, in minor units.
    total          bigint      NOT NULL,
    payment_id     uuid        NOT NULL,
    provider       text        NOT NULL,
    payment_status text        NOT NULL,
    -- [{"vendor_id", "status", "carrier", "tracking_number"}], in the order of the vendors' ids
    fulfilments    json        NOT NULL,
    -- {"email", "lines", "totals", "tax", "shipping_address"}, as agreed
    terms          json        NOT NULL,
    -- Of the event by which it was placed: what lists are sorted by.
    position       bigint      NOT NULL,
    placed_at      timestamptz NOT NULL,
    changed_at     timestamptz NOT NULL,
    version        bigint      NOT NULL,
    CHECK (is_final = (waiting_for IS NULL)),
    CHECK ((account_id IS NULL) <> (token_hash IS NULL))
    -- An order moves on a few times, and none of its indexed columns but `is_final` does: room
    -- on the page keeps the indexes out of it.
) WITH (fillfactor = 75);

CREATE INDEX orders_account ON read_models.orders (account_id, position) WHERE account_id IS NOT NULL;
CREATE INDEX orders_store ON read_models.orders (store_id, position);
CREATE INDEX orders_tenant ON read_models.orders (tenant_id, position);
-- What is still to be done is found however many orders are behind it.
CREATE INDEX orders_open ON read_models.orders (tenant_id, position) WHERE NOT is_final;
CREATE INDEX orders_number ON read_models.orders (number);

-- The orders of each vendor, written once: one row for each vendor of an order.
CREATE TABLE read_models.vendor_orders (
    vendor_id uuid   NOT NULL,
    -- As in `orders`.
    position  bigint NOT NULL,
    tenant_id uuid   NOT NULL,
    order_id  uuid   NOT NULL,
    PRIMARY KEY (vendor_id, position)
);

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.orders, read_models.vendor_orders');
