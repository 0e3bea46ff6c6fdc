-- What may become of money after it came: a bank takes it back, or it is kept for who paid it.
ALTER TABLE read_models.payments
    ADD COLUMN charged_back bigint  NOT NULL DEFAULT 0,
    ADD COLUMN is_disputed  boolean NOT NULL DEFAULT false,
    ADD COLUMN credit       bigint  NOT NULL DEFAULT 0;

-- The radar: what has not come to its end, the oldest first.
CREATE INDEX payments_open ON read_models.payments (store_id, status, changed_at)
    WHERE status IN ('initiated', 'pending', 'authorised', 'unresolved', 'disputed');
