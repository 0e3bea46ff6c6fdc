//! What becomes of a refresh token that is presented.

use chrono::{DateTime, Duration, Utc};

/// An answer may be lost on a bad network; for this long the same request gets the same answer.
const GRACE: Duration = Duration::seconds(60);

/// A token that exists, and the session it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Presented {
    pub has_ended: bool,
    pub expires_at: DateTime<Utc>,
    pub idle_until: DateTime<Utc>,
    pub spent_at: Option<DateTime<Utc>>,
    /// Whether it comes with the idempotency key that it was spent with, so from the same client.
    pub is_same_request: bool,
    pub is_successor_spent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ruling {
    /// Spend it, and give its successor.
    Rotate,
    /// Give the successor that it led to before.
    Repeat,
    /// Two have it: end the session, for one of them is a thief.
    Reused,
    Refuse,
}

pub(super) fn rule(presented: Presented, now: DateTime<Utc>) -> Ruling {
    let is_over = now >= presented.expires_at || now >= presented.idle_until;
    match presented.spent_at {
        _ if presented.has_ended => Ruling::Refuse,
        Some(_) if presented.is_successor_spent || !presented.is_same_request => Ruling::Reused,
        Some(spent_at) if now > spent_at + GRACE => Ruling::Reused,
        _ if is_over => Ruling::Refuse,
        Some(_) => Ruling::Repeat,
        None => Ruling::Rotate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn fresh() -> Presented {
        Presented {
            has_ended: false,
            expires_at: now() + Duration::days(1),
            idle_until: now() + Duration::days(1),
            spent_at: None,
            is_same_request: false,
            is_successor_spent: false,
        }
    }

    fn spent(seconds_ago: i64) -> Presented {
        Presented {
            spent_at: Some(now() - Duration::seconds(seconds_ago)),
            is_same_request: true,
            ..fresh()
        }
    }

    #[test]
    fn a_fresh_token_leads_to_the_next() {
        assert_eq!(rule(fresh(), now()), Ruling::Rotate);
    }

    #[test]
    fn a_lost_answer_is_given_again_for_a_moment() {
        assert_eq!(rule(spent(60), now()), Ruling::Repeat);
        assert_eq!(rule(spent(61), now()), Ruling::Reused);
    }

    #[test]
    fn a_token_that_comes_twice_in_two_requests_is_stolen() {
        let other = Presented {
            is_same_request: false,
            ..spent(0)
        };
        assert_eq!(rule(other, now()), Ruling::Reused);
    }

    #[test]
    fn a_token_whose_successor_was_used_is_stolen() {
        assert_eq!(
            rule(
                Presented {
                    is_successor_spent: true,
                    ..spent(1)
                },
                now()
            ),
            Ruling::Reused
        );
    }

    #[test]
    fn a_session_that_is_over_stays_over() {
        for presented in [
            Presented {
                has_ended: true,
                ..fresh()
            },
            Presented {
                has_ended: true,
                ..spent(1)
            },
            Presented {
                expires_at: now(),
                ..fresh()
            },
            Presented {
                idle_until: now(),
                ..fresh()
            },
        ] {
            assert_eq!(rule(presented, now()), Ruling::Refuse, "{presented:?}");
        }
    }
}
