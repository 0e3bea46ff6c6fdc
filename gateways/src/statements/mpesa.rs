//! The statement of an organisation, as the M-Pesa portal exports it.

use soko_domain::statement::{LineKind, StatementLine};
use soko_domain::{Currency, Money};

use super::table::{Form, Row};
use super::words::kind_of;
use super::{FileFault, Wrong};

const RECEIPT: &str = "Receipt No.";
const COMPLETED_AT: &str = "Completion Time";
const STATUS: &str = "Transaction Status";
const PAID_IN: &str = "Paid In";
const WITHDRAWN: &str = "Withdrawn";
const REASON: &str = "Reason Type";

/// Nairobi's, all the year round.
const ZONE_HOURS: i32 = 3;

/// `Details` and `Other Party Info` name people, and are not read.
pub(super) const FORM: Form = Form {
    columns: &[RECEIPT, COMPLETED_AT, STATUS, PAID_IN, WITHDRAWN, REASON],
    line,
};

/// What is taken for carrying money has the receipt of what was carried, in a line of its own.
const REASONS: &[(&str, LineKind)] = &[
    ("Pay Bill", LineKind::Capture),
    ("Pay Bill Online", LineKind::Capture),
    ("Customer Pay Bill", LineKind::Capture),
    ("Customer Pay Bill Online", LineKind::Capture),
    ("Buy Goods", LineKind::Capture),
    ("Buy Goods Online", LineKind::Capture),
    ("Customer Merchant Payment", LineKind::Capture),
    ("Merchant Payment", LineKind::Capture),
    ("Reversal", LineKind::Refund),
    ("Transaction Reversal", LineKind::Refund),
    ("Business Payment to Customer", LineKind::Payout),
    ("Salary Payment to Customer", LineKind::Payout),
    ("Promotion Payment to Customer", LineKind::Payout),
    ("Pay Bill Charge", LineKind::Fee),
    ("Pay Merchant Charge", LineKind::Fee),
    ("Buy Goods Charge", LineKind::Fee),
    ("B2C Charge", LineKind::Fee),
    ("Business Payment Charge", LineKind::Fee),
    ("Organization Settlement", LineKind::Other),
    ("Organization Settlement Account", LineKind::Other),
    (
        "Merchant Account to Organization Settlement Account",
        LineKind::Other,
    ),
    ("Funds Transfer", LineKind::Other),
];

fn line(row: &Row<'_>) -> Result<StatementLine, FileFault> {
    if !row.text(STATUS)?.eq_ignore_ascii_case("completed") {
        return Err(row.wrong(STATUS, Wrong::NotCompleted));
    }
    let reference = row.reference(RECEIPT)?;
    let (kind, words) = kind_of(row, REASON, REASONS)?;
    let amount = amount(row)?;
    // What is reversed with money coming in was ours to pay, and not the customer's.
    let kind = match kind {
        LineKind::Refund if amount.amount() > 0 => LineKind::Payout,
        kind => kind,
    };
    let name = kind.is_of_a_payment().then(|| reference.clone());
    Ok(StatementLine {
        reference,
        name,
        other_name: None,
        kind,
        amount,
        fee: None,
        happened_at: row.time(COMPLETED_AT, ZONE_HOURS)?,
        words,
    })
}

/// One of the two columns; what is withdrawn may be written with its sign or without.
fn amount(row: &Row<'_>) -> Result<Money, FileFault> {
    let of = |column| match row.optional(column) {
        Some(_) => row.amount(column, Currency::Kes).map(Money::amount),
        None => Ok(0),
    };
    let (came, went) = (of(PAID_IN)?, of(WITHDRAWN)?);
    let amount = match (came, went) {
        (0, 0) => return Err(row.wrong(PAID_IN, Wrong::Missing)),
        (came, 0) if came > 0 => Some(came),
        (0, went) => went.checked_abs().map(|went| -went),
        _ => None,
    };
    let amount = amount.ok_or_else(|| row.wrong(WITHDRAWN, Wrong::DoesNotAddUp))?;
    Ok(Money::new(amount, Currency::Kes))
}
