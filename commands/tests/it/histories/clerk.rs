//! One patient clerk, who reads the log and asks of every answer how it came about.

use super::answers::Answered;
use cqrs_es::Aggregate;
use soko_commands::{CommandError, Committed};
use soko_domain::stock::{StockError, StockEvent};
use soko_domain::{AnyEvent, Stock, VariantId};
use soko_event_log::{LogReader, Position};
use sqlx::PgPool;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

pub(super) struct Clerk {
    /// The states before the first unit.
    start: (Position, Vec<Stock>),
    units: Vec<Unit>,
}

struct Unit {
    command_id: Uuid,
    last: Position,
    /// The states after it.
    states: Vec<Stock>,
}

impl Clerk {
    /// Folds the log, unit by unit; the first positions, up to `before`, were only preparations.
    pub(super) async fn read(pool: &PgPool, variants: &[VariantId], before: Position) -> Self {
        let log = LogReader::new(pool.clone());
        let entries = log.read(Position::START, 100_000).await.unwrap();
        let mut states = vec![Stock::default(); variants.len()];
        let mut start = states.clone();
        let mut units: Vec<Unit> = Vec::new();
        for entry in entries {
            let recorded = entry.event.unwrap();
            let (variant, event) = stock_event(&recorded.event, variants);
            states[variant].apply(event);
            if entry.position <= before {
                start.clone_from(&states);
                continue;
            }
            let command_id = recorded.metadata.command_id;
            if units
                .last()
                .is_none_or(|unit| unit.command_id != command_id)
            {
                units.push(Unit {
                    command_id,
                    last: entry.position,
                    states: vec![],
                });
            }
            let unit = units.last_mut().unwrap();
            unit.last = entry.position;
            unit.states.clone_from(&states);
        }
        Self {
            start: (before, start),
            units,
        }
    }

    pub(super) fn available(&self) -> Vec<i64> {
        let states = self.units.last().map_or(&self.start.1, |unit| &unit.states);
        let available = |stock: &Stock| stock.levels().unwrap().available();
        states.iter().map(available).collect()
    }

    pub(super) fn check(&self, answers: &[Answered]) {
        self.every_unit_was_answered_with_success(answers);
        for answered in answers {
            match &answered.answer {
                Ok(committed) if !committed.replayed => {
                    self.success_is_true(answered, committed);
                }
                Err(CommandError::Rejected {
                    rejection,
                    replayed: false,
                }) => self.refusal_is_true(answered, rejection),
                Err(CommandError::ClaimTaken { value, .. }) => {
                    let coupon = answered.request.act.coupon();
                    assert_eq!(
                        coupon.map(|coupon| coupon.to_string()).as_ref(),
                        Some(value)
                    );
                }
                Err(CommandError::InProgress) => assert!(answered.request.key.is_some()),
                // Replayed, or not done at all.
                Ok(_)
                | Err(
                    CommandError::Rejected { .. }
                    | CommandError::Conflict
                    | CommandError::Overloaded { .. }
                    | CommandError::Unavailable(_),
                ) => (),
                Err(other) => panic!("{:?}: {other:?}", answered.request),
            }
        }
        coupons_are_used_once(answers);
        keys_have_one_answer(answers);
    }

    fn every_unit_was_answered_with_success(&self, answers: &[Answered]) {
        let mut successes: HashSet<Uuid> = answers
            .iter()
            .filter(|answered| answered.answer.is_ok())
            .map(|answered| answered.command_id)
            .collect();
        for unit in &self.units {
            assert!(
                successes.remove(&unit.command_id),
                "a unit is in the log twice, or unasked"
            );
        }
    }

    /// Decided where the log has it, it comes to what the log says.
    fn success_is_true(&self, answered: &Answered, committed: &Committed<i64>) {
        let is_it = |unit: &Unit| unit.command_id == answered.command_id;
        let Some(index) = self.units.iter().position(is_it) else {
            let is_true = self.some_moment(answered, |states, answer, after| {
                answer == Ok(committed.value) && same(states, after)
            });
            assert!(
                is_true,
                "{:?} never came to {committed:?}",
                answered.request
            );
            return;
        };
        let unit = &self.units[index];
        assert_eq!(committed.position, Some(unit.last));
        assert!(answered.asked < unit.last && unit.last <= answered.told);
        let mut states = match index.checked_sub(1) {
            Some(before) => self.units[before].states.clone(),
            None => self.start.1.clone(),
        };
        let answer = answered.request.act.decide_alone(&mut states);
        assert_eq!(answer, Ok(committed.value), "{:?}", answered.request);
        assert!(same(&states, &unit.states), "{:?}", answered.request);
    }

    fn refusal_is_true(&self, answered: &Answered, rejection: &StockError) {
        assert!(
            self.some_moment(answered, |_, answer, _| answer.as_ref() == Err(rejection)),
            "{:?} was never to be refused with {rejection:?}",
            answered.request
        );
    }

    /// Whether this holds for what is decided at some moment between request and answer.
    fn some_moment(
        &self,
        answered: &Answered,
        holds: impl Fn(&[Stock], Result<i64, StockError>, &[Stock]) -> bool,
    ) -> bool {
        let start = (self.start.0, &self.start.1);
        let units = self.units.iter().map(|unit| (unit.last, &unit.states));
        std::iter::once(start)
            .chain(units)
            .filter(|(position, _)| (answered.asked..=answered.told).contains(position))
            .any(|(_, before)| {
                let mut after = before.clone();
                let answer = answered.request.act.decide_alone(&mut after);
                holds(before, answer, &after)
            })
    }
}

fn coupons_are_used_once(answers: &[Answered]) {
    let mut used = HashSet::new();
    for answered in answers {
        let is_first = answered
            .answer
            .as_ref()
            .is_ok_and(|committed| !committed.replayed);
        if let Some(coupon) = answered.request.act.coupon().filter(|_| is_first) {
            assert!(used.insert(coupon), "coupon {coupon} was used twice");
        }
    }
    for answered in answers {
        if let Err(CommandError::ClaimTaken { .. }) = answered.answer {
            assert!(used.contains(&answered.request.act.coupon().unwrap()));
        }
    }
}

fn keys_have_one_answer(answers: &[Answered]) {
    type Outcome<'a> = Result<&'a i64, &'a StockError>;
    let mut outcomes: HashMap<u8, Vec<(Outcome<'_>, bool)>> = HashMap::new();
    for answered in answers {
        let Some(key) = answered.request.key else {
            continue;
        };
        let outcome = match &answered.answer {
            Ok(committed) => (Ok(&committed.value), committed.replayed),
            Err(CommandError::Rejected {
                rejection,
                replayed,
            }) => (Err(rejection), *replayed),
            Err(_) => continue,
        };
        outcomes.entry(key).or_default().push(outcome);
    }
    for (key, outcomes) in outcomes {
        let first = outcomes.iter().filter(|(_, replayed)| !replayed).count();
        assert_eq!(first, 1, "key {key} acted {first} times");
        assert!(outcomes.windows(2).all(|pair| pair[0].0 == pair[1].0));
    }
}

fn stock_event(event: &AnyEvent, variants: &[VariantId]) -> (usize, StockEvent) {
    let AnyEvent::Stock(id, event) = event else {
        panic!("{event:?}");
    };
    let variant = variants.iter().position(|variant| variant == id).unwrap();
    (variant, event.clone())
}

fn same(one: &[Stock], other: &[Stock]) -> bool {
    serde_json::to_string(one).unwrap() == serde_json::to_string(other).unwrap()
}
