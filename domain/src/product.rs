mod event;

pub use event::{Description, ProductEvent, Seo, Variant};
