//! What an append promises.

mod append_only;
mod claims;
mod conflicts;
mod epochs;
mod lost_connections;
mod model;
mod oracle;
mod overload;
mod positions;
mod roles;
