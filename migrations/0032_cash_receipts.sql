-- A store counts its cash receipts by itself: two stores may both have a receipt 'R-1'. As the
-- reference of a payment it is therefore known by its store, so that here, too, no reference stands
-- twice for one provider.
CREATE OR REPLACE VIEW audit.payment_references AS
SELECT p.provider,
       CASE WHEN p.provider = 'cash_on_delivery' THEN p.store_id::text || '/' || m.reference
            ELSE m.reference END AS reference,
       m.kind, m.payment_id, m.position
FROM read_models.payment_moves AS m
JOIN read_models.payments AS p USING (payment_id);
