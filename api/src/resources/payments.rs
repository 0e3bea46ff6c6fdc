//! Payments: how they stand, and the cash that arrives.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_commands::handlers::{
    CollectPayment, CollectPaymentError, CollectedPayment, RefundPayment, RefundPaymentError,
    RefundedPayment, collect_payment, refund_payment,
};
use soko_domain::order::OrderStatus;
use soko_domain::payment::{PaymentError, PaymentProvider, PaymentStatus, Refund, RefundMethod};
use soko_domain::permission::{Permission, Role, allows};
use soko_domain::{Money, Order, OrderId, Payment, PaymentId, RefundId, Text};
use soko_projections::read_models::orders::Orders;
use soko_projections::read_models::payments::{self as found, Payments};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Permit};
use crate::command::Command;
use crate::found::Found;
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::query::Path;
use crate::recorded::{New, Recorded};
use crate::resources::order_details::{NextAction, OrderPayment};
use crate::resources::order_views::{audience, is_of_vendor};
use crate::resources::orders::place_of;
use crate::schema::{answer, body, words};

words! { RefundMethod = "RefundMethod" ["cash", "bank_transfer", "mobile_money"] }

body! {
    pub(crate) struct RefundRequest {
        /// What goes back; all that is left if left out.
        pub amount: Option<Money>,
        pub reason: Text<500>,
        /// Cash if left out.
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
        pub payment_id: PaymentId,
        pub order_id: OrderId,
        /// Of the payment.
        pub status: PaymentStatus,
        pub amount: Money,
        /// What of the payment is left, and could go back, too.
        pub refundable: Money,
    }

    pub(crate) struct PaymentDetails {
        pub payment_id: PaymentId,
        pub order_id: OrderId,
        pub provider: PaymentProvider,
        pub status: PaymentStatus,
        pub amount: Money,
        /// What of it went back.
        pub refunded: Money,
        /// Under which the provider knows it, once it is captured.
        pub reference: Option<String>,
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

/// Puts on record that money went back, by the hands of who says so.
pub(crate) async fn refund(
    app: Data<App>,
    caller: Caller,
    payment_id: Path<PaymentId>,
    command: Command<RefundRequest>,
) -> Result<New<RefundMade>> {
    let nothing = || Problem::new(Code::NotFound);
    let payment = app.engine().read::<Payment>(*payment_id).await?;
    let demand = payment.state.demand().map_err(|_| nothing())?;
    let order = app.engine().read::<Order>(demand.order_id()).await?;
    let progress = order.state.progress().map_err(|_| nothing())?;
    let permit = caller.permit(place_of(&caller, progress)).await?;
    let context = permit.context(&command);
    let refund_id = RefundId::from_uuid(Uuid::now_v7());
    let asked = command.body;
    let refund = Refund {
        refund_id,
        amount: asked.amount.unwrap_or(demand.kept()),
        reason: asked.reason,
        method: asked.method.unwrap_or(RefundMethod::Cash),
        reference: asked.reference.unwrap_or_else(|| Text::of_id(refund_id)),
        refunded_by: caller.account()?,
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
        payment_id: refunded.payment_id,
        order_id: refunded.order_id,
        status: refunded.payment_status,
        amount: refunded.amount,
        refundable: refunded.kept,
    }))
}

/// Cash may be taken by who may do so with the order. One payment covers the whole of it, so a
/// vendor that sells only a part cannot take what is due to others: that is for the store's people.
async fn permit(app: &App, caller: &Caller, payment_id: PaymentId) -> Result<Permit> {
    let nothing = || Problem::new(Code::NotFound);
    let payment = app.engine().read::<Payment>(payment_id).await?;
    let order_id = payment.state.demand().map_err(|_| nothing())?.order_id();
    let order = app.engine().read::<Order>(order_id).await?;
    let progress = order.state.progress().map_err(|_| nothing())?;
    let permit = caller.permit(place_of(caller, progress)).await?;
    let is_shared = progress.fulfilments().len() > 1;
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
    let next_action = OrderPayment::new(row.payment_id, row.provider, row.status).next_action;
    Ok(Found::new(PaymentDetails {
        payment_id: row.payment_id,
        order_id: row.order_id,
        provider: row.provider,
        status: row.status,
        amount: Money::new(row.amount, row.currency),
        refunded: Money::new(row.refunded, row.currency),
        reference: row.reference,
        next_action,
        captured_at: row.captured_at,
    }))
}

impl From<CollectPaymentError> for Problem {
    fn from(error: CollectPaymentError) -> Self {
        match error {
            CollectPaymentError::Order(error) => error.into(),
            CollectPaymentError::Payment(error) => error.into(),
            CollectPaymentError::NotInCash => Self::new(Code::StateConflict).with_detail(error),
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

impl From<PaymentError> for Problem {
    fn from(error: PaymentError) -> Self {
        let code = match &error {
            PaymentError::NotInitiated => Code::NotFound,
            PaymentError::NoRefund => return Self::invalid_at("/amount", error),
            _ => Code::StateConflict,
        };
        Self::new(code).with_detail(error)
    }
}
