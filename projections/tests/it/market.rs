//! A small market, as events.

use crate::log::{here, id, note, order, tenant, units};
use soko_domain::account::AccountEvent;
use soko_domain::cart::{CartEvent, CartOwner};
use soko_domain::category::CategoryEvent;
use soko_domain::order::{
    CancelledBy, Customer, OrderEvent, OrderLine, Placement, Shares, Totals, VendorShare,
};
use soko_domain::payment::{PaymentEvent, PaymentProvider, Purpose, RefundRequest};
use soko_domain::product::{Description, ProductEvent, Variant};
use soko_domain::promotion::{Discount, Funder, PromotionEvent, Terms as PromotionTerms};
use soko_domain::stock::StockEvent;
use soko_domain::store::{StoreEvent, StoreRole, Terms};
use soko_domain::tenant::TenantEvent;
use soko_domain::vendor::{VendorEvent, VendorRole};
use soko_domain::vendor_account::{Credit, Debit, PayoutMethod, VendorAccountEvent};
use soko_domain::{
    AccountId, Address, AnyEvent, CategoryId, Currency, Money, Personal, ProductId, StoreId,
    SubjectId, Tax, TaxRate, VariantId, VendorId,
};
use std::collections::BTreeMap;

pub(crate) fn text<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(crate) fn store() -> StoreId {
    id(10)
}

/// One of two vendors of the store.
pub(crate) fn vendor(number: u128) -> VendorId {
    id(20 + number)
}

pub(crate) fn customer() -> AccountId {
    id(40)
}

pub(crate) fn owner() -> AccountId {
    id(41)
}

pub(crate) fn drinks() -> CategoryId {
    id(50)
}

/// Below drinks.
pub(crate) fn coffee() -> CategoryId {
    id(51)
}

pub(crate) fn product_id(number: u128) -> ProductId {
    id(0x3000_0000 + number)
}

/// The first variant of a product.
pub(crate) fn variant_of(product: u128) -> VariantId {
    id(0x1000_0000 + product)
}

/// Everything that must be there before anything can be sold.
pub(crate) fn opening() -> Vec<AnyEvent> {
    let terms = Terms {
        tenant_id: tenant(),
        slug: text("duka"),
        name: text("Duka"),
        currency: Currency::Kes,
        country: text("KE"),
        time_zone: text("Africa/Nairobi"),
        tax: tax(),
        payment_methods: [PaymentProvider::CashOnDelivery].into(),
        commission_bps: TaxRate::try_from(500).unwrap(),
        main_location: here(),
    };
    let category = |category_id, slug, parent| CategoryEvent::Created {
        category_id,
        store_id: store(),
        slug: text(slug),
        name: text(slug),
        parent,
    };
    vec![
        AnyEvent::Account(customer(), registered("Wanjiru", customer())),
        AnyEvent::Account(owner(), registered("Otieno", owner())),
        AnyEvent::Tenant(
            tenant(),
            TenantEvent::Created {
                name: text("Soko Ltd"),
                owner: owner(),
            },
        ),
        AnyEvent::Store(store(), StoreEvent::Opened(Box::new(terms))),
        AnyEvent::Store(
            store(),
            StoreEvent::MemberAdded {
                account_id: customer(),
                role: StoreRole::Auditor,
            },
        ),
        AnyEvent::Vendor(vendor(0), vendor_registered("Kahawa Bora")),
        AnyEvent::Vendor(vendor(0), VendorEvent::Approved {}),
        AnyEvent::Vendor(vendor(1), vendor_registered("Vyombo")),
        AnyEvent::Vendor(
            vendor(1),
            VendorEvent::MemberInvited {
                invitation_id: id(60),
                email: Personal::new(subject(60), text("new@example.com")),
                role: VendorRole::Catalog,
                token_hash: "cafe".to_owned(),
                expires_at: chrono::DateTime::from_timestamp(1_900_000_000, 0).unwrap(),
            },
        ),
        AnyEvent::Category(drinks(), category(drinks(), "drinks", None)),
        AnyEvent::Category(coffee(), category(coffee(), "coffee", Some(drinks()))),
    ]
}

fn registered(name: &str, account_id: AccountId) -> AccountEvent {
    let subject = SubjectId::from_uuid(account_id.as_uuid());
    AccountEvent::Registered {
        name: Personal::new(subject, text(name)),
        email: Personal::new(subject, text("somebody@example.com")),
        phone: None,
    }
}

fn vendor_registered(name: &str) -> VendorEvent {
    VendorEvent::Registered {
        store_id: store(),
        name: text(name),
        email: Personal::new(subject(20), text("vendor@example.com")),
        phone: Personal::new(subject(20), text("+254712345678")),
        country: text("KE"),
        owner: owner(),
    }
}

fn subject(number: u128) -> SubjectId {
    SubjectId::from_uuid(id(number))
}

fn tax() -> Tax {
    Tax {
        prices_include_tax: true,
        rate: TaxRate::try_from(1_600).unwrap(),
    }
}

/// A product on sale, with one variant, and so much of it on hand.
pub(crate) fn on_sale(
    number: u128,
    vendor: u128,
    name: &str,
    price: i64,
    on_hand: u32,
    categories: &[CategoryId],
) -> Vec<AnyEvent> {
    let mut events = draft(number, vendor, name, price, categories);
    events.push(AnyEvent::Product(
        product_id(number),
        ProductEvent::Published {},
    ));
    if on_hand > 0 {
        let received = StockEvent::Received {
            location_id: here(),
            quantity: units(on_hand),
            note: note(),
        };
        events.push(AnyEvent::Stock(variant_of(number), received));
    }
    events
}

/// A product that is still worked on.
pub(crate) fn draft(
    number: u128,
    vendor: u128,
    name: &str,
    price: i64,
    categories: &[CategoryId],
) -> Vec<AnyEvent> {
    let sku = format!("SKU-{number:06}");
    let created = ProductEvent::Created {
        store_id: store(),
        vendor_id: self::vendor(vendor),
        slug: text(&format!("product-{number}")),
        description: Description {
            name: text(name),
            description: Some(text(&format!("This is {name}, made in Africa."))),
            category_ids: categories.iter().copied().collect(),
            images: vec![],
            seo: None,
        },
    };
    let variant = Variant {
        variant_id: variant_of(number),
        sku: text(&sku),
        name: text("Standard"),
        price: Money::new(price, Currency::Kes),
        barcode: None,
        weight_g: None,
        options: BTreeMap::new(),
    };
    let tracked = StockEvent::Tracked {
        store_id: store(),
        vendor_id: self::vendor(vendor),
        product_id: product_id(number),
        sku: text(&sku),
    };
    vec![
        AnyEvent::Product(product_id(number), created),
        AnyEvent::Product(product_id(number), ProductEvent::VariantAdded { variant }),
        AnyEvent::Stock(variant_of(number), tracked),
    ]
}

/// An order for one unit of each of the products (number, vendor, price), with all that is recorded
/// with it.
pub(crate) fn placed(
    number: u128,
    customer: &Customer,
    lines: &[(u128, u128, i64)],
) -> Vec<AnyEvent> {
    let order_id = order(number);
    let payment_id = id(0x4000_0000 + number);
    let order_lines = lines.iter().map(|&(product, vendor, price)| OrderLine {
        variant_id: variant_of(product),
        product_id: product_id(product),
        vendor_id: self::vendor(vendor),
        sku: text(&format!("SKU-{product:06}")),
        name: text("Thing"),
        quantity: units(1),
        unit_price: price,
        discount: 0,
        subsidy: 0,
        tax: tax().of(Money::new(price, Currency::Kes)).unwrap().amount(),
        total: price,
        commission: 0,
        commission_tax: 0,
    });
    let lines: Vec<OrderLine> = order_lines.collect();
    let total = lines.iter().map(|line| line.total).sum();
    let placement = Placement {
        number: soko_domain::order::number(u64::try_from(number).unwrap()),
        store_id: store(),
        customer: customer.clone(),
        currency: Currency::Kes,
        totals: Totals {
            subtotal: total,
            discount: 0,
            shipping: 0,
            tax: lines.iter().map(|line| line.tax).sum(),
            total,
        },
        tax: tax(),
        shipping_address: Personal::new(
            subject(number),
            Address {
                name: text("Wanjiru"),
                phone: text("+254712345678"),
                line1: text("Moi Avenue 1"),
                line2: None,
                city: text("Nairobi"),
                province: None,
                postal_code: None,
                country: text("KE"),
            },
        ),
        payment_id,
        provider: PaymentProvider::CashOnDelivery,
        coupon: None,
        lines,
    };
    let reserved = placement.lines.iter().map(|line| {
        let reserved = StockEvent::Reserved {
            order_id,
            location_id: here(),
            quantity: line.quantity,
        };
        AnyEvent::Stock(line.variant_id, reserved)
    });
    let initiated = PaymentEvent::Initiated {
        order_id,
        store_id: store(),
        provider: PaymentProvider::CashOnDelivery,
        amount: Money::new(total, Currency::Kes),
        terms: None,
    };
    let mut events: Vec<AnyEvent> = reserved.collect();
    events.extend(cart_of(number, customer, &placement.lines));
    events.push(AnyEvent::Order(
        order_id,
        OrderEvent::Placed(Box::new(placement)),
    ));
    events.push(AnyEvent::Payment(payment_id, initiated));
    events
}

fn cart_of(number: u128, customer: &Customer, lines: &[OrderLine]) -> Vec<AnyEvent> {
    let owner = match customer {
        Customer::Account(account_id) => CartOwner::Account(*account_id),
        Customer::Guest { .. } => CartOwner::Guest,
    };
    let started = CartEvent::Started {
        store_id: store(),
        owner,
    };
    let added = lines.iter().map(|line| CartEvent::ItemAdded {
        variant_id: line.variant_id,
        product_id: line.product_id,
        quantity: line.quantity,
        unit_price: Money::new(line.unit_price, Currency::Kes),
    });
    let checked_out = CartEvent::CheckedOut {
        order_id: order(number),
    };
    let events = std::iter::once(started).chain(added).chain([checked_out]);
    events
        .map(|event| AnyEvent::Cart(id(0x5000_0000 + number), event))
        .collect()
}

/// What a vendor does for an order, to the end.
pub(crate) fn fulfilled(number: u128, vendor: u128) -> Vec<AnyEvent> {
    let vendor_id = self::vendor(vendor);
    let shipped = OrderEvent::Shipped {
        vendor_id,
        carrier: Some(text("G4S")),
        tracking_number: None,
    };
    [
        OrderEvent::Packed { vendor_id },
        shipped,
        OrderEvent::Delivered { vendor_id },
    ]
    .map(|event| AnyEvent::Order(order(number), event))
    .into()
}

/// The cash, and the end of the order.
pub(crate) fn collected(number: u128, amount: i64) -> Vec<AnyEvent> {
    let payment_id = id(0x4000_0000 + number);
    let captured = PaymentEvent::Captured {
        amount: Money::new(amount, Currency::Kes),
        reference: text(&format!("CASH-{number}")),
        collected_by: Some(owner()),
        fee: None,
        is_provisional: false,
        is_hearsay: false,
        purpose: Some(Purpose {
            order_id: order(number),
            store_id: store(),
            provider: PaymentProvider::CashOnDelivery,
        }),
    };
    vec![
        AnyEvent::Payment(payment_id, captured),
        AnyEvent::Order(
            order(number),
            OrderEvent::Paid {
                payment_id,
                amount,
                shares: Some(sold_by(vendor(0), amount)),
            },
        ),
        AnyEvent::Order(order(number), OrderEvent::Completed {}),
    ]
}

/// All of it by one vendor, of which the store keeps nothing.
fn sold_by(vendor_id: VendorId, amount: i64) -> Shares {
    let share = VendorShare {
        vendor_id,
        gross: amount,
        tax: 0,
        commission: 0,
        commission_tax: 0,
        discount: 0,
        subsidy: 0,
    };
    Shares {
        store_id: store(),
        currency: Currency::Kes,
        shipping: 0,
        vendors: vec![share],
    }
}

/// What a vendor is owed for an order, of which a part goes back, and what it is paid.
pub(crate) fn settled(number: u128, vendor: u128, amount: i64) -> Vec<AnyEvent> {
    let vendor_id = self::vendor(vendor);
    let share = |gross| VendorShare {
        vendor_id,
        gross,
        tax: 0,
        commission: 0,
        commission_tax: 0,
        discount: 0,
        subsidy: 0,
    };
    let at = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let (payout_id, paid_out) = (id(0x6000_0000 + number), amount / 2);
    [
        VendorAccountEvent::Opened {
            store_id: store(),
            currency: Currency::Kes,
        },
        VendorAccountEvent::Credited(Box::new(Credit {
            order_id: order(number),
            amount,
            share: share(amount),
            available_at: at,
            credited_at: at,
        })),
        VendorAccountEvent::Debited(Box::new(Debit {
            order_id: order(number),
            refund_id: id(0x7000_0000 + number),
            amount: amount / 5,
            share: share(amount / 5),
        })),
        VendorAccountEvent::PayoutRequested {
            payout_id,
            store_id: store(),
            currency: Currency::Kes,
            amount: paid_out,
            method: PayoutMethod::ByHand,
            requested_by: None,
            requested_at: at,
        },
        VendorAccountEvent::PayoutApproved {
            payout_id,
            approved_by: Some(owner()),
        },
        VendorAccountEvent::PayoutPaid {
            payout_id,
            store_id: store(),
            currency: Currency::Kes,
            method: PayoutMethod::ByHand,
            amount: paid_out,
            reference: text("KCB-1"),
            paid_by: Some(owner()),
        },
    ]
    .map(|event| AnyEvent::VendorAccount(vendor_id, event))
    .into()
}

/// Some of it was to go back, and did not.
pub(crate) fn refund_failed(number: u128, amount: i64) -> Vec<AnyEvent> {
    let refund_id = id(0x6000_0000 + number);
    let request = RefundRequest {
        refund_id,
        amount: Money::new(amount, Currency::Kes),
        reason: text("it was broken"),
        is_surplus: false,
        requested_by: None,
    };
    let requested = PaymentEvent::RefundRequested {
        request,
        of: text(&format!("CASH-{number}")),
    };
    let failed = PaymentEvent::RefundFailed {
        refund_id,
        reason: text("other"),
        words: None,
    };
    [requested, failed]
        .map(|event| AnyEvent::Payment(id(0x4000_0000 + number), event))
        .into()
}

pub(crate) fn cancelled(placed: &[AnyEvent]) -> AnyEvent {
    let found = placed.iter().find_map(|event| match event {
        AnyEvent::Order(order_id, OrderEvent::Placed(placement)) => Some((*order_id, placement)),
        _ => None,
    });
    let (order_id, placement) = found.unwrap();
    let cancelled = OrderEvent::Cancelled {
        by: CancelledBy::Customer,
        reason: None,
        store_id: placement.store_id,
        currency: placement.currency,
        lines: placement.lines.iter().map(Into::into).collect(),
    };
    AnyEvent::Order(order_id, cancelled)
}

pub(crate) fn by_account() -> Customer {
    Customer::Account(customer())
}

/// A coupon, which an order was given.
pub(crate) fn promoted(order_number: u128) -> [AnyEvent; 2] {
    let created = PromotionEvent::Created {
        store_id: store(),
        code: text("KARIBU"),
        vendor_id: None,
        funder: Funder::Store,
        currency: Currency::Kes,
        terms: PromotionTerms {
            name: text("Karibu"),
            discount: Discount::Fixed { amount: 100 },
            minimum: 0,
            starts_at: None,
            ends_at: None,
            uses_max: Some(1),
            uses_per_customer: None,
        },
    };
    let redeemed = PromotionEvent::Redeemed {
        order_id: order(order_number),
        account_id: Some(customer()),
        discount: 100,
    };
    [created, redeemed].map(|event| AnyEvent::Promotion(id(0x7000_0000), event))
}
