//! Whether the process can serve: each thing that answering depends on.

use std::time::{Duration, Instant};

use soko_event_log::ScopedReader;
use soko_projections::read_models::ledger::{Unbalanced, unbalanced};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::app::App;
use crate::resources::health::Check;

/// Sooner than who probes gives up.
const DATABASE_ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Events that a read model may be behind before this process counts as not ready.
const LAG_MAX: u64 = 50_000;

/// The answer reads the balance of every account, which a probe must not do each second; and books
/// that are wrong stay so until somebody sees to them.
const BOOKS_LOOKED_AT_EVERY: Duration = Duration::from_secs(30);

impl App {
    /// Each thing that answering depends on, and whether it is there.
    pub(crate) async fn readiness(&self) -> Vec<Check> {
        let asked = sqlx::query("SELECT 1").execute(self.pool());
        let asked = timeout(DATABASE_ANSWERS_WITHIN, asked).await;
        let is_there = matches!(asked, Ok(Ok(_)));
        let mut checks = vec![Check {
            name: "database".to_owned(),
            is_ok: is_there,
            detail: (!is_there).then(|| "no answer".to_owned()),
        }];
        if let Some(bus) = self.bus() {
            // Not a reason to take no requests: without the bus, workers read the log.
            let detail = if bus.is_connected() {
                "connected"
            } else {
                "not connected"
            };
            checks.push(Check {
                name: "bus".to_owned(),
                is_ok: true,
                detail: Some(detail.to_owned()),
            });
        }
        if is_there {
            checks.push(self.ledger_check().await);
        }
        if is_there && let Ok(models) = soko_projections::status(self.pool()).await {
            checks.extend(models.into_iter().map(|model| Check {
                is_ok: model.stopped.is_none() && model.lag <= LAG_MAX,
                detail: Some(match model.stopped {
                    Some(stopped) => format!("stopped at {}: {}", stopped.position, stopped.reason),
                    None => format!("at {}, {} behind", model.position, model.lag),
                }),
                name: model.name,
            }));
        }
        checks
    }

    /// Books that do not come to nothing are our fault, and trade on them would make it worse.
    async fn ledger_check(&self) -> Check {
        let found = self.sound_books().unbalanced(self.reader());
        let (is_ok, detail) = match timeout(DATABASE_ANSWERS_WITHIN, found).await {
            Ok(Ok(None)) => (true, "balanced".to_owned()),
            Ok(Ok(Some(Unbalanced { store_id, currency }))) => {
                let detail = format!("store {store_id} is not balanced in {currency}");
                (false, detail)
            }
            Ok(Err(_)) | Err(_) => (false, "no answer".to_owned()),
        };
        Check {
            name: "ledger".to_owned(),
            is_ok,
            detail: Some(detail),
        }
    }
}

/// Whether the books come to nothing: the last answer, and when it was given.
#[derive(Debug, Default)]
pub(crate) struct SoundBooks(Mutex<Option<(Instant, Option<Unbalanced>)>>);

impl SoundBooks {
    /// A store whose accounts do not come to nothing, if there was one a moment ago. Of many who
    /// ask at once, one looks.
    async fn unbalanced(&self, reader: &ScopedReader) -> Result<Option<Unbalanced>, sqlx::Error> {
        let mut known = self.0.lock().await;
        if let Some((at, answer)) = &*known
            && at.elapsed() < BOOKS_LOOKED_AT_EVERY
        {
            return Ok(answer.clone());
        }
        let answer = unbalanced(reader).await?;
        *known = Some((Instant::now(), answer.clone()));
        Ok(answer)
    }
}
