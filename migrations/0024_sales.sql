-- What was sold in each hour (UTC), by product; what a cancellation takes back is taken back in
-- the hour of the cancellation. Amounts are minor units; shipping is not among them.
CREATE TABLE read_models.sales (
    store_id       uuid        NOT NULL,
    hour           timestamptz NOT NULL,
    vendor_id      uuid        NOT NULL,
    product_id     uuid        NOT NULL,
    currency       text        NOT NULL,
    tenant_id      uuid        NOT NULL,
    -- Orders, counted three times so that they can be added up over products and over vendors: an
    -- order of three products of two vendors counts in three rows here, in two rows for its
    -- vendors, and in one row for its store.
    product_orders bigint      NOT NULL,
    vendor_orders  bigint      NOT NULL,
    store_orders   bigint      NOT NULL,
    units          bigint      NOT NULL,
    -- net + tax = gross
    net            bigint      NOT NULL,
    tax            bigint      NOT NULL,
    gross          bigint      NOT NULL,
    PRIMARY KEY (store_id, hour, vendor_id, product_id, currency)
    -- The rows of the present hour change all the time, their keys never.
) WITH (fillfactor = 50);

CREATE INDEX sales_tenant ON read_models.sales (tenant_id, hour);
CREATE INDEX sales_vendor ON read_models.sales (vendor_id, hour);

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.sales');
