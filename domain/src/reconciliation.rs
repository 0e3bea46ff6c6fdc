//! What our books say moved, beside what a provider says: which movements are the same, which are
//! on one side only, and which are of another amount.

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use crate::Money;
use crate::statement::LineKind;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A movement of our books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours<'a> {
    pub kind: LineKind,
    /// What came is above zero.
    pub amount: Money,
    pub reference: &'a str,
    pub at: DateTime<Utc>,
    /// Put on record by a person, and not necessarily carried by this provider: its reference may
    /// be the provider's, or the number of a receipt book. It is the same as a line of theirs only
    /// if it is so to the last digit.
    pub is_by_hand: bool,
}

/// A movement of the provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theirs<'a> {
    pub kind: LineKind,
    /// What came is above zero.
    pub amount: Money,
    /// By which our books may know it, the surest first.
    pub names: Vec<&'a str>,
    pub at: DateTime<Utc>,
}

/// Places in the lists that were compared. Each movement of ours that is not by hand is in one of
/// the first three, and each of theirs in one of the first two or the last, exactly once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Ours, and theirs that is the same.
    pub matched: Vec<(usize, usize)>,
    /// Ours, and theirs that goes by the same name and is of another amount or currency.
    pub amounts_differ: Vec<(usize, usize)>,
    pub ours_only: Vec<usize>,
    pub theirs_only: Vec<usize>,
}

/// Compares both sides. What is found does not depend on the order of either; where equal movements
/// go by one name, which of them is paired with which may.
///
/// A surer name decides before a less sure one is looked at, so that two movements of one payment
/// are not mistaken for each other; by one name, equal amounts are paired before others, and those
/// in the order of their times.
pub fn compare(ours: &[Ours<'_>], theirs: &[Theirs<'_>]) -> Comparison {
    let mut open = Open::new(ours, theirs);
    let mut found = Comparison::default();
    let ranks = theirs.iter().map(|line| line.names.len()).max();
    for rank in 0..ranks.unwrap_or_default() {
        let together = open.by_name_and_hand(rank, false);
        for (_, (moves, lines)) in &together {
            found.matched.extend(open.pair_equal(moves, lines));
        }
        for (_, (moves, lines)) in &together {
            found.amounts_differ.extend(open.pair_others(moves, lines));
        }
    }
    for rank in 0..ranks.unwrap_or_default() {
        for (_, (moves, lines)) in open.by_name_and_hand(rank, true) {
            found.matched.extend(open.pair_equal(&moves, &lines));
        }
    }
    found.ours_only = left(&open.ours, |index| !ours[index].is_by_hand);
    found.theirs_only = left(&open.theirs, |_| true);
    found.matched.sort_unstable();
    found.amounts_differ.sort_unstable();
    found
}

type Name<'a> = (LineKind, &'a str);

/// Movements of ours and of theirs that go by one name.
type Side = (Vec<usize>, Vec<usize>);

/// What has not found its like.
struct Open<'a> {
    all_ours: &'a [Ours<'a>],
    all_theirs: &'a [Theirs<'a>],
    ours: Vec<bool>,
    theirs: Vec<bool>,
}

impl<'a> Open<'a> {
    fn new(all_ours: &'a [Ours<'a>], all_theirs: &'a [Theirs<'a>]) -> Self {
        Self {
            all_ours,
            all_theirs,
            ours: vec![true; all_ours.len()],
            theirs: vec![true; all_theirs.len()],
        }
    }

    /// What is open and goes by a name that stands at this place in a line of theirs, in the order
    /// of the names, so that a comparison can be repeated.
    fn by_name_and_hand(&self, rank: usize, is_by_hand: bool) -> Vec<(Name<'a>, Side)> {
        let mut names: HashMap<Name<'a>, Side> = HashMap::new();
        for (index, line) in self.all_theirs.iter().enumerate() {
            if self.theirs[index]
                && let Some(name) = line.names.get(rank)
            {
                names.entry((line.kind, name)).or_default().1.push(index);
            }
        }
        for (index, moved) in self.all_ours.iter().enumerate() {
            if self.ours[index]
                && moved.is_by_hand == is_by_hand
                && let Some((moves, _)) = names.get_mut(&(moved.kind, moved.reference))
            {
                moves.push(index);
            }
        }
        names.retain(|_, (moves, _)| !moves.is_empty());
        for (moves, lines) in names.values_mut() {
            moves.sort_by_key(|index| self.all_ours[*index].at);
            lines.sort_by_key(|index| self.all_theirs[*index].at);
        }
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_unstable_by_key(|(name, _)| *name);
        names
    }

    fn pair_equal(&mut self, moves: &[usize], lines: &[usize]) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for &ours in moves {
            let amount = self.all_ours[ours].amount;
            let mut open = lines.iter().copied().filter(|line| self.theirs[*line]);
            if let Some(theirs) = open.find(|line| self.all_theirs[*line].amount == amount) {
                self.ours[ours] = false;
                self.theirs[theirs] = false;
                pairs.push((ours, theirs));
            }
        }
        pairs
    }

    fn pair_others(&mut self, moves: &[usize], lines: &[usize]) -> Vec<(usize, usize)> {
        let moves = moves.iter().copied().filter(|index| self.ours[*index]);
        let lines = lines.iter().copied().filter(|index| self.theirs[*index]);
        let pairs: Vec<_> = moves.zip(lines).collect();
        for &(ours, theirs) in &pairs {
            self.ours[ours] = false;
            self.theirs[theirs] = false;
        }
        pairs
    }
}

fn left(open: &[bool], counts: impl Fn(usize) -> bool) -> Vec<usize> {
    let places = open.iter().enumerate();
    let left = places.filter(|(index, is_open)| **is_open && counts(*index));
    left.map(|(index, _)| index).collect()
}
