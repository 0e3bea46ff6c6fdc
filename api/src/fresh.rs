//! Reading one's own writes: an answer that is no older than a position.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest};
use serde_json::json;
use soko_event_log::{LogReader, Position};
use soko_projections::{Freshness, ReadModel};

use crate::app::App;
use crate::command::malformed;
use crate::operation::{Input, Operation};
use crate::problem::{Code, Problem, Result};

const MIN_POSITION: HeaderName = HeaderName::from_static("soko-min-position");

/// How long a query waits for its read model.
const PATIENCE: Duration = Duration::from_secs(2);

/// The position that an answer must not be older than, if one was asked for.
#[derive(Debug, Clone, Copy)]
pub struct MinPosition(Option<Position>);

impl MinPosition {
    /// All that is in the log by now.
    ///
    /// # Errors
    /// The log cannot be reached.
    pub async fn now(app: &App) -> Result<Self> {
        let head = LogReader::new(app.pool().clone()).head().await?;
        Ok(Self(Some(head)))
    }

    /// Waits until the read model is there.
    ///
    /// # Errors
    /// `projection-behind` if that takes too long.
    pub async fn reached_by<M: ReadModel>(self, freshness: &Freshness) -> Result<()> {
        let Some(position) = self.0 else {
            return Ok(());
        };
        freshness
            .wait_for(M::NAME, position, PATIENCE)
            .await
            .map_err(|behind| {
                Problem::new(Code::ProjectionBehind)
                    .with_member("position", behind.reached)
                    .with_member("min_position", behind.wanted)
            })
    }
}

impl FromRequest for MinPosition {
    type Error = Problem;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get(MIN_POSITION) else {
            return ready(Ok(Self(None)));
        };
        let position = value
            .to_str()
            .ok()
            .and_then(|text| text.parse::<Position>().ok());
        ready(
            match position.filter(|position| *position >= Position::START) {
                Some(position) => Ok(Self(Some(position))),
                None => Err(malformed(
                    "Soko-Min-Position",
                    "must be a position of the log",
                )),
            },
        )
    }
}

impl Input for MinPosition {
    fn describe(operation: &mut Operation<'_>) {
        operation.header(
            "Soko-Min-Position",
            false,
            "The answer knows at least what had happened up to this position.",
            &json!({ "type": "integer", "format": "int64", "minimum": 0 }),
        );
        operation.refuses(&[Code::MalformedHeader, Code::ProjectionBehind]);
    }
}
