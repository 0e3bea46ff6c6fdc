//! What every subscription keeps, whatever it follows.

mod feed;
mod rules;
mod tail;
