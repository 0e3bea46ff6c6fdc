//! The stored name and version of every event.

/// Implements `DomainEvent` for an event enum: `stock.reserved` from `"stock"` and `"reserved"`.
///
/// The name after the dot is also the variant's serde name (snake case); the golden files pin both.
macro_rules! event_names {
    ($event:ident, $stream:literal, { $($variant:ident => $name:literal v $version:literal),+ $(,)? }) => {
        impl $event {
            /// The stored name, such as `stock.reserved`.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => concat!($stream, ".", $name)),+
                }
            }

            /// The version of the shape in which this event is written today.
            pub const fn version(&self) -> u32 {
                match self {
                    $(Self::$variant { .. } => $version),+
                }
            }

            /// Every stored name of this aggregate's events with its present version.
            pub const NAMES: &'static [(&'static str, u32)] =
                &[$((concat!($stream, ".", $name), $version)),+];
        }

        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String {
                self.name().to_owned()
            }

            fn event_version(&self) -> String {
                self.version().to_string()
            }
        }
    };
}

pub(crate) use event_names;
