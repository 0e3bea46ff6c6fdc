//! The read side on a real Postgres.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod log;
mod models;
mod running;

mod freshness;
mod poison;
mod properties;
mod rebuild;
mod verify;
mod workers;
