//! Events as sentences.

mod payments;
mod promotions;
mod vendor_accounts;

use soko_domain::cart::CartEvent;
use soko_domain::order::{CancelledBy, OrderEvent, Placement};
use soko_domain::payment::{PaymentProvider, RefundMethod};
use soko_domain::stock::StockEvent;
use soko_domain::{AnyEvent, Money, Text};

/// What happened, and how much money is meant by it.
pub(crate) struct Sentence {
    pub(crate) what: String,
    pub(crate) amount: Option<Money>,
}

pub(crate) fn sentence(event: &AnyEvent) -> Sentence {
    let plain = |what: String| Sentence { what, amount: None };
    match event {
        AnyEvent::Order(_, event) => order(event),
        AnyEvent::Payment(_, event) => payments::payment(event),
        AnyEvent::Promotion(_, event) => promotions::promotion(event),
        AnyEvent::VendorAccount(vendor_id, event) => vendor_accounts::account(*vendor_id, event),
        AnyEvent::Stock(variant, event) => plain(format!("{} (variant {variant})", stock(event))),
        AnyEvent::Cart(cart, CartEvent::CheckedOut { order_id }) => {
            plain(format!("cart {cart} became order {order_id}"))
        }
        AnyEvent::Account(..)
        | AnyEvent::Tenant(..)
        | AnyEvent::Store(..)
        | AnyEvent::Vendor(..)
        | AnyEvent::Category(..)
        | AnyEvent::Product(..)
        | AnyEvent::Statement(..)
        | AnyEvent::Cart(..) => plain(format!(
            "{} {}",
            event.name().replace(['.', '_'], " "),
            event.stream_id()
        )),
    }
}

fn order(event: &OrderEvent) -> Sentence {
    let plain = |what: String| Sentence { what, amount: None };
    match event {
        OrderEvent::Placed(placement) => placed(placement),
        OrderEvent::Paid { payment_id, .. } => plain(format!("paid by payment {payment_id}")),
        OrderEvent::Refunded {
            payment_id, kept, ..
        } => plain(format!(
            "money of payment {payment_id} went back, {kept} minor units are left"
        )),
        OrderEvent::PaymentAttempted {
            payment_id,
            provider,
        } => plain(format!(
            "to be paid by {}, payment {payment_id}",
            name(*provider)
        )),
        OrderEvent::PartlyPaid {
            payment_id, due, ..
        } => plain(format!(
            "partly paid by payment {payment_id}, {due} minor units are due"
        )),
        OrderEvent::Expired { .. } => plain("expired: nobody paid in time".to_owned()),
        OrderEvent::Packed { vendor_id } => plain(format!("packed by vendor {vendor_id}")),
        OrderEvent::Shipped {
            vendor_id,
            carrier,
            tracking_number,
        } => {
            let carrier = carrier
                .as_ref()
                .map(|c| format!(" with {c}"))
                .unwrap_or_default();
            let number = tracking_number
                .as_ref()
                .map(|n| format!(", {n}"))
                .unwrap_or_default();
            plain(format!("shipped by vendor {vendor_id}{carrier}{number}"))
        }
        OrderEvent::Delivered { vendor_id } => {
            plain(format!("delivered: the part of vendor {vendor_id}"))
        }
        OrderEvent::Completed {} => plain("completed: delivered and paid".to_owned()),
        OrderEvent::Cancelled { by, reason, .. } => {
            let by = match by {
                CancelledBy::Customer => "the customer",
                CancelledBy::Vendor => "the vendor",
                CancelledBy::Store => "the store",
            };
            plain(format!("cancelled by {by}{}", because(reason.as_ref())))
        }
    }
}

fn placed(placement: &Placement) -> Sentence {
    let money = |amount| Money::new(amount, placement.currency);
    let lines: Vec<String> = placement
        .lines
        .iter()
        .map(|line| {
            format!(
                "{} × {} at {}",
                line.quantity,
                line.name,
                money(line.unit_price)
            )
        })
        .collect();
    let tax = money(placement.totals.tax);
    let kind = if placement.tax.prices_include_tax {
        "included"
    } else {
        "on top"
    };
    let coupon = placement.coupon.as_ref().map(|coupon| {
        let discount = money(placement.totals.discount);
        format!("; {discount} off by coupon {}", coupon.code)
    });
    Sentence {
        what: format!(
            "order {} placed: {}{}; tax {tax} {kind}",
            placement.number,
            lines.join(", "),
            coupon.unwrap_or_default()
        ),
        amount: Some(money(placement.totals.total)),
    }
}

fn name(provider: PaymentProvider) -> &'static str {
    match provider {
        PaymentProvider::BankTransfer => "bank transfer",
        PaymentProvider::CashOnDelivery => "cash on delivery",
        PaymentProvider::Ecocash => "EcoCash",
        PaymentProvider::Mpesa => "M-Pesa",
        PaymentProvider::Paynow => "Paynow",
        PaymentProvider::Paystack => "Paystack",
        PaymentProvider::Stripe => "Stripe",
        PaymentProvider::StripeCheckout => "Stripe Checkout",
    }
}

fn by(method: RefundMethod) -> &'static str {
    match method {
        RefundMethod::Provider => "the way it came",
        RefundMethod::Cash => "in cash",
        RefundMethod::BankTransfer => "by bank transfer",
        RefundMethod::MobileMoney => "by mobile money",
    }
}

fn stock(event: &StockEvent) -> String {
    match event {
        StockEvent::Tracked { sku, .. } => format!("stock of {sku} is kept"),
        StockEvent::Received { quantity, note, .. } => {
            format!("{quantity} received: {}", note.reason)
        }
        StockEvent::Adjusted {
            difference, note, ..
        } => {
            format!("{difference:+} adjusted: {}", note.reason)
        }
        StockEvent::Counted {
            counted,
            difference,
            ..
        } => {
            format!("{counted} counted ({difference:+})")
        }
        StockEvent::Reserved {
            quantity,
            location_id,
            ..
        } => {
            format!("{quantity} reserved at {location_id}")
        }
        StockEvent::Released {
            quantity,
            location_id,
            ..
        } => {
            format!("{quantity} released at {location_id}")
        }
        StockEvent::Committed {
            quantity,
            location_id,
            ..
        } => {
            format!("{quantity} left {location_id}")
        }
        StockEvent::Returned {
            quantity,
            location_id,
            ..
        } => {
            format!("{quantity} came back to {location_id}")
        }
        StockEvent::LowStockThresholdSet { threshold } => format!("low means {threshold}"),
        StockEvent::RanLow { available, .. } => format!("stock ran low: {available} left"),
        StockEvent::Replenished { available, .. } => format!("{available} available again"),
    }
}

fn because(reason: Option<&Text<500>>) -> String {
    reason
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default()
}
