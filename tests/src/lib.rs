//! Soko from outside: a running system for one test, people who use it, and what an auditor sees.
//!
//! Nothing here knows more than a client knows: HTTP, the audit views, and the binary itself.

pub mod checkers;
mod market;
mod person;
mod soko;

pub use market::{Market, Product, address, text};
pub use person::{Answer, Person, send};
pub use soko::{ADMIN_EMAIL, ADMIN_PASSWORD, Settings, Soko, binary};
