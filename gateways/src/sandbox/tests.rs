//! Merchants and customers, by HTTP, as they would do it with the real providers.

mod adapters;
mod book;
mod ecocash;
mod faults;
mod hostile;
mod merchant;
mod mpesa;
mod pages;
mod paynow;
mod paystack;
mod races;
mod statements;
mod stripe;
