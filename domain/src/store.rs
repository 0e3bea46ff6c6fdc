mod event;

pub use event::{StoreEvent, StoreRole};
