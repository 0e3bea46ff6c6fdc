-- The catalog: what shoppers browse and search, and what vendors are still working on.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE read_models.products (
    product_id   uuid        NOT NULL PRIMARY KEY,
    tenant_id    uuid        NOT NULL,
    store_id     uuid        NOT NULL,
    vendor_id    uuid        NOT NULL,
    slug         text        NOT NULL,
    status       text        NOT NULL,
    name         text        NOT NULL,
    -- In lower case: what is sorted by, and looked through for what was meant.
    name_key     text        COLLATE "C" NOT NULL,
    -- SKUs, variants and their options.
    keywords     text        NOT NULL,
    currency     text,
    -- Of the cheapest and the dearest variant, in minor units; 0 without any.
    price_min    bigint      NOT NULL,
    price_max    bigint      NOT NULL,
    category_ids uuid[]      NOT NULL,
    version      bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    -- The product in a list, as it is answered.
    card         json        NOT NULL,
    -- {"description", "variants"}
    listing      json        NOT NULL,
    search       tsvector    NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', name), 'A') ||
        setweight(to_tsvector('simple', keywords), 'B') ||
        setweight(to_tsvector('english', coalesce(listing -> 'description' ->> 'description', '')), 'C')
    ) STORED
);

-- Ids are made in the order of time, so the newest come first by their ids alone.
CREATE INDEX products_store_newest ON read_models.products (store_id, product_id) WHERE status = 'published';
CREATE INDEX products_store_price ON read_models.products (store_id, price_min, product_id) WHERE status = 'published';
CREATE INDEX products_store_name ON read_models.products (store_id, name_key, product_id) WHERE status = 'published';
CREATE INDEX products_price ON read_models.products (price_min, product_id) WHERE status = 'published';
CREATE INDEX products_name ON read_models.products (name_key, product_id) WHERE status = 'published';
CREATE INDEX products_vendor ON read_models.products (vendor_id, product_id);
CREATE INDEX products_store ON read_models.products (store_id, product_id);
CREATE INDEX products_slug ON read_models.products (slug);
CREATE INDEX products_category ON read_models.products USING gin (category_ids) WHERE status = 'published';
CREATE INDEX products_search ON read_models.products USING gin (search) WHERE status = 'published';
CREATE INDEX products_similar ON read_models.products USING gin (name_key gin_trgm_ops) WHERE status = 'published';

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.products');
