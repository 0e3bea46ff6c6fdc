//! The schemas of what is not an object of the API's own: numbers, texts and value types.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use soko_domain::account::PlatformRole;
use soko_domain::payment::{PaymentProvider, Wallet};
use soko_domain::permission::Permission;
use soko_domain::store::StoreRole;
use soko_domain::tenant::TenantRole;
use soko_domain::vendor::VendorRole;
use soko_domain::{
    AccountId, Address, AddressId, CartId, CategoryId, CountryCode, CouponCode, Currency,
    EmailAddress, InvitationId, LocationId, Money, OrderId, PaymentId, PayoutId, PhoneNumber,
    ProductId, PromotionId, Quantity, RefundId, Sku, Slug, StatementId, StoreId, TaxRate, TenantId,
    Text, VariantId, VendorId, WebOrigin,
};
use soko_event_log::Position;
use uuid::Uuid;

use super::{Components, Described, ObjectSchema, words};
use crate::body::{Readable, Reading};
use crate::secret::Secret;

macro_rules! leaves {
    ($($type:ty => $schema:tt),+ $(,)?) => {$(
        impl Described for $type {
            fn schema(_: &mut Components) -> Value {
                json!($schema)
            }
        }

        impl Readable for $type {}
    )+};
}

leaves! {
    bool => { "type": "boolean" },
    u8 => { "type": "integer", "minimum": 0, "maximum": 255 },
    u16 => { "type": "integer", "minimum": 0, "maximum": 65535 },
    u32 => { "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32 },
    u64 => { "type": "integer", "format": "int64", "minimum": 0 },
    i32 => { "type": "integer", "format": "int32" },
    i64 => { "type": "integer", "format": "int64" },
    String => { "type": "string" },
    Value => { "type": ["object", "array", "string", "number", "boolean", "null"] },
    Uuid => { "type": "string", "format": "uuid" },
    DateTime<Utc> => { "type": "string", "format": "date-time" },
    NaiveDate => { "type": "string", "format": "date" },
    AccountId => { "type": "string", "format": "uuid" },
    TenantId => { "type": "string", "format": "uuid" },
    StoreId => { "type": "string", "format": "uuid" },
    VendorId => { "type": "string", "format": "uuid" },
    CategoryId => { "type": "string", "format": "uuid" },
    ProductId => { "type": "string", "format": "uuid" },
    VariantId => { "type": "string", "format": "uuid" },
    LocationId => { "type": "string", "format": "uuid" },
    CartId => { "type": "string", "format": "uuid" },
    OrderId => { "type": "string", "format": "uuid" },
    PaymentId => { "type": "string", "format": "uuid" },
    InvitationId => { "type": "string", "format": "uuid" },
    PromotionId => { "type": "string", "format": "uuid" },
    PayoutId => { "type": "string", "format": "uuid" },
    RefundId => { "type": "string", "format": "uuid" },
    StatementId => { "type": "string", "format": "uuid" },
    AddressId => { "type": "string", "format": "uuid" },
    Position => { "type": "integer", "format": "int64", "minimum": 0 },
    Quantity => { "type": "integer", "minimum": 1 },
    TaxRate => { "type": "integer", "minimum": 0, "maximum": 10_000 },
    Slug => { "type": "string", "maxLength": 100, "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$" },
    Sku => { "type": "string", "minLength": 1 },
    CouponCode => {
        "type": "string", "minLength": 3, "maxLength": 32,
        "pattern": "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$", "examples": ["KARIBU-10"]
    },
    EmailAddress => { "type": "string", "format": "email", "maxLength": 254 },
    PhoneNumber => { "type": "string", "examples": ["+254712345678"] },
    CountryCode => { "type": "string", "minLength": 2, "maxLength": 2, "examples": ["KE"] },
    WebOrigin => {
        "type": "string", "maxLength": 270, "pattern": "^https?://[A-Za-z0-9.-]+(:[0-9]+)?$",
        "examples": ["https://shop.example"]
    },
    Secret => { "type": "string", "format": "password" },
}

words! {
    Currency = "Currency" ["KES", "USD", "ZAR", "ZWG"],
    PaymentProvider = "PaymentProvider" [
        "bank_transfer", "cash_on_delivery", "ecocash", "mpesa", "paynow", "paystack", "stripe", "stripe_checkout",
    ],
    Wallet = "Wallet" ["ecocash", "innbucks", "mpesa", "omari", "onemoney"],
    PlatformRole = "PlatformRole" ["admin", "auditor", "analyst", "support"],
    TenantRole = "TenantRole" ["owner", "admin"],
    StoreRole = "StoreRole" ["manager", "staff", "auditor", "analyst"],
    VendorRole = "VendorRole" ["owner", "manager", "catalog", "fulfilment", "finance", "viewer"],
}

impl Described for Permission {
    fn schema(components: &mut Components) -> Value {
        components.named(
            "Permission",
            |_| json!({ "type": "string", "enum": Self::ALL }),
        )
    }
}

impl Readable for Permission {}

impl Described for Money {
    fn schema(components: &mut Components) -> Value {
        components.named("Money", |components| {
            ObjectSchema::default()
                .member::<i64>(components, "amount", "In minor units: cents.")
                .member::<Currency>(components, "currency", "")
                .finish("An amount of money.", true)
        })
    }
}

impl Readable for Money {
    fn inspect(value: &Value, reading: &mut Reading) {
        let Some(members) = reading.object(value) else {
            return;
        };
        reading.member::<i64>(members, "amount");
        reading.member::<Currency>(members, "currency");
        reading.unknown(members, &["amount", "currency"]);
    }
}

impl Described for Address {
    fn schema(components: &mut Components) -> Value {
        components.named("Address", |components| {
            ObjectSchema::default()
                .member::<Text<120>>(components, "name", "Who receives it.")
                .member::<PhoneNumber>(components, "phone", "")
                .member::<Text<200>>(components, "line1", "")
                .member::<Option<Text<200>>>(components, "line2", "")
                .member::<Text<100>>(components, "city", "")
                .member::<Option<Text<100>>>(components, "province", "")
                .member::<Option<Text<20>>>(components, "postal_code", "")
                .member::<CountryCode>(components, "country", "")
                .finish("Where a person receives goods.", true)
        })
    }
}

impl Readable for Address {
    fn inspect(value: &Value, reading: &mut Reading) {
        let Some(members) = reading.object(value) else {
            return;
        };
        reading.member::<Text<120>>(members, "name");
        reading.member::<PhoneNumber>(members, "phone");
        reading.member::<Text<200>>(members, "line1");
        reading.member::<Option<Text<200>>>(members, "line2");
        reading.member::<Text<100>>(members, "city");
        reading.member::<Option<Text<100>>>(members, "province");
        reading.member::<Option<Text<20>>>(members, "postal_code");
        reading.member::<CountryCode>(members, "country");
        reading.unknown(
            members,
            &[
                "name",
                "phone",
                "line1",
                "line2",
                "city",
                "province",
                "postal_code",
                "country",
            ],
        );
    }
}

impl<const MAX: usize> Described for Text<MAX> {
    fn schema(_: &mut Components) -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": MAX })
    }
}

impl<const MAX: usize> Readable for Text<MAX> {}

impl<T: Described> Described for Option<T> {
    const OPTIONAL: bool = true;

    fn schema(components: &mut Components) -> Value {
        match T::schema(components) {
            reference if reference.get("$ref").is_some() => {
                json!({ "oneOf": [reference, { "type": "null" }] })
            }
            mut schema => {
                if let Some(Value::String(kind)) = schema.get("type").cloned() {
                    schema["type"] = json!([kind, "null"]);
                }
                schema
            }
        }
    }
}

impl<T: Readable> Readable for Option<T> {
    fn inspect(value: &Value, reading: &mut Reading) {
        if !value.is_null() {
            T::inspect(value, reading);
        }
    }
}

impl<T: Described> Described for Vec<T> {
    fn schema(components: &mut Components) -> Value {
        json!({ "type": "array", "items": T::schema(components) })
    }
}

impl<T: Readable> Readable for Vec<T> {
    fn inspect(value: &Value, reading: &mut Reading) {
        reading.list::<T>(value);
    }
}

impl<T: Described> Described for BTreeSet<T> {
    fn schema(components: &mut Components) -> Value {
        json!({ "type": "array", "uniqueItems": true, "items": T::schema(components) })
    }
}

impl<T: Readable + Ord> Readable for BTreeSet<T> {
    fn inspect(value: &Value, reading: &mut Reading) {
        reading.list::<T>(value);
    }
}

impl<T: Described> Described for BTreeMap<String, T> {
    fn schema(components: &mut Components) -> Value {
        json!({ "type": "object", "additionalProperties": T::schema(components) })
    }
}

impl<T: Readable> Readable for BTreeMap<String, T> {
    fn inspect(value: &Value, reading: &mut Reading) {
        let Some(members) = reading.object(value) else {
            return;
        };
        for name in members.keys() {
            reading.member::<T>(members, name);
        }
    }
}
