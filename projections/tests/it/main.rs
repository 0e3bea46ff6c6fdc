//! The read side on a real Postgres.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod log;
mod models;
mod running;
#[path = "../../src/read_models/samples.rs"]
mod samples;
mod trade;

mod freshness;
mod orders;
mod payments;
mod poison;
mod properties;
mod rebuild;
mod sales;
mod verify;
mod workers;
