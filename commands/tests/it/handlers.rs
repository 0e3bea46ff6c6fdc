//! Requests that touch several aggregates, against a real log.

mod bazaar;
mod carts;
mod catalog;
mod fulfilment;
mod market;
mod ordering;
mod privacy;
mod stores;
