//! The book as each provider prints it for the merchant.

use chrono::{DateTime, FixedOffset, Utc};

use super::book::{Kind, Movement};
use super::major::major;
use super::provider::Provider;

/// A table, or `None` where the provider prints none.
pub(super) fn statement(
    provider: Provider,
    movements: &[Movement],
    charge: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    match provider {
        Provider::Mpesa => mpesa(movements),
        Provider::Stripe => stripe(movements, charge),
        Provider::Paystack => paystack(movements),
        Provider::Paynow => paynow(movements),
        Provider::Ecocash => None,
    }
}

pub(super) fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Option<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).ok()?;
    for row in rows {
        writer.write_record(row).ok()?;
    }
    String::from_utf8(writer.into_inner().ok()?).ok()
}

fn local(at: DateTime<Utc>, hours: i32) -> String {
    FixedOffset::east_opt(hours * 3600)
        .map(|zone| {
            at.with_timezone(&zone)
                .format("%Y-%m-%d %H:%M:%S")
                .to_string()
        })
        .unwrap_or_default()
}

fn mpesa(movements: &[Movement]) -> Option<String> {
    let header = [
        "Receipt No.",
        "Completion Time",
        "Initiation Time",
        "Details",
        "Transaction Status",
        "Paid In",
        "Withdrawn",
        "Balance",
        "Balance Confirmed",
        "Reason Type",
        "Other Party Info",
        "Linked Transaction ID",
        "A/C No.",
    ];
    let receipts: std::collections::HashMap<_, _> = movements
        .iter()
        .filter(|movement| movement.kind == Kind::Payment)
        .map(|movement| (&movement.payment, &movement.provider_reference))
        .collect();
    let mut balance = 0_i64;
    let rows = movements.iter().map(|movement| {
        balance = balance.saturating_add(movement.amount);
        let at = local(movement.at, 3);
        let (reason, linked) = match movement.kind {
            Kind::Payment => ("Pay Bill", String::new()),
            Kind::Refund => (
                "Reversal",
                receipts
                    .get(&movement.payment)
                    .map(|text| (*text).clone())
                    .unwrap_or_default(),
            ),
            Kind::Payout => ("Business Payment to Customer", String::new()),
            _ => ("Organization Settlement", String::new()),
        };
        let positive = |amount: i64| {
            if amount > 0 {
                major(amount)
            } else {
                String::new()
            }
        };
        let paid_in = positive(movement.amount);
        let withdrawn = if movement.amount < 0 {
            major(movement.amount)
        } else {
            String::new()
        };
        vec![
            movement.provider_reference.clone(),
            at.clone(),
            at,
            reason.to_owned(),
            "Completed".to_owned(),
            paid_in,
            withdrawn,
            major(balance),
            "TRUE".to_owned(),
            reason.to_owned(),
            String::new(),
            linked,
            movement.reference.clone(),
        ]
    });
    table(&header, rows)
}

/// Fees stand in the line of what they were taken for.
fn stripe(movements: &[Movement], charge: impl Fn(&str) -> Option<String>) -> Option<String> {
    let header = [
        "balance_transaction_id",
        "created_utc",
        "available_on_utc",
        "currency",
        "gross",
        "fee",
        "net",
        "reporting_category",
        "source_id",
        "description",
        "payment_intent_id",
    ];
    let mut fees: std::collections::HashMap<(&str, &str), i64> = movements
        .iter()
        .filter(|movement| movement.kind == Kind::Fee)
        .map(|movement| {
            (
                (&*movement.payment, &*movement.provider_reference),
                -movement.amount,
            )
        })
        .collect();
    let rows = movements
        .iter()
        .filter(|movement| movement.kind != Kind::Fee)
        .map(|movement| {
            let fee = match movement.kind {
                Kind::Payment => fees
                    .remove(&(&*movement.payment, &*movement.provider_reference))
                    .unwrap_or_default(),
                _ => 0,
            };
            let category = match movement.kind {
                Kind::Payment => "charge",
                Kind::Refund => "refund",
                Kind::RefundReturned => "refund_failure",
                Kind::Chargeback => "dispute",
                Kind::ChargebackReversed => "dispute_reversal",
                Kind::Payout => "payout",
                Kind::PayoutReturned => "payout_reversal",
                Kind::TopUp => "topup",
                Kind::Fee => "fee",
            };
            let shown = |minor: i64| match &*movement.currency {
                "JPY" | "KRW" | "RWF" | "XAF" | "XOF" | "UGX" | "ISK" | "BIF" | "CLP" | "DJF"
                | "GNF" | "KMF" | "MGA" | "PYG" | "VND" | "VUV" | "XPF" => minor.to_string(),
                _ => major(minor),
            };
            vec![
                format!("txn_{:08}", movement.number),
                local(movement.at, 0),
                local(movement.at, 0),
                movement.currency.to_lowercase(),
                shown(movement.amount),
                shown(fee),
                shown(movement.amount - fee),
                category.to_owned(),
                match movement.kind {
                    Kind::Payment => charge(&movement.payment).unwrap_or_default(),
                    _ => movement.provider_reference.clone(),
                },
                movement.reference.clone(),
                movement.payment.clone(),
            ]
        });
    table(&header, rows)
}

fn paystack(movements: &[Movement]) -> Option<String> {
    let header = [
        "Date",
        "Reference",
        "Transaction ID",
        "Type",
        "Currency",
        "Amount",
        "Balance",
    ];
    let mut balances = std::collections::HashMap::<&str, i64>::new();
    let rows = movements.iter().map(|movement| {
        let balance = balances.entry(&movement.currency).or_default();
        *balance = balance.saturating_add(movement.amount);
        vec![
            local(movement.at, 1),
            movement.reference.clone(),
            movement.provider_reference.clone(),
            movement.kind.as_str().to_owned(),
            movement.currency.clone(),
            major(movement.amount),
            major(*balance),
        ]
    });
    table(&header, rows)
}

fn paynow(movements: &[Movement]) -> Option<String> {
    let header = [
        "Date",
        "Paynow Reference",
        "Merchant Reference",
        "Type",
        "Currency",
        "Amount",
    ];
    let rows = movements.iter().map(|movement| {
        vec![
            local(movement.at, 2),
            movement.payment.clone(),
            movement.reference.clone(),
            movement.kind.as_str().to_owned(),
            movement.currency.clone(),
            major(movement.amount),
        ]
    });
    table(&header, rows)
}
