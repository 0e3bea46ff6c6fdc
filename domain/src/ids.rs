//! One id type per kind of thing, so that one can never stand for another.

use crate::CouponCode;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// What the id of an aggregate's stream must be able to do.
pub trait AggregateId:
    Copy
    + Ord
    + std::hash::Hash
    + fmt::Display
    + fmt::Debug
    + FromStr
    + From<Uuid>
    + Send
    + Sync
    + 'static
{
    fn as_uuid(&self) -> Uuid;
}

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl AggregateId for $name {
            fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

id_types! {
    /// A person, or a program, that logs in.
    AccountId,
    /// A business that runs stores; nothing is ever shared between two of them.
    TenantId,
    StoreId,
    VendorId,
    CategoryId,
    ProductId,
    /// One form of a product that can be bought and counted; also the id of its stock.
    VariantId,
    /// A place where stock lies.
    LocationId,
    CartId,
    OrderId,
    PaymentId,
    InvitationId,
    RefundId,
    /// A provider's account of what it moved, as one file.
    StatementId,
    /// One movement as a provider tells it, in however many statements.
    StatementLineId,
    PayoutId,
    PromotionId,
    /// An entry of somebody's address book.
    AddressId,
}

impl TenantId {
    /// What belongs to no tenant: accounts.
    pub const PLATFORM: Self = Self(Uuid::nil());
}

impl PromotionId {
    /// A code stands for one promotion in each store, for ever: so its promotion is found without
    /// being looked for.
    pub fn of_code(store: StoreId, code: &CouponCode) -> Self {
        let store_promotions = Uuid::new_v5(&store.0, b"promotion");
        Self(Uuid::new_v5(&store_promotions, code.as_str().as_bytes()))
    }
}

impl CartId {
    /// An account has one cart in each store.
    pub fn of_account(store: StoreId, account: AccountId) -> Self {
        Self(Uuid::new_v5(&store.0, account.0.as_bytes()))
    }

    /// A guest's cart is found by its token alone, which is never stored.
    pub fn of_guest(store: StoreId, cart_token: &str) -> Self {
        let store_guests = Uuid::new_v5(&store.0, b"guest");
        Self(Uuid::new_v5(&store_guests, cart_token.as_bytes()))
    }
}
