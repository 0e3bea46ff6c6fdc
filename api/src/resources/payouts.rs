//! Payouts: asked for by vendors, or by the schedule, and seen to by the store's people.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_commands::handlers::{
    DecidePayout, PayoutDecision, PayoutError, RequestPayout, RequestedPayout, decide_payout,
    request_payout,
};
use soko_domain::vendor_account::{PayoutMethod, PayoutStatus, VendorAccountError};
use soko_domain::{AccountId, Money, PayoutId, StoreId, Text, VendorAccount, VendorId};
use soko_event_log::{ClaimKind, Claims};
use soko_projections::read_models::payouts::{self as found, Payout, Payouts};
use soko_projections::{Keyset, Within};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::{Command, NoBody};
use crate::found::{Found, Page};
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::query::{Cursor, Limit, Path, Query, query};
use crate::recorded::{New, Recorded};
use crate::schema::{answer, body, words};

words! {
    PayoutStatus = "PayoutStatus" [
        "requested", "approved", "sent", "unresolved", "paid", "rejected", "failed", "returned",
    ]
}

body! {
    pub(crate) struct NewPayout {
        /// All that can be paid out, if left out.
        pub amount: Option<Money>,
    }

    pub(crate) struct WhyNot {
        pub reason: Text<500>,
    }

    pub(crate) struct PaidByHand {
        /// Such as the number of a transfer; unique within the store.
        pub reference: Text<200>,
    }
}

query! {
    pub(crate) struct OfVendorPayouts {
        /// Only those of this status.
        pub status: Option<PayoutStatus>,
        pub limit: Limit,
        pub cursor: Option<Cursor>,
    }

    pub(crate) struct OfPayouts {
        /// Those of this store; without it all there are, for the platform's own people.
        pub store: Option<StoreId>,
        /// Only those of this status.
        pub status: Option<PayoutStatus>,
        pub limit: Limit,
        pub cursor: Option<Cursor>,
    }
}

answer! {
    pub(crate) struct PayoutNow {
        pub payout_id: PayoutId,
        pub vendor_id: VendorId,
        pub amount: Money,
        pub method: PayoutMethod,
        pub status: PayoutStatus,
    }

    pub(crate) struct PayoutDetails {
        pub payout_id: PayoutId,
        pub store_id: StoreId,
        pub vendor_id: VendorId,
        pub amount: Money,
        pub method: PayoutMethod,
        pub status: PayoutStatus,
        /// Null: it was time by the store's schedule.
        pub requested_by: Option<AccountId>,
        pub requested_at: DateTime<Utc>,
        /// Who approved or rejected it; null if nobody had to.
        pub decided_by: Option<AccountId>,
        pub paid_by: Option<AccountId>,
        pub paid_at: Option<DateTime<Utc>>,
        pub reference: Option<String>,
        /// Why it was rejected, failed or came back, or is not known to have been made.
        pub reason: Option<String>,
    }
}

pub(crate) async fn request(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    command: Command<NewPayout>,
) -> Result<New<PayoutNow>> {
    let context = caller
        .permit(Place::vendor(*vendor_id))
        .await?
        .context(&command);
    let request = RequestPayout {
        payout_id: PayoutId::from_uuid(Uuid::now_v7()),
        vendor_id: *vendor_id,
        amount: command.body.amount,
        requested_by: Some(caller.account()?),
    };
    let requested = request_payout(app.engine(), request, &context).await;
    let recorded: New<_> = app
        .recorded_of::<VendorAccount, _, _, _>(*vendor_id, requested, &context)
        .await?;
    Ok(recorded
        .map(|payout| now(&payout))
        .at(|payout| format!("/payouts/{}", payout.payout_id)))
}

pub(crate) async fn list_of_vendor(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    query: Query<OfVendorPayouts>,
    fresh: MinPosition,
) -> Result<Page<PayoutDetails>> {
    let permit = caller.permit(Place::vendor(*vendor_id)).await?;
    let within = Within::Vendor(permit.tenant_id(), *vendor_id);
    let part = (query.limit, query.cursor.as_ref());
    page(&app, within, query.status, part, fresh).await
}

pub(crate) async fn list(
    app: Data<App>,
    caller: Caller,
    query: Query<OfPayouts>,
    fresh: MinPosition,
) -> Result<Page<PayoutDetails>> {
    let within = if let Some(store_id) = query.store {
        let permit = caller.permit(Place::store(store_id)).await?;
        Within::Store(permit.tenant_id(), store_id)
    } else {
        caller.permit(Place::platform()).await?;
        Within::Platform
    };
    let part = (query.limit, query.cursor.as_ref());
    page(&app, within, query.status, part, fresh).await
}

async fn page(
    app: &App,
    within: Within,
    status: Option<PayoutStatus>,
    (limit, cursor): (Limit, Option<&Cursor>),
    fresh: MinPosition,
) -> Result<Page<PayoutDetails>> {
    fresh.reached_by::<Payouts>(app.freshness()).await?;
    let list = format!("payouts {within:?} {status:?}");
    let page = Keyset {
        after: cursor.map(|cursor| cursor.key(&list)).transpose()?,
        limit: limit.rows(),
    };
    let (items, next) = found::payouts(app.reader(), within, status, page).await?;
    Ok(Page::of(items.into_iter().map(details), next, &list))
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    payout_id: Path<PayoutId>,
    fresh: MinPosition,
) -> Result<Found<PayoutDetails>> {
    let vendor_id = vendor_of(&app, *payout_id).await?;
    let permit = caller.permit(Place::vendor(vendor_id)).await?;
    fresh.reached_by::<Payouts>(app.freshness()).await?;
    let within = Within::Vendor(permit.tenant_id(), vendor_id);
    let row = found::payout(app.reader(), within, *payout_id).await?;
    // It is claimed, so the read model does not know of it yet.
    let row = row.ok_or_else(|| Problem::new(Code::ProjectionBehind))?;
    Ok(Found::new(details(row)))
}

pub(crate) async fn approve(
    app: Data<App>,
    caller: Caller,
    payout_id: Path<PayoutId>,
    command: Command<NoBody>,
) -> Result<Recorded<PayoutNow>> {
    let decision = PayoutDecision::Approve;
    decide(&app, &caller, *payout_id, &command, decision).await
}

pub(crate) async fn reject(
    app: Data<App>,
    caller: Caller,
    payout_id: Path<PayoutId>,
    command: Command<WhyNot>,
) -> Result<Recorded<PayoutNow>> {
    let reason = command.body.reason.clone();
    let decision = PayoutDecision::Reject { reason };
    decide(&app, &caller, *payout_id, &command, decision).await
}

pub(crate) async fn record(
    app: Data<App>,
    caller: Caller,
    payout_id: Path<PayoutId>,
    command: Command<PaidByHand>,
) -> Result<Recorded<PayoutNow>> {
    let reference = command.body.reference.clone();
    let decision = PayoutDecision::Record { reference };
    decide(&app, &caller, *payout_id, &command, decision).await
}

pub(crate) async fn take_back(
    app: Data<App>,
    caller: Caller,
    payout_id: Path<PayoutId>,
    command: Command<WhyNot>,
) -> Result<Recorded<PayoutNow>> {
    let reason = command.body.reason.clone();
    let decision = PayoutDecision::Return { reason };
    decide(&app, &caller, *payout_id, &command, decision).await
}

async fn decide<T>(
    app: &App,
    caller: &Caller,
    payout_id: PayoutId,
    command: &Command<T>,
    decision: PayoutDecision,
) -> Result<Recorded<PayoutNow>> {
    let vendor_id = vendor_of(app, payout_id).await?;
    let context = caller
        .permit(Place::vendor(vendor_id))
        .await?
        .context(command);
    let request = DecidePayout {
        payout_id,
        vendor_id,
        by: caller.account()?,
        decision,
    };
    let decided = decide_payout(app.engine(), request, &context).await;
    let recorded: Recorded<_> = app
        .recorded_of::<VendorAccount, _, _, _>(vendor_id, decided, &context)
        .await?;
    Ok(recorded.map(|payout| now(&payout)))
}

/// Whose payout it is, which was claimed with it.
async fn vendor_of(app: &App, payout_id: PayoutId) -> Result<VendorId> {
    let claims = Claims::new(app.pool().clone());
    let claim = claims
        .find(ClaimKind::Payout, &payout_id.to_string())
        .await?;
    let owner = claim.and_then(|claim| claim.owner);
    let vendor_id = owner.and_then(|owner| owner.parse().ok());
    vendor_id.ok_or_else(|| Problem::new(Code::NotFound))
}

fn now(payout: &RequestedPayout) -> PayoutNow {
    PayoutNow {
        payout_id: payout.payout_id,
        vendor_id: payout.vendor_id,
        amount: payout.amount,
        method: payout.method,
        status: payout.status,
    }
}

fn details(row: Payout) -> PayoutDetails {
    PayoutDetails {
        payout_id: row.payout_id,
        store_id: row.store_id,
        vendor_id: row.vendor_id,
        amount: Money::new(row.amount, row.currency),
        method: row.method,
        status: row.status,
        requested_by: row.requested_by,
        requested_at: row.requested_at,
        decided_by: row.decided_by,
        paid_by: row.paid_by,
        paid_at: row.paid_at,
        reference: row.reference,
        reason: row.reason,
    }
}

impl From<PayoutError> for Problem {
    fn from(error: PayoutError) -> Self {
        match error {
            PayoutError::Account(error) => error.into(),
            PayoutError::Vendor(error) => error.into(),
            PayoutError::Store(error) => error.into(),
            PayoutError::NotOffered { .. } => Self::new(Code::StateConflict).with_detail(error),
        }
    }
}

impl From<VendorAccountError> for Problem {
    fn from(error: VendorAccountError) -> Self {
        let code = match error {
            VendorAccountError::NotOpened | VendorAccountError::NoSuchPayout { .. } => {
                Code::NotFound
            }
            VendorAccountError::OwnRequest => Code::Forbidden,
            VendorAccountError::BelowMinimum { .. } | VendorAccountError::NotWhole { .. } => {
                return Self::invalid_at("/amount", error);
            }
            VendorAccountError::OtherCurrency { .. } => {
                return Self::invalid_at("/amount/currency", error);
            }
            VendorAccountError::MethodNotInCurrency { .. } | VendorAccountError::DetailsDiffer => {
                return Self::invalid_at("/method", error);
            }
            VendorAccountError::OtherStore
            | VendorAccountError::TooLarge
            | VendorAccountError::NegativeAmount
            | VendorAccountError::Held { .. }
            | VendorAccountError::NotEnough { .. }
            | VendorAccountError::TooManyUnderWay { .. }
            | VendorAccountError::WrongStatus { .. }
            | VendorAccountError::NotByHand
            | VendorAccountError::ByHand => Code::StateConflict,
        };
        Self::new(code).with_detail(error)
    }
}
