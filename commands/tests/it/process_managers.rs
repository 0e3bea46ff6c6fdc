//! What crosses time.

mod abandoning;
mod office;
mod paying_out;
mod running;
