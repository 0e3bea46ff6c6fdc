//! Many rows through `COPY`, in its binary format.

use super::StoreError;
use crate::row::{Column, FieldSink, Fields, Row, RowError, with_length};
use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use sqlx::PgConnection;
use sqlx::postgres::PgCopyIn;
use std::marker::PhantomData;

/// A signature, flags, and the length of an extension that nobody uses.
const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In place of the number of a row's fields, after the last row.
const END: i16 = -1;
/// How much is sent at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// Rows on their way into a table.
pub(crate) struct CopyRows<'c, R> {
    copy: PgCopyIn<&'c mut PgConnection>,
    buffer: Vec<u8>,
    rows: PhantomData<fn() -> R>,
}

impl<'c, R: Row> CopyRows<'c, R> {
    pub(super) async fn start(
        connection: &'c mut PgConnection,
        statement: &str,
    ) -> Result<Self, StoreError> {
        let copy = connection.copy_in_raw(statement).await?;
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4);
        buffer.extend_from_slice(HEADER);
        Ok(Self {
            copy,
            buffer,
            rows: PhantomData,
        })
    }

    pub(crate) async fn row(&mut self, row: &R) -> Result<(), StoreError> {
        let fields = i16::try_from(R::COLUMNS.len()).map_err(|_| RowError::TooLong)?;
        self.buffer.extend_from_slice(&fields.to_be_bytes());
        row.encode(&mut RowFields(&mut self.buffer))?;
        if self.buffer.len() >= BUFFER_BYTES {
            self.send().await?;
        }
        Ok(())
    }

    /// The number of rows that were written.
    pub(crate) async fn finish(mut self) -> Result<u64, StoreError> {
        self.buffer.extend_from_slice(&END.to_be_bytes());
        self.send().await?;
        Ok(self.copy.finish().await?)
    }

    async fn send(&mut self) -> Result<(), StoreError> {
        self.copy.send(&self.buffer[..]).await?;
        self.buffer.clear();
        Ok(())
    }
}

struct RowFields<'a>(&'a mut Vec<u8>);

impl FieldSink for RowFields<'_> {
    fn field(&mut self, value: &impl Column) -> Result<(), RowError> {
        with_length(self.0, |out| value.encode(out))
    }
}

/// Rows on their way out of a table.
pub(crate) struct RowReader<'c, R> {
    messages: BoxStream<'c, Result<Bytes, sqlx::Error>>,
    is_started: bool,
    rows: PhantomData<fn() -> R>,
}

impl<'c, R: Row> RowReader<'c, R> {
    pub(super) async fn start(
        connection: &'c mut PgConnection,
        statement: &str,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            messages: connection.copy_out_raw(statement).await?,
            is_started: false,
            rows: PhantomData,
        })
    }

    /// The next row, or `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<R>, StoreError> {
        // By the protocol, each message of the server is one row.
        while let Some(message) = self.messages.try_next().await? {
            let mut rest = &message[..];
            if !self.is_started {
                self.is_started = true;
                rest = rest
                    .strip_prefix(HEADER)
                    .ok_or(RowError::Malformed("not a copy"))?;
            }
            if rest.is_empty() {
                continue;
            }
            if take::<2>(&mut rest)? == END.to_be_bytes() {
                continue;
            }
            return Ok(Some(R::decode(&mut CopiedFields(rest))?));
        }
        Ok(None)
    }
}

struct CopiedFields<'a>(&'a [u8]);

impl<'a> Fields<'a> for CopiedFields<'a> {
    fn next_field(&mut self) -> Result<Option<&'a [u8]>, RowError> {
        let length = i32::from_be_bytes(take(&mut self.0)?);
        let Ok(length) = usize::try_from(length) else {
            return Ok(None);
        };
        let (field, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(RowError::Malformed("a row that ends early"))?;
        self.0 = rest;
        Ok(Some(field))
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], RowError> {
    let (head, rest) = bytes
        .split_first_chunk::<N>()
        .ok_or(RowError::Malformed("a row that ends early"))?;
    *bytes = rest;
    Ok(*head)
}
