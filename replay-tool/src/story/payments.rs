//! What happened to a payment, as sentences.

use super::{Sentence, by, name};
use soko_domain::payment::{Dispute, DisputeStage, DisputedMoney, PaymentEvent, Refund};
use soko_domain::{AccountId, Money, Text};

pub(super) fn payment(event: &PaymentEvent) -> Sentence {
    match event {
        PaymentEvent::Initiated {
            order_id,
            provider,
            amount,
            ..
        } => of(
            format!("payment of order {order_id} asked for: {}", name(*provider)),
            *amount,
        ),
        PaymentEvent::Started { handle, .. } => plain(match handle {
            Some(handle) => format!("the provider has the payer decide, as {handle}"),
            None => "the provider has the payer decide".to_owned(),
        }),
        PaymentEvent::PutOff { because } => {
            plain(format!("the provider could not be asked yet: {because}"))
        }
        PaymentEvent::Authorised { amount } => {
            of("the payer agreed, nothing is taken yet".to_owned(), *amount)
        }
        PaymentEvent::Doubted { because } => {
            plain(format!("whether money moved is not known: {because}"))
        }
        PaymentEvent::Resumed {} => {
            plain("the payer has not decided, the provider says".to_owned())
        }
        PaymentEvent::Captured {
            amount,
            reference,
            collected_by,
            ..
        } => {
            let by = taken_by(*collected_by);
            of(
                format!("payment captured, reference {reference}{by}"),
                *amount,
            )
        }
        PaymentEvent::ReferenceLearned {
            provisional,
            reference,
            ..
        } => plain(format!(
            "what came as {provisional} has the reference {reference}"
        )),
        PaymentEvent::ReferenceContested {
            reference, told, ..
        } => plain(format!(
            "another callback calls what came as {reference} {told}: a person has to look which it is"
        )),
        PaymentEvent::Failed { reason, words } => {
            plain(format!("no money moved: {reason}{}", told(words.as_ref())))
        }
        PaymentEvent::Expired {} => plain("nobody paid in time".to_owned()),
        PaymentEvent::RefundRequested { request, of: paid } => of(
            format!(
                "refund {} of {paid} is to be sent{}: {}",
                request.refund_id,
                asked_by(request.requested_by),
                request.reason
            ),
            request.amount,
        ),
        PaymentEvent::RefundStarted { refund_id, handle } => {
            plain(format!("the provider has refund {refund_id}, as {handle}"))
        }
        PaymentEvent::RefundDoubted { refund_id, because } => plain(format!(
            "whether refund {refund_id} was sent is not known: {because}"
        )),
        PaymentEvent::RefundFailed {
            refund_id,
            reason,
            words,
        } => plain(format!(
            "refund {refund_id} was not sent: {reason}{}",
            told(words.as_ref())
        )),
        PaymentEvent::Refunded(refund) => refunded(refund),
        PaymentEvent::RefundReturned {
            refund_id, amount, ..
        } => of(format!("refund {refund_id} came back to us"), *amount),
        PaymentEvent::Disputed(dispute) => disputed(dispute),
        PaymentEvent::CreditHeld {
            amount,
            decide_by,
            because,
        } => of(
            format!("kept for the payer, to be given back by {decide_by}: {because}"),
            *amount,
        ),
        PaymentEvent::Cancelled { reason } => plain(format!("payment cancelled: {reason}")),
    }
}

fn refunded(refund: &Refund) -> Sentence {
    let what = format!(
        "refunded{} {}, reference {}: {}",
        asked_by(refund.refunded_by),
        by(refund.method),
        refund.reference,
        refund.reason
    );
    of(what, refund.amount)
}

fn disputed(dispute: &Dispute) -> Sentence {
    let stage = match dispute.stage {
        DisputeStage::Open => "is open",
        DisputeStage::Won => "is won",
        DisputeStage::Lost => "is lost",
    };
    let money = match dispute.money {
        None => "",
        Some(DisputedMoney::Withdrawn) => ", the money was taken back",
        Some(DisputedMoney::Reinstated) => ", the money is here again",
    };
    let what = format!("dispute {} {stage}{money}", dispute.reference);
    of(what, dispute.amount)
}

fn plain(what: String) -> Sentence {
    Sentence { what, amount: None }
}

fn of(what: String, amount: Money) -> Sentence {
    Sentence {
        what,
        amount: Some(amount),
    }
}

fn taken_by(account: Option<AccountId>) -> String {
    account
        .map(|id| format!(", taken by {id}"))
        .unwrap_or_default()
}

fn asked_by(account: Option<AccountId>) -> String {
    account.map(|id| format!(" by {id}")).unwrap_or_default()
}

fn told(words: Option<&Text<200>>) -> String {
    words.map(|words| format!(" ({words})")).unwrap_or_default()
}
