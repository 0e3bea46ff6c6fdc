//! What each provider prints, by example, and what is wrong with files.

use soko_domain::statement::StatementProvider;
use soko_domain::{Currency, Money};

use super::*;

const MPESA: &str = "\
Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,\
Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No.
SKR1AAAAAA,2026-11-21 12:30:00,2026-11-21 12:29:58,Pay Bill from 254712***678 - JUMA,Completed,\
\"1,250.00\",,1250.00,TRUE,Pay Bill,254712***678 - JUMA,,ORD-1
SKR2BBBBBB,2026-11-22 00:10:00,2026-11-22 00:10:00,Reversal,Completed,,-250.00,1000.00,TRUE,\
Reversal,,SKR1AAAAAA,
";

const STRIPE: &str = "\
balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,\
source_id,description,payment_intent_id
txn_1,2026-11-21 09:30:00,2026-11-28 00:00:00,usd,19.99,0.88,19.11,charge,ch_1,\"Order, one\",pi_1
txn_2,2026-11-22 09:30:00,2026-11-22 00:00:00,usd,-5.00,0.00,-5.00,refund,re_1,,pi_1
txn_3,2026-11-23 09:30:00,2026-11-23 00:00:00,usd,-14.11,0.00,-14.11,payout,po_1,,
";

const PAYSTACK: &str = "\
Date,Reference,Transaction ID,Type,Currency,Amount,Balance
2026-11-21 10:30:00,ord-1,302961,payment,ZAR,149.50,149.50
2026-11-21 10:30:00,ord-1,302961,fee,ZAR,-5.34,144.16
";

const PAYNOW: &str = "\
Date,Paynow Reference,Merchant Reference,Type,Currency,Amount
2026-11-21 11:30:00,\"1,082\",ord-1,payment,USD,149.50
2026-11-21 11:45:00,1082,ord-1,refund,USD,-49.50
";

#[test]
fn a_statement_of_mpesa_is_in_shillings_and_in_nairobis_time() {
    let lines = read(StatementProvider::Mpesa, MPESA.as_bytes()).unwrap();
    let told: Vec<_> = lines.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "capture SKR1AAAAAA [SKR1AAAAAA] KES 1250.00 2026-11-21T09:30:00Z Pay Bill",
            "refund SKR2BBBBBB [SKR2BBBBBB] KES -250.00 2026-11-21T21:10:00Z Reversal",
        ]
    );
}

#[test]
fn a_report_of_stripe_knows_payments_by_their_intents() {
    let lines = read(StatementProvider::Stripe, STRIPE.as_bytes()).unwrap();
    let told: Vec<_> = lines.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "capture txn_1 [pi_1 ch_1] USD 19.99 2026-11-21T09:30:00Z charge",
            "refund txn_2 [re_1] USD -5.00 2026-11-22T09:30:00Z refund",
            "payout txn_3 [] USD -14.11 2026-11-23T09:30:00Z payout",
        ]
    );
    assert_eq!(lines[0].fee, Some(Money::new(88, Currency::Usd)));
    assert_eq!(lines[1].fee, None);
}

#[test]
fn a_table_of_paystack_has_fees_in_lines_of_their_own() {
    let lines = read(StatementProvider::Paystack, PAYSTACK.as_bytes()).unwrap();
    let told: Vec<_> = lines.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "capture 302961 [302961 ord-1] ZAR 149.50 2026-11-21T09:30:00Z payment",
            "fee 302961 [] ZAR -5.34 2026-11-21T09:30:00Z fee",
        ]
    );
}

#[test]
fn a_table_of_paynow_may_have_commas_in_its_numbers() {
    let lines = read(StatementProvider::Paynow, PAYNOW.as_bytes()).unwrap();
    let told: Vec<_> = lines.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "capture 1082 [1082 ord-1] USD 149.50 2026-11-21T09:30:00Z payment",
            "refund 1082 [1082] USD -49.50 2026-11-21T09:45:00Z refund",
        ]
    );
}

#[test]
fn nothing_about_a_person_is_kept() {
    let lines = read(StatementProvider::Mpesa, MPESA.as_bytes()).unwrap();
    let kept = format!("{lines:?}");
    assert!(!kept.contains("JUMA") && !kept.contains("254712"), "{kept}");
}

#[test]
fn columns_are_known_by_their_names_and_others_may_stand_among_them() {
    let turned = "\u{feff}Amount,Colour,Currency,Type,Transaction ID,Reference,Date\r\n\
                  149.50,red,zar,PAYMENT,302961,ord-1,2026-11-21 10:30:00\r\n";
    let lines = read(StatementProvider::Paystack, turned.as_bytes()).unwrap();
    let whole = read(StatementProvider::Paystack, PAYSTACK.as_bytes()).unwrap();
    assert_eq!(lines[0], whole[0]);
    assert_eq!(lines.len(), 1);
}

#[test]
fn what_is_not_understood_is_named_by_its_line_and_column() {
    let paystack = |from: &str, to: &str| {
        assert!(PAYSTACK.contains(from));
        fault(StatementProvider::Paystack, &PAYSTACK.replacen(from, to, 1))
    };
    let stripe = |from: &str, to: &str| {
        assert!(STRIPE.contains(from));
        fault(StatementProvider::Stripe, &STRIPE.replacen(from, to, 1))
    };
    let mpesa = |from: &str, to: &str| {
        assert!(MPESA.contains(from));
        fault(StatementProvider::Mpesa, &MPESA.replacen(from, to, 1))
    };
    for (found, line, column, wrong) in [
        (paystack("payment", "gift"), 2, "Type", Wrong::NotAKnownWord),
        (paystack("-5.34", "-5.345"), 3, "Amount", Wrong::NotAnAmount),
        (paystack("149.50,", ","), 2, "Amount", Wrong::Missing),
        (paystack("ZAR", "EUR"), 2, "Currency", Wrong::NotACurrency),
        (
            paystack("2026-11-21", "21/11/2026"),
            2,
            "Date",
            Wrong::NotATime,
        ),
        (
            paystack("2026-11-21", "0000-11-21"),
            2,
            "Date",
            Wrong::NotATime,
        ),
        (
            paystack("302961", "30 2961"),
            2,
            "Transaction ID",
            Wrong::NotAReference,
        ),
        (paystack("Amount", "Sum"), 1, "Amount", Wrong::NoColumn),
        (
            paystack("Balance", "Amount"),
            1,
            "Amount",
            Wrong::TwoColumns,
        ),
        (stripe("19.11", "19.12"), 2, "net", Wrong::DoesNotAddUp),
        (
            stripe("payout", "loan"),
            4,
            "reporting_category",
            Wrong::NotAKnownWord,
        ),
        (
            mpesa("Completed", "Declined"),
            2,
            "Transaction Status",
            Wrong::NotCompleted,
        ),
        (mpesa("\"1,250.00\",", ","), 2, "Paid In", Wrong::Missing),
        (
            mpesa("\"1,250.00\",", "5.00,1.00"),
            2,
            "Withdrawn",
            Wrong::DoesNotAddUp,
        ),
    ] {
        let column = Some(column);
        assert_eq!(
            found,
            FileFault {
                line,
                column,
                wrong
            }
        );
    }
}

#[test]
fn what_is_no_table_is_refused_as_a_whole() {
    let header = PAYNOW.lines().next().unwrap();
    for (file, line, wrong) in [
        (String::new(), 1, Wrong::Empty),
        (format!("{header}\n1,2,3\n"), 2, Wrong::NotATable),
        (format!("{PAYNOW}\n\n1"), 6, Wrong::NotATable),
    ] {
        let found = fault(StatementProvider::Paynow, &file);
        let column = None;
        assert_eq!(
            found,
            FileFault {
                line,
                column,
                wrong
            },
            "{file:?}"
        );
    }
    let mut latin = PAYNOW.as_bytes().to_vec();
    latin.extend(b"\xe9");
    let found = read(StatementProvider::Paynow, &latin).unwrap_err();
    assert_eq!((found.line, found.wrong), (4, Wrong::NotText));
    let large = vec![b'\n'; FILE_BYTES_MAX + 1];
    let found = read(StatementProvider::Paynow, &large).unwrap_err();
    assert_eq!(found.wrong, Wrong::TooManyBytes);
    let (header, first) = PAYNOW.split_once('\n').unwrap();
    let line = first.lines().next().unwrap();
    let long = format!("{header}\n{}", format!("{line}\n").repeat(LINES_MAX + 1));
    let found = fault(StatementProvider::Paynow, &long);
    assert_eq!((found.line, found.wrong), (100_002, Wrong::TooManyLines));
    let shown = "line 2, Amount: must be an amount, such as 1250.00";
    let bad = PAYNOW.replacen("149.50", "many", 1);
    assert_eq!(fault(StatementProvider::Paynow, &bad).to_string(), shown);
}

#[test]
fn a_file_with_no_lines_is_a_statement() {
    for (provider, file) in ALL {
        let header = file.lines().next().unwrap();
        assert_eq!(read(provider, header.as_bytes()), Ok(vec![]));
    }
}

/// Bytes, and edits of good files, which come further.
#[test]
fn any_file_is_read_without_harm() {
    bolero::check!()
        .with_type::<(u8, Vec<u8>, Vec<(u16, u8, Vec<u8>)>)>()
        .for_each(|(which, bytes, edits)| {
            let (provider, file) = ALL[usize::from(which % 4)];
            let _ = read(provider, bytes);
            let mut edited = file.as_bytes().to_vec();
            for (at, removed, instead) in edits.iter().take(8) {
                let start = usize::from(*at).min(edited.len());
                let end = (start + usize::from(*removed)).min(edited.len());
                edited.splice(start..end, instead.iter().copied());
            }
            if let Ok(lines) = read(provider, &edited) {
                for line in lines {
                    assert!(line.kind.is_of_a_payment() || line.name.is_none());
                }
            }
        });
}

const ALL: [(StatementProvider, &str); 4] = [
    (StatementProvider::Mpesa, MPESA),
    (StatementProvider::Stripe, STRIPE),
    (StatementProvider::Paystack, PAYSTACK),
    (StatementProvider::Paynow, PAYNOW),
];

fn fault(provider: StatementProvider, file: &str) -> FileFault {
    read(provider, file.as_bytes()).unwrap_err()
}

fn told(line: &StatementLine) -> String {
    let names = line.name.iter().chain(&line.other_name);
    let names: Vec<_> = names.map(ToString::to_string).collect();
    format!(
        "{} {} [{}] {} {} {}",
        line.kind.as_str(),
        line.reference,
        names.join(" "),
        line.amount,
        line.happened_at
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        line.words,
    )
}
