//! The things that Stripe tells of, as far as we look at them.

use serde::Deserialize;
use soko_domain::PaymentId;

use super::super::loose_json::Loose;
use super::super::outcome::unix_time;
use super::super::{
    About, Capture, Dispute, DisputeStage, DisputedMoney, Doubt, Failure, FailureReason, Handle,
    MoveOutcome, Moved, NextStep, OperationId, Outcome, ReportedAmount, Secret, Standing, Words,
};
use super::errors::decline_reason;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Intent {
    pub(super) id: Loose,
    status: Loose,
    amount_capturable: Loose,
    amount_received: Loose,
    currency: Loose,
    client_secret: Loose,
    last_payment_error: Option<LastError>,
    cancellation_reason: Loose,
    metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LastError {
    code: Loose,
    decline_code: Loose,
    message: Loose,
}

/// What we put into whatever we make.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    payment_id: Loose,
    operation_id: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Session {
    id: Loose,
    url: Loose,
    status: Loose,
    payment_status: Loose,
    amount_total: Loose,
    currency: Loose,
    payment_intent: Loose,
    metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RefundTold {
    id: Loose,
    status: Loose,
    amount: Loose,
    currency: Loose,
    payment_intent: Loose,
    failure_reason: Loose,
    metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct DisputeTold {
    id: Loose,
    amount: Loose,
    currency: Loose,
    payment_intent: Loose,
    reason: Loose,
    status: Loose,
    evidence_details: Option<Evidence>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Evidence {
    due_by: Loose,
}

impl Intent {
    /// With what the payer's browser needs as long as the payer can still pay.
    pub(super) fn standing(&self) -> Standing {
        let outcome = self.outcome();
        let is_open = match &outcome {
            Outcome::Pending(_) => true,
            Outcome::Failed(failure) => !failure.is_final,
            _ => false,
        };
        let next = match self.client_secret.get() {
            Some(secret) if is_open => NextStep::ClientSecret(Secret::from(secret)),
            _ => NextStep::None,
        };
        Standing {
            handle: Handle::new(self.id.as_str()),
            outcome,
            next,
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        let currency = self.currency.as_str();
        let status = self.status.as_str();
        match status {
            "requires_payment_method" => match &self.last_payment_error {
                Some(error) => Outcome::Failed(error.failure()),
                None => Outcome::Pending(Words::of(status)),
            },
            "requires_capture" => match self.amount_capturable.get() {
                Some(amount) => Outcome::Authorised(ReportedAmount::of_minor(amount, currency)),
                None => Outcome::Unknown(Doubt::Contradiction),
            },
            "succeeded" => match (self.id.get(), self.amount_received.get()) {
                (Some(id), Some(amount)) => Outcome::Captured(Capture {
                    amount: ReportedAmount::of_minor(amount, currency),
                    fee: None,
                    reference: id.to_owned(),
                }),
                _ => Outcome::Unknown(Doubt::Contradiction),
            },
            "canceled" => {
                let words = self.cancellation_reason.as_str();
                let reason = match words {
                    "requested_by_customer" => FailureReason::CancelledByPayer,
                    "abandoned" | "expired" | "automatic" => FailureReason::Expired,
                    "fraudulent" => FailureReason::Declined,
                    _ => FailureReason::Other,
                };
                Outcome::failed(reason, Words::of(words))
            }
            "" => Outcome::Unknown(Doubt::Unreadable),
            _ => Outcome::Pending(Words::of(status)),
        }
    }

    pub(super) fn about(&self) -> About {
        about(self.metadata.as_ref(), self.id.as_str())
    }
}

impl LastError {
    fn failure(&self) -> Failure {
        let code = self.decline_code.get().or(self.code.get());
        Failure {
            reason: decline_reason(code.unwrap_or_default()),
            words: Words::of(self.message.as_str()),
            is_final: false,
        }
    }
}

impl Session {
    pub(super) fn standing(&self) -> Standing {
        let outcome = self.outcome();
        let next = match &outcome {
            Outcome::Pending(_) => NextStep::redirect(self.url.as_str()),
            _ => None,
        };
        Standing {
            handle: Handle::new(self.id.as_str()),
            outcome,
            next: next.unwrap_or(NextStep::None),
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        let currency = self.currency.as_str();
        match (self.status.as_str(), self.payment_status.as_str()) {
            (_, "paid") => match (self.payment_intent.get(), self.amount_total.get()) {
                (Some(intent), Some(amount)) => Outcome::Captured(Capture {
                    amount: ReportedAmount::of_minor(amount, currency),
                    fee: None,
                    reference: intent.to_owned(),
                }),
                _ => Outcome::Unknown(Doubt::Contradiction),
            },
            // We never ask for nothing.
            (_, "no_payment_required") => Outcome::Unknown(Doubt::Contradiction),
            ("expired", _) => Outcome::failed(FailureReason::Expired, Words::of("expired")),
            ("", _) => Outcome::Unknown(Doubt::Unreadable),
            (status, _) => Outcome::Pending(Words::of(status)),
        }
    }

    /// That carries the money, once the payer is through with the page. What the session says of it is
    /// not all: the method may be slow, and of what was to be captured a part may have been.
    pub(super) fn intent_to_ask(&self) -> Option<&str> {
        let is_through = self.status.as_str() == "complete";
        self.payment_intent.get().filter(|_| is_through)
    }

    pub(super) fn intent(&self) -> Option<&str> {
        self.payment_intent.get()
    }

    pub(super) fn about(&self) -> About {
        about(self.metadata.as_ref(), self.id.as_str())
    }
}

impl RefundTold {
    pub(super) fn id(&self) -> Option<Handle> {
        Handle::new(self.id.as_str())
    }

    pub(super) fn outcome(&self) -> MoveOutcome {
        let status = self.status.as_str();
        let words = Words::of(self.failure_reason.get().unwrap_or(status));
        match status {
            "succeeded" => match (self.id.get(), self.amount.get()) {
                (Some(id), Some(amount)) => MoveOutcome::Done(Moved {
                    amount: Some(ReportedAmount::of_minor(amount, self.currency.as_str())),
                    fee: None,
                    reference: id.to_owned(),
                }),
                _ => MoveOutcome::Unknown(Doubt::Contradiction),
            },
            "failed" => MoveOutcome::failed(FailureReason::Declined, words),
            "canceled" => MoveOutcome::failed(FailureReason::Other, words),
            "requires_action" => MoveOutcome::NeedsPerson(words),
            "" => MoveOutcome::Unknown(Doubt::Unreadable),
            _ => MoveOutcome::Pending(words),
        }
    }

    pub(super) fn about(&self) -> About {
        About {
            captured_by: self.payment_intent.get().map(str::to_owned),
            ..about(self.metadata.as_ref(), self.id.as_str())
        }
    }
}

impl DisputeTold {
    /// As an event of this type tells it; `None` if it has no id.
    pub(super) fn dispute(&self, kind: &str) -> Option<Dispute> {
        let status = self.status.as_str();
        let due_by = self
            .evidence_details
            .as_ref()
            .map(|evidence| &evidence.due_by);
        Some(Dispute {
            reference: self.id.get()?.to_owned(),
            amount: ReportedAmount::of_minor(self.amount.as_str(), self.currency.as_str()),
            stage: match status {
                // An inquiry that ended takes no money.
                "won" | "warning_closed" => DisputeStage::Won,
                "lost" => DisputeStage::Lost,
                _ => DisputeStage::Open,
            },
            money: match kind {
                "charge.dispute.funds_withdrawn" => Some(DisputedMoney::Withdrawn),
                "charge.dispute.funds_reinstated" => Some(DisputedMoney::Reinstated),
                _ => None,
            },
            words: Words::of(&format!("{} {status}", self.reason.as_str())),
            answer_by: due_by.and_then(|due_by| unix_time(due_by.as_str())),
        })
    }

    pub(super) fn about(&self) -> About {
        About {
            captured_by: self.payment_intent.get().map(str::to_owned),
            ..About::default()
        }
    }
}

fn about(metadata: Option<&Metadata>, id: &str) -> About {
    let ours = |part: fn(&Metadata) -> &Loose| metadata.map(part).and_then(Loose::get);
    let payment_id = ours(|metadata| &metadata.payment_id);
    let operation_id = ours(|metadata| &metadata.operation_id);
    About {
        payment_id: payment_id.and_then(|id| id.parse::<PaymentId>().ok()),
        operation_id: operation_id.and_then(OperationId::parse),
        handle: Handle::new(id),
        ..About::default()
    }
}
