//! Soko's benchmark.

fn main() {}
