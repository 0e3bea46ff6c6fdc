-- What people mean to buy.
CREATE TABLE read_models.carts (
    cart_id    uuid        NOT NULL PRIMARY KEY,
    tenant_id  uuid        NOT NULL,
    store_id   uuid        NOT NULL,
    -- None for a guest's.
    account_id uuid,
    -- active, empty, checked_out or abandoned.
    status     text        NOT NULL,
    -- [{"variant_id", "product_id", "quantity", "unit_price"}], in the order in which they came.
    items      json        NOT NULL,
    -- What its items became when it was last checked out.
    last_order uuid,
    version    bigint      NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX carts_account ON read_models.carts (account_id) WHERE account_id IS NOT NULL;

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.carts');
