-- What there is of each variant.
CREATE TABLE read_models.stock_levels (
    variant_id          uuid    NOT NULL PRIMARY KEY,
    tenant_id           uuid    NOT NULL,
    store_id            uuid    NOT NULL,
    vendor_id           uuid    NOT NULL,
    product_id          uuid    NOT NULL,
    sku                 text    NOT NULL,
    on_hand             bigint  NOT NULL,
    reserved            bigint  NOT NULL,
    low_stock_threshold bigint  NOT NULL,
    -- What is available is at the threshold or below.
    is_low              boolean NOT NULL,
    -- [{"location_id", "on_hand", "reserved"}]
    locations           json    NOT NULL
    -- Its numbers change all the time, its indexed columns hardly ever: room on the page keeps
    -- the indexes out of it.
) WITH (fillfactor = 50);

CREATE INDEX stock_levels_product ON read_models.stock_levels (product_id);
CREATE INDEX stock_levels_store ON read_models.stock_levels (store_id, sku);
CREATE INDEX stock_levels_vendor ON read_models.stock_levels (vendor_id, sku);
CREATE INDEX stock_levels_low ON read_models.stock_levels (store_id, sku) WHERE is_low;

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.stock_levels');
