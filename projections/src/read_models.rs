//! One file per read model: its rows, its fold, and beside it its queries.

pub mod order_tracking;
pub mod orders;
pub mod payments;
pub mod sales;
pub mod stock_ledger;
pub mod stock_levels;

#[cfg(test)]
mod folding;
#[cfg(test)]
mod samples;
