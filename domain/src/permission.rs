//! Who may do what: the permissions there are, the roles, and which role holds which permission.
//!
//! A role holds its permissions within its scope only: a store's manager in that store and for the
//! vendors in it, a tenant's owner in all of the tenant's stores. Whoever asks holds all the roles
//! that their memberships give them where the thing asked for lies, and one that allows it is enough.

#[cfg(test)]
mod tests;

use crate::account::PlatformRole;
use crate::store::StoreRole;
use crate::tenant::TenantRole;
use crate::vendor::VendorRole;
use serde::{Deserialize, Serialize};

/// What holding a permission can bring about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something that people do for themselves only.
    Own,
    Read,
    Write,
}

/// Within what a role counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Platform,
    Tenant,
    Store,
    Vendor,
    /// What belongs to the one who asks.
    Own,
}

macro_rules! permissions {
    ($($kind:ident { $($(#[$doc:meta])* $permission:ident),+ $(,)? })+) => {
        /// One thing that a route may ask for. The list is closed: a new route uses one of these,
        /// or adds one here and to the roles that hold it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Permission {
            $($($(#[$doc])* $permission,)+)+
        }

        impl Permission {
            pub const ALL: &'static [Self] = &[$($(Self::$permission,)+)+];

            pub const fn kind(self) -> Kind {
                match self {
                    $($(Self::$permission)|+ => Kind::$kind,)+
                }
            }
        }
    };
}

permissions! {
    Own {
        /// One's profile, addresses, sessions, API keys, and what became of one's commands.
        ManageSelf,
        CreateTenant,
        RegisterVendor,
        AcceptInvitation,
        UseCart,
        PlaceOrder,
        PayOrder,
        RequestReturn,
    }
    Read {
        ViewTenant,
        /// The settings and the team of a store; its name and what it sells are public.
        ViewStore,
        /// The details and the team of a vendor.
        ViewVendor,
        /// Products that are not on sale, and how an import went.
        ViewDrafts,
        /// Levels and their ledger.
        ViewStock,
        /// Orders, their buyers, tracking and invoices.
        ViewOrders,
        ViewPayments,
        /// All that led to a payment's state, what the provider said included.
        ViewCaseFile,
        /// What a vendor is owed and was paid.
        ViewBalance,
        /// Coupons, what they give and how often they were used.
        ViewPromotions,
        ViewReports,
        /// The events themselves; each look is recorded.
        ReadAudit,
        /// Who looked at what, and under which role.
        ViewAccessLog,
        ViewProjections,
    }
    Write {
        ChangeTenant,
        ManageTenantMembers,
        OpenStore,
        /// Its terms and locations.
        ChangeStore,
        CloseStore,
        ManageStoreMembers,
        ChangeVendor,
        /// Approve, reject, suspend, reinstate.
        DecideVendor,
        ManageVendorMembers,
        ChangePayoutAccount,
        RequestPayout,
        /// Approve or reject what somebody else has requested, and put on record what was paid by
        /// hand.
        ApprovePayout,
        /// Products, their variants, prices and pictures; imports.
        EditProducts,
        /// Publish, unpublish, archive.
        PublishProducts,
        EditCategories,
        /// Coupons: what they give, to how many, until when.
        ManagePromotions,
        /// Receive, adjust, count, and when it counts as low.
        MoveStock,
        CancelOrder,
        /// Pack, ship, deliver.
        FulfilOrder,
        DecideReturn,
        /// Put on record that cash was taken. A vendor's people can do so only for an order that is
        /// theirs alone.
        CollectCash,
        RefundPayment,
        /// Put on record what came of a payment of which nobody else can tell.
        SettlePayment,
        /// What opens a store's accounts with payment providers.
        ManagePaymentAccounts,
        /// Load what a provider says it moved.
        ReconcilePayments,
        RebuildProjections,
        GrantPlatformRoles,
    }
}

macro_rules! roles {
    ($($role:ident in $scope:ident: $($permission:ident)+;)+) => {
        /// Every role there is, over all scopes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Role {
            $($role,)+
        }

        impl Role {
            pub const ALL: &'static [Self] = &[$(Self::$role,)+];

            pub const fn scope(self) -> Scope {
                match self {
                    $(Self::$role => Scope::$scope,)+
                }
            }

            pub const fn permissions(self) -> &'static [Permission] {
                match self {
                    $(Self::$role => &[$(Permission::$permission,)+],)+
                }
            }
        }
    };
}

// The table. What people do for themselves they do as customers, whatever else they are.
roles! {
    PlatformAdmin in Platform:
        ViewTenant ChangeTenant ManageTenantMembers OpenStore
        ViewStore ChangeStore CloseStore ManageStoreMembers
        ViewVendor ChangeVendor DecideVendor ManageVendorMembers
        ViewBalance ChangePayoutAccount RequestPayout ApprovePayout
        ViewDrafts EditProducts PublishProducts EditCategories ViewStock MoveStock
        ViewOrders CancelOrder FulfilOrder DecideReturn
        ViewPayments ViewCaseFile CollectCash RefundPayment SettlePayment ReconcilePayments ManagePaymentAccounts
        ViewReports ReadAudit ViewAccessLog ViewProjections RebuildProjections GrantPlatformRoles
        ViewPromotions ManagePromotions;
    PlatformAuditor in Platform:
        ViewTenant ViewStore ViewVendor ViewBalance ViewDrafts ViewStock
        ViewOrders ViewPayments ViewCaseFile ViewReports ReadAudit ViewAccessLog
        ViewProjections
        ViewPromotions;
    PlatformAnalyst in Platform:
        ViewStore ViewStock ViewReports;
    PlatformSupport in Platform:
        ViewTenant ViewStore ViewVendor ViewDrafts ViewStock
        ViewOrders CancelOrder ViewPayments ViewCaseFile ViewProjections
        ViewPromotions;

    TenantOwner in Tenant:
        ViewTenant ChangeTenant ManageTenantMembers OpenStore
        ViewStore ChangeStore CloseStore ManageStoreMembers
        ViewVendor ChangeVendor DecideVendor ViewBalance RequestPayout ApprovePayout
        ViewDrafts EditProducts PublishProducts EditCategories ViewStock MoveStock
        ViewOrders CancelOrder FulfilOrder DecideReturn
        ViewPayments ViewCaseFile CollectCash RefundPayment SettlePayment ReconcilePayments ManagePaymentAccounts
        ViewReports ReadAudit ViewAccessLog
        ViewPromotions ManagePromotions;
    TenantAdmin in Tenant:
        ViewTenant ChangeTenant OpenStore
        ViewStore ChangeStore CloseStore ManageStoreMembers
        ViewVendor ChangeVendor DecideVendor ViewBalance RequestPayout ApprovePayout
        ViewDrafts EditProducts PublishProducts EditCategories ViewStock MoveStock
        ViewOrders CancelOrder FulfilOrder DecideReturn
        ViewPayments ViewCaseFile CollectCash RefundPayment SettlePayment ReconcilePayments ManagePaymentAccounts
        ViewReports ReadAudit ViewAccessLog
        ViewPromotions ManagePromotions;

    StoreManager in Store:
        ViewStore ChangeStore ManageStoreMembers ViewVendor ChangeVendor DecideVendor ViewBalance
        ApprovePayout ViewDrafts EditProducts PublishProducts EditCategories ViewStock MoveStock
        ViewOrders CancelOrder FulfilOrder DecideReturn
        ViewPayments ViewCaseFile CollectCash RefundPayment SettlePayment ReconcilePayments ViewReports
        ViewPromotions ManagePromotions;
    StoreStaff in Store:
        ViewStore ViewVendor ViewDrafts ViewStock MoveStock
        ViewOrders CancelOrder FulfilOrder DecideReturn ViewPayments CollectCash
        ViewPromotions;
    StoreAuditor in Store:
        ViewStore ViewVendor ViewBalance ViewDrafts ViewStock
        ViewOrders ViewPayments ViewCaseFile ViewReports ReadAudit
        ViewPromotions;
    StoreAnalyst in Store:
        ViewStore ViewStock ViewReports;

    VendorOwner in Vendor:
        ViewVendor ChangeVendor ManageVendorMembers ViewBalance ChangePayoutAccount RequestPayout
        ViewDrafts EditProducts PublishProducts ViewStock MoveStock
        ViewOrders CancelOrder FulfilOrder DecideReturn CollectCash ViewReports
        ViewPromotions ManagePromotions;
    VendorManager in Vendor:
        ViewVendor ChangeVendor ViewBalance
        ViewDrafts EditProducts PublishProducts ViewStock MoveStock
        ViewOrders CancelOrder FulfilOrder DecideReturn CollectCash ViewReports
        ViewPromotions ManagePromotions;
    VendorCatalog in Vendor:
        ViewVendor ViewDrafts EditProducts PublishProducts ViewStock MoveStock;
    VendorFulfilment in Vendor:
        ViewVendor ViewDrafts ViewStock MoveStock
        ViewOrders FulfilOrder DecideReturn CollectCash;
    VendorFinance in Vendor:
        ViewVendor ViewOrders ViewBalance RequestPayout ViewReports
        ViewPromotions;
    VendorViewer in Vendor:
        ViewVendor ViewDrafts ViewStock ViewOrders ViewReports
        ViewPromotions;

    Customer in Own:
        ManageSelf CreateTenant RegisterVendor AcceptInvitation
        UseCart PlaceOrder PayOrder ViewOrders CancelOrder RequestReturn ViewPayments;
    Guest in Own:
        UseCart PlaceOrder PayOrder ViewOrders CancelOrder RequestReturn ViewPayments;
}

/// Whether a person who does it has to have shown a second factor a moment ago: where money leaves,
/// and where power over everything is given (OWASP ASVS 5.0, 7.5.3).
pub fn asks_for_second_factor(permission: Permission) -> bool {
    matches!(
        permission,
        Permission::ChangePayoutAccount
            | Permission::RequestPayout
            | Permission::ApprovePayout
            | Permission::GrantPlatformRoles
    )
}

/// Whether the role, within its scope, may do it.
pub fn allows(role: Role, permission: Permission) -> bool {
    role.permissions().contains(&permission)
}

impl From<PlatformRole> for Role {
    fn from(role: PlatformRole) -> Self {
        match role {
            PlatformRole::Admin => Self::PlatformAdmin,
            PlatformRole::Auditor => Self::PlatformAuditor,
            PlatformRole::Analyst => Self::PlatformAnalyst,
            PlatformRole::Support => Self::PlatformSupport,
        }
    }
}

impl From<TenantRole> for Role {
    fn from(role: TenantRole) -> Self {
        match role {
            TenantRole::Owner => Self::TenantOwner,
            TenantRole::Admin => Self::TenantAdmin,
        }
    }
}

impl From<StoreRole> for Role {
    fn from(role: StoreRole) -> Self {
        match role {
            StoreRole::Manager => Self::StoreManager,
            StoreRole::Staff => Self::StoreStaff,
            StoreRole::Auditor => Self::StoreAuditor,
            StoreRole::Analyst => Self::StoreAnalyst,
        }
    }
}

impl From<VendorRole> for Role {
    fn from(role: VendorRole) -> Self {
        match role {
            VendorRole::Owner => Self::VendorOwner,
            VendorRole::Manager => Self::VendorManager,
            VendorRole::Catalog => Self::VendorCatalog,
            VendorRole::Fulfilment => Self::VendorFulfilment,
            VendorRole::Finance => Self::VendorFinance,
            VendorRole::Viewer => Self::VendorViewer,
        }
    }
}
