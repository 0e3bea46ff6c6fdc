//! What this appender is known to have appended.

use super::queued::{Footing, Stream};
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// The last sequences of streams.
pub(super) type Sequences = HashMap<Stream, u64, RandomState>;

/// Of streams; the memory holds up to twice as many.
const STREAMS_MAX: usize = 20_000;

/// The last sequences that were appended here, of the streams used last.
///
/// Nothing is ever deleted, so what stands here is in the log for good: an event that follows it
/// leaves no hole in its stream, and the database need not be asked. Whether somebody else has
/// followed it already is not said here; that is what the unique key knows.
#[derive(Debug, Default)]
pub(super) struct Appended {
    recent: Sequences,
    older: Sequences,
}

impl Appended {
    /// Whether all events that the unit found in the stream are certainly there.
    pub(super) fn has(&self, footing: &Footing) -> bool {
        let stream = &footing.stream;
        let last = self.recent.get(stream).or_else(|| self.older.get(stream));
        footing.before <= last.copied().unwrap_or(0)
    }

    pub(super) fn remember(&mut self, footing: &Footing) {
        if self.recent.len() >= STREAMS_MAX {
            std::mem::swap(&mut self.older, &mut self.recent);
            self.recent.clear();
        }
        self.recent.insert(footing.stream, footing.after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_new_stream_needs_nothing_before_it() {
        assert!(Appended::default().has(&footing(1, 0, 1)));
        assert!(!Appended::default().has(&footing(1, 1, 2)));
    }

    #[test]
    fn what_was_appended_is_known_until_many_others_were() {
        let mut appended = Appended::default();
        appended.remember(&footing(0, 0, 7));
        assert!(appended.has(&footing(0, 7, 8)));
        assert!(!appended.has(&footing(0, 8, 9)));
        for other in 1..=STREAMS_MAX as u128 {
            appended.remember(&footing(other, 0, 1));
        }
        assert!(appended.has(&footing(0, 7, 8)));
        for other in 1..=STREAMS_MAX as u128 {
            appended.remember(&footing(other, 1, 2));
        }
        assert!(!appended.has(&footing(0, 7, 8)));
        assert!(appended.has(&footing(1, 2, 3)));
    }

    fn footing(id: u128, before: u64, after: u64) -> Footing {
        Footing {
            stream: ("stock", Uuid::from_u128(id)),
            before,
            after,
        }
    }
}
