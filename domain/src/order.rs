mod event;

pub use event::{CancelledBy, Customer, OrderEvent, OrderLine, Placement, Totals};
