//! The API from outside: a real server on a database of its own.

mod framework;
mod settings;
mod soko;
