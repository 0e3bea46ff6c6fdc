//! Time zones, as Postgres knows them.

use chrono::{DateTime, Utc};
use soko_event_log::{Scope, ScopedReader};
use sqlx::{Postgres, QueryBuilder, Row as _};

/// How far into an hour of UTC the hours of a time zone begin at a moment; `None` if there is no
/// zone of that IANA name.
pub(crate) async fn offset_minutes(
    reader: &ScopedReader,
    name: &str,
    at: DateTime<Utc>,
) -> Result<Option<i32>, sqlx::Error> {
    let is_part_of_a_name = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
    if !name.chars().all(is_part_of_a_name) {
        return Ok(None);
    }
    // Postgres would take other texts as well, and make something of them.
    let mut query = QueryBuilder::<Postgres>::new("SELECT extract(minute FROM ");
    query.push_bind(at);
    query.push(" AT TIME ZONE name)::integer FROM pg_timezone_names WHERE name = ");
    query.push_bind(name.to_owned());
    let found = reader.optional(&Scope::Public, query).await?;
    found.map(|row| row.try_get(0)).transpose()
}
