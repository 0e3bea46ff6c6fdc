//! What happens to an order, as it happens: server-sent events.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, HeaderName};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest};
use futures::stream;
use soko_domain::OrderId;
use soko_event_log::Position;
use soko_projections::ReadModel;
use soko_projections::read_models::order_tracking::{OrderTracking, timeline};
use soko_projections::read_models::orders::Audience;

use crate::app::App;
use crate::caller::Caller;
use crate::command::malformed;
use crate::operation::{Input, Operation};
use crate::problem::{Code, Problem, Result};
use crate::query::Path;
use crate::resources::order_views::{audience, step};
use crate::tokens;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// So that nothing between us and the client takes a quiet line for a dead one.
const BEAT: Duration = Duration::from_secs(15);

/// A client that stays longer is cut off and comes back by itself, with the access token that it has
/// then.
const LASTS_MAX: Duration = tokens::LIFETIME;

/// Where a client that lost its line goes on: the id of the last event that it has seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastEventId(Position);

/// The steps so far, then each new one. The id of an event is its position in the log.
pub(crate) async fn follow(
    app: Data<App>,
    caller: Caller,
    order_id: Path<OrderId>,
    last: LastEventId,
) -> Result<HttpResponse> {
    let audience = audience(&app, &caller, *order_id).await?;
    let follower = Follower {
        app,
        caller,
        audience,
        order_id: *order_id,
        after: last.0,
        looked_at: None,
        until: tokio::time::Instant::now() + LASTS_MAX,
    };
    let events = stream::unfold(follower, |mut follower| async {
        let text = follower.next().await?;
        Some((Ok::<_, Problem>(Bytes::from(text)), follower))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events))
}

struct Follower {
    app: Data<App>,
    caller: Caller,
    audience: Audience,
    order_id: OrderId,
    /// The last step that was sent.
    after: Position,
    /// How far the read model was when it was last asked.
    looked_at: Option<Position>,
    until: tokio::time::Instant,
}

impl Follower {
    /// What is to be sent next; `None` when the line has to end.
    async fn next(&mut self) -> Option<String> {
        loop {
            let reached = self.app.freshness().reached(OrderTracking::NAME);
            if self.looked_at != Some(reached) {
                let steps =
                    timeline(self.app.reader(), &self.audience, self.order_id, self.after).await;
                let Ok(steps) = steps else { return None };
                let is_first = self.looked_at.replace(reached).is_none();
                if let Some(last) = steps.last() {
                    if !is_first && !self.may_still_see().await {
                        return None;
                    }
                    self.after = Position::new(last.position);
                    return Some(steps.into_iter().map(frame).collect());
                }
                if is_first {
                    return Some(": connected\n\n".to_owned());
                }
            }
            if tokio::time::Instant::now() >= self.until {
                return None;
            }
            let beyond = reached.next();
            let moved = self
                .app
                .freshness()
                .wait_for(OrderTracking::NAME, beyond, BEAT)
                .await;
            if moved.is_err() {
                if !self.may_still_see().await {
                    return None;
                }
                return Some(": beat\n\n".to_owned());
            }
        }
    }

    /// Whoever logged out, or is of the team no more, sees no more steps: asked before each, and with
    /// each beat.
    async fn may_still_see(&self) -> bool {
        let is_known = self.caller.is_still_known().await;
        let audience = audience(&self.app, &self.caller, self.order_id).await;
        is_known.unwrap_or(false) && audience.is_ok()
    }
}

fn frame(item: soko_projections::read_models::order_tracking::TrackingItem) -> String {
    let position = item.position;
    let kind = item.kind.clone();
    // A step is plain values, which always have a JSON form, on one line.
    let data = serde_json::to_string(&step(item)).unwrap_or_default();
    format!("id: {position}\nevent: {kind}\ndata: {data}\n\n")
}

impl FromRequest for LastEventId {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        let position = match request.headers().get(LAST_EVENT_ID) {
            None => Ok(Position::START),
            Some(value) => value
                .to_str()
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| malformed("Last-Event-ID", "must be the id of an event")),
        };
        std::future::ready(position.map(Self))
    }
}

impl Input for LastEventId {
    fn describe(operation: &mut Operation<'_>) {
        operation.header(
            "Last-Event-ID",
            false,
            "Go on after this event.",
            &serde_json::json!({ "type": "string" }),
        );
        operation.refuses(&[Code::MalformedHeader]);
    }
}
