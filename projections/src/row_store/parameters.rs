//! Rows as one array parameter per column.

use crate::row::{Column, ColumnInfo, FieldSink, RowError};
use sqlx::encode::IsNull;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo};
use sqlx::query::Query;
use sqlx::{Encode, Postgres, Type};

/// An array per column, filled row by row.
pub(super) struct SetParameters {
    arrays: Vec<ColumnArray>,
}

/// Elements in Postgres' binary format, without the array's header.
struct ColumnArray {
    column: ColumnInfo,
    length: i32,
    elements: Vec<u8>,
}

impl SetParameters {
    pub(super) fn new(columns: &[ColumnInfo], rows: usize) -> Self {
        const BYTES_PER_FIELD: usize = 20;
        let arrays = columns.iter().map(|column| ColumnArray {
            column: *column,
            length: 0,
            elements: Vec::with_capacity(rows * BYTES_PER_FIELD),
        });
        Self {
            arrays: arrays.collect(),
        }
    }

    pub(super) fn add(
        &mut self,
        encode: impl FnOnce(&mut Cells<'_>) -> Result<(), RowError>,
    ) -> Result<(), RowError> {
        encode(&mut Cells {
            arrays: &mut self.arrays,
            next: 0,
        })
    }

    pub(super) fn bind(
        self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Query<'_, Postgres, PgArguments> {
        self.arrays.into_iter().fold(query, Query::bind)
    }
}

/// The next element of each array, one after the other.
pub(super) struct Cells<'a> {
    arrays: &'a mut [ColumnArray],
    next: usize,
}

impl FieldSink for Cells<'_> {
    fn field(&mut self, value: &impl Column) -> Result<(), RowError> {
        let array = self
            .arrays
            .get_mut(self.next)
            .ok_or(RowError::Malformed("a column too many"))?;
        self.next += 1;
        array.length += 1;
        crate::row::with_length(&mut array.elements, |out| value.encode_element(out))
    }
}

impl Type<Postgres> for ColumnArray {
    fn type_info() -> PgTypeInfo {
        // Each array says in `produces` what it is; this stands for none of them.
        PgTypeInfo::with_name("unknown")
    }
}

impl Encode<'_, Postgres> for ColumnArray {
    fn encode_by_ref(
        &self,
        out: &mut PgArgumentBuffer,
    ) -> Result<IsNull, sqlx::error::BoxDynError> {
        const DIMENSIONS: i32 = 1;
        const MAY_HAVE_NULLS: i32 = 1;
        const LOWER_BOUND: i32 = 1;
        let element_oid = i32::try_from(self.column.column_type.element_oid)?;
        for number in [
            DIMENSIONS,
            MAY_HAVE_NULLS,
            element_oid,
            self.length,
            LOWER_BOUND,
        ] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.elements);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(self.column.column_type.array_oid)))
    }
}
