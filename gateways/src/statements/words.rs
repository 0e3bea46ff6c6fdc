//! The words by which two providers' tables tell what a line is.

use soko_domain::Text;
use soko_domain::statement::LineKind;

use super::table::Row;
use super::{FileFault, Wrong};

/// Money that comes back after it went is a movement of the same kind, the other way.
pub(super) const MOVEMENTS: &[(&str, LineKind)] = &[
    ("payment", LineKind::Capture),
    ("refund", LineKind::Refund),
    ("refund_returned", LineKind::Refund),
    ("chargeback", LineKind::Chargeback),
    ("chargeback_reversed", LineKind::Chargeback),
    ("payout", LineKind::Payout),
    ("payout_returned", LineKind::Payout),
    ("fee", LineKind::Fee),
    ("top_up", LineKind::Other),
];

/// The kind that a word stands for, and the word itself, as this list has it: what else stood in the
/// cell is not passed on.
pub(super) fn kind_of(
    row: &Row<'_>,
    column: &'static str,
    known: &[(&'static str, LineKind)],
) -> Result<(LineKind, Text<60>), FileFault> {
    let found = row.text(column)?;
    let known = known
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(found));
    let kind = known.and_then(|(word, kind)| Some((*kind, word.parse().ok()?)));
    kind.ok_or_else(|| row.wrong(column, Wrong::NotAKnownWord))
}
