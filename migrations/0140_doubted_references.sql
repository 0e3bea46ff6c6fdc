-- Money of which it is not sure what its provider calls it: what it goes by is ours (provisional), or
-- two callbacks name two (contested).
ALTER TABLE read_models.payments ADD COLUMN reference_doubt text;

CREATE INDEX payments_reference_doubt ON read_models.payments (store_id)
    WHERE reference_doubt IS NOT NULL;
