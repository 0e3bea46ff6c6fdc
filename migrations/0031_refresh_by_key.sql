-- SHA-256 of the idempotency key that a token was spent with: whoever lost the answer asks again with
-- the same key, and is told from somebody else who has the token.
ALTER TABLE refresh_tokens ADD COLUMN key_hash bytea CHECK (octet_length(key_hash) = 32);
