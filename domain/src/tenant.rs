mod event;

pub use event::{TenantEvent, TenantRole};
