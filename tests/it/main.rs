//! Soko over HTTP, from outside: one module for each resource, and these that cut across.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy knows them to be allowed within test functions only, not in what these share"
)]

mod access_log;
mod accounts;
mod addresses;
mod api_keys;
mod audit;
mod audit_views;
mod auth;
mod bills;
mod canaries;
mod carts;
mod catalog;
mod contention;
mod contested_receipts;
mod demo;
mod embedded;
mod first_sale;
mod hostile;
mod ledger;
mod log_lines;
mod order_stream;
mod orders;
mod paying;
mod payments;
mod payouts;
mod payouts_by_provider;
mod permission_matrix;
mod permissions;
mod privacy;
mod problems;
mod promotions;
mod races;
mod radar;
mod refusal_lines;
mod reports;
mod restart;
mod same_key;
mod sandbox;
mod second_factor;
mod servers_die;
mod soak;
mod sources;
mod statements;
mod stock;
mod supply_chain;
mod tenants_and_stores;
mod throttles;
mod token_attacks;
mod two_nodes;
mod vendors;
mod web_origins;
