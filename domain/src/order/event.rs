//! What has happened to an order.

use super::Shares;
use crate::event_names::event_names;
use crate::money::is_zero;
use crate::payment::PaymentProvider;
use crate::{
    AccountId, Address, CouponCode, Currency, EmailAddress, OrderId, PaymentId, Personal,
    ProductId, PromotionId, Quantity, RefundId, Sku, StoreId, SubjectId, Tax, Text, VariantId,
    VendorId,
};
use serde::{Deserialize, Serialize};

/// Who ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Customer {
    Account(AccountId),
    Guest {
        email: Personal<EmailAddress>,
        /// SHA-256 (hex) of the token that opens the order; the token itself is never stored.
        token_hash: String,
    },
}

impl Customer {
    /// Whose key protects what is personal in the order: the account's, so that its erasure reaches
    /// all of its orders; a guest's order has one of its own.
    pub fn subject(&self, order_id: OrderId) -> SubjectId {
        match self {
            Self::Account(account_id) => (*account_id).into(),
            Self::Guest { .. } => order_id.into(),
        }
    }
}

/// One line: so many of one variant at one price. Amounts are minor units of the order's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub vendor_id: VendorId,
    pub sku: Sku,
    pub name: Text<200>,
    pub quantity: Quantity,
    /// As shown to the buyer: with tax if the store's prices include it.
    pub unit_price: i64,
    /// What was taken off the line.
    pub discount: i64,
    /// How much of that the store makes up for: the vendor is owed it beside what the buyer pays.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub subsidy: i64,
    /// The tax in or on the line.
    pub tax: i64,
    /// What the buyer pays for the line, tax included.
    pub total: i64,
    /// What the store keeps of that and of the subsidy, by its rules at that time, without tax.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub commission: i64,
    /// The tax that the vendor owes on the commission.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub commission_tax: i64,
}

impl From<&OrderLine> for CancelledLine {
    fn from(line: &OrderLine) -> Self {
        Self {
            product_id: line.product_id,
            vendor_id: line.vendor_id,
            quantity: line.quantity,
            tax: line.tax,
            total: line.total,
        }
    }
}

/// Minor units of the order's currency. `total` is what the buyer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// The lines' unit prices times their quantities.
    pub subtotal: i64,
    pub discount: i64,
    pub shipping: i64,
    pub tax: i64,
    pub total: i64,
}

/// The promotion that an order was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCoupon {
    pub promotion_id: PromotionId,
    pub code: CouponCode,
    /// Which of the uses that its customer may have of it, from 0; none where that is not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_use: Option<u8>,
}

/// Everything that was agreed when the order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// What people call the order; unique within its store.
    pub number: String,
    pub store_id: StoreId,
    pub customer: Customer,
    pub currency: Currency,
    pub lines: Vec<OrderLine>,
    pub totals: Totals,
    pub tax: Tax,
    pub shipping_address: Personal<Address>,
    pub payment_id: PaymentId,
    pub provider: PaymentProvider,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<OrderCoupon>,
}

/// A line that is not sold after all. Amounts are minor units of the order's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelledLine {
    pub product_id: ProductId,
    pub vendor_id: VendorId,
    pub quantity: Quantity,
    /// The tax in or on the line.
    pub tax: i64,
    /// What the buyer would have paid for the line, tax included.
    pub total: i64,
}

/// Why an order was called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelledBy {
    Customer,
    Vendor,
    Store,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderEvent {
    Placed(Box<Placement>),
    /// The money is there. Minor units of the order's currency.
    Paid {
        payment_id: PaymentId,
        amount: i64,
        /// Whose the money of the sale is, whatever was paid; every such event written now has them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shares: Option<Shares>,
    },
    /// Some of the money went back, or all of it. Minor units of the order's currency.
    Refunded {
        payment_id: PaymentId,
        refund_id: RefundId,
        amount: i64,
        /// What of the payment is left.
        kept: i64,
        /// Whose money of the sale goes back; every such event written now has them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shares: Option<Shares>,
    },
    /// The buyer tries to pay, once more or another way.
    PaymentAttempted {
        payment_id: PaymentId,
        provider: PaymentProvider,
    },
    /// Some of the money is there. Amounts are minor units of the order's currency.
    PartlyPaid {
        payment_id: PaymentId,
        amount: i64,
        /// What is still to come.
        due: i64,
    },
    Packed {
        vendor_id: VendorId,
    },
    Shipped {
        vendor_id: VendorId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        carrier: Option<Text<100>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tracking_number: Option<Text<100>>,
    },
    Delivered {
        vendor_id: VendorId,
    },
    /// Delivered by every vendor and paid: nothing is left to do.
    Completed {},
    Cancelled {
        by: CancelledBy,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Text<500>>,
        /// What is taken back with it: who counts sales then need not look for what was placed.
        store_id: StoreId,
        currency: Currency,
        lines: Vec<CancelledLine>,
    },
    /// Nobody paid in time. It takes back what a cancellation does.
    Expired {
        store_id: StoreId,
        currency: Currency,
        lines: Vec<CancelledLine>,
    },
}

event_names!(OrderEvent, "order", {
    Placed => "placed" v 1,
    Paid => "paid" v 1,
    Refunded => "refunded" v 1,
    PaymentAttempted => "payment_attempted" v 1,
    PartlyPaid => "partly_paid" v 1,
    Packed => "packed" v 1,
    Shipped => "shipped" v 1,
    Delivered => "delivered" v 1,
    Completed => "completed" v 1,
    Cancelled => "cancelled" v 1,
    Expired => "expired" v 1,
});
