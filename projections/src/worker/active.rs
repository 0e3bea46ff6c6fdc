//! The one worker that folds.

use super::{Ended, Stayed, Stop, Worker, WorkerError};
use crate::ReadModel;
use crate::checkpoint::{Recorded, record_running, skipped};
use crate::engine::{BatchError, Checkpoint, Engine};
use crate::read_model::folds;
use crate::row_store::Schema;
use soko_event_log::{Entry, Position, RecordedEvent};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Entries that are taken in at once, at most.
const BATCH_MAX: usize = 2_000;
/// How long after one look at the feed the next one follows, if nobody waits for it: under load,
/// many events then share a statement and a row's changes become one.
const PACE_MIN: Duration = Duration::from_millis(40);
const PACE_MAX: Duration = Duration::from_millis(100);
/// In between, a worker is at work for one part in so many: the slower the machine, or the more it
/// has to do, the longer the rest.
const WORK_PART: u32 = 20;
/// How far the recorded checkpoint may stay behind while nothing touches the model's rows.
const RECORD_AFTER: Duration = Duration::from_millis(75);

pub(super) struct Active<'a, M: ReadModel> {
    worker: Worker<'a, M>,
    engine: Engine<M>,
    /// What stands in `projections`.
    saved: Checkpoint,
    /// How far the rows are right: nothing between `saved` and here touches them.
    reached: Position,
    skipped: HashSet<Position>,
    next_look: Instant,
    /// When `reached` is recorded at the latest, if it is not yet.
    save_by: Instant,
}

impl<'a, M: ReadModel> Active<'a, M> {
    pub(super) async fn new(
        mut worker: Worker<'a, M>,
        recorded: Recorded,
    ) -> Result<Self, WorkerError> {
        let skipped = skipped::<M>(&mut worker.connection).await?;
        if recorded.is_stopped {
            // This program may be able to read what the last one could not.
            record_running::<M>(&mut worker.connection).await?;
        }
        Ok(Self {
            worker,
            engine: Engine::new(Schema::Live),
            saved: recorded.checkpoint,
            reached: recorded.checkpoint.position,
            skipped,
            next_look: Instant::now(),
            save_by: Instant::now(),
        })
    }

    pub(super) async fn run(mut self) -> Result<Ended, WorkerError> {
        tracing::info!(model = M::NAME, position = %self.reached, "folding");
        self.publish();
        self.worker.progress.fold_here(true);
        loop {
            let entries = tokio::select! {
                biased;
                () = self.worker.shutdown.cancelled() => {
                    self.save().await?;
                    return Ok(Ended::ShutDown);
                }
                // Before the feed, which may never be out of entries.
                () = tokio::time::sleep_until(self.save_by), if self.saved.position < self.reached => {
                    self.save().await?;
                    continue;
                }
                entries = self.worker.workplace.feed.next(self.reached, BATCH_MAX) => entries?,
            };
            let is_behind = entries.len() == BATCH_MAX;
            if let Some(stop) = self.take_in(&entries).await?
                && let Some(ended) = self.stay_stopped(stop).await?
            {
                return Ok(ended);
            }
            self.publish();
            if !is_behind {
                self.pause().await;
            }
        }
    }

    /// Takes in entries, up to the first that the model needs and cannot have.
    async fn take_in(&mut self, entries: &[Entry]) -> Result<Option<Stop>, WorkerError> {
        let mut events = Vec::new();
        let mut to = self.reached;
        let mut stop = None;
        for entry in entries {
            match &entry.event {
                _ if self.skipped.contains(&entry.position) => (),
                Ok(recorded) if folds::<M>(recorded.event.stream_type()) => {
                    events.push(Arc::clone(recorded));
                }
                Err(poisoned) if folds::<M>(&poisoned.stream_type) => {
                    stop = Some(Stop {
                        position: entry.position,
                        reason: poisoned.reason.clone(),
                    });
                    break;
                }
                Ok(_) | Err(_) => (),
            }
            to = entry.position;
        }
        let began = Instant::now();
        self.next_look = began + PACE_MIN;
        if events.is_empty() {
            if self.saved.position == self.reached {
                self.save_by = Instant::now() + RECORD_AFTER;
            }
            self.reached = to;
            return Ok(stop);
        }
        let earlier_stop = self.take_in_events(&events, to).await?;
        let pace = began.elapsed() * WORK_PART;
        self.next_look = began + pace.clamp(PACE_MIN, PACE_MAX);
        metrics::histogram!("soko_projection_batch_events", "model" => M::NAME)
            .record(u32::try_from(events.len()).unwrap_or(u32::MAX));
        metrics::histogram!("soko_projection_batch_seconds", "model" => M::NAME)
            .record(began.elapsed());
        Ok(earlier_stop.or(stop))
    }

    /// Where a batch fails by its own fault, halves it until the guilty event is alone.
    async fn take_in_events(
        &mut self,
        events: &[Arc<RecordedEvent>],
        to: Position,
    ) -> Result<Option<Stop>, WorkerError> {
        let connection = &mut self.worker.connection;
        let taken = self
            .engine
            .take_in(connection, events, Some(self.saved), to)
            .await;
        let reason = match taken {
            Ok(()) => {
                self.saved.position = to;
                self.reached = to;
                return Ok(None);
            }
            Err(BatchError::Fold(failed)) => failed.reason,
            Err(BatchError::Store(error)) if error.is_of_the_data() => with_causes(&error),
            Err(BatchError::Store(error)) => return Err(error.into()),
        };
        if let [event] = events {
            let position = event.position;
            self.reached = Position::new(position.get() - 1);
            return Ok(Some(Stop { position, reason }));
        }
        let (first, second) = events.split_at(events.len() / 2);
        let Some(last) = first.last() else {
            return Ok(None);
        };
        if let Some(stop) = Box::pin(self.take_in_events(first, last.position)).await? {
            return Ok(Some(stop));
        }
        Box::pin(self.take_in_events(second, to)).await
    }

    /// Returns when a person has skipped the event.
    async fn stay_stopped(&mut self, stop: Stop) -> Result<Option<Ended>, WorkerError> {
        self.save().await?;
        self.publish();
        match self.worker.stay_stopped(self.saved, stop).await? {
            Stayed::Ended(ended) => Ok(Some(ended)),
            Stayed::Skipped => {
                self.skipped = skipped::<M>(&mut self.worker.connection).await?;
                Ok(None)
            }
        }
    }

    /// Records how far the model is, if it is not recorded yet.
    async fn save(&mut self) -> Result<(), WorkerError> {
        if self.saved.position == self.reached {
            return Ok(());
        }
        let (from, to) = (self.saved, self.reached);
        let connection = &mut self.worker.connection;
        match self.engine.take_in(connection, &[], Some(from), to).await {
            Ok(()) => {
                self.saved.position = to;
                Ok(())
            }
            Err(BatchError::Store(error)) => Err(error.into()),
            Err(BatchError::Fold(_)) => Ok(()),
        }
    }

    fn publish(&self) {
        self.worker.progress.reach(self.reached);
        let head = *self.worker.workplace.feed.head().borrow();
        let lag = u32::try_from(head.distance_from(self.reached)).unwrap_or(u32::MAX);
        metrics::gauge!("soko_projection_lag", "model" => M::NAME).set(lag);
        metrics::counter!("soko_projection_position", "model" => M::NAME)
            .absolute(self.reached.get().unsigned_abs());
    }

    /// Waits until the next look is due, or somebody waits for more than is there.
    async fn pause(&self) {
        if self.next_look <= Instant::now() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep_until(self.next_look) => (),
            () = self.worker.progress.is_waited_for() => (),
            () = self.worker.shutdown.cancelled() => (),
        }
    }
}

/// Messages of Postgres may show values of the row in their detail; the text alone does not.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
