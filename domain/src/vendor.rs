mod event;

pub use event::{VendorEvent, VendorRole};
