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
    /// By [`Parts::index`].
    writes: Vec<String>,
}

/// What a write consists of. The parameters of its parts stand in this order.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a write may have each of them or not"
)]
pub(super) struct Parts {
    pub(super) is_fenced: bool,
    pub(super) adds: bool,
    pub(super) changes: bool,
    pub(super) takes: bool,
}

const FENCE_PARAMETERS: usize = 4;
const FENCE: &str = "fence AS (UPDATE projections SET position = $1, updated_at = clock_timestamp() \
                     WHERE name = $2 AND position = $3 AND generation = $4 RETURNING 1)";
const IF_FENCED: &str = " WHERE EXISTS (SELECT 1 FROM fence)";

impl Parts {
    fn all() -> impl Iterator<Item = Self> {
        (0..16).map(|index| Self {
            is_fenced: index & 1 != 0,
            adds: index & 2 != 0,
            changes: index & 4 != 0,
            takes: index & 8 != 0,
        })
    }

    fn index(self) -> usize {
        usize::from(self.is_fenced)
            | usize::from(self.adds) << 1
            | usize::from(self.changes) << 2
            | usize::from(self.takes) << 3
    }
}

impl Statements {
    pub(super) fn new<R: Row>(schema: Schema) -> Self {
        let table = Table {
            name: format!("{}.{}", schema.name(), R::TABLE),
            columns: R::COLUMNS,
            keys: &R::COLUMNS[..R::KEY_COLUMNS],
        };
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
            writes: Parts::all().map(|parts| table.write(parts)).collect(),
        }
    }

    pub(super) fn write(&self, parts: Parts) -> &str {
        &self.writes[parts.index()]
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

    /// One statement, which ends in a row if the fence held or there is none.
    fn write(&self, parts: Parts) -> String {
        let (mut next, condition) = if parts.is_fenced {
            (1 + FENCE_PARAMETERS, IF_FENCED)
        } else {
            (1, "")
        };
        let mut steps = Vec::new();
        if parts.is_fenced {
            steps.push(FENCE.to_owned());
        }
        if parts.adds {
            steps.push(format!("added AS ({})", self.add(next, condition)));
            next += self.columns.len();
        }
        if parts.changes {
            let add = self.add(next, condition);
            steps.push(format!("changed AS ({add} {})", self.or_else_change()));
            next += self.columns.len();
        }
        if parts.takes {
            steps.push(format!("taken AS ({})", self.take(next, condition)));
        }
        let with = if steps.is_empty() { "" } else { "WITH " };
        let end = if parts.is_fenced { " FROM fence" } else { "" };
        format!("{with}{} SELECT 1{end}", join(steps.into_iter(), ", "))
    }

    /// Without a look whether the rows are there, which costs about as much as an index entry.
    fn add(&self, first_parameter: usize, condition: &str) -> String {
        let values = self.columns.iter().map(|column| {
            let column_type = column.column_type;
            if column_type.is_cast {
                format!("row.{}::{}", column.name, column_type.name)
            } else {
                format!("row.{}", column.name)
            }
        });
        format!(
            "INSERT INTO {} ({}) SELECT {} FROM {}{condition}",
            self.name,
            names(self.columns, ""),
            join(values, ", "),
            unnest(self.columns, first_parameter, "row"),
        )
    }

    fn or_else_change(&self) -> String {
        let others = &self.columns[self.keys.len()..];
        let keys = names(self.keys, "");
        if others.is_empty() {
            return format!("ON CONFLICT ({keys}) DO NOTHING");
        }
        let set = others
            .iter()
            .map(|column| format!("{0} = EXCLUDED.{0}", column.name));
        format!("ON CONFLICT ({keys}) DO UPDATE SET {}", join(set, ", "))
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
