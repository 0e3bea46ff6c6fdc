//! Choices that follow from a seed.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::hash::{DefaultHasher, Hash, Hasher};

pub(super) struct Dice(StdRng);

impl Dice {
    /// The same for the same name.
    pub(super) fn of(name: &str) -> Self {
        // As `DefaultHasher::new` is: without a key, the same in each process.
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        Self(StdRng::seed_from_u64(hasher.finish()))
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    /// So many times out of a hundred.
    pub(super) fn in_hundred(&mut self, times: usize) -> bool {
        self.below(100) < times
    }

    pub(super) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0.random()
    }
}
