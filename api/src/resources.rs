//! What the API consists of: one file for each resource.

pub(crate) mod auth;
pub(crate) mod carts;
pub(crate) mod categories;
pub(crate) mod commands;
pub(crate) mod documentation;
pub(crate) mod health;
pub(crate) mod invitations;
pub(crate) mod keys;
pub(crate) mod locations;
pub(crate) mod me;
pub(crate) mod members;
pub(crate) mod order_details;
pub(crate) mod order_stream;
pub(crate) mod order_views;
pub(crate) mod orders;
pub(crate) mod payments;
pub(crate) mod products;
pub(crate) mod read_models;
pub(crate) mod reports;
pub(crate) mod shelves;
pub(crate) mod stock;
pub(crate) mod stock_levels;
pub(crate) mod store_people;
pub(crate) mod stores;
pub(crate) mod tenants;
pub(crate) mod vendors;
