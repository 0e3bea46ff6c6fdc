//! Real servers, started and ended in every way that occurs.

mod sharing;
