//! Soko over HTTP, from outside: one module for each resource, and these that cut across.

mod contention;
mod first_sale;
