//! What is measured.

pub mod engine;
pub mod http;
pub mod rebuild;
