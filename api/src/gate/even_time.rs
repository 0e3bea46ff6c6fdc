//! What is not there and what is not there for the caller take the same time to be told.
//!
//! To find out that something is another's takes more looking than to find nothing, and to refuse who
//! knows a password more than who does not. Both are answered at the next full step, so that the time
//! tells the steps and not the looks.

use std::time::{Duration, Instant};

/// Longer than looking takes, shorter than anybody minds who asks for what is not there.
const STEP: Duration = Duration::from_millis(10);

/// Waits for the next step after the request came.
pub(crate) async fn until_next_step(started: Instant) {
    tokio::time::sleep(left_of_step(started.elapsed())).await;
}

fn left_of_step(elapsed: Duration) -> Duration {
    let into_step = elapsed.as_nanos() % STEP.as_nanos();
    STEP.saturating_sub(Duration::from_nanos(
        u64::try_from(into_step).unwrap_or_default(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_falls_on_a_step() {
        for micros in [0, 1, 900, 9_999, 10_000, 10_001, 123_456] {
            let elapsed = Duration::from_micros(micros);
            let left = left_of_step(elapsed);
            assert_eq!(
                (elapsed + left).as_nanos() % STEP.as_nanos(),
                0,
                "{elapsed:?}"
            );
            assert!(!left.is_zero() && left <= STEP, "{left:?}");
        }
    }
}
