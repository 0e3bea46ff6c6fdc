//! The transactions of a Paynow integration.

use soko_domain::statement::{LineKind, StatementLine};

use super::FileFault;
use super::table::{Form, Row};
use super::words::{MOVEMENTS, kind_of};

const DATE: &str = "Date";
const PAYNOW_REFERENCE: &str = "Paynow Reference";
const MERCHANT_REFERENCE: &str = "Merchant Reference";
const TYPE: &str = "Type";
const CURRENCY: &str = "Currency";
const AMOUNT: &str = "Amount";

/// Harare's, all the year round.
const ZONE_HOURS: i32 = 2;

pub(super) const FORM: Form = Form {
    columns: &[
        DATE,
        PAYNOW_REFERENCE,
        MERCHANT_REFERENCE,
        TYPE,
        CURRENCY,
        AMOUNT,
    ],
    line,
};

fn line(row: &Row<'_>) -> Result<StatementLine, FileFault> {
    // Their numbers are sometimes written with a comma between thousands, as in what they post.
    let number = row.text(PAYNOW_REFERENCE)?.replace(',', "");
    let reference = row.as_reference(PAYNOW_REFERENCE, &number)?;
    let (kind, words) = kind_of(row, TYPE, MOVEMENTS)?;
    let other_name = match kind {
        LineKind::Capture => row.optional_reference(MERCHANT_REFERENCE)?,
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
