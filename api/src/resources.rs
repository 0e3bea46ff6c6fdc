//! What the API consists of: one file for each resource.

pub(crate) mod auth;
pub(crate) mod categories;
pub(crate) mod commands;
pub(crate) mod documentation;
pub(crate) mod health;
pub(crate) mod invitations;
pub(crate) mod keys;
pub(crate) mod me;
pub(crate) mod members;
pub(crate) mod stores;
pub(crate) mod tenants;
pub(crate) mod vendors;
