//! The API from outside: a real server on a database of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod auth;
mod bodies;
mod businesses;
mod framework;
mod permissions_page;
mod retention;
mod settings;
mod slow_clients;
mod soko;
