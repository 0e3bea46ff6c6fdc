//! The gauges of what is stuck, and what they are called.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use metrics::{describe_counter, describe_gauge, gauge};
use soko_commands::process_managers::ManagerLag;
use soko_domain::payment::PaymentProvider;
use soko_projections::ProjectionStatus;
use soko_projections::radar::{Age, RecentPayments, Stuck, StuckLine};

/// Without payments that a person is to record: nobody is asked about those, and no hour is too long.
const PROVIDERS: [PaymentProvider; 6] = [
    PaymentProvider::Ecocash,
    PaymentProvider::Mpesa,
    PaymentProvider::Paynow,
    PaymentProvider::Paystack,
    PaymentProvider::Stripe,
    PaymentProvider::StripeCheckout,
];

pub(super) fn describe() {
    for what in Stuck::ALL {
        let (count, oldest, about) = names(what);
        describe_gauge!(count, about);
        describe_gauge!(oldest, "Since when the oldest of them is at its stage.");
    }
    describe_gauge!(
        "soko_recent_payments",
        "Payments that were started within the last hour, by what became of them."
    );
    describe_gauge!(
        "soko_ledger_balanced",
        "1 if the books of every store come to nothing, 0 if some do not."
    );
    describe_gauge!(
        "soko_model_lag",
        "Events in the log that a read model does not know of, as the database has it."
    );
    describe_gauge!(
        "soko_model_stopped",
        "1 while a read model has met an event that it cannot fold."
    );
    describe_gauge!(
        "soko_manager_lag",
        "Events in the log that a process manager has not seen, as the database has it."
    );
    describe_gauge!(
        "soko_manager_stopped",
        "1 while a process manager has met an event that it cannot read."
    );
    describe_gauge!(
        "soko_manager_late_seconds",
        "For how long the first timer of a process manager is overdue."
    );
    describe_gauge!(
        "soko_radar_leader",
        "1 in the process that measures what is stuck."
    );
    describe_counter!(
        "soko_radar_failures_total",
        "How often that could not be measured."
    );
}

/// What is shown. All there may be of a gauge is set each time, so that what is stuck no more is
/// none.
#[derive(Debug, Default)]
pub(super) struct Shown {
    has_led: bool,
    models: BTreeSet<String>,
    managers: BTreeSet<String>,
}

impl Shown {
    pub(super) fn stuck(&mut self, lines: &[StuckLine], now: DateTime<Utc>) {
        self.has_led = true;
        for what in Stuck::ALL {
            let (count, oldest, _) = names(what);
            for stage in what.stages() {
                let of_stage = || {
                    let lines = lines.iter();
                    lines.filter(|line| line.what == what && line.stage == *stage)
                };
                for age in Age::ALL {
                    let of_age = of_stage().filter(|line| line.age == age);
                    let labels = [("stage", *stage), ("age", age.as_str())];
                    gauge!(count, &labels).set(float(of_age.map(|line| line.count).sum()));
                }
                let since = of_stage().map(|line| line.oldest_at).min();
                gauge!(oldest, "stage" => *stage).set(float(seconds_from(since, now)));
            }
        }
    }

    pub(super) fn recent(&mut self, recent: &[RecentPayments]) {
        self.has_led = true;
        for provider in PROVIDERS {
            let found = recent.iter().find(|found| found.provider == provider);
            let count = |of: fn(&RecentPayments) -> i64| found.map_or(0, of);
            for (outcome, count) in [
                ("captured", count(|found| found.captured)),
                ("failed", count(|found| found.failed)),
                ("expired", count(|found| found.expired)),
                ("unresolved", count(|found| found.unresolved)),
                ("open", count(|found| found.open)),
            ] {
                let labels = [("provider", provider.as_str()), ("outcome", outcome)];
                gauge!("soko_recent_payments", &labels).set(float(count));
            }
        }
    }

    pub(super) fn books(&mut self, are_balanced: bool) {
        self.has_led = true;
        gauge!("soko_ledger_balanced").set(flag(are_balanced));
    }

    pub(super) fn models(&mut self, models: &[ProjectionStatus]) {
        for model in models {
            let label = [("model", model.name.clone())];
            gauge!("soko_model_lag", &label).set(unsigned(model.lag));
            gauge!("soko_model_stopped", &label).set(flag(model.stopped.is_some()));
            self.models.insert(model.name.clone());
        }
    }

    pub(super) fn managers(&mut self, managers: &[ManagerLag], now: DateTime<Utc>) {
        for manager in managers {
            let label = [("manager", manager.name.clone())];
            let late = seconds_from(manager.next_due_at, now);
            gauge!("soko_manager_lag", &label).set(unsigned(manager.lag));
            gauge!("soko_manager_stopped", &label).set(flag(manager.is_stopped));
            gauge!("soko_manager_late_seconds", &label).set(float(late));
            self.managers.insert(manager.name.clone());
        }
    }

    /// As if nothing were stuck: whoever measures says what is.
    pub(super) fn forget(&mut self) {
        if !self.has_led {
            return;
        }
        self.stuck(&[], DateTime::UNIX_EPOCH);
        self.recent(&[]);
        self.books(true);
        self.has_led = false;
        for model in std::mem::take(&mut self.models) {
            let label = [("model", model)];
            gauge!("soko_model_lag", &label).set(0);
            gauge!("soko_model_stopped", &label).set(0);
        }
        for manager in std::mem::take(&mut self.managers) {
            let label = [("manager", manager)];
            gauge!("soko_manager_lag", &label).set(0);
            gauge!("soko_manager_stopped", &label).set(0);
            gauge!("soko_manager_late_seconds", &label).set(0);
        }
    }
}

/// How many there are, since when, and what about.
const fn names(what: Stuck) -> (&'static str, &'static str, &'static str) {
    match what {
        Stuck::Payment => (
            "soko_stuck_payments",
            "soko_stuck_payments_oldest_seconds",
            "Payments that are neither captured nor given up.",
        ),
        Stuck::Refund => (
            "soko_stuck_refunds",
            "soko_stuck_refunds_oldest_seconds",
            "Refunds that are not done, not known, or failed and not made good.",
        ),
        Stuck::Credit => (
            "soko_credits_held",
            "soko_credits_held_oldest_seconds",
            "Payments of which money is kept for the payer.",
        ),
        Stuck::Reference => (
            "soko_references_doubted",
            "soko_references_doubted_oldest_seconds",
            "Payments that came, and of which it is not sure what their provider calls them.",
        ),
        Stuck::Dispute => (
            "soko_disputes_open",
            "soko_disputes_open_oldest_seconds",
            "Payments of which a bank wants money back.",
        ),
        Stuck::MoneyOfDeadOrder => (
            "soko_dead_order_money",
            "soko_dead_order_money_oldest_seconds",
            "Payments for orders that have died, whose money has not gone back.",
        ),
        Stuck::Callback => (
            "soko_callbacks_waiting",
            "soko_callbacks_waiting_oldest_seconds",
            "What providers told and nobody has worked.",
        ),
        Stuck::UnconfirmedCallback => (
            "soko_callbacks_unconfirmed",
            "soko_callbacks_unconfirmed_oldest_seconds",
            "What providers told in the last seven days, and never confirmed.",
        ),
        Stuck::UnacceptedOrder => (
            "soko_orders_unaccepted",
            "soko_orders_unaccepted_oldest_seconds",
            "Paid orders of which a vendor has neither packed nor shipped its part.",
        ),
        Stuck::Payout => (
            "soko_payouts_waiting",
            "soko_payouts_waiting_oldest_seconds",
            "Payouts that are neither paid nor refused.",
        ),
    }
}

/// Nothing of what is still to come.
fn seconds_from(since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> i64 {
    since.map_or(0, |since| (now - since).num_seconds().max(0))
}

const fn flag(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

fn unsigned(count: u64) -> f64 {
    float(i64::try_from(count).unwrap_or(i64::MAX))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and a count stays far below 2^53"
)]
const fn float(count: i64) -> f64 {
    count as f64
}
