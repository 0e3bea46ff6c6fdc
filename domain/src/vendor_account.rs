//! What a store owes a vendor: what was sold, what went back, and what was paid out.
//!
//! A sale is on hold for a while before it can be paid out. What can be paid out is what is on hold
//! no more, without refunds and without all that was paid out or is about to be. A refund takes from
//! it at once, even where its sale is still on hold: so it may fall below nothing, and what is
//! cleared next makes up for that.

mod command;
mod decisions;
mod error;
mod event;
mod payout;
mod payout_account;
#[cfg(test)]
mod properties;
mod purse;
#[cfg(test)]
mod tests;

pub use command::{PayoutRequest, VendorAccountCommand};
pub use decisions::minimum;
pub use error::VendorAccountError;
pub use event::{Credit, Debit, VendorAccountEvent};
pub use payout::{Payout, PayoutStatus, Payouts};
pub use payout_account::{PayoutAccount, PayoutDetails, PayoutMethod};
pub use purse::Purse;

use crate::{Currency, Decide, StoreId, VendorId, write_decision};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum VendorAccount {
    /// Nothing was sold yet, and nobody has said where money is to go.
    #[default]
    NotOpened,
    Open(Box<Purse>),
}

/// Whose account it is to be, for the first that happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub store_id: StoreId,
    /// The store's.
    pub currency: Currency,
}

type Decision = Result<Vec<VendorAccountEvent>, VendorAccountError>;

impl VendorAccount {
    /// # Errors
    /// [`VendorAccountError::NotOpened`].
    pub fn purse(&self) -> Result<&Purse, VendorAccountError> {
        match self {
            Self::NotOpened => Err(VendorAccountError::NotOpened),
            Self::Open(purse) => Ok(purse),
        }
    }

    /// Decides on the account as it is, or on a new one, which is then opened with it.
    fn of(&self, owner: Owner, decide: impl FnOnce(&Purse) -> Decision) -> Decision {
        match self {
            Self::Open(purse) if purse.owner() != owner => Err(VendorAccountError::OtherStore),
            Self::Open(purse) => decide(purse),
            Self::NotOpened => {
                let Owner { store_id, currency } = owner;
                let mut events = decide(&Purse::new(owner))?;
                if !events.is_empty() {
                    events.insert(0, VendorAccountEvent::Opened { store_id, currency });
                }
                Ok(events)
            }
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Purse)) {
        match self {
            Self::NotOpened => (),
            Self::Open(purse) => change(purse),
        }
    }
}

impl Decide for VendorAccount {
    type Id = VendorId;

    fn decide(&self, command: VendorAccountCommand) -> Decision {
        match command {
            VendorAccountCommand::Credit { owner, credit } => {
                self.of(owner, |purse| purse.credit(credit))
            }
            VendorAccountCommand::Debit { owner, debit } => {
                self.of(owner, |purse| purse.debit(debit))
            }
            VendorAccountCommand::SetPayoutAccount {
                owner,
                method,
                details,
                set_by,
                held_for,
                now,
            } => self.of(owner, |purse| {
                purse.pay_out_to(method, details, set_by, now + held_for)
            }),
            VendorAccountCommand::RequestPayout { owner, request } => {
                self.of(owner, |purse| purse.request(&request))
            }
            VendorAccountCommand::ApprovePayout {
                payout_id,
                approved_by,
                now,
            } => self.purse()?.approve(payout_id, approved_by, now),
            VendorAccountCommand::RejectPayout {
                payout_id,
                rejected_by,
                reason,
            } => self.purse()?.reject(payout_id, rejected_by, reason),
            VendorAccountCommand::RecordPayout {
                payout_id,
                reference,
                paid_by,
            } => self.purse()?.record(payout_id, reference, paid_by),
            VendorAccountCommand::StartPayout { payout_id, now } => {
                self.purse()?.start(payout_id, now)
            }
            VendorAccountCommand::NotePayoutSent { payout_id, handle } => {
                self.purse()?.note_sent(payout_id, handle)
            }
            VendorAccountCommand::DoubtPayout { payout_id, because } => {
                self.purse()?.doubt(payout_id, because)
            }
            VendorAccountCommand::CompletePayout {
                payout_id,
                reference,
            } => self.purse()?.complete(payout_id, reference),
            VendorAccountCommand::FailPayout { payout_id, reason } => {
                self.purse()?.fail(payout_id, reason)
            }
            VendorAccountCommand::ReturnPayout {
                payout_id,
                reason,
                recorded_by,
            } => self.purse()?.take_back(payout_id, reason, recorded_by),
        }
    }
}

impl Aggregate for VendorAccount {
    const TYPE: &'static str = "vendor_account";
    type Command = VendorAccountCommand;
    type Event = VendorAccountEvent;
    type Error = VendorAccountError;
    type Services = ();

    async fn handle(
        &mut self,
        command: VendorAccountCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), VendorAccountError> {
        write_decision(self, command, sink).await
    }

    fn apply(&mut self, event: VendorAccountEvent) {
        match event {
            VendorAccountEvent::Opened { store_id, currency } => {
                let owner = Owner { store_id, currency };
                *self = Self::Open(Box::new(Purse::new(owner)));
            }
            other => self.change(|purse| purse.apply(other)),
        }
    }
}
