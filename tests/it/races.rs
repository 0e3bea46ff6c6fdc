//! Two who want what only one can have, at the same moment: one gets it, the others are told the
//! truth, and nothing is left half done.
//!
//! A few rounds of each with every run of the tests; `make races` runs a thousand.

mod access;
mod coupons;
mod goods;
mod owners;
mod payouts;
mod people;

use futures::future::join_all;
use soko_tests::{Answer, Soko, checkers::auditor};

/// Of each race, unless `SOKO_TEST_ROUNDS` says otherwise.
const ROUNDS: usize = 12;

/// Rounds that go on at the same time.
const TRACKS: usize = 4;

fn rounds() -> usize {
    match std::env::var("SOKO_TEST_ROUNDS") {
        Ok(text) => text.parse().expect("SOKO_TEST_ROUNDS is a number"),
        Err(_) => ROUNDS,
    }
}

/// Runs each track's rounds one after the other. What a round leaves behind is the next one's on
/// its track.
async fn on_tracks<T, F: Future<Output = T>>(
    tracks: Vec<T>,
    round: impl Fn(usize, T) -> F,
) -> Vec<T> {
    assert_eq!(tracks.len(), TRACKS);
    let (round, rounds) = (&round, rounds());
    let tracks = tracks
        .into_iter()
        .enumerate()
        .map(|(track, mut thing)| async move {
            for number in (track..rounds).step_by(TRACKS) {
                thing = round(number, thing).await;
            }
            thing
        });
    join_all(tracks).await
}

/// Those who got it, and those who did not.
fn divided(answers: Vec<Answer>) -> (Vec<Answer>, Vec<Answer>) {
    answers
        .into_iter()
        .partition(|answer| (200..300).contains(&answer.status))
}

/// How often something has happened.
async fn happened(soko: &Soko, event: &str) -> usize {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM audit.events WHERE event_type = $1")
        .bind(event)
        .fetch_one(&mut auditor(soko).await)
        .await
        .unwrap();
    usize::try_from(count).unwrap()
}
