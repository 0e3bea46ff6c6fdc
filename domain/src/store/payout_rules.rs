//! How a store pays its vendors out.

use crate::money::is_zero;
use crate::order::Placement;
use chrono::{DateTime, Datelike, Days, NaiveTime, TimeDelta, Timelike, Utc, Weekday};
use serde::{Deserialize, Serialize};

/// When vendors are paid out without asking for it, at midnight UTC.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum PayoutSchedule {
    /// They ask for it.
    #[default]
    None,
    Daily,
    /// On Mondays.
    Weekly,
}

/// All that a store has said of its payouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutRules {
    /// How long what was sold is kept back, from when the order was paid: for returns.
    pub hold_days: u16,
    /// What is more than this is approved by somebody else than who asked for it, whoever that is,
    /// the schedule too. Minor units of the store's currency.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub four_eyes_above: i64,
    pub schedule: PayoutSchedule,
}

/// Why rules cannot stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutRulesError {
    #[error("must be from 0 to {max} days")]
    HeldTooLong { max: u16 },
    #[error("must be from 0 to {max} minor units")]
    OutOfRange { max: i64 },
}

impl Default for PayoutRules {
    /// A week, and two people see each payout, until the store says otherwise.
    fn default() -> Self {
        Self {
            hold_days: 7,
            four_eyes_above: 0,
            schedule: PayoutSchedule::None,
        }
    }
}

impl PayoutRules {
    pub const HOLD_DAYS_MAX: u16 = 90;

    /// Minor units.
    pub const AMOUNT_MAX: i64 = Placement::TOTAL_MAX;

    /// From when on a sale can be paid out that was paid at some time: after the hold, at the next
    /// full hour, so that what is on hold can be kept by the hour.
    pub fn available_at(&self, paid_at: DateTime<Utc>) -> DateTime<Utc> {
        if self.hold_days == 0 {
            return paid_at;
        }
        let held_until = paid_at + TimeDelta::days(self.hold_days.into());
        let into_the_hour = TimeDelta::minutes(held_until.minute().into())
            + TimeDelta::seconds(held_until.second().into())
            + TimeDelta::nanoseconds(held_until.nanosecond().into());
        if into_the_hour.is_zero() {
            held_until
        } else {
            held_until - into_the_hour + TimeDelta::hours(1)
        }
    }

    pub(crate) fn check(&self) -> Result<(), PayoutRulesError> {
        if self.hold_days > Self::HOLD_DAYS_MAX {
            return Err(PayoutRulesError::HeldTooLong {
                max: Self::HOLD_DAYS_MAX,
            });
        }
        if !(0..=Self::AMOUNT_MAX).contains(&self.four_eyes_above) {
            return Err(PayoutRulesError::OutOfRange {
                max: Self::AMOUNT_MAX,
            });
        }
        Ok(())
    }
}

impl PayoutSchedule {
    /// Whether vendors are paid out on that day (UTC).
    pub fn is_on(self, day: DateTime<Utc>) -> bool {
        match self {
            Self::None => false,
            Self::Daily => true,
            Self::Weekly => day.weekday() == Weekday::Mon,
        }
    }
}

/// The midnight (UTC) after a time.
pub fn midnight_after(time: DateTime<Utc>) -> DateTime<Utc> {
    let day = time.date_naive() + Days::new(1);
    day.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sale_is_held_for_some_days_and_to_the_full_hour() {
        let rules = PayoutRules::default();
        for (paid_at, available_at) in [
            ("2026-03-01T10:00:00Z", "2026-03-08T10:00:00Z"),
            ("2026-03-01T10:00:00.000001Z", "2026-03-08T11:00:00Z"),
            ("2026-03-01T23:59:59Z", "2026-03-09T00:00:00Z"),
        ] {
            assert_eq!(rules.available_at(time(paid_at)), time(available_at));
        }
    }

    #[test]
    fn what_is_not_held_can_be_paid_out_at_once() {
        let rules = PayoutRules {
            hold_days: 0,
            ..PayoutRules::default()
        };
        let paid_at = time("2026-03-01T10:00:01Z");
        assert_eq!(rules.available_at(paid_at), paid_at);
    }

    #[test]
    fn rules_have_bounds() {
        let rules = PayoutRules::default();
        let too_long = PayoutRules {
            hold_days: 91,
            ..rules
        };
        let refused = PayoutRulesError::HeldTooLong { max: 90 };
        assert_eq!(too_long.check(), Err(refused));
        for four_eyes_above in [-1, PayoutRules::AMOUNT_MAX + 1] {
            let rules = PayoutRules {
                four_eyes_above,
                ..rules
            };
            let max = PayoutRules::AMOUNT_MAX;
            assert_eq!(rules.check(), Err(PayoutRulesError::OutOfRange { max }));
        }
        assert_eq!(rules.check(), Ok(()));
    }

    #[test]
    fn weeks_end_on_sundays() {
        let (sunday, monday) = (time("2026-03-01T12:00:00Z"), time("2026-03-02T00:00:00Z"));
        assert_eq!(midnight_after(sunday), monday);
        assert_eq!(midnight_after(monday), time("2026-03-03T00:00:00Z"));
        let days = [sunday, monday];
        assert_eq!(days.map(|day| PayoutSchedule::None.is_on(day)), [false; 2]);
        assert_eq!(days.map(|day| PayoutSchedule::Daily.is_on(day)), [true; 2]);
        let weekly = days.map(|day| PayoutSchedule::Weekly.is_on(day));
        assert_eq!(weekly, [false, true]);
    }

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }
}
