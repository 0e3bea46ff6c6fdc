//! Stripe's balance report, line by line ("balance change from activity", itemized).

use soko_domain::statement::{LineKind, StatementLine};

use super::table::{Form, Row};
use super::words::kind_of;
use super::{FileFault, Wrong};

const ID: &str = "balance_transaction_id";
const CREATED_AT: &str = "created_utc";
const CURRENCY: &str = "currency";
const GROSS: &str = "gross";
const FEE: &str = "fee";
const NET: &str = "net";
const CATEGORY: &str = "reporting_category";
const SOURCE: &str = "source_id";
const INTENT: &str = "payment_intent_id";

/// `description` is what the merchant or the payer wrote, and is not read.
pub(super) const FORM: Form = Form {
    columns: &[
        ID, CREATED_AT, CURRENCY, GROSS, FEE, NET, CATEGORY, SOURCE, INTENT,
    ],
    line,
};

/// Their reporting categories, of those that an account like a store's can have.
const CATEGORIES: &[(&str, LineKind)] = &[
    ("charge", LineKind::Capture),
    ("charge_failure", LineKind::Capture),
    ("partial_capture_reversal", LineKind::Capture),
    ("refund", LineKind::Refund),
    ("refund_failure", LineKind::Refund),
    ("dispute", LineKind::Chargeback),
    ("dispute_reversal", LineKind::Chargeback),
    ("payout", LineKind::Payout),
    ("payout_reversal", LineKind::Payout),
    ("transfer", LineKind::Payout),
    ("transfer_reversal", LineKind::Payout),
    ("fee", LineKind::Fee),
    ("network_cost", LineKind::Fee),
    ("tax", LineKind::Fee),
    ("topup", LineKind::Other),
    ("topup_reversal", LineKind::Other),
    ("contribution", LineKind::Other),
    ("other_adjustment", LineKind::Other),
    ("risk_reserved_funds", LineKind::Other),
];

fn line(row: &Row<'_>) -> Result<StatementLine, FileFault> {
    let (kind, words) = kind_of(row, CATEGORY, CATEGORIES)?;
    let currency = row.currency(CURRENCY)?;
    let amount = row.amount(GROSS, currency)?;
    let fee = row.amount(FEE, currency)?;
    if amount.subtract(fee) != Ok(row.amount(NET, currency)?) {
        return Err(row.wrong(NET, Wrong::DoesNotAddUp));
    }
    let source = row.optional_reference(SOURCE)?;
    let intent = row.optional_reference(INTENT)?;
    // We know a payment by its intent, and what went back by its own id: a refund's intent is that
    // of the payment.
    let (name, other_name) = match kind {
        LineKind::Capture => (intent, source),
        LineKind::Refund | LineKind::Chargeback => (source, None),
        LineKind::Payout | LineKind::Fee | LineKind::Other => (None, None),
    };
    Ok(StatementLine {
        reference: row.reference(ID)?,
        name,
        other_name,
        kind,
        amount,
        fee: (fee.amount() != 0).then_some(fee),
        happened_at: row.time(CREATED_AT, 0)?,
        words,
    })
}
