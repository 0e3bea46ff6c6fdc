//! The lanes of one unit of work, in the order in which every unit takes them.

use super::{Turn, too_busy};
use crate::engine::{Inner, LANES_MAX};
use crate::error::{Failure, Stopped};
use crate::lane::{Lane, LaneCache, Loaded, Seen, StreamKey};
use crate::lanes::LaneRequest;
use crate::snapshots::Taken;
use futures::future::try_join_all;
use std::sync::Arc;
use tokio::time::Instant;

/// What an event takes in the log, about.
const BYTES_PER_EVENT: usize = 512;

#[derive(Default)]
pub(in crate::engine) struct Seats {
    seats: Vec<Seat>,
    primary: Option<StreamKey>,
}

pub(super) struct Seat {
    pub(super) lane: Arc<Lane>,
    is_new: bool,
}

impl Seats {
    pub(in crate::engine) fn new(
        lanes: &LaneCache,
        requests: Vec<LaneRequest>,
    ) -> Result<Self, Failure> {
        let mut seats = Self {
            seats: Vec::with_capacity(requests.len()),
            primary: requests.first().map(|request| request.key),
        };
        seats.add(lanes, requests)?;
        Ok(seats)
    }

    /// Always in the order of their keys: two units that want the same lanes meet at the first of
    /// them, so neither ever waits for the other in a circle.
    pub(in crate::engine) fn add(
        &mut self,
        lanes: &LaneCache,
        requests: Vec<LaneRequest>,
    ) -> Result<(), Failure> {
        for LaneRequest { key, kind, is_new } in requests {
            match self.place(&key) {
                Ok(place) if self.seats[place].lane.kind.type_id() != kind.type_id() => {
                    return Err(Failure::SharedName(key.stream_type));
                }
                Ok(_) => (),
                Err(_) if self.seats.len() == LANES_MAX => {
                    return Err(Failure::TooManyLanes(LANES_MAX));
                }
                Err(place) => {
                    let lane = lanes.lane(key, kind);
                    self.seats.insert(place, Seat { lane, is_new });
                }
            }
        }
        Ok(())
    }

    pub(in crate::engine) fn keys(&self) -> impl Iterator<Item = StreamKey> {
        self.seats.iter().map(|seat| seat.lane.key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Seat> {
        self.seats.iter()
    }

    pub(super) fn primary(&self) -> Option<usize> {
        self.place(self.primary.as_ref()?).ok()
    }

    /// What a decision knew of those of its lanes that it looked at.
    pub(in crate::engine) fn seen(
        &self,
        turns: &[Turn<'_>],
        is_touched: impl Fn(usize) -> bool,
    ) -> Vec<Seen> {
        let taken = self.seats.iter().zip(turns).enumerate();
        taken
            .filter(|(index, _)| is_touched(*index))
            .filter_map(|(index, (seat, turn))| Some(Seen::new(index, &seat.lane, turn.as_ref()?)))
            .collect()
    }

    fn place(&self, key: &StreamKey) -> Result<usize, usize> {
        self.seats.binary_search_by(|seat| seat.lane.key.cmp(key))
    }
}

impl Inner {
    pub(in crate::engine) async fn take_turns<'a>(
        &self,
        seats: &'a Seats,
        deadline: Instant,
    ) -> Result<Vec<Turn<'a>>, Stopped> {
        if seats.seats.len() > 1 {
            self.warm_up(seats, deadline).await?;
        }
        let mut turns = Vec::with_capacity(seats.seats.len());
        for seat in &seats.seats {
            turns.push(self.take(seat, deadline).await?);
        }
        Ok(turns)
    }

    /// Loads what is not in memory, each lane taken alone, so that nobody has to wait for a lane
    /// because its holder waits for the database.
    async fn warm_up(&self, seats: &Seats, deadline: Instant) -> Result<(), Stopped> {
        let is_cold = |seat: &&Seat| !(seat.lane.is_warm() || seat.is_new && seat.lane.is_unused());
        let mut cold = seats.iter().filter(is_cold).peekable();
        if cold.peek().is_some() {
            try_join_all(cold.map(async |seat| self.take(seat, deadline).await.map(drop))).await?;
        }
        Ok(())
    }

    async fn take<'a>(&self, seat: &'a Seat, deadline: Instant) -> Result<Turn<'a>, Stopped> {
        let waiting_max = self.options.waiting_per_lane_max;
        let turn = seat.lane.take(waiting_max, deadline).await;
        let mut turn = turn.map_err(|_| too_busy())?;
        self.ensure_loaded(&seat.lane, &mut turn, seat.is_new)
            .await?;
        Ok(turn)
    }

    pub(in crate::engine) async fn ensure_loaded(
        &self,
        lane: &Arc<Lane>,
        turn: &mut Option<Loaded>,
        is_new: bool,
    ) -> Result<(), Failure> {
        if turn
            .as_ref()
            .is_some_and(|loaded| loaded.epoch == lane.epoch())
        {
            return Ok(());
        }
        if turn.is_none() && lane.was_filled() {
            // Whoever had its turn before did not finish it: what follows may not count as a
            // continuation of what others saw.
            lane.invalidate(turn);
        }
        lane.empty(turn);
        if is_new && lane.is_unused() {
            let loaded = Loaded {
                state: lane.kind.fresh(),
                version: 0,
                epoch: 0,
                snapshot: 0,
            };
            lane.fill(turn, loaded);
            return Ok(());
        }
        // What was decided here before is still on its way, or about to be stopped: a state read
        // before that is settled would soon be void again.
        self.append.settled(lane.ticket()).await;
        // Before the log is read: if the lane moves meanwhile, the state counts as void.
        let epoch = lane.epoch();
        let load = lane
            .kind
            .load(lane.key.stream_id, &self.loader, &self.snapshots);
        let found = load.await?;
        self.counters.loads.increment(1);
        lane.set_snapshot_bytes(found.snapshot_bytes);
        let mut loaded = Loaded {
            state: found.state,
            version: found.version,
            epoch,
            snapshot: found.snapshot,
        };
        if let Some(taken) = self.snapshot(lane, &mut loaded) {
            self.snapshots.write(taken);
        }
        lane.fill(turn, loaded);
        Ok(())
    }

    /// The state as a snapshot, if the last one is far enough behind: to read the events since then
    /// must cost about as much as to write it. Before it is written, the state must be durable.
    pub(super) fn snapshot(&self, lane: &Arc<Lane>, loaded: &mut Loaded) -> Option<Taken> {
        let weight = (lane.snapshot_bytes() / BYTES_PER_EVENT) as u64;
        let behind = self.options.events_per_snapshot.max(weight);
        if loaded.version - loaded.snapshot < behind {
            return None;
        }
        loaded.snapshot = loaded.version;
        Some(Taken {
            lane: Arc::clone(lane),
            state: Arc::clone(&loaded.state),
            sequence: loaded.version,
        })
    }
}
