-- The books: double entry, one transaction for each event by which money changes hands. Amounts are
-- minor units; debits are positive, credits negative, and those of a transaction come to nothing.
CREATE TABLE read_models.ledger_entries (
    -- Of the event, and the entry's place among those of the event.
    position       bigint      NOT NULL,
    entry          integer     NOT NULL,
    transaction_id uuid        NOT NULL,
    tenant_id      uuid        NOT NULL,
    store_id       uuid        NOT NULL,
    at             timestamptz NOT NULL,
    -- The event's name, such as order.paid.
    kind           text        NOT NULL,
    account        text        NOT NULL,
    currency       text        NOT NULL,
    amount         bigint      NOT NULL CHECK (amount <> 0),
    order_id       uuid,
    payment_id     uuid,
    PRIMARY KEY (position, entry)
);

CREATE INDEX ledger_entries_store ON read_models.ledger_entries (store_id, position, entry);
CREATE INDEX ledger_entries_account ON read_models.ledger_entries (store_id, account, position, entry);
CREATE INDEX ledger_entries_order ON read_models.ledger_entries (order_id);
CREATE INDEX ledger_entries_payment ON read_models.ledger_entries (payment_id);

-- What each account has come to.
CREATE TABLE read_models.ledger_balances (
    store_id  uuid   NOT NULL,
    currency  text   NOT NULL,
    account   text   NOT NULL COLLATE "C",
    tenant_id uuid   NOT NULL,
    balance   bigint NOT NULL,
    -- How many entries it is the sum of, and the position of the last.
    entries   bigint NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (store_id, currency, account)
    -- The same rows change all the time, their keys never.
) WITH (fillfactor = 50);

SELECT guard_rows('read_models.ledger_entries', NULL);
SELECT guard_rows('read_models.ledger_balances', NULL);

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.ledger_entries, '
    'read_models.ledger_balances');
SELECT grant_to('soko_reader', 'SELECT ON read_models.ledger_entries, read_models.ledger_balances');

CREATE VIEW audit.ledger AS
SELECT position || '-' || entry AS entry_id, transaction_id, tenant_id, position, account, currency,
       amount, order_id, payment_id
FROM read_models.ledger_entries;

SELECT grant_to('soko_auditor', 'SELECT ON audit.ledger');
