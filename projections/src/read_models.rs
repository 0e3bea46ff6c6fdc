//! One file per read model: its rows, its fold, and beside it its queries.

pub mod account_moves;
pub mod accounts;
pub mod actor_blocks;
pub mod carts;
pub mod categories;
pub mod invitations;
pub mod ledger;
pub mod members;
pub mod order_tracking;
pub mod orders;
pub mod payments;
pub mod payouts;
pub mod products;
pub mod promotions;
pub mod sales;
pub mod statements;
pub mod stock_ledger;
pub mod stock_levels;
pub mod stores;
pub mod tenants;
pub mod vendor_balances;
pub mod vendors;

#[cfg(test)]
mod account_samples;
#[cfg(test)]
mod folding;
#[cfg(test)]
mod samples;

use soko_event_log::RecordedEvent;

/// The version of an aggregate after an event: its `ETag`.
fn version(recorded: &RecordedEvent) -> i64 {
    i64::try_from(recorded.sequence).unwrap_or(i64::MAX)
}

/// An event's name without its stream: `shipped` of `order.shipped`.
fn kind(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, kind)| kind)
}
