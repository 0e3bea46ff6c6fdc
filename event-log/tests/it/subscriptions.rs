//! What every subscription keeps, whatever it follows.

mod bus;
mod feed;
mod jetstream;
mod outages;
mod proxy;
mod relay;
mod rules;
mod tail;
