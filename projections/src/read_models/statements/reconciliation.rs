//! Our books beside a provider's: what only one of them has, and what differs.

mod booked;
mod stated;

pub use booked::Booked;
pub use stated::Stated;

use crate::query::Within;
use soko_domain::reconciliation::{Comparison, Ours, Theirs, compare};
use soko_domain::statement::{Period, StatementProvider, Tally, tallies};
use soko_domain::{MoneyError, StoreId};
use soko_event_log::ScopedReader;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    pub store_id: StoreId,
    pub provider: StatementProvider,
    /// Of what is told: a movement on one side may have its like outside of it on the other.
    pub period: Period,
}

/// What came of it, each list in the order of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    /// How many movements are the same on both sides.
    pub matched: usize,
    pub ours_only: Vec<Booked>,
    pub theirs_only: Vec<Stated>,
    pub amounts_differ: Vec<(Booked, Stated)>,
    /// What the provider's lines of the period come to, fees and pay-outs too.
    pub tallies: Vec<Tally>,
}

impl Reconciliation {
    pub fn has_differences(&self) -> bool {
        !(self.ours_only.is_empty()
            && self.theirs_only.is_empty()
            && self.amounts_differ.is_empty())
    }
}

/// Compares with all that the provider's statements say of the period, whichever they are in.
///
/// # Errors
/// The database failed.
pub async fn reconcile(
    reader: &ScopedReader,
    within: Within,
    question: &Question,
) -> Result<Reconciliation, sqlx::Error> {
    let stated = stated::in_period(reader, within, question).await?;
    reconcile_with(reader, within, question, stated).await
}

/// Compares with these lines, which are those of the period.
///
/// # Errors
/// The database failed.
pub async fn reconcile_with(
    reader: &ScopedReader,
    within: Within,
    question: &Question,
    mut stated: Vec<Stated>,
) -> Result<Reconciliation, sqlx::Error> {
    let tallies = summed(&stated).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let booked = booked::of(reader, within, question, names_of(&stated)).await?;
    let is_meant = |moved: &Booked| question.period.contains(moved.at);
    let mut found = comparison(&booked, &stated);
    // What happened on the one day here and on another there stands in another statement of theirs.
    let missed = found.ours_only.iter().map(|index| &booked[*index]);
    let missed: Vec<String> = missed
        .filter(|moved| is_meant(moved))
        .map(|moved| moved.reference.clone())
        .collect();
    if !missed.is_empty() {
        let others = stated::outside_of_period(reader, within, question, missed).await?;
        if !others.is_empty() {
            stated.extend(others);
            found = comparison(&booked, &stated);
        }
    }
    let is_stated = |line: &Stated| question.period.contains(line.at);
    let is_told =
        |(ours, theirs): &(usize, usize)| is_meant(&booked[*ours]) || is_stated(&stated[*theirs]);
    let matched = found.matched.iter().filter(|pair| is_told(pair)).count();
    let mut amounts_differ: Vec<_> = (found.amounts_differ.iter())
        .filter(|pair| is_told(pair))
        .map(|(ours, theirs)| (booked[*ours].clone(), stated[*theirs].clone()))
        .collect();
    amounts_differ.sort_by_key(|(ours, _)| ours.place());
    let mut theirs_only: Vec<_> = kept(&stated, &found.theirs_only);
    theirs_only.retain(is_stated);
    theirs_only.sort_by_key(Stated::place);
    let mut ours_only: Vec<_> = kept(&booked, &found.ours_only);
    ours_only.retain(is_meant);
    ours_only.sort_by_key(Booked::place);
    Ok(Reconciliation {
        matched,
        ours_only,
        theirs_only,
        amounts_differ,
        tallies,
    })
}

fn summed(stated: &[Stated]) -> Result<Vec<Tally>, MoneyError> {
    tallies(stated.iter().map(|line| (line.kind, line.amount, line.fee)))
}

/// By which our books may know them.
fn names_of(stated: &[Stated]) -> Vec<String> {
    let names = stated.iter().flat_map(Stated::names);
    names.map(str::to_owned).collect()
}

/// Only money of payments is in our books; what else a provider moves is summed up.
fn comparison(booked: &[Booked], stated: &[Stated]) -> Comparison {
    let ours: Vec<_> = booked
        .iter()
        .map(|moved| Ours {
            kind: moved.kind,
            amount: moved.amount,
            reference: &moved.reference,
            at: moved.at,
            is_by_hand: moved.is_by_hand,
        })
        .collect();
    let of_payments = |line: &&Stated| line.kind.is_of_a_payment();
    let theirs: Vec<_> = stated
        .iter()
        .filter(of_payments)
        .map(|line| Theirs {
            kind: line.kind,
            amount: line.amount,
            names: line.names().collect(),
            at: line.at,
        })
        .collect();
    let mut found = compare(&ours, &theirs);
    // Back to places among all lines.
    let places: Vec<usize> = (0..stated.len())
        .filter(|index| of_payments(&&stated[*index]))
        .collect();
    for (_, theirs) in found.matched.iter_mut().chain(&mut found.amounts_differ) {
        *theirs = places[*theirs];
    }
    for theirs in &mut found.theirs_only {
        *theirs = places[*theirs];
    }
    found
}

/// Those at these places, which rise.
fn kept<T: Clone>(all: &[T], places: &[usize]) -> Vec<T> {
    places.iter().map(|index| all[*index].clone()).collect()
}
