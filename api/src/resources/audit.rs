//! The events themselves, for auditors: by their stream, by who did it, and what they came to.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use serde_json::Value;
use soko_domain::cart::{Basket, Cart};
use soko_domain::category::{Category, Section};
use soko_domain::payment::Demand;
use soko_domain::product::Listing;
use soko_domain::promotion::Campaign;
use soko_domain::statement::Sheet;
use soko_domain::stock::Levels;
use soko_domain::vendor::Seller;
use soko_domain::{
    AnyEvent, CartId, CategoryId, Order, OrderId, Payment, PaymentId, Product, ProductId,
    Promotion, PromotionId, Statement, StatementId, Stock, StoreId, TenantId, VariantId, Vendor,
    VendorId, state_after,
};
use soko_event_log::{Entry, LogReader, Metadata, Position, Scope, StoredEvent, Stretch, Trail};
use soko_projections::read_models::actor_blocks;
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Permit, Place};
use crate::found::{Found, Page, Part};
use crate::problem::{Code, Problem, Result};
use crate::query::{Cursor, Limit, Parameter, Path, Query, query};
use crate::resources::differences::{Difference, differences};
use crate::schema::answer;

query! {
    pub(crate) struct OfEvents {
        /// Only of this business; without it all there is, for auditors of the platform.
        pub tenant: Option<TenantId>,
        /// Only what was recorded after this position.
        pub after: Option<Position>,
        /// Only what they did, such as `account:<id>`, `guest` or `system:<name>`.
        pub actor: Option<String>,
        /// Only what came of this request.
        pub correlation: Option<Uuid>,
        /// How many on a page.
        pub limit: Limit,
        /// From the page before.
        pub cursor: Option<Cursor>,
    }

    pub(crate) struct OfState {
        /// At this moment; now if neither this nor a position is given.
        pub as_of: Option<DateTime<Utc>>,
        /// After the event at this position.
        pub position: Option<Position>,
    }

    pub(crate) struct OfDiff {
        /// A time, or a position of the log.
        pub from: Moment,
        /// A time, or a position of the log; now if left out.
        pub to: Option<Moment>,
    }
}

answer! {
    pub(crate) struct AuditEvent {
        pub position: Position,
        pub tenant_id: TenantId,
        pub stream_type: String,
        pub stream_id: String,
        pub sequence: u64,
        pub event_type: String,
        pub event_version: String,
        pub recorded_at: DateTime<Utc>,
        /// Who did it: `account:<id>`, `guest` or `system:<name>`.
        pub actor: String,
        /// The position of the event that led to this one, if an event did.
        pub causation: Option<Position>,
        /// The same for all that came of one request.
        pub correlation: Uuid,
        pub payload: Value,
        pub metadata: Value,
    }

    pub(crate) struct StateAt {
        pub stream_type: String,
        pub stream_id: Uuid,
        /// Of the last event until then.
        pub sequence: u64,
        pub position: Position,
        pub recorded_at: DateTime<Utc>,
        pub state: Value,
    }

    pub(crate) struct StateChanges {
        pub stream_type: String,
        pub stream_id: Uuid,
        pub changes: Vec<Difference>,
    }
}

/// A place in the log, by its time or by its position.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    At(DateTime<Utc>),
    After(Position),
}

pub(crate) async fn events(
    app: Data<App>,
    caller: Caller,
    query: Query<OfEvents>,
) -> Result<Page<AuditEvent>> {
    let place = query.tenant.map_or_else(Place::platform, Place::tenant);
    let permit = caller.permit(place).await?;
    let trail = Trail {
        tenant_id: query.tenant,
        stream: None,
        actor: query.actor.clone(),
        correlation: query.correlation,
    };
    let after = query.after.unwrap_or(Position::START);
    let part = Part {
        limit: query.limit,
        cursor: query.cursor.clone(),
    };
    page(&app, &permit, &trail, after, &part).await
}

pub(crate) async fn stream(
    app: Data<App>,
    caller: Caller,
    path: Path<(String, Uuid)>,
    part: Query<Part>,
) -> Result<Page<AuditEvent>> {
    let (stream_type, stream_id) = path.0;
    let permit = permit(&app, &caller, &stream_type, stream_id).await?;
    let trail = Trail {
        stream: Some((stream_type, stream_id)),
        ..Trail::default()
    };
    page(&app, &permit, &trail, Position::START, &part).await
}

pub(crate) async fn state(
    app: Data<App>,
    caller: Caller,
    path: Path<(String, Uuid)>,
    query: Query<OfState>,
) -> Result<Found<StateAt>> {
    let (stream_type, stream_id) = path.0;
    permit(&app, &caller, &stream_type, stream_id).await?;
    let moment = match (query.as_of, query.position) {
        (Some(_), Some(_)) => {
            let fault = "is one too many beside as_of";
            return Err(Problem::invalid_parameter("position", fault));
        }
        (Some(time), None) => Some(Moment::At(time)),
        (None, Some(position)) => Some(Moment::After(position)),
        (None, None) => None,
    };
    let entries = history(&app, &stream_type, stream_id).await?;
    let until = until(&entries, moment);
    let last = until.last().and_then(|entry| entry.event.as_ref().ok());
    let last =
        last.ok_or_else(|| Problem::new(Code::NotFound).with_detail("it was not there yet"))?;
    Ok(Found::new(StateAt {
        sequence: last.sequence,
        position: last.position,
        recorded_at: last.recorded_at,
        state: folded(&stream_type, until)?,
        stream_type,
        stream_id,
    }))
}

pub(crate) async fn diff(
    app: Data<App>,
    caller: Caller,
    path: Path<(String, Uuid)>,
    query: Query<OfDiff>,
) -> Result<Found<StateChanges>> {
    let (stream_type, stream_id) = path.0;
    permit(&app, &caller, &stream_type, stream_id).await?;
    let entries = history(&app, &stream_type, stream_id).await?;
    let before = folded(&stream_type, until(&entries, Some(query.from)))?;
    let after = folded(&stream_type, until(&entries, query.to))?;
    Ok(Found::new(StateChanges {
        stream_type,
        stream_id,
        changes: differences(&before, &after),
    }))
}

async fn page(
    app: &App,
    permit: &Permit,
    trail: &Trail,
    after: Position,
    part: &Part,
) -> Result<Page<AuditEvent>> {
    let list = format!("audit {trail:?}");
    let from: Option<Position> = part
        .cursor
        .as_ref()
        .map(|cursor| cursor.key(&list))
        .transpose()?;
    let limit = usize::from(part.limit);
    let scope = match permit.tenant_id() {
        TenantId::PLATFORM => Scope::Platform,
        tenant_id => Scope::Tenant(tenant_id),
    };
    let start = from.unwrap_or(after).max(after);
    let stretches = stretches(app, &scope, trail, start, limit + 1).await?;
    let mut found = app
        .reader()
        .trail(&scope, trail, start, stretches.as_deref(), limit + 1)
        .await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().map(|event| event.position);
    let items = found.into_iter().map(shown).collect::<Result<Vec<_>>>()?;
    Ok(Page::of(items, next.filter(|_| has_more), &list))
}

/// Where to look for what somebody did. Together with something else that is looked for, so little of
/// it may count that no part of the log can be left out.
async fn stretches(
    app: &App,
    scope: &Scope,
    trail: &Trail,
    after: Position,
    limit: usize,
) -> Result<Option<Vec<Stretch>>> {
    let (Some(actor), None) = (&trail.actor, trail.correlation) else {
        return Ok(None);
    };
    let known = actor_blocks::known_up_to(app.pool()).await?;
    let tenant_id = trail.tenant_id;
    let found =
        actor_blocks::stretches(app.reader(), scope, tenant_id, actor, after, known, limit).await?;
    Ok(Some(found))
}

fn shown(event: StoredEvent) -> Result<AuditEvent> {
    let broken = |error: serde_json::Error| Problem::ours(Code::Internal, &error);
    let about: Metadata = serde_json::from_str(&event.metadata).map_err(broken)?;
    Ok(AuditEvent {
        position: event.position,
        tenant_id: event.tenant_id,
        stream_type: event.stream_type,
        stream_id: event.stream_id,
        sequence: event.sequence,
        event_type: event.event_type,
        event_version: event.event_version,
        recorded_at: event.recorded_at,
        actor: about.actor.to_string(),
        causation: about.causation,
        correlation: about.correlation,
        payload: serde_json::from_str(&event.payload).map_err(broken)?,
        metadata: serde_json::from_str(&event.metadata).map_err(broken)?,
    })
}

/// That the caller may audit what lies where this stream lies.
async fn permit(app: &App, caller: &Caller, stream_type: &str, id: Uuid) -> Result<Permit> {
    let nothing = || Problem::new(Code::NotFound);
    let trail = Trail {
        stream: Some((stream_type.to_owned(), id)),
        ..Trail::default()
    };
    // Whose it is must be known before it can be asked who may see it.
    let reader = app.reader();
    let first = reader
        .trail(&Scope::Platform, &trail, Position::START, None, 1)
        .await?;
    let tenant_id = first.first().ok_or_else(nothing)?.tenant_id;
    let place = match store_of(app, stream_type, id).await? {
        Some(store_id) => Place::store(store_id),
        None if tenant_id == TenantId::PLATFORM => Place::platform(),
        None => Place::tenant(tenant_id),
    };
    caller.permit(place).await
}

/// The store that it belongs to; `None` for what belongs to none, or is gone.
async fn store_of(app: &App, stream_type: &str, id: Uuid) -> Result<Option<StoreId>> {
    let engine = app.engine();
    Ok(match stream_type {
        "store" => Some(StoreId::from_uuid(id)),
        "vendor" | "vendor_account" => {
            let vendor = engine.read::<Vendor>(VendorId::from_uuid(id)).await?;
            vendor.state.seller().ok().map(Seller::store_id)
        }
        "category" => {
            let category = engine.read::<Category>(CategoryId::from_uuid(id)).await?;
            category.state.section().ok().map(Section::store_id)
        }
        "product" => {
            let product = engine.read::<Product>(ProductId::from_uuid(id)).await?;
            product.state.listing().ok().map(Listing::store_id)
        }
        "stock" => {
            let stock = engine.read::<Stock>(VariantId::from_uuid(id)).await?;
            stock.state.levels().ok().map(Levels::store_id)
        }
        "cart" => {
            let cart = engine.read::<Cart>(CartId::from_uuid(id)).await?;
            cart.state.basket().map(Basket::store_id)
        }
        "order" => {
            let order = engine.read::<Order>(OrderId::from_uuid(id)).await?;
            let progress = order.state.progress().ok();
            progress.map(|progress| progress.placement().store_id)
        }
        "payment" => {
            let payment = engine.read::<Payment>(PaymentId::from_uuid(id)).await?;
            payment.state.demand().ok().map(Demand::store_id)
        }
        "promotion" => {
            let promotion = engine.read::<Promotion>(PromotionId::from_uuid(id)).await?;
            promotion.state.campaign().ok().map(Campaign::store_id)
        }
        "statement" => {
            let statement = engine.read::<Statement>(StatementId::from_uuid(id)).await?;
            statement.state.sheet().ok().map(Sheet::store_id)
        }
        _ => None,
    })
}

async fn history(app: &App, stream_type: &str, stream_id: Uuid) -> Result<Vec<Entry>> {
    let reader = LogReader::new(app.pool().clone());
    Ok(reader.stream(stream_type, stream_id).await?)
}

fn until(entries: &[Entry], moment: Option<Moment>) -> &[Entry] {
    let is_until = |entry: &Entry| match (moment, &entry.event) {
        (None, _) => true,
        (Some(Moment::After(position)), _) => entry.position <= position,
        (Some(Moment::At(time)), Ok(recorded)) => recorded.recorded_at <= time,
        // What cannot be read ends what can be told.
        (Some(Moment::At(_)), Err(_)) => false,
    };
    &entries[..entries.partition_point(is_until)]
}

fn folded(stream_type: &str, entries: &[Entry]) -> Result<Value> {
    let mut events: Vec<&AnyEvent> = Vec::with_capacity(entries.len());
    for entry in entries {
        match &entry.event {
            Ok(recorded) => events.push(&recorded.event),
            Err(poisoned) => return Err(Problem::ours(Code::Internal, &**poisoned)),
        }
    }
    let state =
        state_after(stream_type, events).map_err(|error| Problem::ours(Code::Internal, &error))?;
    state.ok_or_else(|| Problem::new(Code::NotFound))
}

impl Parameter for Moment {
    fn read(text: Option<&str>) -> std::result::Result<Self, String> {
        if let Some(Ok(position)) = text.map(str::parse::<Position>) {
            return Ok(Self::After(position));
        }
        DateTime::<Utc>::read(text)
            .map(Self::At)
            .map_err(|fault| format!("{fault}, or a position"))
    }

    fn schema() -> Value {
        serde_json::json!({ "type": "string", "examples": ["2026-01-31T12:00:00Z", "4711"] })
    }
}
