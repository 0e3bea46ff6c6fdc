//! Why a statement says no.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementError {
    #[error("there is no such statement")]
    NotOpened,
    #[error("this file was loaded for another period, or is read otherwise now")]
    AlreadyOpened,
    #[error("the period ends before it begins")]
    PeriodEndsBeforeItBegins,
    #[error("line {number} lies outside of the period")]
    OutsideOfPeriod { number: u32 },
    #[error("the lines up to {number} come to more than can be counted")]
    SumTooLarge { number: u32 },
    #[error("line {expected} is next, not line {first}")]
    LinesMissing { expected: u32, first: u32 },
    #[error("the statement has {announced} lines and no more")]
    TooManyLines { announced: u32 },
    #[error("{recorded} of {announced} lines are recorded")]
    Unfinished { recorded: u32, announced: u32 },
}
