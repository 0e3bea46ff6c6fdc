//! The movements of a Paystack balance.

use soko_domain::statement::{LineKind, StatementLine};

use super::FileFault;
use super::table::{Form, Row};
use super::words::{MOVEMENTS, kind_of};

const DATE: &str = "Date";
const REFERENCE: &str = "Reference";
const TRANSACTION_ID: &str = "Transaction ID";
const TYPE: &str = "Type";
const CURRENCY: &str = "Currency";
const AMOUNT: &str = "Amount";

/// Lagos', all the year round.
const ZONE_HOURS: i32 = 1;

pub(super) const FORM: Form = Form {
    columns: &[DATE, REFERENCE, TRANSACTION_ID, TYPE, CURRENCY, AMOUNT],
    line,
};

/// A fee has a line of its own, with the id of what it was taken for.
fn line(row: &Row<'_>) -> Result<StatementLine, FileFault> {
    let reference = row.reference(TRANSACTION_ID)?;
    let (kind, words) = kind_of(row, TYPE, MOVEMENTS)?;
    let other_name = match kind {
        LineKind::Capture => row.optional_reference(REFERENCE)?,
        LineKind::Refund
        | LineKind::Chargeback
        | LineKind::Payout
        | LineKind::Fee
        | LineKind::Other => None,
    };
    let currency = row.currency(CURRENCY)?;
    Ok(StatementLine {
        name: kind.is_of_a_payment().then(|| reference.clone()),
        reference,
        other_name,
        kind,
        amount: row.amount(AMOUNT, currency)?,
        fee: None,
        happened_at: row.time(DATE, ZONE_HOURS)?,
        words,
    })
}
