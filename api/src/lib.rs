//! Soko over HTTP: routes, who may use them, and the wiring of all parts into one program.
//!
//! It decides nothing of the trade: handlers parse, execute and answer. The rules are the
//! aggregates', the wording of refusals is ours.

pub mod access;
pub mod access_log;
mod account_rules;
pub mod api_keys;
pub mod app;
pub mod body;
pub mod bus;
pub mod caller;
pub mod change;
pub mod command;
pub mod config;
mod connections;
pub mod constant_time;
pub mod credentials;
pub mod database;
pub mod embedded;
mod executing;
pub mod followers;
pub mod found;
pub mod fresh;
#[cfg(test)]
mod fuzz;
pub mod gate;
pub mod http;
pub mod kept_answers;
pub mod login_throttle;
mod master_keys;
mod messages;
pub mod openapi;
pub mod operation;
pub mod passwords;
mod payment_parts;
pub mod problem;
pub mod proofs;
pub mod query;
mod radar;
mod readiness;
pub mod recorded;
mod refusals;
mod resources;
pub mod retention;
pub mod route;
pub mod routes;
pub mod run;
pub mod sandbox;
pub mod schema;
pub mod second_factor;
pub mod secret;
pub mod seed;
pub mod sessions;
mod sheet;
pub mod signing_keys;
mod stop_signals;
pub mod telemetry;
pub mod tokens;
mod upload;
mod web_origins;
