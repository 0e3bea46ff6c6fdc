//! Lists of values in the form in which they are sent.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::{Encode, Postgres, Type};
use std::marker::PhantomData;
use uuid::Uuid;

/// One argument of the append function, ready to be sent at any time while it grows. Its form is
/// that of `array_recv` in `src/backend/utils/adt/arrayfuncs.c` of PostgreSQL.
#[derive(Debug)]
pub(super) struct Column<T> {
    elements: Vec<u8>,
    len: i32,
    has_null: bool,
    of: PhantomData<T>,
}

/// One argument out of two columns, the second behind the first.
#[derive(Debug)]
pub(super) struct Then<'a, T>(pub(super) &'a Column<T>, pub(super) &'a Column<T>);

/// What a column is of. The numbers of the types are fixed in every Postgres.
pub(super) trait Element {
    type Value: ?Sized;
    const TYPE: Oid;
    const ARRAY: Oid;
}

#[derive(Debug)]
pub(super) struct Text;
/// JSON as it was written: as `json`, the database parses it once and keeps it.
#[derive(Debug)]
pub(super) struct Json;
#[derive(Debug)]
pub(super) struct Bytes;

impl<T> Column<T> {
    fn push_bytes(&mut self, bytes: &[u8]) {
        // No text of a unit has two gigabytes; the database would refuse it.
        let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        self.elements.extend_from_slice(&length.to_be_bytes());
        self.elements.extend_from_slice(bytes);
        self.len += 1;
    }

    fn push_null(&mut self) {
        self.elements.extend_from_slice(&(-1_i32).to_be_bytes());
        self.has_null = true;
        self.len += 1;
    }
}

/// Of what is sent as the bytes that it is.
impl<T: Element<Value: AsRef<[u8]>>> Column<T> {
    pub(super) fn push(&mut self, value: &T::Value) {
        self.push_bytes(value.as_ref());
    }

    pub(super) fn push_option(&mut self, value: Option<&T::Value>) {
        match value {
            Some(value) => self.push(value),
            None => self.push_null(),
        }
    }
}

impl Column<i32> {
    /// A call has a few thousand of everything.
    pub(super) fn push_count(&mut self, count: usize) {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        self.push_bytes(&count.to_be_bytes());
    }
}

impl Column<i64> {
    pub(super) fn push_sequence(&mut self, sequence: u64) {
        self.push_bytes(&bigint(sequence).to_be_bytes());
    }
}

pub(super) fn bigint(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Self {
            elements: Vec::new(),
            len: 0,
            has_null: false,
            of: PhantomData,
        }
    }
}

impl<T: Element> Type<Postgres> for Column<T> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(T::ARRAY)
    }
}

impl<T: Element> Encode<'_, Postgres> for Column<T> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        encode(&[self], buffer);
        Ok(IsNull::No)
    }
}

impl<T: Element> Type<Postgres> for Then<'_, T> {
    fn type_info() -> PgTypeInfo {
        Column::<T>::type_info()
    }
}

impl<T: Element> Encode<'_, Postgres> for Then<'_, T> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        encode(&[self.0, self.1], buffer);
        Ok(IsNull::No)
    }
}

fn encode<T: Element>(columns: &[&Column<T>], buffer: &mut PgArgumentBuffer) {
    const DIMENSIONS: i32 = 1;
    const LOWER_BOUND: i32 = 1;
    let has_null = columns.iter().any(|column| column.has_null);
    let len: i32 = columns.iter().map(|column| column.len).sum();
    buffer.extend_from_slice(&DIMENSIONS.to_be_bytes());
    buffer.extend_from_slice(&i32::from(has_null).to_be_bytes());
    buffer.extend_from_slice(&T::TYPE.0.to_be_bytes());
    buffer.extend_from_slice(&len.to_be_bytes());
    buffer.extend_from_slice(&LOWER_BOUND.to_be_bytes());
    for column in columns {
        buffer.extend_from_slice(&column.elements);
    }
}

impl Element for Text {
    type Value = str;
    const TYPE: Oid = Oid(25);
    const ARRAY: Oid = Oid(1009);
}

impl Element for Json {
    type Value = str;
    const TYPE: Oid = Oid(114);
    const ARRAY: Oid = Oid(199);
}

impl Element for Bytes {
    type Value = [u8];
    const TYPE: Oid = Oid(17);
    const ARRAY: Oid = Oid(1001);
}

impl Element for Uuid {
    type Value = Self;
    const TYPE: Oid = Oid(2950);
    const ARRAY: Oid = Oid(2951);
}

impl Element for i32 {
    type Value = Self;
    const TYPE: Oid = Oid(23);
    const ARRAY: Oid = Oid(1007);
}

impl Element for i64 {
    type Value = Self;
    const TYPE: Oid = Oid(20);
    const ARRAY: Oid = Oid(1016);
}
