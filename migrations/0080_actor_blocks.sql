-- Where in the log an actor has done anything, in blocks of 256 positions: how auditors find all that
-- somebody did without reading all that everybody did.
--
-- No index on the log itself, because each append would pay for it while all others wait their turn:
-- an append costs Postgres some 5 microseconds of processor time an event, a B-tree over the actor adds
-- 7 to that, a BRIN with blooms 2.4 (PostgreSQL 15, 600 calls of 64 events). And no query in a scope could
-- use one: the operators of JSON may not run before the policy has been asked.
CREATE TABLE read_models.actor_blocks (
    -- As in the metadata of events: account:<id>, guest, system:<name>.
    actor     text   NOT NULL,
    block     bigint NOT NULL,
    tenant_id uuid   NOT NULL,
    events    bigint NOT NULL,
    PRIMARY KEY (actor, block, tenant_id)
    -- The rows of the present block change all the time, their keys never.
) WITH (fillfactor = 70);

SELECT guard_rows('read_models.actor_blocks', NULL);
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.actor_blocks');
SELECT grant_to('soko_reader', 'SELECT ON read_models.actor_blocks');
