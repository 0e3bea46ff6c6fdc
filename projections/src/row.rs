//! Rows of real, typed columns.

mod column;

pub(crate) use column::with_length;
pub use column::{Column, ColumnType, Json, RenderedJson};

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use std::fmt;
use std::hash::Hash;

/// Why a row could not be written down or read.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    #[error("a field is not what it should be: {0}")]
    Malformed(&'static str),
    #[error("a value is too long or too large for its column")]
    TooLong,
    #[error("a json column does not have the shape of its type")]
    Json(#[from] serde_json::Error),
    #[error("the database answered something else")]
    Database(#[from] sqlx::Error),
}

/// A column of a row: its name and type.
#[derive(Debug, Clone, Copy)]
pub struct ColumnInfo {
    pub name: &'static str,
    pub column_type: ColumnType,
}

/// One row of a read model; made by [`row!`](crate::row!).
pub trait Row: Clone + fmt::Debug + PartialEq + Send + Sync + 'static {
    type Key: Clone + Eq + Ord + Hash + fmt::Debug + Send + Sync + 'static;

    /// The name of the table, in the schema `read_models`.
    const TABLE: &'static str;
    /// Every column, those of the key first.
    const COLUMNS: &'static [ColumnInfo];
    /// How many of the columns make up the key.
    const KEY_COLUMNS: usize;

    fn key(&self) -> Self::Key;

    /// Gives each field of the row to `sink`, in the order of the columns.
    ///
    /// # Errors
    /// A value has no form in Postgres.
    fn encode(&self, sink: &mut impl FieldSink) -> Result<(), RowError>;

    /// As [`Self::encode`], for the columns of the key.
    ///
    /// # Errors
    /// As [`Self::encode`].
    fn encode_key(key: &Self::Key, sink: &mut impl FieldSink) -> Result<(), RowError>;

    /// A row from its fields, in the order of the columns.
    ///
    /// # Errors
    /// The fields are not those of such a row.
    fn decode<'a>(fields: &mut impl Fields<'a>) -> Result<Self, RowError>;
}

/// Where a row's fields go.
pub trait FieldSink {
    /// # Errors
    /// The value has no form in Postgres.
    fn field(&mut self, value: &impl Column) -> Result<(), RowError>;
}

/// Where a row's fields come from.
pub trait Fields<'a> {
    /// The bytes of the next field; `None` if it is null.
    ///
    /// # Errors
    /// There is no next field.
    fn next_field(&mut self) -> Result<Option<&'a [u8]>, RowError>;
}

/// The fields of a row that a query gave, from its column `next` on.
pub struct ResultFields<'a> {
    row: &'a PgRow,
    next: usize,
}

impl<'a> ResultFields<'a> {
    pub const fn new(row: &'a PgRow, next: usize) -> Self {
        Self { row, next }
    }
}

impl<'a> Fields<'a> for ResultFields<'a> {
    fn next_field(&mut self) -> Result<Option<&'a [u8]>, RowError> {
        let value = self.row.try_get_raw(self.next)?;
        self.next += 1;
        // Only a null has no bytes.
        Ok(value.as_bytes().ok())
    }
}

/// Declares a row: a struct with public fields, and how it stands in its table.
///
/// ```ignore
/// row! {
///     /// What there is of a variant.
///     pub struct StockLevel in "stock_levels" {
///         key { variant_id: VariantId }
///         on_hand: i64,
///     }
/// }
/// ```
#[macro_export]
macro_rules! row {
    // A key of one column is that column's value, a key of several is a tuple.
    (@type $one:ty) => { $one };
    (@type $($many:ty),+) => { ($($many),+) };
    (@value $one:expr) => { $one };
    (@value $($many:expr),+) => { ($($many),+) };
    (@pattern $one:ident) => { $one };
    (@pattern $($many:ident),+) => { ($($many),+) };
    (
        $(#[$meta:meta])*
        pub struct $row:ident in $table:literal {
            key { $($(#[$key_meta:meta])* $key:ident: $key_type:ty),+ $(,)? }
            $($(#[$column_meta:meta])* $column:ident: $column_type:ty),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $row {
            $($(#[$key_meta])* pub $key: $key_type,)+
            $($(#[$column_meta])* pub $column: $column_type,)*
        }

        impl $crate::row::Row for $row {
            type Key = $crate::row!(@type $($key_type),+);

            const TABLE: &'static str = $table;
            const COLUMNS: &'static [$crate::row::ColumnInfo] = &[
                $($crate::row::ColumnInfo {
                    name: stringify!($key),
                    column_type: <$key_type as $crate::row::Column>::TYPE,
                },)+
                $($crate::row::ColumnInfo {
                    name: stringify!($column),
                    column_type: <$column_type as $crate::row::Column>::TYPE,
                },)*
            ];
            const KEY_COLUMNS: usize = [$(stringify!($key)),+].len();

            fn key(&self) -> Self::Key {
                $crate::row!(@value $(self.$key.clone()),+)
            }

            fn encode(&self, sink: &mut impl $crate::row::FieldSink)
                -> Result<(), $crate::row::RowError>
            {
                $(sink.field(&self.$key)?;)+
                $(sink.field(&self.$column)?;)*
                Ok(())
            }

            fn encode_key(key: &Self::Key, sink: &mut impl $crate::row::FieldSink)
                -> Result<(), $crate::row::RowError>
            {
                let $crate::row!(@pattern $($key),+) = key;
                $(sink.field($key)?;)+
                Ok(())
            }

            fn decode<'a>(fields: &mut impl $crate::row::Fields<'a>)
                -> Result<Self, $crate::row::RowError>
            {
                Ok(Self {
                    $($key: $crate::row::Column::decode(fields.next_field()?)?,)+
                    $($column: $crate::row::Column::decode(fields.next_field()?)?,)*
                })
            }
        }
    };
}
