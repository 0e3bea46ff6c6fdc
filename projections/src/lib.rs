//! What is known by looking back: read models, folded from the log into tables, and the queries
//! on them.
//!
//! A read model is a pure fold over rows. The engine does the rest: it keeps the tables at the
//! head of the log, builds new ones beside them, folds to any moment, and proves that a table is
//! what the log says. Nothing here writes an event, and nothing that decides asks here.

mod any_read_model;
mod as_of;
pub mod case_file;
mod checkpoint;
mod connection;
mod engine;
mod fold;
mod freshness;
#[cfg(test)]
mod given;
mod read_model;
mod rebuild;
mod row_store;
mod status;
mod verify;
mod worker;

pub mod query;
pub mod radar;
pub mod read_models;
pub mod row;

pub use any_read_model::{AnyReadModel, Model};
pub use as_of::{AsOfError, as_of};
pub use freshness::{Freshness, ProjectionBehind};
pub use query::{Keyset, Owner, Within};
pub use read_model::ReadModel;
pub use rebuild::{RebuildError, RebuildOptions, Rebuilt};
pub use status::{Build, Digest, ProjectionStatus, SkipError, Stopped, digest, status};
pub use verify::{Difference, DifferenceKind, Verification, VerifyError, VerifyOptions};
pub use worker::Workplace;

/// Every read model there is.
pub fn all() -> Vec<Box<dyn AnyReadModel>> {
    use read_models::{
        account_moves::AccountMoves,
        accounts::Accounts,
        actor_blocks::ActorBlocks,
        carts::Carts,
        categories::Categories,
        invitations::Invitations,
        ledger::{LedgerBalances, LedgerEntries},
        members::Members,
        order_tracking::OrderTracking,
        orders::{Orders, VendorOrders},
        payments::{PaymentMoves, PaymentRefunds, Payments},
        payouts::Payouts,
        products::Products,
        promotions::Promotions,
        sales::Sales,
        statements::{StatementLines, Statements},
        stock_ledger::StockLedger,
        stock_levels::StockLevels,
        stores::Stores,
        tenants::Tenants,
        vendor_balances::VendorBalances,
        vendors::Vendors,
    };
    vec![
        Model::<AccountMoves>::boxed(),
        Model::<Accounts>::boxed(),
        Model::<ActorBlocks>::boxed(),
        Model::<Carts>::boxed(),
        Model::<Categories>::boxed(),
        Model::<Invitations>::boxed(),
        Model::<LedgerBalances>::boxed(),
        Model::<LedgerEntries>::boxed(),
        Model::<Members>::boxed(),
        Model::<OrderTracking>::boxed(),
        Model::<Orders>::boxed(),
        Model::<PaymentMoves>::boxed(),
        Model::<PaymentRefunds>::boxed(),
        Model::<Payments>::boxed(),
        Model::<Payouts>::boxed(),
        Model::<Products>::boxed(),
        Model::<Promotions>::boxed(),
        Model::<Sales>::boxed(),
        Model::<StatementLines>::boxed(),
        Model::<Statements>::boxed(),
        Model::<StockLedger>::boxed(),
        Model::<StockLevels>::boxed(),
        Model::<Stores>::boxed(),
        Model::<Tenants>::boxed(),
        Model::<VendorBalances>::boxed(),
        Model::<VendorOrders>::boxed(),
        Model::<Vendors>::boxed(),
    ]
}
