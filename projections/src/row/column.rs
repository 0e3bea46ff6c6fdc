//! What a column may hold, in Postgres' binary format.
//!
//! The same bytes travel three ways: as an element of an array parameter, as a field of a `COPY`,
//! and back as a field of a result.

use super::RowError;
use crate::read_models::carts::CartStatus;
use crate::read_models::invitations::InvitationStatus;
use crate::read_models::members::MemberScope;
use crate::read_models::payments::{ReferenceDoubt, RefundStage};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use soko_domain::order::{FulfilmentStatus, OrderStatus};
use soko_domain::payment::{PaymentProvider, PaymentStatus};
use soko_domain::product::ProductStatus;
use soko_domain::promotion::Funder;
use soko_domain::statement::{LineKind, StatementProvider};
use soko_domain::store::StoreRole;
use soko_domain::tenant::TenantRole;
use soko_domain::vendor::{VendorRole, VendorStatus};
use soko_domain::vendor_account::{PayoutMethod, PayoutStatus};
use soko_domain::{
    AccountId, AggregateId, CartId, CategoryId, Currency, InvitationId, LocationId, OrderId,
    PaymentId, PayoutId, ProductId, PromotionId, RefundId, StatementId, StatementLineId, StoreId,
    TenantId, VariantId, VendorId,
};
use uuid::Uuid;

/// A type of Postgres, as its catalogue numbers it. These numbers never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnType {
    pub name: &'static str,
    /// The type of the elements that become this column's values, and of an array of them.
    pub element_oid: u32,
    pub array_oid: u32,
    /// Whether the elements must be cast to the column's type: an array of arrays cannot be
    /// unnested, so array columns travel as the text of their values.
    pub is_cast: bool,
}

impl ColumnType {
    const fn new(name: &'static str, element_oid: u32, array_oid: u32) -> Self {
        Self {
            name,
            element_oid,
            array_oid,
            is_cast: false,
        }
    }

    const TEXT: Self = Self::new("text", 25, 1009);
    const UUID: Self = Self::new("uuid", 2950, 2951);
    const JSON: Self = Self::new("json", 114, 199);
}

/// A value of a column.
pub trait Column: Sized {
    const TYPE: ColumnType;

    /// Appends the value's bytes; false if it is null.
    ///
    /// # Errors
    /// The value has no form in Postgres.
    fn encode(&self, out: &mut Vec<u8>) -> Result<bool, RowError>;

    /// The value of a field's bytes.
    ///
    /// # Errors
    /// The bytes are not of this type.
    fn decode(field: Option<&[u8]>) -> Result<Self, RowError>;

    /// As [`Self::encode`], for an element of an array parameter.
    ///
    /// # Errors
    /// As [`Self::encode`].
    fn encode_element(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
        self.encode(out)
    }
}

/// A field with its length before it, as `COPY` and arrays have it.
pub(crate) fn with_length(
    out: &mut Vec<u8>,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<bool, RowError>,
) -> Result<(), RowError> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let length = if encode(out)? {
        i32::try_from(out.len() - start - 4).map_err(|_| RowError::TooLong)?
    } else {
        -1
    };
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn present(field: Option<&[u8]>) -> Result<&[u8], RowError> {
    field.ok_or(RowError::Malformed("null"))
}

fn exactly<const N: usize>(field: Option<&[u8]>) -> Result<[u8; N], RowError> {
    let bytes = present(field)?;
    bytes
        .try_into()
        .map_err(|_| RowError::Malformed("a field of another length"))
}

fn text(field: Option<&[u8]>) -> Result<&str, RowError> {
    str::from_utf8(present(field)?).map_err(|_| RowError::Malformed("not a text"))
}

impl<T: Column> Column for Option<T> {
    const TYPE: ColumnType = T::TYPE;

    fn encode(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
        self.as_ref().map_or(Ok(false), |value| value.encode(out))
    }

    fn encode_element(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
        self.as_ref()
            .map_or(Ok(false), |value| value.encode_element(out))
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, RowError> {
        field.map(|bytes| T::decode(Some(bytes))).transpose()
    }
}

impl Column for Uuid {
    const TYPE: ColumnType = ColumnType::UUID;

    fn encode(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
        out.extend_from_slice(self.as_bytes());
        Ok(true)
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, RowError> {
        exactly(field).map(Self::from_bytes)
    }
}

macro_rules! id_columns {
    ($($id:ident),+ $(,)?) => {$(
        impl Column for $id {
            const TYPE: ColumnType = ColumnType::UUID;

            fn encode(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
                Column::encode(&self.as_uuid(), out)
            }

            fn decode(field: Option<&[u8]>) -> Result<Self, RowError> {
                Uuid::decode(field).map(Self::from_uuid)
            }
        }
    )+};
}

id_columns!(
    AccountId,
    CartId,
    CategoryId,
    InvitationId,
    LocationId,
    OrderId,
    PaymentId,
    PayoutId,
    ProductId,
    PromotionId,
    RefundId,
    StatementId,
    StatementLineId,
    StoreId,
    TenantId,
    VariantId,
    VendorId,
);

macro_rules! number_columns {
    ($($number:ident = $name:literal $oid:literal $array_oid:literal),+ $(,)?) => {$(
        impl Column for $number {
            const TYPE: ColumnType = ColumnType::new($name, $oid, $array_oid);

            fn encode(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
                out.extend_from_slice(&self.to_be_bytes());
                Ok(true)
            }

            fn decode(field: Option<&[u8]>) -> Result<Self, RowError> {
                exactly(field).map(Self::from_be_bytes)
            }
        }
    )+};
}

number_columns!(i64 = "bigint" 20 1016, i32 = "integer" 23 1007, i16 = "smallint" 21 1005);

impl Column for bool {
    const TYPE: ColumnType = ColumnType::new("boolean", 16, 1000);

    fn encode(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
        out.push(u8::from(*self));
        Ok(true)
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, RowError> {
        exactly::<1>(field).map(|[byte]| byte != 0)
    }
}

impl Column for String {
    const TYPE: ColumnType = ColumnType::TEXT;

    fn encode(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
        out.extend_from_slice(self.as_bytes());
        Ok(true)
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, RowError> {
        text(field).map(str::to_owned)
    }
}

/// Enums without fields, as the text of their serialized name.
macro_rules! named_columns {
    ($($named:ident),+ $(,)?) => {$(
        impl Column for $named {
            const TYPE: ColumnType = ColumnType::TEXT;

            fn encode(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
                let start = out.len();
                serde_json::to_writer(&mut *out, self)?;
                // Between the quotation marks.
                out.pop();
                out.remove(start);
                Ok(true)
            }

            fn decode(field: Option<&[u8]>) -> Result<Self, RowError> {
                let name: StrDeserializer<'_, serde_json::Error> =
                    text(field)?.into_deserializer();
                Ok(Self::deserialize(name)?)
            }
        }
    )+};
}

named_columns!(
    CartStatus,
    Currency,
    FulfilmentStatus,
    Funder,
    InvitationStatus,
    LineKind,
    MemberScope,
    OrderStatus,
    PaymentProvider,
    PaymentStatus,
    PayoutMethod,
    PayoutStatus,
    ProductStatus,
    ReferenceDoubt,
    RefundStage,
    StatementProvider,
    StoreRole,
    TenantRole,
    VendorRole,
    VendorStatus,
);

/// Postgres counts from here.
const YEAR_2000: DateTime<Utc> = match DateTime::from_timestamp(946_684_800, 0) {
    Some(time) => time,
    None => DateTime::UNIX_EPOCH,
};

/// To the microsecond, like the times of the log.
impl Column for DateTime<Utc> {
    const TYPE: ColumnType = ColumnType::new("timestamptz", 1184, 1185);

    fn encode(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
        let since = self.signed_duration_since(YEAR_2000);
        let microseconds = since.num_microseconds().ok_or(RowError::TooLong)?;
        Column::encode(&microseconds, out)
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, RowError> {
        let microseconds = i64::decode(field)?;
        YEAR_2000
            .checked_add_signed(TimeDelta::microseconds(microseconds))
            .ok_or(RowError::Malformed("not a time"))
    }
}

impl Column for NaiveDate {
    const TYPE: ColumnType = ColumnType::new("date", 1082, 1182);

    fn encode(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
        let days = self
            .signed_duration_since(YEAR_2000.date_naive())
            .num_days();
        let days = i32::try_from(days).map_err(|_| RowError::TooLong)?;
        Column::encode(&days, out)
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, RowError> {
        let days = TimeDelta::days(i32::decode(field)?.into());
        YEAR_2000
            .date_naive()
            .checked_add_signed(days)
            .ok_or(RowError::Malformed("not a date"))
    }
}

/// Something structured, in a `json` column. Its serialization must be the same for equal values
/// (no hash maps): read models equal their replay byte for byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize + DeserializeOwned> Column for Json<T> {
    const TYPE: ColumnType = ColumnType::JSON;

    fn encode(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
        serde_json::to_writer(out, &self.0)?;
        Ok(true)
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, RowError> {
        Ok(Self(serde_json::from_slice(present(field)?)?))
    }
}

/// A piece of an answer, rendered when it was folded, in a `json` column: it is passed on as it
/// stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RenderedJson(String);

impl RenderedJson {
    /// # Errors
    /// The value cannot be JSON.
    pub fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for RenderedJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl Column for RenderedJson {
    const TYPE: ColumnType = ColumnType::JSON;

    fn encode(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
        self.0.encode(out)
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, RowError> {
        String::decode(field).map(Self)
    }
}

/// An array of ids.
impl<T: Column + AggregateId> Column for Vec<T> {
    const TYPE: ColumnType = ColumnType {
        name: "uuid[]",
        element_oid: ColumnType::TEXT.element_oid,
        array_oid: ColumnType::TEXT.array_oid,
        is_cast: true,
    };

    fn encode(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
        const UUID_OID: i32 = 2950;
        let length = i32::try_from(self.len()).map_err(|_| RowError::TooLong)?;
        let dimensions: i32 = (!self.is_empty()).into();
        for number in [dimensions, 0, UUID_OID] {
            Column::encode(&number, out)?;
        }
        if length > 0 {
            Column::encode(&length, out)?;
            Column::encode(&1_i32, out)?;
        }
        for id in self {
            with_length(out, |out| id.encode(out))?;
        }
        Ok(true)
    }

    fn encode_element(&self, out: &mut Vec<u8>) -> Result<bool, RowError> {
        let ids: Vec<String> = self.iter().map(|id| id.as_uuid().to_string()).collect();
        format!("{{{}}}", ids.join(",")).encode(out)
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, RowError> {
        const HEADER: usize = 20;
        const ELEMENT: usize = 20;
        let bytes = present(field)?;
        let elements = bytes.get(HEADER..).unwrap_or_default();
        elements
            .chunks(ELEMENT)
            .map(|element| Uuid::decode(element.get(4..)).map(T::from))
            .collect()
    }
}

#[cfg(test)]
mod tests;
