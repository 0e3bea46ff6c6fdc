//! Looks at several aggregates at one moment.

use super::Inner;
use super::attempt::Seats;
use super::confirm::Standing;
use super::tries::Tries;
use crate::error::Stopped;
use crate::lane::Seen;
use crate::lanes::{LaneRequest, Lanes};
use crate::unit_of_work::UnitOfWork;
use tokio::time::Instant;
use uuid::Uuid;

/// What one look came to.
enum Looked<T> {
    /// It needs more aggregates than were taken.
    Missing(Vec<LaneRequest>),
    Saw {
        value: T,
        seen: Vec<Seen>,
    },
}

impl Inner {
    pub(super) async fn view<T>(
        &self,
        lanes: Lanes,
        look: impl Fn(&UnitOfWork<'_>) -> T,
    ) -> Result<T, Stopped> {
        let requests = lanes.into_requests();
        let first = requests.first();
        let mut tries = Tries::new(
            first.map_or(Uuid::nil(), |request| request.key.stream_id),
            &self.counters,
        );
        let mut seats = Seats::new(&self.lanes, requests)?;
        let deadline = Instant::now() + self.options.patience;
        loop {
            match self.look_once(&seats, &look, deadline).await? {
                Looked::Missing(requests) => seats.add(&self.lanes, requests)?,
                Looked::Saw { value, seen } => match self.confirm(&seen).await? {
                    Standing::Stands => return Ok(value),
                    Standing::Stopped => tries.after_stop()?,
                    Standing::Moved => tries.after_conflict().await?,
                },
            }
        }
    }

    async fn look_once<T>(
        &self,
        seats: &Seats,
        look: impl Fn(&UnitOfWork<'_>) -> T,
        deadline: Instant,
    ) -> Result<Looked<T>, Stopped> {
        let turns = self.take_turns(seats, deadline).await?;
        let states = turns.iter().filter_map(|turn| turn.as_ref());
        let unit = UnitOfWork::new(seats.keys().zip(states));
        let value = look(&unit);
        let missing = unit.missing();
        if !missing.is_empty() {
            return Ok(Looked::Missing(missing));
        }
        let seen = seats.seen(&turns, |index| unit.is_touched(index));
        Ok(Looked::Saw { value, seen })
    }
}
