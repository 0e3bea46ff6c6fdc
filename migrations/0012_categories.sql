-- What a store sorts its products into: a tree.
CREATE TABLE read_models.categories (
    category_id uuid    NOT NULL PRIMARY KEY,
    tenant_id   uuid    NOT NULL,
    store_id    uuid    NOT NULL,
    slug        text    NOT NULL,
    name        text    NOT NULL,
    parent_id   uuid,
    version     bigint  NOT NULL
);

CREATE INDEX categories_store ON read_models.categories (store_id);
CREATE INDEX categories_parent ON read_models.categories (parent_id);

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.categories');
