//! Takes lanes, decides, appends, and answers once it is durable.
//!
//! What a command costs in round trips to the database, when its aggregates are in memory:
//!
//! | command | round trips |
//! |---|---|
//! | accepted, with an idempotency key or without | 1: the append, shared with others |
//! | refused, or without effect | 1: the ends of the streams, asked for together with others |
//! | refused, or without effect, with an idempotency key | 1: the append of the key, which checks them as well |
//! | aggregates looked at, however many at once | 1: the ends of the streams, as above |
//! | repeated with its key, on the same node | 1: the look-up |
//! | repeated with its key, on another node | 2: the append that fails, the look-up |
//!
//! An aggregate that is not in memory costs two more (snapshot, events), all that a unit needs at
//! the same time, and a new one none; what is personal in it one more, for the keys. So does an
//! event about somebody who is known, and was not heard of for a second. A lane that other commands
//! want is not held meanwhile.

mod attempt;
mod confirm;
mod counters;
mod run;
mod tries;
mod view;

use crate::append::Append;
use crate::committed::{Committed, Snapshot};
use crate::context::CommandContext;
use crate::error::{CommandError, Failure, Stopped};
use crate::idempotency::{Keys, claim_value};
use crate::lane::LaneCache;
use crate::lanes::{LaneRequest, Lanes};
use crate::snapshots::{Snapshots, is_personal};
use crate::tails::Tails;
use crate::unit_of_work::UnitOfWork;
use chrono::{DateTime, Utc};
use counters::Counters;
use run::{Ruling, Settled};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use soko_domain::Decide;
use soko_event_log::{ClaimKind, Claims, FoundClaim, Loader, Position, Vault};
use sqlx::PgPool;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many aggregates one unit of work may touch.
const LANES_MAX: usize = 512;

/// Carries out commands; cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// How many aggregates stay in memory.
    pub lanes_max: usize,
    /// How many commands may wait for their turn with one aggregate; more are told to come back.
    pub waiting_per_lane_max: usize,
    /// How long a command may wait for its turns.
    pub patience: Duration,
    /// How many events an aggregate's newest snapshot may be behind.
    pub events_per_snapshot: u64,
}

/// What became of the command with some idempotency key.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredOutcome {
    /// What the command answered with, or what it was refused with.
    pub outcome: Result<Value, Value>,
    pub position: Position,
    pub recorded_at: DateTime<Utc>,
}

struct Inner {
    append: Arc<dyn Append>,
    loader: Loader,
    claims: Claims,
    tails: Tails,
    lanes: LaneCache,
    keys: Keys,
    vault: Vault,
    snapshots: Snapshots,
    counters: Counters,
    options: EngineOptions,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            lanes_max: 50_000,
            waiting_per_lane_max: 2_000,
            patience: Duration::from_secs(5),
            events_per_snapshot: 256,
        }
    }
}

impl Engine {
    /// `pool` must lead to the database that `append` writes to, not to a replica of it. Call it
    /// within a tokio runtime that outlives the engine.
    pub fn new(append: impl Append, pool: PgPool, vault: Vault, options: EngineOptions) -> Self {
        let append: Arc<dyn Append> = Arc::new(append);
        let loader = Loader::new(pool.clone(), vault.clone());
        Self(Arc::new(Inner {
            lanes: LaneCache::new(options.lanes_max, Arc::clone(&append)),
            tails: Tails::start(loader.clone()),
            claims: Claims::new(pool.clone()),
            snapshots: Snapshots::start(pool),
            keys: Keys::new(),
            vault,
            counters: Counters::new(),
            append,
            loader,
            options,
        }))
    }

    /// One aggregate, one command.
    ///
    /// # Errors
    /// [`CommandError::Rejected`] with what the aggregate refuses with, and every other
    /// [`CommandError`].
    pub async fn execute<A: Decide>(
        &self,
        id: A::Id,
        command: A::Command,
        context: &CommandContext,
    ) -> Result<Committed<()>, CommandError<A::Error>> {
        let lanes = Lanes::new().with::<A>(id);
        let decide = |unit: &mut UnitOfWork<'_>| unit.execute::<A>(id, command.clone());
        self.transact(context, lanes, decide).await
    }

    /// Several aggregates, one append: all of it happens, or nothing.
    ///
    /// `decide` may run more than once, and only its last run counts. With an idempotency key, its
    /// answer is kept as JSON, in the clear: it must not contain personal data.
    ///
    /// # Errors
    /// [`CommandError::Rejected`] with what `decide` refuses with, and every other
    /// [`CommandError`].
    pub async fn transact<T, R>(
        &self,
        context: &CommandContext,
        lanes: Lanes,
        decide: impl Fn(&mut UnitOfWork<'_>) -> Result<T, R> + Send + Sync,
    ) -> Result<Committed<T>, CommandError<R>>
    where
        T: Serialize + DeserializeOwned + Send,
        R: std::error::Error + Serialize + DeserializeOwned + Send,
    {
        let verdict = Mutex::new(None);
        let rule = |unit: &mut UnitOfWork<'_>, is_keyed: bool| {
            let answer = decide(unit);
            let ruling = Ruling {
                is_accepted: answer.is_ok(),
                outcome: is_keyed.then(|| write_outcome(&answer)).transpose()?,
            };
            *verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            Ok(ruling)
        };
        let settled = self.0.run(context, lanes, &rule).await;
        let settled = settled.map_err(|stopped| stopped.map_rejection(|never| match never {}))?;
        match settled {
            Settled::Decided(committed) => {
                let verdict = verdict.into_inner().unwrap_or_else(PoisonError::into_inner);
                match verdict {
                    Some(Ok(value)) => Ok(committed.map(|()| value)),
                    Some(Err(rejection)) => Err(CommandError::Rejected {
                        rejection,
                        replayed: false,
                    }),
                    // The loop ends only after a run of `rule`.
                    None => Err(CommandError::Conflict),
                }
            }
            Settled::Replayed(found) => replay(&found),
        }
    }

    /// An aggregate as of now, to answer or to plan with; a decision reads it in its unit of work.
    ///
    /// # Errors
    /// [`CommandError::Overloaded`], [`CommandError::Unavailable`]; [`CommandError::Conflict`] if
    /// other nodes moved it each time that it was read.
    pub async fn read<A: Decide>(
        &self,
        id: A::Id,
    ) -> Result<Snapshot<A>, CommandError<Infallible>> {
        let request = LaneRequest::of::<A>(id, false);
        let (state, version) = self.0.read(request).await?;
        let state = state.downcast().map_err(|_| Failure::SharedName(A::TYPE))?;
        Ok(Snapshot { state, version })
    }

    /// Several aggregates as they all stood at one moment, to answer or to plan with: one question to
    /// the database, however many they are.
    ///
    /// `look` may run more than once, and only its last run counts. What it needs and is not named is
    /// taken besides.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn view<T>(
        &self,
        lanes: Lanes,
        look: impl Fn(&UnitOfWork<'_>) -> T,
    ) -> Result<T, CommandError<Infallible>> {
        self.0.view(lanes, look).await
    }

    /// What became of the command with this idempotency key; `None` if nothing did so far.
    ///
    /// # Errors
    /// [`CommandError::Unavailable`]; [`CommandError::Defect`] if the outcome cannot be read.
    pub async fn outcome_of(
        &self,
        scope: &str,
        key: &str,
    ) -> Result<Option<StoredOutcome>, CommandError<Infallible>> {
        let name = claim_value(scope, key);
        let Some(found) = self.0.find_outcome(&name).await? else {
            return Ok(None);
        };
        Ok(Some(StoredOutcome {
            outcome: read_outcome(&found)?,
            position: found.position,
            recorded_at: found.claimed_at,
        }))
    }

    /// Whether a command with this idempotency key is being worked on, on this node.
    pub fn is_running(&self, scope: &str, key: &str) -> bool {
        self.0.keys.is_running(scope, key)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}

impl Inner {
    async fn find_outcome(&self, name: &str) -> Result<Option<FoundClaim>, Stopped> {
        let found = self.claims.find(ClaimKind::IdempotencyKey, name).await;
        Ok(found.map_err(Failure::from)?)
    }
}

fn write_outcome<T: Serialize, R: Serialize>(answer: &Result<T, R>) -> Result<String, Failure> {
    let outcome = serde_json::to_string(answer)?;
    if is_personal(&outcome) {
        return Err(Failure::PersonalOutcome);
    }
    Ok(outcome)
}

fn read_outcome<T: DeserializeOwned, R: DeserializeOwned>(
    found: &FoundClaim,
) -> Result<Result<T, R>, Failure> {
    let outcome = found.outcome.as_deref().unwrap_or_default();
    Ok(serde_json::from_str(outcome)?)
}

fn replay<T: DeserializeOwned, R: DeserializeOwned>(
    found: &FoundClaim,
) -> Result<Committed<T>, CommandError<R>> {
    match read_outcome(found)? {
        Ok(value) => Ok(Committed {
            value,
            position: Some(found.position),
            recorded_at: Some(found.claimed_at),
            replayed: true,
            dry_run_events: vec![],
            versions: vec![],
        }),
        Err(rejection) => Err(CommandError::Rejected {
            rejection,
            replayed: true,
        }),
    }
}
