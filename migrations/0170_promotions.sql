-- Coupons: what they give, and how often they were used. Amounts are minor units of the currency.
CREATE TABLE read_models.promotions (
    promotion_id uuid        NOT NULL PRIMARY KEY,
    -- Of its creation: the order of the lists.
    position     bigint      NOT NULL,
    tenant_id    uuid        NOT NULL,
    store_id     uuid        NOT NULL,
    -- Whose goods it is for; null for all that the store sells.
    vendor_id    uuid,
    code         text        NOT NULL,
    -- store, vendor: who bears what is taken off
    funder       text        NOT NULL,
    currency     text        NOT NULL,
    -- {"name", "discount", "minimum", "starts_at", "ends_at", "uses_max", "uses_per_customer"}
    terms        json        NOT NULL,
    -- By orders that have not died, and what was taken off for them.
    uses         bigint      NOT NULL,
    discounted   bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    version      bigint      NOT NULL
) WITH (fillfactor = 60);

CREATE INDEX promotions_store ON read_models.promotions (store_id, position DESC);
CREATE INDEX promotions_vendor ON read_models.promotions (vendor_id, position DESC)
    WHERE vendor_id IS NOT NULL;

SELECT guard_rows('read_models.promotions', NULL);
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.promotions');
SELECT grant_to('soko_reader', 'SELECT ON read_models.promotions');

-- What the store made up for of what was taken off.
ALTER TABLE read_models.account_moves ADD COLUMN subsidy bigint NOT NULL DEFAULT 0;
