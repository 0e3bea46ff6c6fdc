//! What stands in the address of a request: parameters of the path and of the query.

mod cursor;

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::ops::Deref;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use soko_domain::{
    AccountId, CategoryId, LocationId, OrderId, PaymentId, ProductId, Sku, Slug, StoreId, TenantId,
    VariantId, VendorId,
};
use soko_event_log::Position;
use soko_projections::Keyset;
use uuid::Uuid;

pub use self::cursor::{Cursor, cursor};
use crate::operation::{Input, Operation};
use crate::problem::{Code, Fault, Place, Problem, Result};

/// The parameters of a path. What cannot be an id is the id of nothing: `404`.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T> Deref for Path<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned> FromRequest for Path<T> {
    type Error = Problem;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if has_control_character(request.path()) {
            return ready(Err(Problem::new(Code::NotFound)));
        }
        let path = web::Path::<T>::from_request(request, payload).into_inner();
        ready(
            path.map(|path| Self(path.into_inner()))
                .map_err(|_| Problem::new(Code::NotFound)),
        )
    }
}

/// Encoded: a decoded one is no HTTP.
fn has_control_character(path: &str) -> bool {
    let digits = path.split('%').skip(1).map(str::as_bytes);
    digits
        .into_iter()
        .any(|digits| matches!(digits, [b'0' | b'1', _, ..] | [b'7', b'f' | b'F', ..]))
}

impl<T> Input for Path<T> {
    fn describe(operation: &mut Operation<'_>) {
        // The parameters themselves are read off the path.
        operation.refuses(&[Code::NotFound]);
    }
}

/// The parameters of a query, all of them known and valid.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T> Deref for Query<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Parameters> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = QueryReading::new(request.query_string()).and_then(|mut reading| {
            if !request.method().is_safe() {
                // For the command that it comes with.
                reading.given.remove("dry_run");
            }
            let parameters = T::read(&mut reading);
            reading.finish(parameters)
        });
        ready(read.map(Self))
    }
}

impl<T: Parameters> Input for Query<T> {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
        operation.refuses(&[Code::Validation]);
    }
}

#[cfg(test)]
fn parse<T: Parameters>(query: &str) -> Result<T> {
    let mut reading = QueryReading::new(query)?;
    let parameters = T::read(&mut reading);
    reading.finish(parameters)
}

/// What the macro [`query!`] makes of a struct.
pub trait Parameters: Sized + 'static {
    /// `None` only when a fault was noted.
    fn read(reading: &mut QueryReading) -> Option<Self>;
    fn describe(operation: &mut Operation<'_>);
}

/// The parameters not yet asked for, and the faults found in the others.
#[derive(Debug)]
pub struct QueryReading {
    given: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

impl QueryReading {
    fn new(query: &str) -> Result<Self> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|_| Problem::new(Code::MalformedRequest))?;
        let mut reading = Self {
            given: BTreeMap::new(),
            faults: vec![],
        };
        for (name, value) in pairs.into_inner() {
            if value.chars().any(char::is_control) {
                reading.fault(&name, "must not contain control characters");
            }
            if reading.given.insert(name.clone(), value).is_some() {
                reading.fault(&name, "is there twice");
            }
        }
        Ok(reading)
    }

    pub fn parameter<T: Parameter>(&mut self, name: &str) -> Option<T> {
        let text = self.given.remove(name);
        let value = T::read(text.as_deref());
        value.map_err(|fault| self.fault(name, &fault)).ok()
    }

    fn finish<T>(mut self, parameters: Option<T>) -> Result<T> {
        for name in std::mem::take(&mut self.given).keys() {
            self.fault(name, "is not a parameter that is known here");
        }
        match parameters {
            Some(parameters) if self.faults.is_empty() => Ok(parameters),
            _ => Err(Problem::invalid(self.faults)),
        }
    }

    fn fault(&mut self, name: &str, message: &str) {
        let place = Place::Parameter(name.to_owned());
        self.faults.push(Fault {
            place,
            message: message.to_owned(),
        });
    }
}

/// A value that can stand in a query.
pub trait Parameter: Sized {
    const IS_REQUIRED: bool = true;

    /// # Errors
    /// What is wrong with the text.
    fn read(text: Option<&str>) -> std::result::Result<Self, String>;
    fn schema() -> Value;
}

impl<T: Parameter> Parameter for Option<T> {
    const IS_REQUIRED: bool = false;

    fn read(text: Option<&str>) -> std::result::Result<Self, String> {
        text.map(|text| T::read(Some(text))).transpose()
    }

    fn schema() -> Value {
        T::schema()
    }
}

macro_rules! parameters {
    ($($type:ty: $must_be:literal $schema:tt),+ $(,)?) => {$(
        impl Parameter for $type {
            fn read(text: Option<&str>) -> std::result::Result<Self, String> {
                let text = text.ok_or("is missing")?;
                <$type>::from_str(text).map_err(|_| concat!("must be ", $must_be).to_owned())
            }

            fn schema() -> Value {
                json!($schema)
            }
        }
    )+};
}

parameters! {
    bool: "true or false" { "type": "boolean" },
    i64: "a whole number" { "type": "integer", "format": "int64" },
    u32: "a whole number" { "type": "integer", "minimum": 0 },
    String: "text" { "type": "string" },
    Sku: "an article number" { "type": "string" },
    Slug: "lower-case letters, digits and hyphens" { "type": "string" },
    Position: "a position" { "type": "integer", "format": "int64" },
    NaiveDate: "a date, such as 2026-01-31" { "type": "string", "format": "date" },
    AccountId: "an id" { "type": "string", "format": "uuid" },
    TenantId: "an id" { "type": "string", "format": "uuid" },
    StoreId: "an id" { "type": "string", "format": "uuid" },
    VendorId: "an id" { "type": "string", "format": "uuid" },
    CategoryId: "an id" { "type": "string", "format": "uuid" },
    ProductId: "an id" { "type": "string", "format": "uuid" },
    VariantId: "an id" { "type": "string", "format": "uuid" },
    LocationId: "an id" { "type": "string", "format": "uuid" },
    OrderId: "an id" { "type": "string", "format": "uuid" },
    PaymentId: "an id" { "type": "string", "format": "uuid" },
    Uuid: "an id" { "type": "string", "format": "uuid" },
}

/// Of RFC 3339 and no wider form: what lies thousands of years away, Postgres does not know.
impl Parameter for DateTime<Utc> {
    fn read(text: Option<&str>) -> std::result::Result<Self, String> {
        let time = DateTime::parse_from_rfc3339(text.ok_or("is missing")?);
        time.map(|time| time.with_timezone(&Utc))
            .map_err(|_| "must be a time, such as 2026-01-31T12:00:00Z".to_owned())
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "date-time" })
    }
}

/// How many items a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u8);

impl Limit {
    pub const DEFAULT: Self = Self(20);
    pub const MAX: Self = Self(100);

    /// As Postgres counts.
    pub fn rows(self) -> i64 {
        i64::from(self.0)
    }

    /// The part of a list that is asked for: after the cursor, if there is one. `list` names the
    /// list and its filters.
    ///
    /// # Errors
    /// `bad-cursor`
    pub fn keyset<K: DeserializeOwned>(
        self,
        cursor: Option<&Cursor>,
        list: &str,
    ) -> Result<Keyset<K>> {
        Ok(Keyset {
            after: cursor.map(|cursor| cursor.key(list)).transpose()?,
            limit: self.rows(),
        })
    }
}

impl From<Limit> for usize {
    fn from(limit: Limit) -> Self {
        Self::from(limit.0)
    }
}

impl Parameter for Limit {
    const IS_REQUIRED: bool = false;

    fn read(text: Option<&str>) -> std::result::Result<Self, String> {
        let Some(text) = text else {
            return Ok(Self::DEFAULT);
        };
        match text.parse() {
            Ok(limit @ 1..=100) => Ok(Self(limit)),
            _ => Err(format!("must be from 1 to {}", Self::MAX.0)),
        }
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 1, "maximum": Self::MAX.0, "default": Self::DEFAULT.0 })
    }
}

/// The parameters of a query: read with every fault found, described in OpenAPI.
macro_rules! query {
    ($(
        $(#[doc = $about:literal])*
        $visibility:vis struct $name:ident {
            $($(#[doc = $field_about:literal])* $field_visibility:vis $field:ident: $type:ty),* $(,)?
        }
    )+) => {$(
        $(#[doc = $about])*
        #[derive(Debug)]
        $visibility struct $name {
            $($(#[doc = $field_about])* $field_visibility $field: $type,)*
        }

        impl $crate::query::Parameters for $name {
            fn read(reading: &mut $crate::query::QueryReading) -> Option<Self> {
                $(let $field = reading.parameter::<$type>(stringify!($field));)*
                Some(Self { $($field: $field?,)* })
            }

            fn describe(operation: &mut $crate::operation::Operation<'_>) {
                $(operation.query(
                    stringify!($field),
                    <$type as $crate::query::Parameter>::IS_REQUIRED,
                    concat!($($field_about),*),
                    &<$type as $crate::query::Parameter>::schema(),
                );)*
            }
        }
    )+};
}

pub(crate) use query;

#[cfg(test)]
mod tests {
    use super::*;

    query! {
        struct Search {
            store: Option<StoreId>,
            in_stock: Option<bool>,
            limit: Limit,
        }
    }

    fn faulty(query: &str) -> Vec<String> {
        let problem = parse::<Search>(query).expect_err("a fault");
        assert_eq!(problem.code(), Code::Validation);
        let names = problem.faults().iter().map(|fault| match &fault.place {
            Place::Parameter(name) => name.clone(),
            other => panic!("{other:?}"),
        });
        names.collect()
    }

    #[test]
    fn what_is_not_given_has_its_default() {
        let search = parse::<Search>("").unwrap();
        assert_eq!(
            (search.store, search.in_stock, search.limit),
            (None, None, Limit::DEFAULT)
        );
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let faults = faulty("store=x&limit=0&in_stock=yes&colour=red");
        assert_eq!(faults, ["store", "in_stock", "limit", "colour"]);
    }

    #[test]
    fn a_time_is_one_of_rfc_3339() {
        let time = |text| DateTime::<Utc>::read(Some(text));
        let noon = time("2026-01-31T12:00:00Z").unwrap();
        assert_eq!(time("2026-01-31T15:00:00.000+03:00").unwrap(), noon);
        for wrong in [
            "2026-01-31",
            "-5000-01-31T12:00:00Z",
            "+12026-01-31T12:00:00Z",
            "noon",
        ] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_parameter_stands_once() {
        assert_eq!(faulty("limit=5&limit=6"), ["limit"]);
    }

    #[test]
    fn a_page_has_at_most_a_hundred_items() {
        assert_eq!(
            usize::from(parse::<Search>("limit=100").unwrap().limit),
            100
        );
        for limit in ["101", "-1", "1e1", "9999999999", ""] {
            assert_eq!(faulty(&format!("limit={limit}")), ["limit"]);
        }
    }
}
