//! One file per read model: its rows, its fold, and beside it its queries.

pub mod stock_ledger;
pub mod stock_levels;
