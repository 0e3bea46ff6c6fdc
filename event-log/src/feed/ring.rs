//! The newest entries, bounded by number and by weight.

use crate::{Delivery, Entry, Position, ReadError, RecordedEvent};
use std::collections::VecDeque;

/// Entries at consecutive positions, the oldest first.
#[derive(Debug)]
pub(super) struct Ring {
    kept: VecDeque<Kept>,
    /// The last position that was pushed.
    head: Position,
    bytes: usize,
    entries_max: usize,
    bytes_max: usize,
    is_closed: bool,
}

/// What a ring has for a reader.
#[derive(Debug)]
pub(super) enum Found {
    Entries(Vec<Entry>),
    /// It was here and has been let go.
    Gone,
    NotYet,
    /// It will not come any more.
    Closed,
}

#[derive(Debug)]
struct Kept {
    entry: Entry,
    bytes: usize,
}

impl Ring {
    pub(super) fn new(from: Position, entries_max: usize, bytes_max: usize) -> Self {
        Self {
            kept: VecDeque::new(),
            head: from,
            bytes: 0,
            entries_max: entries_max.max(1),
            bytes_max,
            is_closed: false,
        }
    }

    pub(super) const fn head(&self) -> Position {
        self.head
    }

    pub(super) const fn close(&mut self) {
        self.is_closed = true;
    }

    /// Takes the entry after the head; the newest is kept however heavy it is.
    ///
    /// # Errors
    /// It is another entry.
    pub(super) fn push(&mut self, delivery: Delivery) -> Result<(), ReadError> {
        let Delivery { entry, text_bytes } = delivery;
        let expected = self.head.next();
        if entry.position != expected {
            let found = Some(entry.position);
            return Err(ReadError::Gap { expected, found });
        }
        self.head = entry.position;
        let bytes = size_of::<Kept>() + size_of::<RecordedEvent>() + text_bytes;
        self.bytes += bytes;
        self.kept.push_back(Kept { entry, bytes });
        while self.kept.len() > self.entries_max
            || (self.bytes > self.bytes_max && self.kept.len() > 1)
        {
            let oldest = self.kept.pop_front().map_or(0, |kept| kept.bytes);
            self.bytes -= oldest;
        }
        Ok(())
    }

    pub(super) fn find(&self, after: Position, max: usize) -> Found {
        let behind = usize::try_from(self.head.distance_from(after)).unwrap_or(usize::MAX);
        match self.kept.len().checked_sub(behind) {
            _ if behind == 0 && self.is_closed => Found::Closed,
            _ if behind == 0 => Found::NotYet,
            None => Found::Gone,
            Some(skip) => {
                let entries = self.kept.iter().skip(skip).take(max);
                Found::Entries(entries.map(|kept| kept.entry.clone()).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PoisonedEvent;
    use std::sync::Arc;

    const WEIGHT: usize = size_of::<Kept>() + size_of::<RecordedEvent>();

    #[test]
    fn a_reader_gets_what_follows_its_position() {
        let ring = ring_of(1..=5, 10, usize::MAX);
        assert_eq!(found(&ring, 2, 10), [3, 4, 5]);
        assert_eq!(found(&ring, 2, 2), [3, 4]);
        assert!(matches!(ring.find(Position::new(5), 1), Found::NotYet));
        assert!(matches!(ring.find(Position::new(9), 1), Found::NotYet));
    }

    #[test]
    fn the_oldest_leave_when_there_are_too_many() {
        let ring = ring_of(1..=5, 3, usize::MAX);
        assert_eq!(found(&ring, 2, 10), [3, 4, 5]);
        assert!(matches!(ring.find(Position::new(1), 1), Found::Gone));
    }

    #[test]
    fn the_oldest_leave_when_they_weigh_too_much() {
        let ring = ring_of(1..=5, 10, 2 * (WEIGHT + 100));
        assert_eq!(found(&ring, 3, 10), [4, 5]);
        assert!(matches!(ring.find(Position::new(2), 1), Found::Gone));
    }

    #[test]
    fn the_newest_is_kept_however_heavy() {
        let ring = ring_of(1..=2, 10, 1);
        assert_eq!(found(&ring, 1, 10), [2]);
    }

    #[test]
    fn a_gap_is_refused() {
        let mut ring = ring_of(1..=2, 10, usize::MAX);
        assert!(matches!(
            ring.push(delivery(4)),
            Err(ReadError::Gap { expected, .. }) if expected == Position::new(3)
        ));
        assert!(ring.push(delivery(2)).is_err());
        assert!(ring.push(delivery(3)).is_ok());
    }

    #[test]
    fn a_closed_ring_still_gives_what_it_has() {
        let mut ring = ring_of(1..=2, 10, usize::MAX);
        ring.close();
        assert_eq!(found(&ring, 1, 10), [2]);
        assert!(matches!(ring.find(Position::new(2), 1), Found::Closed));
    }

    fn ring_of(
        positions: std::ops::RangeInclusive<i64>,
        entries_max: usize,
        bytes_max: usize,
    ) -> Ring {
        let mut ring = Ring::new(Position::START, entries_max, bytes_max);
        for position in positions {
            ring.push(delivery(position)).unwrap();
        }
        ring
    }

    fn delivery(position: i64) -> Delivery {
        let position = Position::new(position);
        let poisoned = PoisonedEvent {
            position,
            stream_type: "stock".into(),
            event_type: "stock.tracked".into(),
            reason: "not of interest here".into(),
        };
        Delivery {
            entry: Entry {
                position,
                event: Err(Arc::new(poisoned)),
            },
            text_bytes: 100,
        }
    }

    fn found(ring: &Ring, after: i64, max: usize) -> Vec<i64> {
        match ring.find(Position::new(after), max) {
            Found::Entries(entries) => entries.iter().map(|entry| entry.position.get()).collect(),
            other => panic!("{other:?}"),
        }
    }
}
