//! Each event of each aggregate, for readers of the whole log.

use crate::upcasters::{lift, upcasters};
use crate::{
    AccountId, CartId, CategoryId, OrderId, PaymentId, ProductId, PromotionId, StatementId,
    StoreId, TenantId, VariantId, VendorId,
};
use crate::{
    account::AccountEvent, cart::CartEvent, category::CategoryEvent, order::OrderEvent,
    payment::PaymentEvent, product::ProductEvent, promotion::PromotionEvent,
    statement::StatementEvent, stock::StockEvent, store::StoreEvent, tenant::TenantEvent,
    vendor::VendorEvent, vendor_account::VendorAccountEvent,
};
use cqrs_es::persist::EventUpcaster;

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
    /// Written by a later version of this program, or its upcaster was forgotten.
    #[error("{event_type} is known up to version {known}, not in version {found}")]
    UnknownVersion {
        event_type: String,
        known: u32,
        found: String,
    },
    #[error("what is called {event_type} has the payload of {found}")]
    WrongPayload {
        event_type: String,
        found: &'static str,
    },
}

/// The texts of an event as they stand in the log.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    pub stream_type: &'a str,
    pub stream_id: &'a str,
    pub event_type: &'a str,
    pub event_version: &'a str,
    /// JSON.
    pub payload: &'a str,
}

impl Written<'_> {
    fn bad_payload(&self, cause: serde_json::Error) -> DecodeError {
        DecodeError::BadPayload {
            event_type: self.event_type.to_owned(),
            event_version: self.event_version.to_owned(),
            cause,
        }
    }
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

            /// The version of the shape in which this event is written today.
            pub const fn version(&self) -> u32 {
                match self { $(Self::$aggregate(_, event) => event.version()),+ }
            }

            /// The payload as it would be written today, with sorted keys.
            ///
            /// # Errors
            /// An event that is not JSON; none is.
            pub fn payload(&self) -> Result<serde_json::Value, serde_json::Error> {
                match self { $(Self::$aggregate(_, event) => serde_json::to_value(event)),+ }
            }

            /// The names of every event there is, with their present versions.
            pub fn all_names() -> Vec<(&'static str, u32)> {
                [$($event::NAMES),+].concat()
            }

            fn from_json(written: Written<'_>) -> Result<Self, DecodeError> {
                let bad_id = || DecodeError::BadId(written.stream_id.to_owned());
                match written.stream_type {
                    $($stream => Ok(Self::$aggregate(
                        written.stream_id.parse().map_err(|_| bad_id())?,
                        serde_json::from_str(written.payload)
                            .map_err(|cause| written.bad_payload(cause))?,
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
    Statement(StatementId, StatementEvent) = "statement",
    VendorAccount(VendorId, VendorAccountEvent) = "vendor_account",
    Promotion(PromotionId, PromotionEvent) = "promotion",
}

impl AnyEvent {
    /// Reads one stored event; `payload` is its JSON text, lifted to today's shape if it is older.
    ///
    /// # Errors
    /// When the stream type is unknown, or the payload is not of the shape that the event's name
    /// and version stand for.
    pub fn decode(
        stream_type: &str,
        stream_id: &str,
        event_type: &str,
        event_version: &str,
        payload: &str,
    ) -> Result<Self, DecodeError> {
        let written = Written {
            stream_type,
            stream_id,
            event_type,
            event_version,
            payload,
        };
        Self::decode_with(upcasters(), written)
    }

    /// As [`AnyEvent::decode`], with other upcasters than those of this version.
    ///
    /// # Errors
    /// As [`AnyEvent::decode`].
    pub fn decode_with(
        upcasters: &[Box<dyn EventUpcaster>],
        written: Written<'_>,
    ) -> Result<Self, DecodeError> {
        let Written {
            event_type,
            event_version,
            ..
        } = written;
        let mut newer = upcasters.iter();
        if !newer.any(|upcaster| upcaster.can_upcast(event_type, event_version)) {
            return Self::from_json(written)?.expect_to_be(event_type, event_version);
        }
        let lifted = lift(upcasters, written).map_err(|cause| written.bad_payload(cause))?;
        let payload = lifted.payload.to_string();
        Self::from_json(Written {
            payload: &payload,
            ..written
        })?
        .expect_to_be(&lifted.event_type, &lifted.event_version)
    }

    /// Serde reads the tag within the payload, which must not tell another story than the columns
    /// beside it; and it would read what it knows of a later shape and drop the rest.
    fn expect_to_be(self, event_type: &str, event_version: &str) -> Result<Self, DecodeError> {
        if self.name() != event_type {
            return Err(DecodeError::WrongPayload {
                event_type: event_type.to_owned(),
                found: self.name(),
            });
        }
        // cqrs-es writes the version of what it has lifted as `2.0.0`.
        let major = event_version.split('.').next().unwrap_or_default();
        if major.parse() != Ok(self.version()) {
            return Err(DecodeError::UnknownVersion {
                event_type: event_type.to_owned(),
                known: self.version(),
                found: event_version.to_owned(),
            });
        }
        Ok(self)
    }
}
