//! What may be asked of a statement.

use super::{IdentifiedLine, Opening};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementCommand {
    Open(Opening),
    /// Some of the lines, in their order; `first` is the number of the first, counted from 1.
    Record {
        first: u32,
        lines: Vec<IdentifiedLine>,
    },
    /// All lines are there.
    Close {},
}
