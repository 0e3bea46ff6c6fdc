//! What is measured.

pub(crate) mod authorization;
pub(crate) mod bus;
pub(crate) mod engine;
pub(crate) mod http;
pub(crate) mod rebuild;
pub(crate) mod row_security;
pub(crate) mod sales;
pub(crate) mod walled_lists;
pub(crate) mod webhooks;
