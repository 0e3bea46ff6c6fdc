//! Where an event stands in the whole log.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Counts the events of the whole log from 1, without gaps, in the order of their commits.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(i64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);

    pub const fn new(position: i64) -> Self {
        Self(position)
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// How many events lie between the two; zero if `other` is ahead.
    pub const fn distance_from(self, other: Self) -> u64 {
        if self.0 > other.0 {
            (self.0 - other.0).unsigned_abs()
        } else {
            0
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Position {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
