mod event;

pub use event::CategoryEvent;
