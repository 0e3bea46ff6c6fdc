-- What people put on record goes by receipts that each store counts for itself: cash and bank
-- transfers, and money that they gave back by hand whichever way it had come.
ALTER TABLE read_models.payment_moves ADD COLUMN by_hand boolean NOT NULL DEFAULT false;

CREATE OR REPLACE VIEW audit.payment_references AS
SELECT p.provider,
       CASE WHEN m.by_hand OR p.provider IN ('cash_on_delivery', 'bank_transfer')
            THEN p.store_id::text || '/' || m.reference
            ELSE m.reference END AS reference,
       m.kind, m.payment_id, m.position
FROM read_models.payment_moves AS m
JOIN read_models.payments AS p USING (payment_id);
