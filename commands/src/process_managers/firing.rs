//! Fires what is due.

use super::ProcessManager;
use super::runner::{RunnerError, RunnerOptions, Workplace};
use crate::clock::Clock;
use crate::context::{CommandContext, IdempotencyKey};
use crate::engine::Engine;
use crate::timers::{self, Ending, Timer};
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use metrics::counter;
use sha2::{Digest, Sha256};
use soko_event_log::Actor;
use sqlx::PgPool;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;

/// The pause after the first failed try; it doubles each time.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(3600);

/// How long news of a timer waits for others that can be taken with it: each time that timers are
/// taken waits for the disk.
const GATHER: Duration = Duration::from_millis(10);

/// How often it is looked for timers that fired so long ago that they can be deleted.
const FORGET_INTERVAL: Duration = Duration::from_secs(3600);

/// The ids of commands are names within this space.
const COMMAND_IDS: Uuid = Uuid::from_u128(0x5f1c_6b0e_93a2_4b8e_9d57_2f0a_61c3_7e84);

/// What came of firing a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fired {
    Done,
    /// It fires again then, as another round: its commands are other commands.
    Again {
        at: DateTime<Utc>,
    },
    /// Nothing was done: then it fires as if it had not fired now.
    NotYet {
        at: DateTime<Utc>,
    },
}

/// Why a timer could not do what it was set for.
pub type FireError = Box<dyn std::error::Error + Send + Sync>;

/// What a process manager works with.
#[derive(Debug, Clone)]
pub struct Desk {
    pub engine: Engine,
    pub clock: Clock,
    manager: &'static str,
}

impl Desk {
    pub(super) fn new(manager: &'static str, engine: Engine, clock: Clock) -> Self {
        Self {
            engine,
            clock,
            manager,
        }
    }

    /// For a command that a timer sends. Each command of a timer has another step, and the same
    /// each time that the timer is tried.
    pub fn context(&self, timer: &Timer, step: u32) -> CommandContext {
        let Timer {
            position, round, ..
        } = timer;
        let key = format!("{}.{position}.{round}.{step}", timer.kind);
        let command_id = Uuid::new_v5(&COMMAND_IDS, format!("{} {key}", self.manager).as_bytes());
        let actor = Actor::System(self.manager.to_owned());
        CommandContext {
            correlation: timer.correlation,
            causation: Some(timer.position),
            idempotency: Some(IdempotencyKey {
                scope: self.manager.to_owned(),
                digest: Sha256::digest(timer.stream_id.as_bytes()).into(),
                key,
            }),
            ..CommandContext::new(timer.tenant_id, actor, command_id, self.clock.now())
        }
    }
}

/// Fires timers for as long as it is polled.
pub(super) struct Firing<'a, M> {
    manager: &'a M,
    desk: Desk,
    pool: &'a PgPool,
    options: &'a RunnerOptions,
    /// Told when timers were set.
    news: &'a Notify,
}

impl<'a, M: ProcessManager> Firing<'a, M> {
    pub(super) fn new(
        manager: &'a M,
        workplace: &'a Workplace,
        options: &'a RunnerOptions,
        news: &'a Notify,
    ) -> Self {
        let Workplace { engine, clock, .. } = workplace;
        Self {
            manager,
            desk: Desk::new(M::NAME, engine.clone(), clock.clone()),
            pool: &workplace.pool,
            options,
            news,
        }
    }

    pub(super) async fn run(&self) -> Result<Infallible, RunnerError> {
        let mut under_way = FuturesUnordered::new();
        let mut look_at = Instant::now();
        let mut forget_at = Instant::now();
        loop {
            let free = self.options.timers_at_once_max - under_way.len();
            if free > 0 && look_at <= Instant::now() {
                let due = self.take_due(free).await?;
                // With all hands full, it is looked again as soon as one is free.
                if due.len() < free {
                    look_at = self.next_due().await?;
                }
                under_way.extend(due.into_iter().map(|timer| self.fire(timer)));
                continue;
            }
            if forget_at <= Instant::now() {
                self.forget().await?;
                forget_at = Instant::now() + FORGET_INTERVAL;
            }
            let mut ended = Vec::new();
            tokio::select! {
                Some(one) = under_way.next() => ended.push(one),
                () = sleep_until(look_at), if free > 0 => (),
                () = self.news.notified() => look_at = look_at.min(Instant::now() + GATHER),
            }
            // Under load others have ended as well.
            while let Some(Some(one)) = under_way.next().now_or_never() {
                ended.push(one);
            }
            if !ended.is_empty() {
                timers::end(self.pool, &ended).await?;
                let due = ended.iter().filter_map(|(_, ending)| ending.due_at());
                if let Some(due_at) = due.min() {
                    look_at = look_at.min(self.instant_of(due_at));
                }
            }
        }
    }

    async fn take_due(&self, limit: usize) -> Result<Vec<Timer>, sqlx::Error> {
        let now = self.desk.clock.now();
        timers::take_due(self.pool, M::NAME, now, self.options.lease, limit).await
    }

    /// When the next timer is due, as far as it is known now; what others set is not heard of.
    async fn next_due(&self) -> Result<Instant, sqlx::Error> {
        let poll = Instant::now() + self.options.poll;
        let due_at = timers::next_due(self.pool, M::NAME).await?;
        Ok(due_at.map_or(poll, |due_at| self.instant_of(due_at).min(poll)))
    }

    fn instant_of(&self, due_at: DateTime<Utc>) -> Instant {
        let pause = due_at - self.desk.clock.now();
        Instant::now() + pause.to_std().unwrap_or_default()
    }

    async fn fire(&self, timer: Timer) -> (Timer, Ending) {
        let firing = self.manager.fire(&timer, &self.desk);
        let firing = AssertUnwindSafe(timeout(self.options.fire_timeout, firing)).catch_unwind();
        let fired = match firing.await {
            Ok(Ok(fired)) => fired,
            Ok(Err(_)) => Err("it took too long".into()),
            Err(_) => Err("it panicked".into()),
        };
        let now = self.desk.clock.now();
        let ending = match fired {
            Ok(Fired::Done) => {
                count::<M>("fired");
                Ending::Fired { at: now }
            }
            Ok(Fired::Again { at }) => {
                count::<M>("again");
                Ending::Again { due_at: at }
            }
            Ok(Fired::NotYet { at }) => {
                count::<M>("not_yet");
                Ending::NotYet { due_at: at }
            }
            Err(error) => {
                count::<M>("failed");
                let reason = with_causes(&*error);
                tracing::warn!(
                    manager = M::NAME,
                    timer.id = %timer.timer_id,
                    timer.kind,
                    stream.id = %timer.stream_id,
                    timer.attempts,
                    reason,
                    "a timer failed and will be tried again"
                );
                let due_at = now + retry_after(timer.attempts);
                Ending::Failed { due_at, reason }
            }
        };
        (timer, ending)
    }

    async fn forget(&self) -> Result<(), sqlx::Error> {
        let keep = TimeDelta::from_std(self.options.keep_fired).unwrap_or(TimeDelta::MAX);
        let Some(before) = self.desk.clock.now().checked_sub_signed(keep) else {
            return Ok(());
        };
        while timers::forget_fired(self.pool, M::NAME, before).await? {}
        Ok(())
    }
}

fn count<M: ProcessManager>(outcome: &'static str) {
    counter!("soko_timers_total", "manager" => M::NAME, "outcome" => outcome).increment(1);
}

fn retry_after(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    (RETRY_MIN * (1 << doublings)).min(RETRY_MAX)
}

/// Errors say what they are about by ids, never by values.
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
