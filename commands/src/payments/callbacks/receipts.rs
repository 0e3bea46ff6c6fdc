//! Money that nobody was asked for, at least not by us. What nobody has signed is asked about, and
//! taken when the provider's own answer has come; of a store that may not ask, the secret of the path
//! and the provider's addresses have to do.

use super::CallbackWorker;
use super::working::{Verdict, cause_of, reports_of};
use crate::handlers::claims::Name;
use crate::handlers::{ReceiveMoney, receive_money};
use crate::payments::TellerError;
use crate::payments::inbox::Waiting;
use crate::payments::teller::{Subject, text};
use soko_domain::{Money, OrderId, PaymentId, Text};
use soko_gateways::payments::{
    AskReceipt, Attested, CallError, Fact, MoveOutcome, OperationId, PaymentAccount, Receipts,
    Received, ReportedAmount,
};
use uuid::Uuid;

const NOT_ASKED: &str = "the provider could not be asked: nothing was taken";

/// What became of the callback, and of which payment.
type Came = (Option<PaymentId>, Verdict);

/// Money of which a provider tells unasked.
struct Unasked {
    reference: Text<200>,
    amount: Money,
    /// The payment that it counts for already.
    known_as: Option<PaymentId>,
    /// What the payer meant it for.
    order_id: Option<OrderId>,
}

impl Unasked {
    /// The order that it pays, unless it has done so already, or nobody knows which.
    fn order_to_pay(&self, waiting: &Waiting) -> Result<OrderId, Came> {
        if let Some(payment_id) = self.known_as {
            let again = Verdict::Done("told again: the money is known");
            return Err((Some(payment_id), again));
        }
        self.order_id.ok_or_else(|| {
            tracing::error!(
                callback.id = %waiting.callback_id,
                provider = waiting.provider.as_str(),
                "money came for no order that is known: somebody has to look at it"
            );
            (
                None,
                Verdict::Again("money came for no order that is known"),
            )
        })
    }
}

impl CallbackWorker {
    pub(super) async fn received(
        &self,
        waiting: &Waiting,
        account: &dyn PaymentAccount,
        received: &Received,
    ) -> Result<Came, TellerError> {
        let Some(money) = self.look_up(waiting, received).await? else {
            return Ok((None, Verdict::Done("money came that cannot be read")));
        };
        let order_id = match money.order_to_pay(waiting) {
            Ok(order_id) => order_id,
            Err(came) => return Ok(came),
        };
        let Some(receipts) = account.receipts() else {
            return self.take_received(waiting, order_id, money).await;
        };
        let payment_id = payment_of(order_id, &money.reference);
        if self.0.teller.rests(waiting.provider).is_some() {
            return Ok((Some(payment_id), Verdict::AwaitsAnswer(NOT_ASKED)));
        }
        let asked = self.ask_receipt(waiting, receipts, payment_id, &money.reference);
        let verdict = match asked.await {
            Ok(()) | Err(CallError::Unknown(_)) => {
                "asked about, and not confirmed by the provider: nothing was taken"
            }
            Err(_) => NOT_ASKED,
        };
        Ok((Some(payment_id), Verdict::AwaitsAnswer(verdict)))
    }

    /// The provider's answer to that question. It is what counts: also of how much came.
    pub(super) async fn attested(
        &self,
        waiting: &Waiting,
        account: &dyn PaymentAccount,
        attested: &Attested,
    ) -> Result<Came, TellerError> {
        let MoveOutcome::Done(moved) = &attested.outcome else {
            let nothing = Verdict::Done("the provider does not confirm the money");
            return Ok((None, nothing));
        };
        let question = attested.question.as_uuid();
        let told = self.inbox().find(question).await?;
        let told = told
            .filter(|told| (told.store_id, told.provider) == (waiting.store_id, waiting.provider));
        let Some(told) = told else {
            return Ok((None, Verdict::Done("it is about nothing that was told")));
        };
        let reports = reports_of(account, &told).unwrap_or_default();
        let received = reports.into_iter().find_map(|report| match report.fact {
            Fact::Received(received) if received.reference == moved.reference => Some(received),
            _ => None,
        });
        let Some(received) = received else {
            return Ok((None, Verdict::Done("it is about other money than was told")));
        };
        let Some(mut money) = self.look_up(&told, &received).await? else {
            return Ok((None, Verdict::Done("money came that cannot be read")));
        };
        let Some(amount) = moved.amount.as_ref().and_then(ReportedAmount::money) else {
            return Ok((None, Verdict::Done("the answer does not say how much came")));
        };
        money.amount = amount;
        match money.order_to_pay(waiting) {
            Ok(order_id) => self.take_received(waiting, order_id, money).await,
            Err(came) => Ok(came),
        }
    }

    async fn look_up(
        &self,
        waiting: &Waiting,
        received: &Received,
    ) -> Result<Option<Unasked>, TellerError> {
        let (Some(reference), Some(amount)) = (text(&received.reference), received.amount.money())
        else {
            return Ok(None);
        };
        let name = Name::captured(waiting.provider, &reference);
        let known_as = self.owner(name.kind, &name.value).await?;
        let order_id = self
            .order_called(waiting.store_id, &received.account)
            .await?;
        Ok(Some(Unasked {
            reference,
            amount,
            known_as,
            order_id,
        }))
    }

    /// What is asked again is answered again.
    async fn ask_receipt(
        &self,
        waiting: &Waiting,
        receipts: &dyn Receipts,
        payment_id: PaymentId,
        reference: &Text<200>,
    ) -> Result<(), CallError> {
        let teller = &self.0.teller;
        let question = AskReceipt {
            question: OperationId::from_uuid(waiting.callback_id),
            reference: reference.to_string(),
        };
        let subject = Subject {
            tenant_id: waiting.tenant_id,
            payment_id,
            provider: waiting.provider,
        };
        let calling = receipts.ask_receipt(&question, self.0.clock.now());
        let word = |(): &()| ("asked", String::new());
        let id = waiting.callback_id;
        teller
            .timed_for(subject, "ask_receipt", id, calling, word)
            .await
    }

    async fn take_received(
        &self,
        waiting: &Waiting,
        order_id: OrderId,
        money: Unasked,
    ) -> Result<Came, TellerError> {
        let payment_id = payment_of(order_id, &money.reference);
        let request = ReceiveMoney {
            payment_id,
            order_id,
            provider: waiting.provider,
            amount: money.amount,
            reference: money.reference,
        };
        let cause = cause_of(waiting, payment_id);
        let context = cause.context(self.0.clock.now());
        receive_money(self.0.teller.engine(), request, &context).await?;
        Ok((Some(payment_id), Verdict::Done("money was taken")))
    }
}

/// The same for the same money.
fn payment_of(order_id: OrderId, reference: &Text<200>) -> PaymentId {
    let id = Uuid::new_v5(&order_id.as_uuid(), reference.as_str().as_bytes());
    PaymentId::from_uuid(id)
}
