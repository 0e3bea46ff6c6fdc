mod event;

pub use event::{CartEvent, CartOwner};
