//! Orders and payments to fold, for the tests of several read models.

use chrono::{DateTime, Utc};
use soko_domain::order::{
    CancelledBy, Customer, OrderEvent, OrderItem, Placement, Shares, number, price,
};
use soko_domain::payment::PaymentProvider;
use soko_domain::{
    Address, AnyEvent, Currency, Money, OrderId, Personal, StoreId, SubjectId, Tax, TenantId,
    VendorId,
};
use uuid::Uuid;

pub(crate) const TENANT: TenantId = TenantId::from_uuid(Uuid::from_u128(1));
pub(crate) const STORE: StoreId = StoreId::from_uuid(Uuid::from_u128(10));
pub(crate) const ANNA: VendorId = VendorId::from_uuid(Uuid::from_u128(11));
pub(crate) const BILL: VendorId = VendorId::from_uuid(Uuid::from_u128(12));
/// An account.
pub(crate) const WANJIRU: u128 = 30;

pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// So many of one variant of a product, for so much each.
pub(crate) fn item(product: u128, vendor_id: VendorId, units: u32, amount: i64) -> OrderItem {
    OrderItem {
        variant_id: id(product + 1_000),
        product_id: id(product),
        vendor_id,
        sku: format!("MUG-{product}").parse().unwrap(),
        name: "Mug".parse().unwrap(),
        quantity: units.try_into().unwrap(),
        unit_price: Money::new(amount, Currency::Kes),
    }
}

/// Paid in cash, by an account, with 16 % of tax in the prices.
pub(crate) fn placement(items: impl Into<Vec<OrderItem>>) -> Placement {
    let tax = Tax {
        prices_include_tax: true,
        rate: 1_600.try_into().unwrap(),
    };
    let (lines, totals) = price(items.into(), tax, Currency::Kes).unwrap();
    Placement {
        number: number(1),
        store_id: STORE,
        customer: Customer::Account(id(WANJIRU)),
        currency: Currency::Kes,
        lines,
        totals,
        tax,
        shipping_address: Personal::new(SubjectId::from_uuid(id(WANJIRU)), address()),
        payment_id: id(40),
        provider: PaymentProvider::CashOnDelivery,
        coupon: None,
    }
}

pub(crate) fn guest(token_hash: &str) -> Customer {
    let email = "guest@example.com".parse().unwrap();
    Customer::Guest {
        email: Personal::new(SubjectId::from_uuid(id(50)), email),
        token_hash: token_hash.to_owned(),
    }
}

pub(crate) fn address() -> Address {
    Address {
        name: "Wanjiru".parse().unwrap(),
        phone: "+254712345678".parse().unwrap(),
        line1: "Moi Avenue 1".parse().unwrap(),
        line2: None,
        city: "Nairobi".parse().unwrap(),
        province: None,
        postal_code: None,
        country: "KE".parse().unwrap(),
    }
}

pub(crate) fn placed(placement: &Placement) -> OrderEvent {
    OrderEvent::Placed(Box::new(placement.clone()))
}

pub(crate) fn paid(placement: &Placement) -> OrderEvent {
    OrderEvent::Paid {
        payment_id: placement.payment_id,
        amount: placement.totals.total,
        shares: Shares::of_sale(placement).ok(),
    }
}

pub(crate) fn packed(vendor_id: VendorId) -> OrderEvent {
    OrderEvent::Packed { vendor_id }
}

pub(crate) fn shipped(vendor_id: VendorId) -> OrderEvent {
    OrderEvent::Shipped {
        vendor_id,
        carrier: Some("G4S".parse().unwrap()),
        tracking_number: Some("T-1".parse().unwrap()),
    }
}

pub(crate) fn delivered(vendor_id: VendorId) -> OrderEvent {
    OrderEvent::Delivered { vendor_id }
}

pub(crate) fn cancelled(placement: &Placement) -> OrderEvent {
    OrderEvent::Cancelled {
        by: CancelledBy::Customer,
        reason: None,
        store_id: placement.store_id,
        currency: placement.currency,
        lines: placement.lines.iter().map(Into::into).collect(),
    }
}

pub(crate) fn of_order(order_id: OrderId, event: OrderEvent) -> AnyEvent {
    AnyEvent::Order(order_id, event)
}
