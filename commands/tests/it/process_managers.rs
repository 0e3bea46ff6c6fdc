//! What crosses time.

mod abandoning;
mod office;
mod running;
