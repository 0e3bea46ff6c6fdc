-- The same as payments_store, and each payment paid for both.
DROP INDEX read_models.payments_started;
