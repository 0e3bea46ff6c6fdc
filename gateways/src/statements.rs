//! What providers print of what they moved, read into lines of one form.
//!
//! A file is read as a whole or not at all: a line that is not understood is an error of the file,
//! and never left out, for what is left out would be a difference that nobody finds. Columns are
//! known by their names; others may stand among them, in any order. Nothing of a line is kept that
//! is about a person.

mod fault;
mod mpesa;
mod paynow;
mod paystack;
mod stripe;
mod table;
#[cfg(test)]
mod tests;
mod words;

pub use fault::{FileFault, Wrong};

use soko_domain::statement::{StatementLine, StatementProvider};
use table::{Form, read_as};

/// A month of a large store, several times over.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How many lines a file may have.
pub const LINES_MAX: usize = 100_000;

/// The lines of a provider's file, in their order.
///
/// # Errors
/// The first thing that is not understood, and where it stands.
pub fn read(provider: StatementProvider, file: &[u8]) -> Result<Vec<StatementLine>, FileFault> {
    let form: &Form = match provider {
        StatementProvider::Mpesa => &mpesa::FORM,
        StatementProvider::Paynow => &paynow::FORM,
        StatementProvider::Paystack => &paystack::FORM,
        StatementProvider::Stripe => &stripe::FORM,
    };
    read_as(form, file)
}
