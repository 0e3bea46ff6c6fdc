//! Each event of each aggregate, for readers of the whole log.

use crate::{
    AccountId, CartId, CategoryId, OrderId, PaymentId, ProductId, StoreId, TenantId, VariantId,
    VendorId,
};
use crate::{
    account::AccountEvent, cart::CartEvent, category::CategoryEvent, order::OrderEvent,
    payment::PaymentEvent, product::ProductEvent, stock::StockEvent, store::StoreEvent,
    tenant::TenantEvent, vendor::VendorEvent,
};
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use std::sync::LazyLock;

/// Why a stored event could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("no aggregate is called {0}")]
    UnknownStream(String),
    #[error("{0} is not an id")]
    BadId(String),
    #[error("the payload of {event_type} v{event_version} cannot be read")]
    BadPayload {
        event_type: String,
        event_version: String,
        #[source]
        cause: serde_json::Error,
    },
}

macro_rules! any_event {
    ($($aggregate:ident($id:ident, $event:ident) = $stream:literal),+ $(,)?) => {
        /// An event together with the stream it belongs to.
        #[derive(Debug, Clone, PartialEq)]
        pub enum AnyEvent {
            $($aggregate($id, $event)),+
        }

        impl AnyEvent {
            /// The stream types there are, as stored in `aggregate_type`.
            pub const STREAM_TYPES: &'static [&'static str] = &[$($stream),+];

            pub const fn stream_type(&self) -> &'static str {
                match self { $(Self::$aggregate(..) => $stream),+ }
            }

            pub fn stream_id(&self) -> uuid::Uuid {
                match self { $(Self::$aggregate(id, _) => id.as_uuid()),+ }
            }

            /// The stored name, such as `stock.reserved`.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$aggregate(_, event) => event.name()),+ }
            }

            /// The names of every event there is, with their present versions.
            pub fn all_names() -> Vec<(&'static str, u32)> {
                [$($event::NAMES),+].concat()
            }

            fn from_json(stream_type: &str, id: &str, event_type: &str, version: &str, payload: &str)
                -> Result<Self, DecodeError>
            {
                let bad_payload = |cause| DecodeError::BadPayload {
                    event_type: event_type.to_owned(), event_version: version.to_owned(), cause,
                };
                match stream_type {
                    $($stream => Ok(Self::$aggregate(
                        id.parse().map_err(|_| DecodeError::BadId(id.to_owned()))?,
                        serde_json::from_str(payload).map_err(bad_payload)?,
                    )),)+
                    other => Err(DecodeError::UnknownStream(other.to_owned())),
                }
            }
        }
    };
}

any_event! {
    Account(AccountId, AccountEvent) = "account",
    Tenant(TenantId, TenantEvent) = "tenant",
    Store(StoreId, StoreEvent) = "store",
    Vendor(VendorId, VendorEvent) = "vendor",
    Category(CategoryId, CategoryEvent) = "category",
    Product(ProductId, ProductEvent) = "product",
    Stock(VariantId, StockEvent) = "stock",
    Cart(CartId, CartEvent) = "cart",
    Order(OrderId, OrderEvent) = "order",
    Payment(PaymentId, PaymentEvent) = "payment",
}

impl AnyEvent {
    /// Reads one stored event; `payload` is its JSON text, lifted to today's shape if it is older.
    ///
    /// # Errors
    /// When the stream type is unknown or the payload is not of the event's shape.
    pub fn decode(
        stream_type: &str,
        stream_id: &str,
        event_type: &str,
        event_version: &str,
        payload: &str,
    ) -> Result<Self, DecodeError> {
        let upcasters = upcasters();
        if !upcasters
            .iter()
            .any(|u| u.can_upcast(event_type, event_version))
        {
            return Self::from_json(stream_type, stream_id, event_type, event_version, payload);
        }
        let bad_payload = |cause| DecodeError::BadPayload {
            event_type: event_type.to_owned(),
            event_version: event_version.to_owned(),
            cause,
        };
        let lifted = upcasters.iter().fold(
            SerializedEvent {
                aggregate_id: stream_id.to_owned(),
                sequence: 0,
                aggregate_type: stream_type.to_owned(),
                event_type: event_type.to_owned(),
                event_version: event_version.to_owned(),
                payload: serde_json::from_str(payload).map_err(bad_payload)?,
                metadata: serde_json::Value::Null,
            },
            |event, upcaster| {
                if upcaster.can_upcast(&event.event_type, &event.event_version) {
                    upcaster.upcast(event)
                } else {
                    event
                }
            },
        );
        let payload = lifted.payload.to_string();
        Self::from_json(
            stream_type,
            stream_id,
            &lifted.event_type,
            &lifted.event_version,
            &payload,
        )
    }
}

/// Old event shapes lifted to today's, oldest first. No event has changed its shape yet.
pub fn upcasters() -> &'static [Box<dyn EventUpcaster>] {
    static UPCASTERS: LazyLock<Vec<Box<dyn EventUpcaster>>> = LazyLock::new(Vec::new);
    &UPCASTERS
}
