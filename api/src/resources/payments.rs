//! Payments: how they stand, and the cash that arrives.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_commands::CommandContext;
use soko_commands::handlers::{
    CollectPayment, CollectPaymentError, CollectedPayment, RefundPayment, RefundPaymentError,
    RefundedPayment, RequestRefund, RequestRefundError, RequestedRefund, collect_payment,
    refund_payment, request_refund,
};
use soko_domain::order::OrderStatus;
use soko_domain::payment::{
    self, PaymentError, PaymentProvider, PaymentStatus, Refund, RefundMethod, ReturnStage,
};
use soko_domain::permission::{Permission, Role, allows};
use soko_domain::{Money, OrderId, Payment, PaymentId, RefundId, Text};
use soko_gateways::payments::capabilities_of;
use soko_projections::read_models::orders::{Audience, Orders};
use soko_projections::read_models::payments::{self as found, Payments, ReferenceDoubt};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Permit};
use crate::command::Command;
use crate::found::Found;
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::query::Path;
use crate::recorded::{New, Recorded};
use crate::resources::order_details::NextAction;
use crate::resources::order_views::{audience, is_of_vendor};
use crate::resources::orders::place_of;
use crate::resources::payment_with_order;
use crate::schema::{answer, body, words};

/// How far a refund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundStatus {
    /// The provider is asked for it.
    Pending,
    /// Whether it was done is not known: somebody has to look.
    Unresolved,
    Refunded,
    Failed,
}

words! {
    RefundMethod = "RefundMethod" ["provider", "cash", "bank_transfer", "mobile_money"],
    ReferenceDoubt = "ReferenceDoubt" ["provisional", "contested"],
    RefundStatus = "RefundStatus" ["pending", "unresolved", "refunded", "failed"],
}

body! {
    pub(crate) struct RefundRequest {
        /// What goes back; all that is left if left out.
        pub amount: Option<Money>,
        pub reason: Text<500>,
        /// The way it came if left out, where the provider gives money back by itself; cash else.
        pub method: Option<RefundMethod>,
        /// Such as the number of a receipt, or of a transfer; unique within the store.
        pub reference: Option<Text<200>>,
    }

    pub(crate) struct Collection {
        /// What was taken; the whole of it if left out.
        pub amount: Option<Money>,
        /// Such as the number of a receipt.
        pub reference: Option<Text<200>>,
    }
}

answer! {
    pub(crate) struct Collected {
        pub payment_id: PaymentId,
        pub status: PaymentStatus,
        pub amount: Money,
        pub order_id: OrderId,
        pub order_status: OrderStatus,
    }

    pub(crate) struct RefundMade {
        pub refund_id: RefundId,
        /// `pending` while the provider is asked for it.
        pub refund_status: RefundStatus,
        pub payment_id: PaymentId,
        pub order_id: OrderId,
        /// Of the payment.
        pub status: PaymentStatus,
        pub amount: Money,
        /// What of the payment is left, and could go back, too.
        pub refundable: Money,
    }

    pub(crate) struct RefundNow {
        pub refund_id: RefundId,
        pub amount: Money,
        pub status: RefundStatus,
        pub reason: Text<500>,
    }

    pub(crate) struct PaymentDetails {
        pub payment_id: PaymentId,
        pub order_id: OrderId,
        pub provider: PaymentProvider,
        pub status: PaymentStatus,
        pub amount: Money,
        /// What came; of a payment by a provider it may be more or less than was asked for.
        pub captured: Money,
        /// What of it went back.
        pub refunded: Money,
        /// What banks have taken back.
        pub charged_back: Money,
        /// What no order needs, and is kept for the payer until somebody gives it back.
        pub credit: Money,
        /// What went back, is on its way, or could not go.
        pub refunds: Vec<RefundNow>,
        /// Why no money came, or why it is not known.
        pub failure: Option<String>,
        /// Under which the provider knows it, once it is captured.
        pub reference: Option<String>,
        /// Why that is not to be relied on: it is ours (`provisional`), or callbacks name two.
        pub reference_doubt: Option<ReferenceDoubt>,
        pub next_action: NextAction,
        pub captured_at: Option<DateTime<Utc>>,
    }
}

pub(crate) async fn collect(
    app: Data<App>,
    caller: Caller,
    payment_id: Path<PaymentId>,
    command: Command<Collection>,
) -> Result<Recorded<Collected>> {
    let context = permit(&app, &caller, *payment_id).await?.context(&command);
    let Collection { amount, reference } = command.body;
    let collected_by = caller.account()?;
    let request = CollectPayment {
        payment_id: *payment_id,
        amount,
        reference,
        collected_by,
    };
    let done = collect_payment(app.engine(), request, &context).await;
    let recorded: Recorded<CollectedPayment> = app
        .recorded_of::<Payment, _, _, _>(*payment_id, done, &context)
        .await?;
    Ok(recorded.map(|collected| Collected {
        payment_id: collected.payment_id,
        status: collected.payment_status,
        amount: collected.amount,
        order_id: collected.order_id,
        order_status: collected.order_status,
    }))
}

/// Has the provider give money back, or puts on record that it went back by the hands of who says so.
pub(crate) async fn refund(
    app: Data<App>,
    caller: Caller,
    payment_id: Path<PaymentId>,
    command: Command<RefundRequest>,
) -> Result<New<RefundMade>> {
    let (place, refundable, provider) =
        payment_with_order::seen(&app, *payment_id, |demand, progress| {
            let place = place_of(&caller, progress);
            (place, demand.refundable(), demand.provider())
        })
        .await?;
    let permit = caller.permit(place).await?;
    let context = permit.context(&command);
    let refund_id = RefundId::from_uuid(Uuid::now_v7());
    let asked = command.body;
    let amount = asked.amount.unwrap_or(refundable);
    let by_itself = capabilities_of(provider).is_some_and(|can| can.refunds);
    let method = asked.method.unwrap_or(if by_itself {
        RefundMethod::Provider
    } else {
        RefundMethod::Cash
    });
    if method == RefundMethod::Provider {
        if asked.reference.is_some() {
            let message = "is the provider's own, and not known before";
            return Err(Problem::invalid_at("/reference", message));
        }
        let request = payment::RefundRequest {
            refund_id,
            amount,
            reason: asked.reason,
            is_surplus: false,
            requested_by: caller.account_id(),
        };
        return by_provider(&app, *payment_id, request, &context).await;
    }
    let refund = Refund {
        refund_id,
        amount,
        reason: asked.reason,
        method,
        reference: asked.reference.unwrap_or_else(|| Text::of_id(refund_id)),
        refunded_by: Some(caller.account()?),
        purpose: None,
    };
    let request = RefundPayment {
        payment_id: *payment_id,
        refund,
    };
    let done = refund_payment(app.engine(), request, &context).await;
    let recorded: New<RefundedPayment> = app
        .recorded_of::<Payment, _, _, _>(*payment_id, done, &context)
        .await?;
    Ok(recorded.map(|refunded| RefundMade {
        refund_id: refunded.refund_id,
        refund_status: RefundStatus::Refunded,
        payment_id: refunded.payment_id,
        order_id: refunded.order_id,
        status: refunded.payment_status,
        amount: refunded.amount,
        refundable: refunded.kept,
    }))
}

async fn by_provider(
    app: &App,
    payment_id: PaymentId,
    request: payment::RefundRequest,
    context: &CommandContext,
) -> Result<New<RefundMade>> {
    let request = RequestRefund {
        payment_id,
        request,
    };
    let done = request_refund(app.engine(), request, context).await;
    let recorded: New<RequestedRefund> = app
        .recorded_of::<Payment, _, _, _>(payment_id, done, context)
        .await?;
    Ok(recorded.map(|requested| RefundMade {
        refund_id: requested.refund_id,
        refund_status: RefundStatus::Pending,
        payment_id: requested.payment_id,
        order_id: requested.order_id,
        status: requested.payment_status,
        amount: requested.amount,
        refundable: requested.refundable,
    }))
}

/// Cash may be taken by who may do so with the order. One payment covers the whole of it, so a
/// vendor that sells only a part cannot take what is due to others: that is for the store's people.
async fn permit(app: &App, caller: &Caller, payment_id: PaymentId) -> Result<Permit> {
    let (place, is_shared) = payment_with_order::seen(app, payment_id, |_, progress| {
        let is_shared = progress.fulfilments().len() > 1;
        (place_of(caller, progress), is_shared)
    })
    .await?;
    let permit = caller.permit(place).await?;
    let takes_for_all =
        |role: &Role| allows(*role, Permission::CollectCash) && !is_of_vendor(*role);
    if is_shared && !permit.roles().iter().any(takes_for_all) {
        return Err(Problem::new(Code::Forbidden)
            .with_detail("several vendors share this order: its store takes the cash"));
    }
    Ok(permit)
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    payment_id: Path<PaymentId>,
    min_position: MinPosition,
) -> Result<Found<PaymentDetails>> {
    let payment = app.engine().read::<Payment>(*payment_id).await?;
    let demand = payment
        .state
        .demand()
        .map_err(|_| Problem::new(Code::NotFound))?;
    let audience = audience(&app, &caller, demand.order_id()).await?;
    min_position.reached_by::<Orders>(app.freshness()).await?;
    min_position.reached_by::<Payments>(app.freshness()).await?;
    let row = found::payment(app.reader(), &audience, *payment_id).await?;
    let row = row.ok_or_else(|| Problem::new(Code::ProjectionBehind))?;
    let is_payer = matches!(audience, Audience::Customer(_));
    let next_action = NextAction::of(demand.next_action(), is_payer);
    let credit = Money::new(row.credit, row.currency);
    let refunds = demand.returns().iter().map(|known| RefundNow {
        refund_id: known.request.refund_id,
        amount: known.request.amount,
        status: match known.stage {
            ReturnStage::Requested => RefundStatus::Pending,
            ReturnStage::Unresolved => RefundStatus::Unresolved,
            ReturnStage::Done => RefundStatus::Refunded,
            ReturnStage::Failed => RefundStatus::Failed,
        },
        reason: known.request.reason.clone(),
    });
    Ok(Found::new(PaymentDetails {
        payment_id: row.payment_id,
        order_id: row.order_id,
        provider: row.provider,
        status: row.status,
        amount: Money::new(row.amount, row.currency),
        captured: Money::new(row.captured, row.currency),
        refunded: Money::new(row.refunded, row.currency),
        charged_back: Money::new(row.charged_back, row.currency),
        credit,
        refunds: refunds.collect(),
        failure: row.reason,
        reference: row.reference,
        reference_doubt: row.reference_doubt,
        next_action,
        captured_at: row.captured_at,
    }))
}

impl From<CollectPaymentError> for Problem {
    fn from(error: CollectPaymentError) -> Self {
        match error {
            CollectPaymentError::Order(error) => error.into(),
            CollectPaymentError::Payment(error) => error.into(),
            CollectPaymentError::NotByHand => Self::new(Code::StateConflict).with_detail(error),
        }
    }
}

impl From<RefundPaymentError> for Problem {
    fn from(error: RefundPaymentError) -> Self {
        match error {
            RefundPaymentError::Order(error) => error.into(),
            RefundPaymentError::Payment(error) => error.into(),
        }
    }
}

impl From<RequestRefundError> for Problem {
    fn from(error: RequestRefundError) -> Self {
        match error {
            RequestRefundError::Payment(error) => error.into(),
            RequestRefundError::NotByProvider => Self::invalid_at("/method", error),
        }
    }
}

impl From<PaymentError> for Problem {
    fn from(error: PaymentError) -> Self {
        let code = match &error {
            PaymentError::NotInitiated | PaymentError::NoSuchRefund => Code::NotFound,
            PaymentError::NoRefund => return Self::invalid_at("/amount", error),
            _ => Code::StateConflict,
        };
        Self::new(code).with_detail(error)
    }
}
