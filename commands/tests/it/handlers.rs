//! Requests that touch several aggregates, against a real log.

mod bazaar;
mod carts;
mod catalog;
mod coupons;
mod fulfilment;
pub(crate) mod market;
mod ordering;
mod privacy;
mod statements;
mod stores;
