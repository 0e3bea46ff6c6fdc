//! What the API consists of: one file for each resource.

pub(crate) mod documentation;
pub(crate) mod health;
