-- Guesses at passwords and codes, by everything that guesses have in common: the account, the network,
-- what was guessed, and all of them. It takes the place of `login_failures`, which knew e-mails only.
DROP TABLE login_failures;

CREATE TABLE login_counters (
    -- A keyed hash of what is counted, so that nobody can look an e-mail or a guess up in it.
    counter_hash bytea       NOT NULL PRIMARY KEY CHECK (octet_length(counter_hash) = 32),
    -- Wrong guesses one after the other, where those are what counts.
    failures     integer     NOT NULL,
    -- When the budget will be whole again, where there is one.
    whole_at     timestamptz NOT NULL,
    last_at      timestamptz NOT NULL,
    forget_at    timestamptz NOT NULL
);
CREATE INDEX login_counters_old ON login_counters (forget_at);

-- What those hashes are keyed with; made here, once, so that all nodes and all starts have the same.
CREATE TABLE login_counter_key (
    only_one boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (only_one),
    key      bytea   NOT NULL CHECK (octet_length(key) = 32)
);
-- Two random UUIDs have 244 random bits.
INSERT INTO login_counter_key (key)
VALUES (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- Counts a guess as a wrong one with all of its counters, or with none: then `wait` says for how long
-- it came too soon, or `closed` that no more are taken. Guesses made at the same time count each other.
--
-- A streak has `frees`, `closes` (the failures after which nothing is free, and after which no more are
-- taken); a budget has `eaches`, `bursts` (what one guess costs, and how much there is).
CREATE FUNCTION count_login_guess(
    hashes   bytea[],
    frees    int[],
    closes   int[],
    eaches   interval[],
    bursts   interval[],
    memories interval[],
    wait_max interval,
    now_is   timestamptz,
    OUT wait interval,
    OUT closed boolean
)
LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
BEGIN
    -- In one order, so that no two wait for each other.
    INSERT INTO login_counters (counter_hash, failures, whole_at, last_at, forget_at)
    SELECT u.hash, 0, now_is, now_is, now_is FROM unnest(hashes) AS u (hash) ORDER BY u.hash
    ON CONFLICT DO NOTHING;
    PERFORM FROM login_counters c WHERE c.counter_hash = ANY (hashes)
    ORDER BY c.counter_hash FOR UPDATE;

    UPDATE login_counters c SET failures = 0
    WHERE c.counter_hash = ANY (hashes) AND c.forget_at < now_is AND c.failures > 0;

    SELECT max(CASE
               WHEN u.free IS NULL THEN c.whole_at + u.each - u.burst - now_is
               WHEN c.failures >= u.free THEN c.last_at - now_is
                   + least(power(2, least(c.failures - u.free, 20)) * interval '1 second', wait_max)
               ELSE interval '0' END),
           coalesce(bool_or(c.failures >= u.close), false)
    INTO wait, closed
    FROM unnest(hashes, frees, closes, eaches, bursts) AS u (hash, free, close, each, burst)
    JOIN login_counters c ON c.counter_hash = u.hash;
    wait := greatest(wait, interval '0');
    IF closed OR wait > interval '0' THEN
        RETURN;
    END IF;

    UPDATE login_counters c SET
        failures = c.failures + 1,
        whole_at = greatest(c.whole_at, now_is) + coalesce(u.each, interval '0'),
        last_at = now_is,
        -- What is closed stays so until somebody opens it.
        forget_at = CASE WHEN c.failures + 1 >= u.close THEN 'infinity'
                         ELSE now_is + u.memory END
    FROM unnest(hashes, closes, eaches, memories) AS u (hash, close, each, memory)
    WHERE c.counter_hash = u.hash;
END;
$$;

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON login_counters');
SELECT grant_to('soko_app', 'SELECT ON login_counter_key');
