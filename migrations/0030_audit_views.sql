-- What auditors and outside checkers see, and all that they see: versioned like the HTTP API.
--
-- Views over read models survive the switch to a new table: `projection_switch` makes them again.
CREATE SCHEMA audit;

CREATE VIEW audit.events AS
SELECT position, tenant_id, aggregate_type AS stream_type, aggregate_id AS stream_id, sequence,
       event_type, event_version, recorded_at,
       metadata ->> 'actor' AS actor,
       (metadata ->> 'causation')::bigint AS causation,
       (metadata ->> 'correlation')::uuid AS correlation,
       payload, metadata
FROM public.events;

-- Each reference by which a provider knows money that moved.
CREATE VIEW audit.payment_references AS
SELECT p.provider, m.reference, m.kind, m.payment_id, m.position
FROM read_models.payment_moves AS m
JOIN read_models.payments AS p USING (payment_id);

CREATE VIEW audit.payment_moves AS
SELECT payment_id, position, kind, delta, currency
FROM read_models.payment_moves;

CREATE VIEW audit.stock AS
SELECT l.tenant_id, l.variant_id, place.location_id, place.on_hand, place.reserved
FROM read_models.stock_levels AS l
CROSS JOIN LATERAL json_to_recordset(l.locations)
    AS place (location_id uuid, on_hand bigint, reserved bigint);

CREATE VIEW audit.stock_moves AS
SELECT tenant_id, variant_id, location_id, position, kind, on_hand_delta, reserved_delta, order_id
FROM read_models.stock_ledger;

-- An order waits for somebody named, or for a timer of its own or of its payment.
CREATE VIEW audit.orders AS
SELECT order_id, tenant_id, status, is_final, waiting_for,
       (SELECT min(due_at) FROM public.timers
        WHERE fired_at IS NULL AND stream_id IN (o.order_id, o.payment_id)) AS timer_due
FROM read_models.orders AS o;

CREATE VIEW audit.timers AS
SELECT timer_id, kind, stream_id, due_at, fired_at, attempts
FROM public.timers;

-- Rows and digest are made when they are asked for, from the whole table; who asks for the
-- positions alone does not wait for them.
CREATE VIEW audit.projections AS
SELECT name, version, position,
       (public.projection_digest(name)).rows AS rows,
       (public.projection_digest(name)).digest AS digest
FROM public.projections;

SELECT grant_to('soko_auditor', 'USAGE ON SCHEMA audit');
SELECT grant_to('soko_auditor', 'SELECT ON ALL TABLES IN SCHEMA audit');
SELECT grant_to('soko_auditor', 'EXECUTE ON FUNCTION projection_digest');
