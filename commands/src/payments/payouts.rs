//! Has providers pay vendors out, and asks what became of it.
//!
//! That a provider is about to be told is put on record first. From then on a payout is asked about,
//! and told once more only where that is known to do it once: under its own id, to the same payee.

use super::teller::{Subject, text};
use super::{Cause, Next, Teller, TellerError};
use crate::handlers::{CompletePayout, complete_payout};
use crate::{CommandError, Engine};
use soko_domain::payment::PaymentProvider;
use soko_domain::vendor_account::{
    Payout, PayoutDetails, PayoutStatus, Purse, VendorAccountCommand,
};
use soko_domain::{Currency, Money, PaymentId, PayoutId, StoreId, Text, VendorAccount, VendorId};
use soko_gateways::payments::{
    AfterLostAnswer, AskMove, CallError, Handle, MoveOutcome, MoveStanding, NewPayee, OperationId,
    Payee, PayeeAccount, Transfer, Transfers,
};
use std::future::Future;
use std::time::Duration;

/// When a provider that was not there is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(15);

/// When it is looked again at a payout that is held, or not covered any more.
const HELD_AGAIN_AFTER: Duration = Duration::from_secs(60 * 60);

/// What the provider shows its owner as what it is for.
const REASON: &str = "Payout";

/// A payout that a provider is to make.
struct Due {
    vendor_id: VendorId,
    payout_id: PayoutId,
    payout: Payout,
    provider: PaymentProvider,
    store_id: StoreId,
    currency: Currency,
    /// Whom to pay; `None` if it is somebody else than when the payout was asked for, or was erased.
    payee: Option<NewPayee>,
}

impl Due {
    /// `None` if no provider has anything to do with it.
    fn of(vendor_id: VendorId, payout_id: PayoutId, purse: &Purse) -> Option<Self> {
        let payout = purse.payouts().find(payout_id)?;
        let provider = payout.method.provider()?;
        Some(Self {
            vendor_id,
            payout_id,
            payout: payout.clone(),
            provider,
            store_id: purse.store_id(),
            currency: purse.currency(),
            payee: payee(purse, payout),
        })
    }

    fn operation(&self) -> OperationId {
        OperationId::from_uuid(self.payout_id.as_uuid())
    }
}

impl Teller {
    /// Does what is next about a payout: tells the provider, or asks what became of it.
    ///
    /// # Errors
    /// [`TellerError`].
    pub async fn pay_out(
        &self,
        vendor_id: VendorId,
        payout_id: PayoutId,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let Some(due) = self.due(vendor_id, payout_id).await? else {
            return Ok(Next::Nothing);
        };
        if !due.payout.status.is_under_way() || due.payout.status == PayoutStatus::Requested {
            return Ok(Next::Nothing);
        }
        if let Some(rest) = self.rests(due.provider) {
            return Ok(Next::NotNow(rest));
        }
        let credentials = self.accounts().open(due.store_id, due.provider).await?;
        let account = self.providers().account(credentials);
        let Some(transfers) = account.transfers() else {
            return self.fail_payout(&due, NO_TRANSFERS, cause).await;
        };
        if due.payout.status == PayoutStatus::Approved {
            return self.begin_payout(&due, transfers, cause).await;
        }
        match account.capabilities().lost_transfer {
            _ if due.payout.handle.is_some() => self.ask_about(&due, transfers, cause).await,
            AfterLostAnswer::Repeat => self.tell(&due, transfers, cause).await,
            AfterLostAnswer::Ask => self.ask_about(&due, transfers, cause).await,
            AfterLostAnswer::AwaitCallback => Ok(Next::Wait),
            AfterLostAnswer::AskPerson => self.doubt_payout(&due, LOST, cause).await,
        }
    }

    /// What a provider tells of a payout by itself.
    ///
    /// # Errors
    /// [`TellerError`].
    pub(super) async fn hear_of_payout(
        &self,
        vendor_id: VendorId,
        payout_id: PayoutId,
        standing: MoveStanding,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        match self.due(vendor_id, payout_id).await? {
            Some(due) => self.record_payout(&due, standing, cause).await,
            None => Ok(Next::Nothing),
        }
    }

    async fn due(
        &self,
        vendor_id: VendorId,
        payout_id: PayoutId,
    ) -> Result<Option<Due>, TellerError> {
        let account = self.engine().read::<VendorAccount>(vendor_id).await?;
        let purse = account.state.purse().ok();
        Ok(purse.and_then(|purse| Due::of(vendor_id, payout_id, purse)))
    }

    async fn begin_payout(
        &self,
        due: &Due,
        transfers: &dyn Transfers,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let start = VendorAccountCommand::StartPayout {
            payout_id: due.payout_id,
            now: self.now(),
        };
        let context = cause.context(self.now());
        let started = self
            .engine()
            .execute::<VendorAccount>(due.vendor_id, start, &context);
        match started.await {
            Ok(_) => self.tell(due, transfers, cause).await,
            // The account was just set, or money went back: it may be covered another time.
            Err(CommandError::Rejected { .. }) => Ok(Next::NotNow(HELD_AGAIN_AFTER)),
            Err(error) => Err(error.into()),
        }
    }

    async fn tell(
        &self,
        due: &Due,
        transfers: &dyn Transfers,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let Some(payee) = &due.payee else {
            return self.doubt_payout(due, OTHER_PAYEE, cause).await;
        };
        // It moves nothing, and may be told twice.
        let enrolled = self.timed_payout(due, cause, "enrol", transfers.enrol(payee), |_| {
            ("done", String::new())
        });
        let to: Payee = match enrolled.await {
            Ok(to) => to,
            Err(error @ (CallError::Refused(_) | CallError::Unfit(_))) => {
                return self.fail_payout(due, &error.to_string(), cause).await;
            }
            Err(CallError::NotNow { after, .. }) => {
                return Ok(Next::NotNow(after.unwrap_or(TRY_AGAIN_AFTER)));
            }
            Err(CallError::NotSent(_) | CallError::Unknown(_)) => {
                return Ok(Next::NotNow(TRY_AGAIN_AFTER));
            }
        };
        let transfer = Transfer {
            operation_id: due.operation(),
            amount: Money::new(due.payout.amount, due.currency),
            to,
            reason: REASON.to_owned(),
        };
        let calling = transfers.transfer(&transfer, self.now());
        let told = self.timed_payout(due, cause, "transfer", calling, move_word);
        match told.await {
            Ok(standing) => self.record_payout(due, standing, cause).await,
            Err(CallError::NotSent(_)) => Ok(Next::NotNow(TRY_AGAIN_AFTER)),
            Err(CallError::NotNow { after, .. }) => {
                Ok(Next::NotNow(after.unwrap_or(TRY_AGAIN_AFTER)))
            }
            Err(error @ (CallError::Refused(_) | CallError::Unfit(_))) => {
                self.fail_payout(due, &error.to_string(), cause).await
            }
            // What became of it is asked about, as each provider allows.
            Err(CallError::Unknown(_)) => Ok(Next::Wait),
        }
    }

    async fn ask_about(
        &self,
        due: &Due,
        transfers: &dyn Transfers,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let handle = due.payout.handle.as_ref();
        let ask = AskMove {
            operation_id: due.operation(),
            handle: handle.and_then(|handle| Handle::new(handle.as_str())),
            captured_by: None,
        };
        let calling = transfers.ask_transfer(&ask, self.now());
        let asked = self.timed_payout(due, cause, "ask_transfer", calling, move_word);
        match asked.await {
            Ok(MoveStanding {
                outcome: MoveOutcome::NeverSeen,
                ..
            }) if due.payout.handle.is_none() => {
                // It surely never came there: under the same id it is done once.
                self.tell(due, transfers, cause).await
            }
            Ok(standing) => self.record_payout(due, standing, cause).await,
            Err(CallError::NotNow { after, .. }) => {
                Ok(Next::NotNow(after.unwrap_or(TRY_AGAIN_AFTER)))
            }
            Err(_) => Ok(Next::Wait),
        }
    }

    async fn record_payout(
        &self,
        due: &Due,
        standing: MoveStanding,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let payout_id = due.payout_id;
        match standing.outcome {
            MoveOutcome::Pending(_) | MoveOutcome::NeverSeen | MoveOutcome::Unknown(_) => {
                let handle = standing.handle.and_then(|handle| text(handle.as_str()));
                if let (Some(handle), None) = (handle, &due.payout.handle)
                    && due.payout.status.is_under_way()
                {
                    let sent = VendorAccountCommand::NotePayoutSent { payout_id, handle };
                    self.of_payout(due, sent, cause).await?;
                }
                Ok(Next::Wait)
            }
            MoveOutcome::Done(moved) => {
                let request = CompletePayout {
                    vendor_id: due.vendor_id,
                    payout_id,
                    provider: due.provider,
                    reference: text(&moved.reference).unwrap_or_else(|| Text::of_id(payout_id)),
                };
                let context = cause.context(self.now());
                complete_payout(self.engine(), request, &context).await?;
                Ok(Next::Nothing)
            }
            MoveOutcome::Failed(failure) => {
                let reason = format!("{}: {}", failure.reason.code(), failure.words);
                self.fail_payout(due, &reason, cause).await
            }
            MoveOutcome::Returned(words) if due.payout.status == PayoutStatus::Paid => {
                let returned = VendorAccountCommand::ReturnPayout {
                    payout_id,
                    reason: text(words.as_str()).unwrap_or(CAME_BACK),
                    recorded_by: None,
                };
                self.of_payout(due, returned, cause).await?;
                Ok(Next::Nothing)
            }
            // Of what we never heard that it was paid, all that counts is that it is not.
            MoveOutcome::Returned(words) => self.fail_payout(due, words.as_str(), cause).await,
            MoveOutcome::NeedsPerson(words) => self.doubt_payout(due, words.as_str(), cause).await,
        }
    }

    async fn fail_payout(
        &self,
        due: &Due,
        reason: &str,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let failed = VendorAccountCommand::FailPayout {
            payout_id: due.payout_id,
            reason: text(reason).unwrap_or(NOT_MADE),
        };
        self.of_payout(due, failed, cause).await?;
        Ok(Next::Nothing)
    }

    /// It is asked about all the same, for as long as nobody has seen to it.
    async fn doubt_payout(
        &self,
        due: &Due,
        because: &str,
        cause: &Cause,
    ) -> Result<Next, TellerError> {
        let doubted = VendorAccountCommand::DoubtPayout {
            payout_id: due.payout_id,
            because: text(because).unwrap_or(NOT_KNOWN),
        };
        self.of_payout(due, doubted, cause).await?;
        Ok(Next::Wait)
    }

    async fn of_payout(
        &self,
        due: &Due,
        command: VendorAccountCommand,
        cause: &Cause,
    ) -> Result<(), TellerError> {
        let context = cause.context(self.now());
        let engine: &Engine = self.engine();
        let done = engine.execute::<VendorAccount>(due.vendor_id, command, &context);
        match done.await {
            // Somebody, or another callback, was faster: what they put on record stands.
            Ok(_) | Err(CommandError::Rejected { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// As a payment's calls are timed; a payout stands where a payment would.
    async fn timed_payout<T>(
        &self,
        due: &Due,
        cause: &Cause,
        kind: &'static str,
        call: impl Future<Output = Result<T, CallError>>,
        word: impl Fn(&T) -> (&'static str, String),
    ) -> Result<T, CallError> {
        let subject = Subject {
            tenant_id: cause.tenant_id,
            payment_id: PaymentId::from_uuid(due.payout_id.as_uuid()),
            provider: due.provider,
        };
        self.timed_for(subject, kind, due.payout_id.as_uuid(), call, word)
            .await
    }
}

const LOST: &str = "the answer was lost";
const OTHER_PAYEE: &str = "the payout account is another one by now";
const NO_TRANSFERS: &str = "the provider pays nobody out";
const NOT_MADE: Text<500> = Text::literal("it was not made");
const NOT_KNOWN: Text<500> = Text::literal("it is not known");
const CAME_BACK: Text<500> = Text::literal("the money came back");

/// What was asked for while one account counted never goes to another.
fn payee(purse: &Purse, payout: &Payout) -> Option<NewPayee> {
    let account = purse.payout_account()?;
    if account.usable_from > payout.requested_at || account.method != payout.method {
        return None;
    }
    match account.details.value()? {
        PayoutDetails::ByHand { .. } => None,
        PayoutDetails::Mpesa { phone } => Some(NewPayee::Phone(phone.clone())),
        PayoutDetails::Paystack {
            kind,
            name,
            account_number,
            bank_code,
        } => Some(NewPayee::Account(PayeeAccount {
            kind: kind.to_string(),
            name: name.to_string(),
            account_number: account_number.to_string(),
            bank_code: bank_code.to_string(),
            currency: purse.currency(),
        })),
    }
}

fn move_word(standing: &MoveStanding) -> (&'static str, String) {
    super::refunds::move_word(standing)
}
