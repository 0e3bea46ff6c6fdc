//! What stands in the log for ever must stay readable for ever.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's builders are outside its test functions"
)]

mod golden;
mod other_forms;
mod payment_forms;
mod promotion_forms;
mod samples;
mod upcasting;
mod vendor_account_forms;
