//! Private servers: a PostgreSQL and a NATS of our own, for whoever starts
//! Soko without naming any, for the bench and for the tests.
//!
//! A server lives exactly as long as its handle: it stops when the handle is
//! stopped or dropped, and also when the process that holds it is killed.
//! Nothing here knows what the servers are used for.

mod data_folder;
mod error;
mod kept;
mod nats;
mod ports;
mod postgres;
mod process;
mod run_as;
pub mod testing;

pub use error::EmbeddedError;
pub use kept::Kept;
pub use nats::{Nats, NatsOptions, NatsVersion};
pub use postgres::{Durability, Postgres, PostgresOptions, SocketLogin};
