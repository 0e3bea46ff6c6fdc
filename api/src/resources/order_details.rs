//! An order as clients see it: the same form when it is placed and when it is asked for.

use chrono::{DateTime, Utc};
use soko_commands::handlers::PlacedOrder;
use soko_domain::order::{FulfilmentStatus, OrderLine, OrderStatus, Totals};
use soko_domain::payment::{self, PaymentProvider, PaymentStatus};
use soko_domain::{
    Address, CouponCode, Currency, Money, OrderId, PaymentId, ProductId, Quantity, Sku, StoreId,
    Text, VariantId, VendorId,
};

use crate::schema::{answer, words};

answer! {
    pub(crate) struct OrderDetails {
        pub order_id: OrderId,
        pub number: String,
        pub status: OrderStatus,
        pub store_id: StoreId,
        pub totals: OrderTotals,
        pub lines: Vec<LineDetails>,
        /// One for each vendor.
        pub fulfilments: Vec<FulfilmentDetails>,
        pub payment: OrderPayment,
        /// The code of the coupon that it was given.
        pub coupon: Option<CouponCode>,
        /// Null in the answer to the order itself, and once the person is erased.
        pub shipping_address: Option<Address>,
        pub placed_at: Option<DateTime<Utc>>,
        /// Opens the order to a guest, as `X-Order-Token`; only in the answer to the order itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub guest_token: Option<String>,
    }

    /// `total` is what the buyer pays; `tax` is in it.
    pub(crate) struct OrderTotals {
        pub subtotal: Money,
        pub discount: Money,
        pub shipping: Money,
        pub tax: Money,
        pub total: Money,
    }

    pub(crate) struct LineDetails {
        pub variant_id: VariantId,
        pub product_id: ProductId,
        pub vendor_id: VendorId,
        pub sku: Sku,
        pub name: Text<200>,
        pub quantity: Quantity,
        pub unit_price: Money,
        pub discount: Money,
        pub tax: Money,
        pub total: Money,
    }

    pub(crate) struct FulfilmentDetails {
        pub vendor_id: VendorId,
        pub status: FulfilmentStatus,
        pub carrier: Option<Text<100>>,
        pub tracking_number: Option<Text<100>>,
    }

    pub(crate) struct OrderPayment {
        pub payment_id: PaymentId,
        pub provider: PaymentProvider,
        pub status: PaymentStatus,
        /// What the buyer has to do next.
        pub next_action: NextAction,
    }

    /// What the buyer has to do next. All but the type is for whoever pays alone.
    pub(crate) struct NextAction {
        pub r#type: NextActionType,
        /// Of the provider's page.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub url: Option<String>,
        /// For the provider's own form.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub client_secret: Option<String>,
        /// To enter in the wallet's own app.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub code: Option<String>,
        /// Until when the code is good, as the provider writes it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub expires: Option<String>,
        /// What the provider says to do.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub instructions: Option<String>,
    }
}

/// What a buyer has to do so that a payment goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NextActionType {
    None,
    AwaitPhonePrompt,
    Redirect,
    ClientSecret,
    ShowCode,
    /// To post the code that came to `/payments/{id}/code`.
    EnterCode,
}

words! {
    OrderStatus = "OrderStatus" [
        "pending_payment", "confirmed", "paid", "partly_shipped", "shipped", "delivered",
        "completed", "cancelled", "expired",
    ],
    FulfilmentStatus = "FulfilmentStatus" ["pending", "packed", "shipped", "delivered"],
    PaymentStatus = "PaymentStatus" [
        "initiated", "pending", "authorised", "captured", "failed", "expired", "unresolved",
        "partly_refunded", "refunded", "disputed", "cancelled",
    ],
    NextActionType = "NextActionType" [
        "none", "await_phone_prompt", "redirect", "client_secret", "show_code", "enter_code",
    ],
}

impl OrderPayment {
    /// Nothing is asked of the buyer, as far as is known here.
    pub(crate) fn new(
        payment_id: PaymentId,
        provider: PaymentProvider,
        status: PaymentStatus,
    ) -> Self {
        Self {
            payment_id,
            provider,
            status,
            next_action: NextAction::none(),
        }
    }
}

impl NextAction {
    pub(crate) const fn none() -> Self {
        Self::only(NextActionType::None)
    }

    const fn only(r#type: NextActionType) -> Self {
        Self {
            r#type,
            url: None,
            client_secret: None,
            code: None,
            expires: None,
            instructions: None,
        }
    }

    /// All of it for whoever pays; for others, what kind of thing it is.
    pub(crate) fn of(action: Option<&payment::NextAction>, is_payer: bool) -> Self {
        let Some(action) = action else {
            return Self::none();
        };
        let full = match action {
            payment::NextAction::AwaitPhonePrompt { instructions } => Self {
                instructions: instructions.clone(),
                ..Self::only(NextActionType::AwaitPhonePrompt)
            },
            payment::NextAction::Redirect { url } => Self {
                url: Some(url.clone()),
                ..Self::only(NextActionType::Redirect)
            },
            payment::NextAction::ClientSecret { client_secret } => Self {
                client_secret: Some(client_secret.clone()),
                ..Self::only(NextActionType::ClientSecret)
            },
            payment::NextAction::ShowCode { code, until } => Self {
                code: Some(code.clone()),
                expires: until.clone(),
                ..Self::only(NextActionType::ShowCode)
            },
            payment::NextAction::EnterCode { .. } => Self::only(NextActionType::EnterCode),
        };
        if is_payer {
            full
        } else {
            Self::only(full.r#type)
        }
    }
}

impl OrderTotals {
    pub(crate) fn of(totals: Totals, currency: Currency) -> Self {
        let money = |amount| Money::new(amount, currency);
        Self {
            subtotal: money(totals.subtotal),
            discount: money(totals.discount),
            shipping: money(totals.shipping),
            tax: money(totals.tax),
            total: money(totals.total),
        }
    }
}

impl LineDetails {
    pub(crate) fn of(line: OrderLine, currency: Currency) -> Self {
        let money = |amount| Money::new(amount, currency);
        Self {
            variant_id: line.variant_id,
            product_id: line.product_id,
            vendor_id: line.vendor_id,
            sku: line.sku,
            name: line.name,
            quantity: line.quantity,
            unit_price: money(line.unit_price),
            discount: money(line.discount),
            tax: money(line.tax),
            total: money(line.total),
        }
    }
}

impl OrderDetails {
    /// The answer to who placed it. It says nothing about the person.
    pub(crate) fn placed(
        store_id: StoreId,
        placed: PlacedOrder,
        placed_at: Option<DateTime<Utc>>,
        guest_token: Option<String>,
    ) -> Self {
        let currency = placed.currency;
        let fulfilments =
            placed
                .fulfilments
                .into_iter()
                .map(|(vendor_id, status)| FulfilmentDetails {
                    vendor_id,
                    status,
                    carrier: None,
                    tracking_number: None,
                });
        Self {
            order_id: placed.order_id,
            number: placed.number,
            status: placed.status,
            store_id,
            totals: OrderTotals::of(placed.totals, currency),
            lines: placed
                .lines
                .into_iter()
                .map(|line| LineDetails::of(line, currency))
                .collect(),
            fulfilments: fulfilments.collect(),
            payment: OrderPayment::new(placed.payment_id, placed.provider, placed.payment_status),
            coupon: placed.coupon,
            shipping_address: None,
            placed_at,
            guest_token,
        }
    }
}
