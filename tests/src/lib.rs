//! Soko from outside: a running system for one test, people who use it, and what an auditor sees.
//!
//! Nothing here knows more than a client knows: HTTP, the audit views, and the binary itself.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "what a test cannot do ends the test"
)]

mod authenticator;
pub mod checkers;
mod contract;
mod market;
mod money;
mod outbox;
mod person;
mod raw_http;
mod shopping;
mod soko;
mod sudden_end;
pub mod till;

pub use authenticator::Authenticator;
pub use contract::{Contract, Operation, Parameter};
pub use market::{Market, Product, STATEMENT, address, coupon, text};
pub use money::{available, balance, requested_payout};
pub use outbox::{Letter, code_in};
pub use person::{Answer, Person, send};
pub use raw_http::{NoAnswer, RawAnswer, RawRequest};
pub use shopping::{Shopping, Told};
pub use soko::{ADMIN_EMAIL, ADMIN_PASSWORD, Settings, Soko, binary, http_client};
pub use sudden_end::{kill_at_once, with_children};
