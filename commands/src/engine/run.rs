//! One command, tried until it can be answered.

use super::Inner;
use super::attempt::{Answer, Seats, Sent, Step, Written, cannot_append};
use super::confirm::Standing;
use super::tries::Tries;
use crate::committed::Committed;
use crate::context::CommandContext;
use crate::error::{Failure, Stopped};
use crate::idempotency::Running;
use crate::lanes::Lanes;
use crate::unit_of_work::UnitOfWork;
use soko_event_log::{AppendError, Appended, ClaimKind, FoundClaim, Sealer};
use tokio::time::Instant;

/// What a run of the decision came to; the answer itself stays with the caller.
pub(super) struct Ruling {
    pub(super) is_accepted: bool,
    /// The answer as JSON, if the command has an idempotency key.
    pub(super) outcome: Option<String>,
}

/// Runs the decision; the flag says whether the outcome is wanted.
pub(super) type Rule<'a> =
    &'a (dyn Fn(&mut UnitOfWork<'_>, bool) -> Result<Ruling, Failure> + Send + Sync);

/// How a command ended.
pub(super) enum Settled {
    /// As in the last run of the decision.
    Decided(Committed<()>),
    /// As the first command with the same key.
    Replayed(FoundClaim),
}

impl Inner {
    pub(super) async fn run(
        &self,
        context: &CommandContext,
        lanes: Lanes,
        rule: Rule<'_>,
    ) -> Result<Settled, Stopped> {
        let settled = self.settle(context, lanes, rule).await;
        match &settled {
            Ok(Settled::Replayed(_)) => self.counters.replayed.increment(1),
            Ok(Settled::Decided(_)) => (),
            Err(_) => self.counters.failed.increment(1),
        }
        settled
    }

    async fn settle(
        &self,
        context: &CommandContext,
        lanes: Lanes,
        rule: Rule<'_>,
    ) -> Result<Settled, Stopped> {
        let running = match &context.idempotency {
            Some(key) if !context.dry_run => Some(self.keys.enter(key)?),
            _ => None,
        };
        let running = running.as_ref();
        if let Some(running) = running.filter(|running| running.is_known)
            && let Some(found) = self.recall(running).await?
        {
            return Ok(Settled::Replayed(found));
        }
        let deadline = Instant::now() + self.options.patience;
        let mut seats = Seats::new(&self.lanes, lanes.into_requests())?;
        let mut tries = Tries::new(context.command_id, &self.counters);
        let mut sealer = Sealer::new(&self.vault);
        loop {
            let step = self.attempt(context, &seats, running, rule, &sealer, deadline);
            match step.await? {
                Step::Missing(requests) => seats.add(&self.lanes, requests)?,
                Step::Keyless(subjects) => {
                    sealer.fetch(subjects).await.map_err(Failure::from)?;
                }
                Step::Look { seen, answer } => match self.confirm(&seen).await? {
                    Standing::Stands => return self.answer(answer, running).await,
                    Standing::Stopped => tries.after_stop()?,
                    Standing::Moved => tries.after_conflict().await?,
                },
                Step::Sent(sent) => {
                    let Sent {
                        pending,
                        guarded,
                        written,
                    } = sent;
                    match pending.outcome.await {
                        Ok(appended) => return Ok(self.done(written, &appended)),
                        Err(AppendError::Stopped) => tries.after_stop()?,
                        Err(AppendError::VersionConflict) => tries.after_conflict().await?,
                        Err(AppendError::KeyMade) => {
                            sealer.forget();
                            tries.after_conflict().await?;
                        }
                        Err(AppendError::GuardMoved) => {
                            // What was written is void already; what was only read is not.
                            self.confirm(&guarded).await?;
                            tries.after_conflict().await?;
                        }
                        Err(AppendError::ClaimTaken { kind, value }) => {
                            return self.taken(kind, value, running).await;
                        }
                        Err(error) => return Err(cannot_append(error)),
                    }
                }
            }
        }
    }

    fn done(&self, written: Written, appended: &Appended) -> Settled {
        for taken in written.taken {
            self.snapshots.write(taken);
        }
        if written.has_erased {
            self.vault.look_again();
        }
        self.counters.decided(written.is_accepted);
        Settled::Decided(Committed {
            position: written.has_effect.then_some(appended.last),
            recorded_at: written.has_effect.then_some(appended.recorded_at),
            ..written.committed
        })
    }

    /// Gives an answer that nothing was appended for.
    async fn answer(
        &self,
        answer: Answer,
        running: Option<&Running<'_>>,
    ) -> Result<Settled, Stopped> {
        match answer {
            Answer::Decided {
                committed,
                is_accepted,
            } => {
                self.counters.decided(is_accepted);
                Ok(Settled::Decided(committed))
            }
            Answer::Precondition(stopped) => {
                // Its own first attempt may be what moved the version.
                let found = match running {
                    Some(running) => self.recall(running).await?,
                    None => None,
                };
                found.map(Settled::Replayed).ok_or(stopped)
            }
        }
    }

    /// Somebody has one of the claims: this command's own first attempt, or somebody else.
    async fn taken(
        &self,
        kind: ClaimKind,
        value: String,
        running: Option<&Running<'_>>,
    ) -> Result<Settled, Stopped> {
        let found = match running {
            Some(running) => self.recall(running).await?,
            None => None,
        };
        match found {
            Some(found) => Ok(Settled::Replayed(found)),
            None => Err(Stopped::ClaimTaken { kind, value }),
        }
    }

    async fn recall(&self, running: &Running<'_>) -> Result<Option<FoundClaim>, Stopped> {
        let found = self.find_outcome(running.name()).await?;
        match found {
            Some(found) if !running.is_same_request(found.digest.as_deref()) => {
                Err(Stopped::IdempotencyMismatch)
            }
            found => Ok(found),
        }
    }
}
