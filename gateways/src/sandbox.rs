//! Every payment provider's side of the wire, on this machine and without a network.
//!
//! It speaks their protocols, plays their customers, keeps a book of the money that moved, and
//! misbehaves when it is told to, as they do when nobody tells them. The book is written by what
//! the customer did, never by what a merchant says, so it can testify against the merchant's.
//!
//! It remembers nothing beyond its process, asks nobody for a password on its own pages, and is
//! for machines that no real money passes.

mod book;
mod clock;
mod control;
mod courier;
mod customer;
mod deal;
mod dice;
mod ecocash;
mod fault;
mod form;
mod major;
mod merchants;
mod mpesa;
mod options;
mod pages;
mod paynow;
mod paystack;
mod prompt;
mod provider;
mod server;
mod statement;
mod stripe;
#[cfg(test)]
mod tests;
mod wire;
mod world;

pub use self::book::{Kind, Movement};
pub use self::clock::Clock;
pub use self::courier::Delivery;
pub use self::customer::{Act, Behaviour, Customer, Rule};
pub use self::deal::Payment;
pub use self::fault::{Fault, FaultRule, Injected};
pub use self::merchants::{
    EcocashMerchant, Fee, Merchants, MpesaMerchant, PaynowMerchant, PaystackMerchant,
    SealedPassword, StripeMerchant,
};
pub use self::options::Options;
pub use self::prompt::Prompt;
pub use self::provider::Provider;
pub use self::server::{Running, Sandbox, StartError};
pub use self::world::ActError;
