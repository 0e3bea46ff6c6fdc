//! The SQL of a read model's table, made of its columns once.

use crate::row::{ColumnInfo, Row};

/// Which of a model's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// What queries see.
    Live,
    /// What is being built beside it.
    Next,
}

impl Schema {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Live => "read_models",
            Self::Next => "read_models_next",
        }
    }
}

#[derive(Debug)]
pub(super) struct Statements {
    pub(super) load: String,
    pub(super) copy_in: String,
    pub(super) copy_out: String,
    put: String,
    take: String,
    fenced_put: String,
    fenced_take: String,
    fenced_put_and_take: String,
    put_and_take: String,
    fenced_nothing: String,
}

/// The parameters of the fence come first.
const FENCE_PARAMETERS: usize = 4;
const FENCE: &str = "fence AS (UPDATE projections SET position = $1, updated_at = clock_timestamp() \
                     WHERE name = $2 AND position = $3 AND generation = $4 RETURNING 1)";
const IF_FENCED: &str = " WHERE EXISTS (SELECT 1 FROM fence)";
const FENCE_HELD: &str = "SELECT 1 FROM fence";

impl Statements {
    pub(super) fn new<R: Row>(schema: Schema) -> Self {
        let table = Table {
            name: format!("{}.{}", schema.name(), R::TABLE),
            columns: R::COLUMNS,
            keys: &R::COLUMNS[..R::KEY_COLUMNS],
        };
        let after_fence = FENCE_PARAMETERS + 1;
        let columns = table.columns.len();
        let put = table.put(after_fence, IF_FENCED);
        let take = table.take(after_fence, IF_FENCED);
        let take_too = table.take(after_fence + columns, IF_FENCED);
        Self {
            load: table.load(),
            copy_in: format!(
                "COPY {} ({}) FROM STDIN (FORMAT binary)",
                table.name,
                names(table.columns, "")
            ),
            copy_out: format!(
                "COPY (SELECT {} FROM {}) TO STDOUT (FORMAT binary)",
                names(table.columns, ""),
                table.name
            ),
            put: table.put(1, ""),
            take: table.take(1, ""),
            put_and_take: format!(
                "WITH put AS ({}) {}",
                table.put(1, ""),
                table.take(1 + columns, "")
            ),
            fenced_put: format!("WITH {FENCE}, put AS ({put}) {FENCE_HELD}"),
            fenced_take: format!("WITH {FENCE}, take AS ({take}) {FENCE_HELD}"),
            fenced_put_and_take: format!(
                "WITH {FENCE}, put AS ({put}), take AS ({take_too}) {FENCE_HELD}"
            ),
            fenced_nothing: format!("WITH {FENCE} {FENCE_HELD}"),
        }
    }

    /// `None` if there is nothing to do.
    pub(super) fn write(&self, puts: bool, takes: bool, is_fenced: bool) -> Option<&str> {
        let sql = match (puts, takes, is_fenced) {
            (false, false, false) => return None,
            (true, false, false) => &self.put,
            (false, true, false) => &self.take,
            (true, true, false) => &self.put_and_take,
            (false, false, true) => &self.fenced_nothing,
            (true, false, true) => &self.fenced_put,
            (false, true, true) => &self.fenced_take,
            (true, true, true) => &self.fenced_put_and_take,
        };
        Some(sql)
    }
}

struct Table {
    name: String,
    columns: &'static [ColumnInfo],
    keys: &'static [ColumnInfo],
}

impl Table {
    fn load(&self) -> String {
        format!(
            "SELECT {} FROM {} JOIN {} AS t ON {}",
            names(self.columns, "t."),
            unnest(self.keys, 1, "wanted"),
            self.name,
            self.key_equals("wanted")
        )
    }

    fn put(&self, first_parameter: usize, condition: &str) -> String {
        let values = self.columns.iter().map(|column| {
            let column_type = column.column_type;
            if column_type.is_cast {
                format!("row.{}::{}", column.name, column_type.name)
            } else {
                format!("row.{}", column.name)
            }
        });
        let others = &self.columns[self.keys.len()..];
        let on_conflict = if others.is_empty() {
            "NOTHING".to_owned()
        } else {
            let set = others
                .iter()
                .map(|column| format!("{0} = EXCLUDED.{0}", column.name));
            format!("UPDATE SET {}", join(set, ", "))
        };
        format!(
            "INSERT INTO {} ({}) SELECT {} FROM {}{condition} ON CONFLICT ({}) DO {on_conflict}",
            self.name,
            names(self.columns, ""),
            join(values, ", "),
            unnest(self.columns, first_parameter, "row"),
            names(self.keys, ""),
        )
    }

    fn take(&self, first_parameter: usize, condition: &str) -> String {
        let condition = condition.replacen(" WHERE", " AND", 1);
        format!(
            "DELETE FROM {} AS t USING {} WHERE {}{condition}",
            self.name,
            unnest(self.keys, first_parameter, "gone"),
            self.key_equals("gone")
        )
    }

    fn key_equals(&self, other: &str) -> String {
        let equals = self
            .keys
            .iter()
            .map(|column| format!("t.{0} = {other}.{0}", column.name));
        join(equals, " AND ")
    }
}

fn unnest(columns: &[ColumnInfo], first_parameter: usize, alias: &str) -> String {
    let parameters = (first_parameter..)
        .take(columns.len())
        .map(|n| format!("${n}"));
    format!(
        "unnest({}) AS {alias} ({})",
        join(parameters, ", "),
        names(columns, "")
    )
}

fn names(columns: &[ColumnInfo], prefix: &str) -> String {
    join(
        columns
            .iter()
            .map(|column| format!("{prefix}{}", column.name)),
        ", ",
    )
}

fn join(parts: impl Iterator<Item = String>, separator: &str) -> String {
    parts.collect::<Vec<_>>().join(separator)
}
