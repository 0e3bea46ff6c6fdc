//! Servers for tests: one of each kind serves all test processes of a run.
//!
//! The first test that needs a server starts it, the others find it in the
//! target folder; a few seconds after the last of them has ended, however it
//! ended, the server is gone with its data. Tests keep apart by having a
//! database, or a prefix for their streams and subjects, each.
//!
//! The data lies in memory where there is enough of it, because a disk that has
//! just taken a build holds everybody up; `SOKO_TEST_SERVERS_DATA` names another
//! folder for it.
//!
//! `SOKO_TEST_DATABASE_URL` (a superuser) and `SOKO_TEST_NATS_URL` name servers
//! to use instead. What is written here is not durable: whoever tests
//! durability starts a [`Postgres`](crate::Postgres) of its own, in a
//! [`scratch_folder`].

mod databases;
mod meeting;
mod nats;
mod scratch;
mod waiting;

pub use self::databases::{TestDatabase, fresh_database};
pub use self::nats::{TestNats, nats_servers};
pub use self::scratch::scratch_folder;
pub use self::waiting::{PATIENCE, server_activity, until};
