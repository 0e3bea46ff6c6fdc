//! Why a file could not be read, and where.

use super::{FILE_BYTES_MAX, LINES_MAX};

/// What is wrong with a file, in its first place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {wrong}", Column(*.column))]
pub struct FileFault {
    /// As an editor counts them, from 1.
    pub line: u64,
    /// As the provider calls it, if it is one column's.
    pub column: Option<&'static str>,
    pub wrong: Wrong,
}

/// What is wrong; never with what stands there, which may be anybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("the file has more than {FILE_BYTES_MAX} bytes")]
    TooManyBytes,
    #[error("the file has more than {LINES_MAX} lines")]
    TooManyLines,
    #[error("this is not text in UTF-8")]
    NotText,
    #[error("the file is empty")]
    Empty,
    #[error("there is no such column: is it a statement of this provider?")]
    NoColumn,
    #[error("there are two such columns")]
    TwoColumns,
    #[error("the line has more or fewer columns than the first")]
    NotATable,
    #[error("must not be empty")]
    Missing,
    #[error("must be a reference of at most 100 letters, digits and signs")]
    NotAReference,
    #[error("must be a time, such as 2026-11-30 17:05:00")]
    NotATime,
    #[error("must be an amount, such as 1250.00")]
    NotAnAmount,
    #[error("must be one of KES, USD, ZAR, ZWG")]
    NotACurrency,
    #[error("this word is not known here")]
    NotAKnownWord,
    #[error("must say that it is completed")]
    NotCompleted,
    #[error("is not what the columns beside it come to")]
    DoesNotAddUp,
}

struct Column(Option<&'static str>);

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(name) => write!(f, ", {name}"),
            None => Ok(()),
        }
    }
}
