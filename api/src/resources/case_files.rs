//! The case file of a payment: everything in order, for who has to find out what became of money.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use serde_json::Value;
use soko_domain::payment::{PaymentProvider, PaymentStatus};
use soko_domain::{OrderId, PaymentId};
use soko_event_log::{LogReader, Position, Scope};
use soko_projections::case_file::{CaseFact, CaseItem, case_file};
use uuid::Uuid;

use crate::app::App;
use crate::caller::Caller;
use crate::found::Found;
use crate::problem::Result;
use crate::query::Path;
use crate::resources::orders::place_of;
use crate::resources::payment_with_order;
use crate::schema::answer;

answer! {
    pub(crate) struct CaseFile {
        pub payment_id: PaymentId,
        pub order_id: OrderId,
        pub provider: PaymentProvider,
        pub status: PaymentStatus,
        /// In their order.
        pub items: Vec<CaseEntry>,
    }

    pub(crate) struct CaseEntry {
        pub at: DateTime<Utc>,
        /// `event`, `call` or `callback`.
        pub kind: String,
        /// The event's name, what the provider was asked for, or how a callback came: `first`, `late`,
        /// `doubled` or `refused`.
        pub what: String,
        /// What a provider answered, or what came of a callback.
        pub outcome: Option<String>,
        /// The provider's own words.
        pub words: Option<String>,
        /// How long the provider took.
        pub took_ms: Option<i64>,
        /// Our id of what the provider was asked for.
        pub operation_id: Option<Uuid>,
        /// Of an event.
        pub position: Option<Position>,
        /// Of the event that led to it.
        pub causation: Option<Position>,
        pub actor: Option<String>,
        /// How often a callback was worked.
        pub attempts: Option<i32>,
        /// Of an event: what is personal in it is sealed.
        pub data: Option<Value>,
    }
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    payment_id: Path<PaymentId>,
) -> Result<Found<CaseFile>> {
    let (place, order_id, provider, status) =
        payment_with_order::seen(&app, *payment_id, |demand, progress| {
            let place = place_of(&caller, progress);
            (place, demand.order_id(), demand.provider(), demand.status())
        })
        .await?;
    let permit = caller.permit(place).await?;
    let log = LogReader::new(app.pool().clone());
    let entries = log.stream("payment", payment_id.as_uuid()).await?;
    let scope = Scope::Tenant(permit.tenant_id());
    let items = case_file(app.reader(), &scope, *payment_id, &entries).await?;
    Ok(Found::new(CaseFile {
        payment_id: *payment_id,
        order_id,
        provider,
        status,
        items: items.into_iter().map(entry).collect(),
    }))
}

fn entry(item: CaseItem) -> CaseEntry {
    let mut entry = CaseEntry {
        at: item.at,
        kind: String::new(),
        what: String::new(),
        outcome: None,
        words: None,
        took_ms: None,
        operation_id: None,
        position: None,
        causation: None,
        actor: None,
        attempts: None,
        data: None,
    };
    match item.what {
        CaseFact::Event {
            name,
            position,
            actor,
            causation,
            data,
        } => {
            "event".clone_into(&mut entry.kind);
            name.clone_into(&mut entry.what);
            entry.position = Some(position);
            entry.actor = Some(actor);
            entry.causation = causation;
            entry.data = Some(data);
        }
        CaseFact::Call {
            kind,
            operation_id,
            took,
            outcome,
            words,
        } => {
            "call".clone_into(&mut entry.kind);
            entry.what = kind;
            entry.operation_id = Some(operation_id);
            entry.took_ms = Some(took.num_milliseconds());
            entry.outcome = Some(outcome);
            entry.words = Some(words).filter(|words| !words.is_empty());
        }
        CaseFact::Callback {
            arrival,
            verdict,
            attempts,
        } => {
            "callback".clone_into(&mut entry.kind);
            arrival.as_str().clone_into(&mut entry.what);
            entry.outcome = verdict;
            entry.attempts = Some(attempts);
        }
    }
    entry
}
