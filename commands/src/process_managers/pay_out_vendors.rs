//! Where a store pays its vendors by a schedule, each is paid what is cleared when it is time.

use super::{Desk, Effect, FireError, Fired, ProcessManager};
use crate::error::CommandError;
use crate::handlers::{RequestPayout, request_payout};
use crate::timers::Timer;
use async_trait::async_trait;
use soko_domain::store::midnight_after;
use soko_domain::vendor_account::VendorAccountEvent;
use soko_domain::{AnyEvent, PayoutId, Store, VendorAccount, VendorId};
use soko_event_log::RecordedEvent;
use uuid::Uuid;

const MIDNIGHT: &str = "midnight";

/// Looks at each vendor that is owed something at each midnight (UTC), and requests a payout where
/// it is the day for one. So a schedule that a store has just set counts from the next midnight on.
#[derive(Debug, Clone, Copy, Default)]
pub struct PayOutVendors;

#[async_trait]
impl ProcessManager for PayOutVendors {
    const NAME: &'static str = "pay_out_vendors";
    const STREAMS: &'static [&'static str] = &["vendor_account"];

    fn react(&self, recorded: &RecordedEvent) -> Vec<Effect> {
        let AnyEvent::VendorAccount(vendor_id, event) = &recorded.event else {
            return vec![];
        };
        match event {
            // There is something to pay out, or will be.
            VendorAccountEvent::Credited(_)
            | VendorAccountEvent::PayoutRejected { .. }
            | VendorAccountEvent::PayoutFailed { .. }
            | VendorAccountEvent::PayoutReturned { .. } => {
                let due_at = midnight_after(recorded.recorded_at);
                vec![Effect::at(MIDNIGHT, vendor_id.as_uuid(), due_at)]
            }
            VendorAccountEvent::Opened { .. }
            | VendorAccountEvent::Debited(_)
            | VendorAccountEvent::PayoutAccountSet { .. }
            | VendorAccountEvent::PayoutRequested { .. }
            | VendorAccountEvent::PayoutApproved { .. }
            | VendorAccountEvent::PayoutStarted { .. }
            | VendorAccountEvent::PayoutSent { .. }
            | VendorAccountEvent::PayoutDoubted { .. }
            | VendorAccountEvent::PayoutPaid { .. } => vec![],
        }
    }

    async fn fire(&self, timer: &Timer, desk: &Desk) -> Result<Fired, FireError> {
        let vendor_id = VendorId::from_uuid(timer.stream_id);
        let account = desk.engine.read::<VendorAccount>(vendor_id).await?;
        let purse = account.state.purse()?;
        if !purse.is_owed() {
            return Ok(Fired::Done);
        }
        let store = desk.engine.read::<Store>(purse.store_id()).await?;
        let schedule = store.state.shop()?.payout_rules().schedule;
        // What is under way may wait for somebody: no other is put beside it.
        let is_free = purse.payouts().under_way().len() == 0;
        if is_free && schedule.is_on(timer.due_at) {
            request(vendor_id, timer, desk).await?;
        }
        let at = midnight_after(desk.clock.now());
        Ok(Fired::Again { at })
    }
}

async fn request(vendor_id: VendorId, timer: &Timer, desk: &Desk) -> Result<(), FireError> {
    let context = desk.context(timer, 0);
    let id = Uuid::new_v5(&vendor_id.as_uuid(), context.command_id.as_bytes());
    let request = RequestPayout {
        payout_id: PayoutId::from_uuid(id),
        vendor_id,
        amount: None,
        requested_by: None,
    };
    match request_payout(&desk.engine, request, &context).await {
        Ok(_) => Ok(()),
        // Too little, held, or stopped by the store: another day, perhaps.
        Err(CommandError::Rejected { rejection, .. }) => {
            tracing::info!(vendor.id = %vendor_id, %rejection, "no payout by the schedule");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
