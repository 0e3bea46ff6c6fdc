mod event;

pub use event::{AccountEvent, PlatformRole};
