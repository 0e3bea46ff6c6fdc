//! Soko over HTTP: routes, who may use them, and the wiring of all parts into one program.
//!
//! It decides nothing of the trade: handlers parse, execute and answer. The rules are the
//! aggregates', the wording of refusals is ours.

pub mod access;
pub mod app;
pub mod body;
pub mod config;
pub mod database;
pub mod embedded;
pub mod found;
pub mod gate;
pub mod openapi;
pub mod operation;
pub mod problem;
pub mod query;
mod resources;
pub mod route;
pub mod routes;
pub mod run;
pub mod schema;
pub mod secret;
pub mod telemetry;
