//! How money is taken and given back by providers: what opens their accounts, what is asked of them,
//! and what they tell of their own accord.
//!
//! The [`Teller`] asks, and puts on record what became of it; the [`Inbox`] keeps what providers tell
//! until it is worked. When something is asked is decided by the process manager
//! [`CarryPayments`](crate::process_managers::CarryPayments), and by who pays.

mod accounts;
mod batches;
mod breaker;
mod callbacks;
mod details;
mod evidence;
mod inbox;
mod outcomes;
mod payouts;
mod refunds;
mod steps;
mod teller;
mod windows;

pub use accounts::{AccountError, NewCallbackSecret, PaymentAccounts, SEALED_ACCOUNTS};
pub use callbacks::{CallbackWorker, Came, Place, Received};
pub use details::{AccountDetails, Initiator};
use evidence::Call;
pub use evidence::Evidence;
pub use inbox::Inbox;
pub use outcomes::Witness;
pub use steps::StepError;
pub use teller::{Cause, Next, Teller, TellerError};
pub use windows::{Looks, Windows};
