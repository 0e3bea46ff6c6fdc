//! A long range of the log in one go: binary `COPY`, decoded on all cores, in order.

use super::{COLUMNS, ReadError, follows};
use crate::connecting::connect_in_time;
use crate::{Entry, Position, StoredEvent};
use bytes::{Buf, Bytes};
use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use soko_domain::TenantId;
use sqlx::{PgConnection, PgPool};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Events per chunk.
const CHUNK: usize = 512;
/// Chunks that are read or decoded ahead of who takes them.
const CHUNKS_AHEAD_MAX: usize = 16;
/// Before the first row of a binary copy: a signature, flags, and the length of nothing.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const FIELDS: i16 = 10;
/// In place of the number of fields, after the last row.
const END: i16 = -1;

type Chunk = Result<Vec<Entry>, ReadError>;

/// A running read of a range of the log. Dropping it ends the read.
#[derive(Debug)]
pub struct Scan {
    chunks: mpsc::Receiver<Result<JoinHandle<Chunk>, ReadError>>,
}

impl Scan {
    /// The next events in order, or `None` when all were given and none was missing.
    ///
    /// # Errors
    /// [`ReadError::Gap`] if an event of the range is missing, of whatever type;
    /// [`ReadError::Database`].
    pub async fn next(&mut self) -> Result<Option<Vec<Entry>>, ReadError> {
        let Some(chunk) = self.chunks.recv().await else {
            return Ok(None);
        };
        let decoded = chunk?.await.map_err(|_| ReadError::Stopped)?;
        decoded.map(Some)
    }

    pub(super) async fn start(
        pool: &PgPool,
        after: Position,
        until: Position,
        stream_types: &[&str],
    ) -> Result<Self, ReadError> {
        // Not from the pool: a copy that is given up half way must take its connection with it.
        let mut connection = connect_in_time(&pool.connect_options()).await?;
        let read = if stream_types.is_empty() {
            Read::Everything { last: after, until }
        } else {
            count(&mut connection, after, until).await?;
            Read::Some
        };
        let statement = statement(after, until, stream_types);
        let (sender, chunks) = mpsc::channel(CHUNKS_AHEAD_MAX);
        tokio::spawn(async move {
            if let Err(error) = copy(connection, &statement, read, &sender).await {
                // Nobody listens if the scan was dropped; then nobody needs the error either.
                let _ = sender.send(Err(error)).await;
            }
        });
        Ok(Self { chunks })
    }
}

/// How it is known that nothing is missing: by each position, or by a count made beforehand.
#[derive(Clone, Copy)]
enum Read {
    Everything { last: Position, until: Position },
    Some,
}

/// `COPY` takes no parameters: the positions are numbers, the types are quoted here.
fn statement(after: Position, until: Position, stream_types: &[&str]) -> String {
    let types: Vec<String> = stream_types
        .iter()
        .map(|stream_type| format!("'{}'", stream_type.replace('\'', "''")))
        .collect();
    let of_types = if types.is_empty() {
        String::new()
    } else {
        format!("AND aggregate_type IN ({})", types.join(", "))
    };
    format!(
        "COPY (SELECT {COLUMNS} FROM events WHERE position > {after} AND position <= {until} \
         {of_types} ORDER BY position) TO STDOUT (FORMAT binary)"
    )
}

async fn count(
    connection: &mut PgConnection,
    after: Position,
    until: Position,
) -> Result<(), ReadError> {
    let (count, last): (i64, Option<i64>) = sqlx::query_as(
        "SELECT count(*), max(position) FROM events WHERE position > $1 AND position <= $2",
    )
    .bind(after.get())
    .bind(until.get())
    .fetch_one(connection)
    .await?;
    if count.unsigned_abs() == until.distance_from(after) {
        return Ok(());
    }
    Err(ReadError::Missing {
        after,
        until,
        found: count.unsigned_abs(),
        last: last.map(Position::new),
    })
}

async fn copy(
    mut connection: PgConnection,
    statement: &str,
    read: Read,
    sender: &mpsc::Sender<Result<JoinHandle<Chunk>, ReadError>>,
) -> Result<(), ReadError> {
    let mut read = read;
    let mut messages = connection.copy_out_raw(statement).await?;
    let mut rows = Vec::with_capacity(CHUNK);
    let mut is_first = true;
    // By the protocol, each message of the server is one row.
    while let Some(mut message) = messages.try_next().await? {
        if std::mem::take(&mut is_first) {
            skip_header(&mut message)?;
        }
        match field_count(&mut message)? {
            None => continue,
            Some(END) => break,
            Some(FIELDS) => (),
            Some(_) => return Err(ReadError::Malformed("its number of columns")),
        }
        if let Read::Everything { last, .. } = &mut read {
            *last = follows(*last, position_of(&message)?)?;
        }
        rows.push(message);
        if rows.len() == CHUNK && !send(&mut rows, sender).await {
            return Ok(());
        }
    }
    if !rows.is_empty() && !send(&mut rows, sender).await {
        return Ok(());
    }
    // What the server says after the last row decides whether it was the last.
    if messages.try_next().await?.is_some() {
        return Err(ReadError::Malformed("rows after the end"));
    }
    match read {
        Read::Everything { last, until } if last < until => Err(ReadError::Gap {
            expected: last.next(),
            found: None,
        }),
        Read::Everything { .. } | Read::Some => Ok(()),
    }
}

/// False when nobody listens any more.
async fn send(
    rows: &mut Vec<Bytes>,
    sender: &mpsc::Sender<Result<JoinHandle<Chunk>, ReadError>>,
) -> bool {
    let rows = std::mem::replace(rows, Vec::with_capacity(CHUNK));
    let Ok(permit) = sender.reserve().await else {
        return false;
    };
    permit.send(Ok(tokio::spawn(async move {
        rows.iter()
            .map(|row| Ok(stored(&mut &row[..])?.decode()))
            .collect()
    })));
    true
}

fn skip_header(message: &mut Bytes) -> Result<(), ReadError> {
    if !message.starts_with(HEADER) {
        return Err(ReadError::Malformed("the header of a copy"));
    }
    message.advance(HEADER.len());
    Ok(())
}

fn field_count(message: &mut Bytes) -> Result<Option<i16>, ReadError> {
    if message.is_empty() {
        return Ok(None);
    }
    message
        .try_get_i16()
        .map(Some)
        .map_err(|_| ReadError::Malformed("a short row"))
}

/// The first column, behind its length.
fn position_of(row: &Bytes) -> Result<Position, ReadError> {
    let bytes = row
        .get(4..12)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(ReadError::Malformed("its position"))?;
    Ok(Position::new(i64::from_be_bytes(bytes)))
}

fn stored<'a>(row: &mut &'a [u8]) -> Result<StoredEvent<&'a str>, ReadError> {
    Ok(StoredEvent {
        position: Position::new(number(row)?),
        tenant_id: TenantId::from_uuid(
            Uuid::from_slice(field(row)?).map_err(|_| ReadError::Malformed("its tenant"))?,
        ),
        stream_type: text(row)?,
        stream_id: text(row)?,
        sequence: u64::try_from(number(row)?).map_err(|_| ReadError::Malformed("its sequence"))?,
        event_type: text(row)?,
        event_version: text(row)?,
        payload: text(row)?,
        metadata: text(row)?,
        recorded_at: time(number(row)?)?,
    })
}

/// A length and as many bytes. No column may be null, whose length would be negative.
fn field<'a>(row: &mut &'a [u8]) -> Result<&'a [u8], ReadError> {
    let malformed = ReadError::Malformed("a column");
    let Ok(length) = row.try_get_i32().map_or(Ok(usize::MAX), usize::try_from) else {
        return Err(malformed);
    };
    let (field, rest) = row.split_at_checked(length).ok_or(malformed)?;
    *row = rest;
    Ok(field)
}

fn number(row: &mut &[u8]) -> Result<i64, ReadError> {
    let bytes = field(row)?.try_into();
    bytes
        .map(i64::from_be_bytes)
        .map_err(|_| ReadError::Malformed("a number"))
}

fn text<'a>(row: &mut &'a [u8]) -> Result<&'a str, ReadError> {
    str::from_utf8(field(row)?).map_err(|_| ReadError::Malformed("a text"))
}

/// Microseconds since the year 2000.
fn time(microseconds: i64) -> Result<DateTime<Utc>, ReadError> {
    const YEAR_2000: DateTime<Utc> = match DateTime::from_timestamp(946_684_800, 0) {
        Some(time) => time,
        None => DateTime::UNIX_EPOCH,
    };
    YEAR_2000
        .checked_add_signed(TimeDelta::microseconds(microseconds))
        .ok_or(ReadError::Malformed("its time"))
}
