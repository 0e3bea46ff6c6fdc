//! What Soko's trade consists of: value types, aggregates and their events, and who may do what.
//!
//! Everything here answers from what it is given: no clock, no randomness, no I/O. Ids, times,
//! prices and rates arrive with the command.

mod address;
mod any_event;
mod any_state;
mod coupon_code;
mod currency;
mod decide;
mod email_address;
mod event_names;
mod ids;
mod money;
mod personal;
mod phone_number;
mod quantity;
mod sku;
mod slug;
mod tax;
mod team;
mod text;
mod upcasters;
mod web_origin;

pub mod account;
pub mod cart;
pub mod category;
pub mod commission;
pub mod order;
pub mod payment;
pub mod permission;
pub mod product;
pub mod promotion;
pub mod reconciliation;
pub mod statement;
pub mod stock;
pub mod store;
pub mod tenant;
pub mod vendor;
pub mod vendor_account;

pub use account::Account;
pub use address::{Address, CountryCode};
pub use any_event::{AnyEvent, DecodeError, Written};
pub use any_state::state_after;
pub use cart::Cart;
pub use category::Category;
pub use coupon_code::{CouponCode, CouponCodeError};
pub use currency::Currency;
pub use decide::{Decide, write_decision};
pub use email_address::EmailAddress;
pub use ids::*;
pub use money::{Money, MoneyError};
pub use order::Order;
pub use payment::Payment;
pub use permission::{Permission, Role, Scope, allows};
pub use personal::{Personal, SubjectId};
pub use phone_number::PhoneNumber;
pub use product::Product;
pub use promotion::Promotion;
pub use quantity::Quantity;
pub use sku::Sku;
pub use slug::Slug;
pub use statement::Statement;
pub use stock::Stock;
pub use store::Store;
pub use tax::{Tax, TaxRate};
pub use team::{Team, TeamError, TeamRole};
pub use tenant::Tenant;
pub use text::{Text, TextError};
pub use upcasters::upcasters;
pub use vendor::Vendor;
pub use vendor_account::VendorAccount;
pub use web_origin::{WebOrigin, WebOriginError};
