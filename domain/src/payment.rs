mod event;

pub use event::{PaymentEvent, PaymentProvider};
