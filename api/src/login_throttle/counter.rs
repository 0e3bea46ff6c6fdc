//! What guesses and messages are counted by, and how many each counter takes.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

/// One counter, and where it stands in the database.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counter {
    pub hash: [u8; 32],
    pub limit: Limit,
}

/// How much a counter takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub name: &'static str,
    bound: Bound,
}

#[derive(Debug, Clone, Copy)]
enum Bound {
    /// Wrong guesses one after the other: after the free ones 1 second to wait, then 2, 4, …; after
    /// `closed_at` no more are taken.
    Streak { free: i32, closed_at: i32 },
    /// So many wrong guesses at once, and one more each time that `each` has passed: for what is
    /// shared by people who have nothing to do with each other, some of whom always mistype.
    Budget { at_once: u32, each: Duration },
}

const FREE: i32 = 5;

/// The most that NIST SP 800-63B-4 allows one after the other.
const CLOSED_AT: i32 = 100;

/// At one account, by strangers.
pub(super) const ACCOUNT: Limit = streak("account");

/// On one device where somebody logged in before.
pub(super) const DEVICE: Limit = streak("device");

/// In one session.
pub(super) const SESSION: Limit = streak("session");

/// From one network, by strangers. Mobile networks put thousands of people behind one address.
pub(super) const NETWORK: Limit = budget("network", 200, Duration::from_secs(3));

/// Of one password, at whomever.
pub(super) const GUESSED: Limit = budget("guessed", 30, Duration::from_secs(60));

/// All there are of strangers: far above what mistypes, and below what a core can hash.
pub(super) const EVERYTHING: Limit = budget("everything", 2_000, Duration::from_millis(100));

/// Codes of one account, by whoever knows its password.
pub(super) const SECOND_FACTOR: Limit = streak("second factor");

/// Mails to one address that somebody asked for.
pub(super) const MAILBOX: Limit = budget("mailbox", 5, Duration::from_secs(10 * 60));

/// Mails that were asked for from one network.
pub(super) const MAIL_OF_NETWORK: Limit = budget("mail of network", 100, Duration::from_secs(30));

/// Text messages to one phone.
pub(super) const TEXTS_TO_PHONE: Limit = budget("texts to phone", 3, Duration::from_secs(60 * 60));

/// Text messages that one account asked for, whatever phone it says it has.
pub(super) const TEXTS_OF_ACCOUNT: Limit =
    budget("texts of account", 5, Duration::from_secs(60 * 60));

/// All text messages: each costs money.
pub(super) const TEXTS: Limit = budget("texts", 1_000, Duration::from_secs(5));

const fn streak(name: &'static str) -> Limit {
    Limit {
        name,
        bound: Bound::Streak {
            free: FREE,
            closed_at: CLOSED_AT,
        },
    }
}

const fn budget(name: &'static str, at_once: u32, each: Duration) -> Limit {
    Limit {
        name,
        bound: Bound::Budget { at_once, each },
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Limit {
    pub(super) fn free(self) -> Option<i32> {
        match self.bound {
            Bound::Streak { free, .. } => Some(free),
            Bound::Budget { .. } => None,
        }
    }

    pub(super) fn closed_at(self) -> Option<i32> {
        match self.bound {
            Bound::Streak { closed_at, .. } => Some(closed_at),
            Bound::Budget { .. } => None,
        }
    }

    pub(super) fn each(self) -> Option<PgInterval> {
        match self.bound {
            Bound::Streak { .. } => None,
            Bound::Budget { each, .. } => Some(interval(each)),
        }
    }

    pub(super) fn burst(self) -> Option<PgInterval> {
        match self.bound {
            Bound::Streak { .. } => None,
            Bound::Budget { at_once, each } => Some(interval(each * at_once)),
        }
    }

    /// How long it is kept when nobody guesses any more: a streak for so long that pauses do not
    /// help a guesser.
    pub(super) fn memory(self) -> PgInterval {
        interval(match self.bound {
            Bound::Streak { .. } => DAY * 30,
            Bound::Budget { .. } => DAY,
        })
    }
}

pub(super) fn interval(duration: Duration) -> PgInterval {
    PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX),
    }
}
