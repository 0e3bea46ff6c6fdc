//! Carries payouts that a provider makes to their ends: tells it once they are approved, and asks what
//! became of them. What is paid by hand waits for people.

use super::{Desk, Effect, FireError, Fired, ProcessManager};
use crate::payments::{Cause, Next, Teller};
use crate::timers::Timer;
use async_trait::async_trait;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::json;
use soko_domain::vendor_account::VendorAccountEvent;
use soko_domain::{AnyEvent, PayoutId, VendorId};
use soko_event_log::{Actor, RecordedEvent};

/// Of a payout.
const SEND: &str = "send";

/// Between two questions about a payout; the last repeats until somebody knows.
const ASKED_AFTER: [TimeDelta; 5] = [
    TimeDelta::seconds(5),
    TimeDelta::seconds(30),
    TimeDelta::minutes(2),
    TimeDelta::minutes(15),
    TimeDelta::hours(1),
];

/// Has providers pay what was approved.
#[derive(Clone)]
pub struct SendPayouts {
    teller: Teller,
}

/// What a payout's timer remembers.
#[derive(Debug, Serialize, Deserialize)]
struct OfVendor {
    vendor_id: VendorId,
}

impl SendPayouts {
    pub fn new(teller: Teller) -> Self {
        Self { teller }
    }
}

#[async_trait]
impl ProcessManager for SendPayouts {
    const NAME: &'static str = "send_payouts";
    const STREAMS: &'static [&'static str] = &["vendor_account"];

    fn react(&self, recorded: &RecordedEvent) -> Vec<Effect> {
        let AnyEvent::VendorAccount(vendor_id, event) = &recorded.event else {
            return vec![];
        };
        match event {
            VendorAccountEvent::PayoutApproved { payout_id, .. } => {
                let of_vendor = json!(OfVendor {
                    vendor_id: *vendor_id,
                });
                let send = Effect::at(SEND, payout_id.as_uuid(), recorded.recorded_at);
                vec![send.with_details(of_vendor)]
            }
            VendorAccountEvent::PayoutRejected { payout_id, .. }
            | VendorAccountEvent::PayoutPaid { payout_id, .. }
            | VendorAccountEvent::PayoutFailed { payout_id, .. }
            | VendorAccountEvent::PayoutReturned { payout_id, .. } => {
                vec![Effect::cancel(SEND, payout_id.as_uuid())]
            }
            VendorAccountEvent::Opened { .. }
            | VendorAccountEvent::Credited(_)
            | VendorAccountEvent::Debited(_)
            | VendorAccountEvent::PayoutAccountSet { .. }
            | VendorAccountEvent::PayoutRequested { .. }
            | VendorAccountEvent::PayoutStarted { .. }
            | VendorAccountEvent::PayoutSent { .. }
            | VendorAccountEvent::PayoutDoubted { .. } => vec![],
        }
    }

    async fn fire(&self, timer: &Timer, desk: &Desk) -> Result<Fired, FireError> {
        let OfVendor { vendor_id } = timer.details()?;
        let payout_id = PayoutId::from_uuid(timer.stream_id);
        let cause = Cause {
            tenant_id: timer.tenant_id,
            actor: Actor::System(Self::NAME.to_owned()),
            correlation: timer.correlation,
            causation: Some(timer.position),
            request_id: None,
        };
        let pause = match self.teller.pay_out(vendor_id, payout_id, &cause).await? {
            Next::Nothing => return Ok(Fired::Done),
            Next::NotNow(after) => TimeDelta::from_std(after)?,
            Next::Wait | Next::Contradicted => {
                let round = usize::try_from(timer.round).unwrap_or(usize::MAX);
                ASKED_AFTER[round.min(ASKED_AFTER.len() - 1)]
            }
        };
        Ok(Fired::Again {
            at: desk.clock.now() + pause,
        })
    }
}
