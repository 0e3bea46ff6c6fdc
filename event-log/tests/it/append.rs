//! What an append promises.

mod claims;
mod positions;
