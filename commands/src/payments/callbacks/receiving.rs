//! Finds whose a callback is, checks that it is the provider's, and writes it down.

use super::CallbackWorker;
use crate::handlers::claims::Name;
use crate::payments::inbox::{NewCallback, Raw};
use crate::payments::teller::text;
use crate::payments::{AccountError, TellerError};
use chrono::{DateTime, Utc};
use metrics::counter;
use soko_domain::order::Progress;
use soko_domain::payment::PaymentProvider;
use soko_domain::store::Shop;
use soko_domain::{
    Order, OrderId, Payment, PaymentId, PayoutId, RefundId, Store, StoreId, TenantId,
    VendorAccount, VendorId,
};
use soko_event_log::ClaimKind;
use soko_gateways::payments::{
    About, Callback, CallbackKind, CallbackRefusal, CallbackToken, Fact, MPESA_OFFER_ACCEPTED,
    MPESA_OFFER_REFUSED, Named, Report, capabilities_of, named_in,
};
use uuid::Uuid;

/// A callback as it came.
#[derive(Debug, Clone)]
pub struct Came {
    pub provider: PaymentProvider,
    pub place: Place,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub callback_id: Uuid,
    pub received_at: DateTime<Utc>,
}

/// Where it came to.
#[derive(Debug, Clone)]
pub enum Place {
    /// A path that only we can have given out.
    Token(String),
    Payment(PaymentId),
    Store(StoreId),
    /// One address for all: the callback says itself what it is about.
    Anywhere,
}

/// What its provider is told.
#[derive(Debug)]
pub enum Received {
    /// It is written down; with the body of our answer, if the provider reads one.
    Accepted(Option<&'static str>),
    /// Nothing of it is believed.
    Refused(CallbackRefusal),
    /// It is nobody's.
    Unknown,
    /// It could not be written down, or not be checked: it is to come again.
    Later,
}

impl CallbackWorker {
    pub async fn receive(&self, came: Came) -> Received {
        let provider = came.provider;
        let received = match self.try_to_receive(came).await {
            Ok(received) => received,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    provider = provider.as_str(),
                    "a callback cannot be received now"
                );
                Received::Later
            }
        };
        let outcome = match &received {
            Received::Accepted(_) => "accepted",
            Received::Refused(_) => "refused",
            Received::Unknown => "unknown",
            Received::Later => "later",
        };
        let labels = [("provider", provider.as_str()), ("outcome", outcome)];
        counter!("soko_provider_callbacks_total", &labels).increment(1);
        received
    }

    async fn try_to_receive(&self, came: Came) -> Result<Received, TellerError> {
        let Some((store_id, payment_id)) = self.whose(&came).await? else {
            return Ok(Received::Unknown);
        };
        let Some(tenant_id) = self.tenant_of(store_id).await? else {
            return Ok(Received::Unknown);
        };
        let accounts = self.0.teller.accounts();
        let credentials = match accounts.open(store_id, came.provider).await {
            Err(AccountError::Missing(_)) => return Ok(Received::Unknown),
            opened => opened?,
        };
        let account = self.0.teller.providers().account(credentials);
        let path = match &came.place {
            Place::Token(token) => token.clone(),
            Place::Payment(_) | Place::Store(_) | Place::Anywhere => String::new(),
        };
        let read = {
            let headers: Vec<(&str, &[u8])> = came
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_slice()))
                .collect();
            account.read(&Callback {
                path: &path,
                headers: &headers,
                body: &came.body,
                received_at: came.received_at,
            })
        };
        let mut callback = NewCallback {
            callback_id: came.callback_id,
            tenant_id,
            store_id,
            provider: came.provider,
            payment_id,
            received_at: came.received_at,
            raw: Raw {
                path,
                headers: came.headers,
                body: came.body,
            },
            refused: None,
        };
        match read {
            Err(refusal) => {
                // A fact about a payment of ours; of anything else there is no end.
                if payment_id.is_some() {
                    callback.refused = Some(format!("refused: {refusal}"));
                    let _ = self.0.inbox.put(callback).await;
                }
                Ok(Received::Refused(refusal))
            }
            Ok(reports) => {
                if let Some(offered) = offered(&reports) {
                    return self.answer_offer(store_id, offered).await;
                }
                callback.payment_id = payment_id.or_else(|| named(&reports));
                let acknowledgement =
                    capabilities_of(came.provider).and_then(|can| can.acknowledgement);
                match self.0.inbox.put(callback).await {
                    Ok(()) => Ok(Received::Accepted(acknowledgement)),
                    Err(_) => Ok(Received::Later),
                }
            }
        }
    }

    async fn named_in(&self, came: &Came) -> Result<Option<PaymentId>, TellerError> {
        match named_in(&came.body) {
            Some(Named::Payment(payment_id)) => Ok(Some(payment_id)),
            Some(Named::Captured(reference)) => match text(&reference) {
                Some(reference) => {
                    let name = Name::captured(came.provider, &reference);
                    self.owner(name.kind, &name.value).await
                }
                None => Ok(None),
            },
            None => Ok(None),
        }
    }

    /// The store whose account it is, and the payment that it is about if the place tells.
    async fn whose(
        &self,
        came: &Came,
    ) -> Result<Option<(StoreId, Option<PaymentId>)>, TellerError> {
        let payment_id = match &came.place {
            Place::Store(store_id) => return Ok(Some((*store_id, None))),
            Place::Payment(payment_id) => Some(*payment_id),
            Place::Anywhere => self.named_in(came).await?,
            Place::Token(token) => {
                let Some(token) = CallbackToken::parse(token) else {
                    return Ok(None);
                };
                match token.kind() {
                    CallbackKind::Receipt | CallbackKind::Offer | CallbackKind::Nudge => {
                        return Ok(Some((StoreId::from_uuid(token.id()), None)));
                    }
                    // The question bears the id of what it is about.
                    CallbackKind::ReceiptStatus | CallbackKind::ReceiptStatusTimeOut => {
                        let told = self.inbox().find(token.id()).await?;
                        return Ok(told.map(|told| (told.store_id, None)));
                    }
                    CallbackKind::Prompt => Some(PaymentId::from_uuid(token.id())),
                    CallbackKind::Refund
                    | CallbackKind::RefundTimeOut
                    | CallbackKind::RefundStatus
                    | CallbackKind::RefundStatusTimeOut => {
                        self.payment_of_operation(token.id()).await?
                    }
                    CallbackKind::Transfer
                    | CallbackKind::TransferTimeOut
                    | CallbackKind::TransferStatus
                    | CallbackKind::TransferStatusTimeOut => {
                        return self.store_of_payout(token.id()).await;
                    }
                }
            }
        };
        let Some(payment_id) = payment_id else {
            return Ok(None);
        };
        let payment = self.0.teller.engine().read::<Payment>(payment_id).await?;
        Ok(match payment.state.demand() {
            Ok(demand) if demand.provider().account() == came.provider.account() => {
                Some((demand.store_id(), Some(payment_id)))
            }
            Ok(_) => None,
            // Payouts are named in the same places as payments.
            Err(_) => self.store_of_payout(payment_id.as_uuid()).await?,
        })
    }

    /// The store that a payout is of, where the id is one.
    async fn store_of_payout(
        &self,
        id: Uuid,
    ) -> Result<Option<(StoreId, Option<PaymentId>)>, TellerError> {
        let Some(vendor_id) = self.vendor_of_payout(id).await? else {
            return Ok(None);
        };
        let engine = self.0.teller.engine();
        let account = engine.read::<VendorAccount>(vendor_id).await?;
        let purse = account.state.purse().ok();
        Ok(purse.map(|purse| (purse.store_id(), None)))
    }

    pub(super) async fn vendor_of_payout(&self, id: Uuid) -> Result<Option<VendorId>, TellerError> {
        let name = Name::payout(PayoutId::from_uuid(id));
        self.owner(name.kind, &name.value).await
    }

    pub(super) async fn payment_of_operation(
        &self,
        operation_id: Uuid,
    ) -> Result<Option<PaymentId>, TellerError> {
        let name = Name::operation(RefundId::from_uuid(operation_id));
        self.owner(name.kind, &name.value).await
    }

    pub(super) async fn owner<I: std::str::FromStr>(
        &self,
        kind: ClaimKind,
        value: &str,
    ) -> Result<Option<I>, TellerError> {
        let found = self.0.claims.find(kind, value).await?;
        Ok(found.and_then(|claim| claim.owner?.parse().ok()))
    }

    async fn tenant_of(&self, store_id: StoreId) -> Result<Option<TenantId>, TellerError> {
        let store = self.0.teller.engine().read::<Store>(store_id).await?;
        Ok(store.state.shop().ok().map(Shop::tenant_id))
    }

    /// The payer waits for this answer, at the till so to say.
    async fn answer_offer(
        &self,
        store_id: StoreId,
        offered: &soko_gateways::payments::Received,
    ) -> Result<Received, TellerError> {
        let is_welcome = match self.order_called(store_id, &offered.account).await? {
            None => false,
            Some(order_id) => {
                let order = self.0.teller.engine().read::<Order>(order_id).await?;
                let due = order.state.progress().map(Progress::due);
                due.is_ok_and(|due| due.amount() > 0)
            }
        };
        let answer = if is_welcome {
            MPESA_OFFER_ACCEPTED
        } else {
            MPESA_OFFER_REFUSED
        };
        Ok(Received::Accepted(Some(answer)))
    }

    /// The order that a payer means by what they wrote.
    pub(super) async fn order_called(
        &self,
        store_id: StoreId,
        written: &str,
    ) -> Result<Option<OrderId>, TellerError> {
        let number: String = written
            .trim()
            .to_ascii_uppercase()
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        let name = Name::order_number(store_id, &number);
        self.owner(name.kind, &name.value).await
    }
}

fn offered(reports: &[Report]) -> Option<&soko_gateways::payments::Received> {
    reports.iter().find_map(|report| match &report.fact {
        Fact::Offered(offered) => Some(offered),
        _ => None,
    })
}

/// As far as the callback itself tells, for people who look for it later.
fn named(reports: &[Report]) -> Option<PaymentId> {
    let of = |about: &About| {
        let operation = about.charge.or(about.operation_id);
        about
            .payment_id
            .or_else(|| operation.map(|id| PaymentId::from_uuid(id.as_uuid())))
    };
    reports.iter().find_map(|report| of(&report.about))
}
