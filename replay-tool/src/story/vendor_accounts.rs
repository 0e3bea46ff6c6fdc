//! What happened to a vendor's account, as sentences. Amounts are minor units of its currency.

use super::Sentence;
use soko_domain::vendor_account::VendorAccountEvent;
use soko_domain::{AccountId, Text, VendorId};

pub(super) fn account(vendor_id: VendorId, event: &VendorAccountEvent) -> Sentence {
    Sentence {
        what: format!("vendor {vendor_id}: {}", told(event)),
        amount: None,
    }
}

fn told(event: &VendorAccountEvent) -> String {
    match event {
        VendorAccountEvent::Opened { currency, .. } => format!("account opened in {currency}"),
        VendorAccountEvent::Credited(credit) => format!(
            "owed {} for order {}, from {} on",
            credit.amount, credit.order_id, credit.available_at
        ),
        VendorAccountEvent::Debited(debit) => format!(
            "owed {} less for refund {} of order {}",
            debit.amount, debit.refund_id, debit.order_id
        ),
        VendorAccountEvent::PayoutAccountSet {
            method,
            usable_from,
            set_by,
            ..
        } => format!("payout account ({method}) set by {set_by}, used from {usable_from} on"),
        VendorAccountEvent::PayoutRequested {
            payout_id,
            amount,
            method,
            requested_by,
            ..
        } => format!(
            "payout {payout_id} of {amount} ({method}) requested by {}",
            who(*requested_by, "the schedule")
        ),
        VendorAccountEvent::PayoutApproved {
            payout_id,
            approved_by,
        } => format!(
            "payout {payout_id} approved by {}",
            who(*approved_by, "nobody, for it is little")
        ),
        VendorAccountEvent::PayoutRejected {
            payout_id,
            rejected_by,
            reason,
            ..
        } => format!("payout {payout_id} rejected by {rejected_by}: {reason}"),
        VendorAccountEvent::PayoutStarted { payout_id } => {
            format!("the provider of payout {payout_id} is about to be told")
        }
        VendorAccountEvent::PayoutSent { payout_id, handle } => {
            format!("payout {payout_id} is on its way, as {handle}")
        }
        VendorAccountEvent::PayoutDoubted { payout_id, because } => {
            format!("whether payout {payout_id} was made is not known: {because}")
        }
        VendorAccountEvent::PayoutPaid {
            payout_id,
            amount,
            reference,
            paid_by,
            ..
        } => paid(&payout_id.to_string(), *amount, reference, *paid_by),
        VendorAccountEvent::PayoutFailed {
            payout_id, reason, ..
        } => format!("payout {payout_id} was not made: {reason}"),
        VendorAccountEvent::PayoutReturned {
            payout_id,
            amount,
            reason,
            recorded_by,
            ..
        } => format!(
            "{amount} of payout {payout_id} came back, says {}: {reason}",
            who(*recorded_by, "its provider")
        ),
    }
}

fn paid(payout: &str, amount: i64, reference: &Text<200>, paid_by: Option<AccountId>) -> String {
    let by = who(paid_by, "its provider");
    format!("payout {payout} of {amount} paid by {by}, reference {reference}")
}

fn who(account_id: Option<AccountId>, nobody: &str) -> String {
    account_id.map_or_else(|| nobody.to_owned(), |account_id| account_id.to_string())
}
