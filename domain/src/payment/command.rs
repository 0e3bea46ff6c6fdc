//! What may be asked of a payment.

use super::{Dispute, NextAction, PaymentProvider, ReferenceSource, Refund, RefundRequest, Terms};
use crate::{AccountId, Money, OrderId, Personal, RefundId, StoreId, Text};
use chrono::{DateTime, Utc};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentCommand {
    Initiate {
        order_id: OrderId,
        store_id: StoreId,
        provider: PaymentProvider,
        amount: Money,
        /// Needed where a provider is to be asked, and there alone.
        terms: Option<Box<Terms>>,
    },
    /// The provider was asked, and has the payer decide.
    RecordStart {
        handle: Option<Text<500>>,
        next: Option<Personal<NextAction>>,
    },
    /// The provider surely did nothing, and is to be asked later.
    PutOff {
        because: Text<200>,
    },
    Authorise {
        amount: Money,
    },
    /// Whether money moved is not known.
    Doubt {
        because: Text<200>,
    },
    /// The provider says that the payer has not decided.
    Resume {},
    /// The money is there, by the reference under which its carrier knows it.
    Capture {
        amount: Money,
        reference: Text<200>,
        /// Who took the cash, or saw it arrive.
        collected_by: Option<AccountId>,
        fee: Option<Money>,
        source: ReferenceSource,
    },
    /// No money moved.
    Fail {
        reason: Text<100>,
        words: Option<Text<200>>,
    },
    /// Nobody paid in time.
    Expire {},
    /// A provider is to give something back.
    RequestRefund {
        request: RefundRequest,
        /// The reference of the capture that it is of; `None`: one of which enough is left.
        of: Option<Text<200>>,
    },
    RecordRefundStart {
        refund_id: RefundId,
        handle: Text<500>,
    },
    DoubtRefund {
        refund_id: RefundId,
        because: Text<200>,
    },
    FailRefund {
        refund_id: RefundId,
        reason: Text<100>,
        words: Option<Text<200>>,
    },
    /// What was requested has gone back, under the provider's own reference.
    CompleteRefund {
        refund_id: RefundId,
        reference: Text<200>,
    },
    /// What went back has come to us again.
    ReturnRefund {
        refund_id: RefundId,
    },
    /// Money goes back; it has been handed over, or sent, by whoever says so.
    Refund(Refund),
    RecordDispute(Dispute),
    HoldCredit {
        amount: Money,
        decide_by: DateTime<Utc>,
        because: Text<200>,
    },
    Cancel {
        reason: Text<500>,
    },
}
