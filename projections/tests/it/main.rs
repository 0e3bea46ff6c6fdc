//! The read side on a real Postgres.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod log;
mod market;
mod models;
mod running;
#[path = "../../src/read_models/samples.rs"]
mod samples;
mod trade;
mod trails;

mod audit;
mod catalog;
mod freshness;
mod ledger;
mod orders;
mod payments;
mod payouts;
mod people;
mod poison;
mod properties;
mod radar;
mod rebuild;
mod sales;
mod statements;
mod tables;
mod tenancy;
mod verify;
mod workers;
