-- What providers say they moved. Amounts are minor units of their currency.
CREATE TABLE read_models.statements (
    statement_id uuid        NOT NULL PRIMARY KEY,
    tenant_id    uuid        NOT NULL,
    store_id     uuid        NOT NULL,
    provider     text        NOT NULL,
    -- SHA-256 of the file.
    digest       text        NOT NULL,
    period_from  timestamptz NOT NULL,
    period_to    timestamptz NOT NULL,
    -- How many the file has, and how many are recorded.
    lines        bigint      NOT NULL,
    recorded     bigint      NOT NULL,
    -- What they come to, by kind and currency, once all are there.
    tallies      json        NOT NULL,
    opened_at    timestamptz NOT NULL,
    closed_at    timestamptz,
    version      bigint      NOT NULL
    -- It changes with every batch of lines, and its indexed columns never.
) WITH (fillfactor = 50);

CREATE INDEX statements_store ON read_models.statements (store_id, opened_at, statement_id);

-- Each line once, in however many statements it is.
CREATE TABLE read_models.statement_lines (
    line_id      uuid        NOT NULL PRIMARY KEY,
    tenant_id    uuid        NOT NULL,
    store_id     uuid        NOT NULL,
    provider     text        NOT NULL,
    -- That it was first in, and its number there.
    statement_id uuid        NOT NULL,
    number       bigint      NOT NULL,
    -- How many it is in.
    statements   bigint      NOT NULL,
    reference    text        NOT NULL,
    -- By which our books know the movement, the surer first.
    name         text,
    other_name   text,
    kind         text        NOT NULL,
    -- What came to the store is above zero.
    amount       bigint      NOT NULL,
    currency     text        NOT NULL,
    -- What the provider kept of it.
    fee          bigint      NOT NULL,
    happened_at  timestamptz NOT NULL,
    words        text        NOT NULL
);

CREATE INDEX statement_lines_time ON read_models.statement_lines (store_id, provider, happened_at);
CREATE INDEX statement_lines_statement ON read_models.statement_lines (statement_id);
CREATE INDEX statement_lines_name ON read_models.statement_lines (name);
CREATE INDEX statement_lines_other_name ON read_models.statement_lines (other_name);

-- The other side: what moved in a store in a period, and what goes by a name.
CREATE INDEX payments_store ON read_models.payments (store_id, initiated_at);
CREATE INDEX payment_moves_reference ON read_models.payment_moves (reference);

SELECT guard_rows('read_models.statements', NULL);
SELECT guard_rows('read_models.statement_lines', NULL);
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.statements, read_models.statement_lines');
SELECT grant_to('soko_reader', 'SELECT ON read_models.statements, read_models.statement_lines');
