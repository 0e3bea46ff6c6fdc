//! One of every event, with every field filled, as the golden files are first written.

use crate::promotion_forms::promotion;
use crate::vendor_account_forms::vendor_account;
use chrono::DateTime;
use serde::de::DeserializeOwned;
use soko_domain::account::{AccountEvent, PlatformRole};
use soko_domain::cart::{CartEvent, CartOwner};
use soko_domain::category::CategoryEvent;
use soko_domain::commission::{CommissionRule, CommissionRules};
use soko_domain::order::{CancelledBy, Customer, OrderEvent, OrderLine, Placement, Totals};
use soko_domain::payment::{
    Dispute, DisputeStage, DisputedMoney, NextAction, PaymentEvent, PaymentProvider, Refund,
    RefundMethod, RefundRequest,
};
use soko_domain::product::{Description, ProductEvent, Seo, Variant};
use soko_domain::statement::{
    LineKind, Opening, Period, StatementEvent, StatementLine, StatementProvider, Tally,
};
use soko_domain::stock::{StockEvent, StockNote};
use soko_domain::store::{PayoutRules, PayoutSchedule, StoreEvent, StoreRole, Terms};
use soko_domain::tenant::{TenantEvent, TenantRole};
use soko_domain::vendor::{VendorEvent, VendorRole};
use soko_domain::{
    Address, AnyEvent, Currency, EmailAddress, Money, Personal, PhoneNumber, SubjectId, Tax, Text,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::str::FromStr;
use uuid::Uuid;

pub(crate) fn every_event() -> Vec<AnyEvent> {
    let mut events = Vec::new();
    events.extend(account().map(|event| AnyEvent::Account(id(1), event)));
    events.extend(tenant().map(|event| AnyEvent::Tenant(id(1), event)));
    events.extend(store().map(|event| AnyEvent::Store(id(1), event)));
    events.extend(vendor().map(|event| AnyEvent::Vendor(id(1), event)));
    events.extend(category().map(|event| AnyEvent::Category(id(1), event)));
    events.extend(product().map(|event| AnyEvent::Product(id(1), event)));
    events.extend(stock().map(|event| AnyEvent::Stock(id(1), event)));
    events.extend(cart().map(|event| AnyEvent::Cart(id(1), event)));
    events.extend(order().map(|event| AnyEvent::Order(id(1), event)));
    events.extend(payment().map(|event| AnyEvent::Payment(id(1), event)));
    events.extend(statement().map(|event| AnyEvent::Statement(id(1), event)));
    events.extend(vendor_account().map(|event| AnyEvent::VendorAccount(id(1), event)));
    events.extend(promotion().map(|event| AnyEvent::Promotion(id(1), event)));
    events
}

fn account() -> impl Iterator<Item = AccountEvent> {
    let phone = || Some(personal::<PhoneNumber>("+254712345678"));
    [
        AccountEvent::Registered {
            name: personal("Wanjiru Kamau"),
            email: email(),
            phone: phone(),
        },
        AccountEvent::ProfileChanged {
            name: personal("Wanjiru Otieno"),
            phone: phone(),
        },
        AccountEvent::EmailVerified {},
        AccountEvent::PhoneVerified {},
        AccountEvent::PasswordChanged {},
        AccountEvent::SecondFactorAdded {},
        AccountEvent::SecondFactorRemoved {},
        AccountEvent::AddressAdded {
            address_id: id(2),
            address: address(),
        },
        AccountEvent::AddressRemoved { address_id: id(2) },
        AccountEvent::PlatformRoleGranted {
            role: PlatformRole::Auditor,
        },
        AccountEvent::PlatformRoleRevoked {
            role: PlatformRole::Auditor,
        },
        AccountEvent::Erased {},
    ]
    .into_iter()
}

fn tenant() -> impl Iterator<Item = TenantEvent> {
    let account_id = id(30);
    [
        TenantEvent::Created {
            name: text("Soko Traders"),
            owner: account_id,
        },
        TenantEvent::Renamed {
            name: text("Soko Traders Ltd"),
        },
        TenantEvent::MemberAdded {
            account_id,
            role: TenantRole::Admin,
        },
        TenantEvent::MemberRoleChanged {
            account_id,
            role: TenantRole::Owner,
        },
        TenantEvent::MemberRemoved { account_id },
    ]
    .into_iter()
}

fn store() -> impl Iterator<Item = StoreEvent> {
    let account_id = id(30);
    let location_id = id(60);
    let payment_methods = BTreeSet::from([PaymentProvider::CashOnDelivery, PaymentProvider::Mpesa]);
    let terms = Terms {
        tenant_id: id(2),
        slug: text("nairobi"),
        name: text("Nairobi"),
        currency: Currency::Kes,
        country: text("KE"),
        time_zone: text("Africa/Nairobi"),
        tax: tax(),
        payment_methods: payment_methods.clone(),
        commission_bps: 1_000.try_into().unwrap(),
        main_location: location_id,
    };
    [
        StoreEvent::Opened(Box::new(terms)),
        StoreEvent::Renamed {
            name: text("Nairobi West"),
        },
        StoreEvent::TimeZoneChanged {
            time_zone: text("Africa/Harare"),
        },
        StoreEvent::TaxChanged { tax: tax() },
        StoreEvent::PaymentMethodsChanged { payment_methods },
        StoreEvent::CommissionChanged {
            commission_bps: 1_250.try_into().unwrap(),
        },
        StoreEvent::CommissionRulesChanged(Box::new(commission_rules())),
        StoreEvent::PayoutRulesChanged(PayoutRules {
            hold_days: 14,
            four_eyes_above: 5_000_000,
            schedule: PayoutSchedule::Weekly,
        }),
        StoreEvent::WebOriginsChanged {
            web_origins: BTreeSet::from([
                text("http://localhost:3000"),
                text("https://shop.example:8443"),
            ]),
        },
        StoreEvent::PaymentAccountSet {
            provider: PaymentProvider::Mpesa,
        },
        StoreEvent::PaymentAccountRemoved {
            provider: PaymentProvider::Mpesa,
        },
        StoreEvent::LocationAdded {
            location_id,
            name: text("Industrial Area"),
        },
        StoreEvent::LocationRenamed {
            location_id,
            name: text("Mombasa Road"),
        },
        StoreEvent::MemberAdded {
            account_id,
            role: StoreRole::Staff,
        },
        StoreEvent::MemberRoleChanged {
            account_id,
            role: StoreRole::Manager,
        },
        StoreEvent::MemberRemoved { account_id },
        StoreEvent::Closed {},
    ]
    .into_iter()
}

fn commission_rules() -> CommissionRules {
    let rule = |bps: u32, fixed, cap| CommissionRule {
        bps: bps.try_into().unwrap(),
        fixed,
        cap,
    };
    CommissionRules {
        standard: rule(1_000, 2_500, Some(100_000)),
        tax_rate_bps: 1_600.try_into().unwrap(),
        vendors: BTreeMap::from([(id(11), rule(800, 0, None))]),
        categories: BTreeMap::from([(id(70), rule(0, 5_000, None))]),
    }
}

fn vendor() -> impl Iterator<Item = VendorEvent> {
    let account_id = id(30);
    let invitation_id = id(31);
    [
        VendorEvent::Registered {
            store_id: id(10),
            name: text("Mugs of Malindi"),
            email: email(),
            phone: personal("+254712345678"),
            country: text("KE"),
            owner: account_id,
        },
        VendorEvent::Approved {},
        VendorEvent::Rejected {
            reason: text("no papers"),
        },
        VendorEvent::Suspended {
            reason: text("late deliveries"),
        },
        VendorEvent::Reinstated {},
        VendorEvent::DetailsChanged {
            name: text("Mugs of Mombasa"),
            email: email(),
            phone: personal("+254712345679"),
        },
        VendorEvent::MemberInvited {
            invitation_id,
            email: email(),
            role: VendorRole::Fulfilment,
            token_hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
                .to_owned(),
            expires_at: text("2026-06-01T12:30:00Z"),
        },
        VendorEvent::InvitationWithdrawn { invitation_id },
        VendorEvent::MemberJoined {
            invitation_id,
            account_id,
            role: VendorRole::Fulfilment,
        },
        VendorEvent::MemberRoleChanged {
            account_id,
            role: VendorRole::Manager,
        },
        VendorEvent::MemberRemoved { account_id },
    ]
    .into_iter()
}

fn category() -> impl Iterator<Item = CategoryEvent> {
    [
        CategoryEvent::Created {
            category_id: id(1),
            store_id: id(10),
            slug: text("kitchen"),
            name: text("Kitchen"),
            parent: Some(id(70)),
        },
        CategoryEvent::Renamed {
            name: text("Kitchen and table"),
        },
        CategoryEvent::Moved {
            parent: Some(id(71)),
        },
        CategoryEvent::Removed {},
    ]
    .into_iter()
}

fn product() -> impl Iterator<Item = ProductEvent> {
    let description = Description {
        name: text("Mug"),
        description: Some(text("Holds tea.\nMade in Malindi.")),
        category_ids: BTreeSet::from([id(70)]),
        images: vec![text("https://images.example.com/mug.jpg")],
        seo: Some(Seo {
            title: Some(text("A mug")),
            description: Some(text("The best mug of the coast")),
        }),
    };
    [
        ProductEvent::Created {
            store_id: id(10),
            vendor_id: id(11),
            slug: text("mug"),
            description: description.clone(),
        },
        ProductEvent::Described { description },
        ProductEvent::VariantAdded { variant: variant() },
        ProductEvent::VariantChanged { variant: variant() },
        ProductEvent::PriceChanged {
            variant_id: id(21),
            price: kes(70_000),
        },
        ProductEvent::Published {},
        ProductEvent::Unpublished {},
        ProductEvent::Archived {},
    ]
    .into_iter()
}

fn stock() -> impl Iterator<Item = StockEvent> {
    let order_id = id(50);
    let location_id = id(60);
    let quantity = 3.try_into().unwrap();
    let note = StockNote {
        reason: text("delivery"),
        note: Some(text("two boxes, one dented")),
    };
    [
        StockEvent::Tracked {
            store_id: id(10),
            vendor_id: id(11),
            product_id: id(20),
            sku: text("MUG-01"),
        },
        StockEvent::Received {
            location_id,
            quantity,
            note: note.clone(),
        },
        StockEvent::Adjusted {
            location_id,
            difference: -2,
            note: note.clone(),
        },
        StockEvent::Counted {
            location_id,
            counted: 0,
            difference: -1,
            note,
        },
        StockEvent::Reserved {
            order_id,
            location_id,
            quantity,
        },
        StockEvent::Released {
            order_id,
            location_id,
            quantity,
        },
        StockEvent::Committed {
            order_id,
            location_id,
            quantity,
        },
        StockEvent::Returned {
            order_id,
            location_id,
            quantity,
        },
        StockEvent::LowStockThresholdSet { threshold: 5 },
        StockEvent::RanLow {
            available: 5,
            threshold: 5,
        },
        StockEvent::Replenished {
            available: 6,
            threshold: 5,
        },
    ]
    .into_iter()
}

fn cart() -> impl Iterator<Item = CartEvent> {
    let variant_id = id(21);
    let quantity = 3.try_into().unwrap();
    [
        CartEvent::Started {
            store_id: id(10),
            owner: CartOwner::Account(id(30)),
        },
        CartEvent::ItemAdded {
            variant_id,
            product_id: id(20),
            quantity,
            unit_price: kes(65_000),
        },
        CartEvent::QuantityChanged {
            variant_id,
            quantity,
        },
        CartEvent::ItemRemoved { variant_id },
        CartEvent::Cleared {},
        CartEvent::CheckedOut { order_id: id(50) },
        CartEvent::Abandoned {},
        CartEvent::CouponApplied {
            code: text("KARIBU-10"),
        },
        CartEvent::CouponRemoved {},
    ]
    .into_iter()
}

fn order() -> impl Iterator<Item = OrderEvent> {
    let vendor_id = id(11);
    [
        OrderEvent::Placed(Box::new(placement())),
        OrderEvent::Paid {
            payment_id: id(40),
            amount: 220_000,
            shares: None,
        },
        OrderEvent::Refunded {
            payment_id: id(40),
            refund_id: id(41),
            amount: 20_000,
            kept: 200_000,
            shares: None,
        },
        OrderEvent::PaymentAttempted {
            payment_id: id(42),
            provider: PaymentProvider::Mpesa,
        },
        OrderEvent::PartlyPaid {
            payment_id: id(42),
            amount: 20_000,
            due: 200_000,
        },
        OrderEvent::Packed { vendor_id },
        OrderEvent::Shipped {
            vendor_id,
            carrier: Some(text("G4S")),
            tracking_number: Some(text("G4S-0001")),
        },
        OrderEvent::Delivered { vendor_id },
        OrderEvent::Completed {},
        cancelled(CancelledBy::Customer, Some(text("changed my mind"))),
        OrderEvent::Expired {
            store_id: placement().store_id,
            currency: placement().currency,
            lines: placement().lines.iter().map(Into::into).collect(),
        },
    ]
    .into_iter()
}

fn payment() -> impl Iterator<Item = PaymentEvent> {
    [
        PaymentEvent::Initiated {
            order_id: id(50),
            store_id: id(10),
            provider: PaymentProvider::CashOnDelivery,
            amount: kes(220_000),
            terms: None,
        },
        PaymentEvent::Started {
            handle: Some(text("ws_CO_0001")),
            next: Some(Personal::new(
                subject(),
                NextAction::AwaitPhonePrompt {
                    instructions: Some("Dial *151*2*7#".to_owned()),
                },
            )),
        },
        PaymentEvent::PutOff {
            because: text("there is no connection"),
        },
        PaymentEvent::Authorised {
            amount: kes(220_000),
        },
        PaymentEvent::Doubted {
            because: text("no answer in time"),
        },
        PaymentEvent::Resumed {},
        PaymentEvent::Captured {
            amount: kes(220_000),
            reference: text("RECEIPT-0001"),
            collected_by: Some(id(30)),
            fee: None,
            is_provisional: false,
            is_hearsay: false,
            purpose: None,
        },
        PaymentEvent::ReferenceLearned {
            provisional: text("ws_CO_0001"),
            reference: text("SJK1ABCDEF"),
            amount: kes(220_000),
            is_hearsay: false,
        },
        PaymentEvent::ReferenceContested {
            reference: text("SJK1ABCDEF"),
            told: text("SJK9ZYXWVU"),
            amount: kes(220_000),
        },
        PaymentEvent::Failed {
            reason: text("cancelled_by_payer"),
            words: Some(text("Request cancelled by user")),
        },
        PaymentEvent::Expired {},
        PaymentEvent::Cancelled {
            reason: text("the order was cancelled"),
        },
    ]
    .into_iter()
    .chain(after_a_capture())
}

fn after_a_capture() -> impl Iterator<Item = PaymentEvent> {
    [
        PaymentEvent::RefundRequested {
            request: RefundRequest {
                refund_id: id(41),
                amount: kes(20_000),
                reason: text("one mug was broken"),
                is_surplus: true,
                requested_by: Some(id(30)),
            },
            of: text("SJK1ABCDEF"),
        },
        PaymentEvent::RefundStarted {
            refund_id: id(41),
            handle: text("AG_0001"),
        },
        PaymentEvent::RefundDoubted {
            refund_id: id(41),
            because: text("no answer in time"),
        },
        PaymentEvent::RefundFailed {
            refund_id: id(41),
            reason: text("not_enough_money_of_ours"),
            words: Some(text("The balance is insufficient")),
        },
        PaymentEvent::Refunded(Refund {
            refund_id: id(41),
            amount: kes(20_000),
            reason: text("one mug was broken"),
            method: RefundMethod::MobileMoney,
            reference: text("SJK1ABCDEF"),
            refunded_by: Some(id(30)),
            purpose: None,
        }),
        PaymentEvent::RefundReturned {
            refund_id: id(41),
            amount: kes(20_000),
            purpose: None,
        },
        PaymentEvent::Disputed(Dispute {
            reference: text("dp_0001"),
            amount: kes(220_000),
            stage: DisputeStage::Open,
            money: Some(DisputedMoney::Withdrawn),
            words: Some(text("fraudulent")),
            answer_by: Some(DateTime::UNIX_EPOCH),
            purpose: None,
        }),
        PaymentEvent::CreditHeld {
            amount: kes(20_000),
            decide_by: DateTime::UNIX_EPOCH,
            because: text("the order was paid otherwise"),
        },
    ]
    .into_iter()
}

fn statement() -> impl Iterator<Item = StatementEvent> {
    let opening = Opening {
        store_id: id(10),
        provider: StatementProvider::Stripe,
        digest: text("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        period: Period {
            from: text("2026-11-01T00:00:00Z"),
            to: text("2026-11-30T23:59:59.999999Z"),
        },
        lines: 1,
    };
    let line = StatementLine {
        reference: text("txn_00000001"),
        name: Some(text("pi_3OrderOne")),
        other_name: Some(text("ch_3OrderOne")),
        kind: LineKind::Capture,
        amount: kes(220_000),
        fee: Some(kes(8_580)),
        happened_at: text("2026-11-21T09:30:00Z"),
        words: text("charge"),
    };
    [
        StatementEvent::Opened(opening),
        StatementEvent::LineRecorded {
            store_id: id(10),
            provider: StatementProvider::Stripe,
            line_id: id(71),
            number: 1,
            line,
        },
        StatementEvent::Closed {
            lines: 1,
            tallies: vec![Tally {
                kind: LineKind::Capture,
                lines: 1,
                amount: kes(220_000),
                fees: kes(8_580),
            }],
        },
    ]
    .into_iter()
}

pub(crate) fn variant() -> Variant {
    Variant {
        variant_id: id(21),
        sku: text("MUG-01"),
        name: text("Red mug"),
        price: kes(65_000),
        barcode: Some(text("6001234567890")),
        weight_g: Some(350),
        options: BTreeMap::from([("colour".to_owned(), text("red"))]),
    }
}

pub(crate) fn cancelled(by: CancelledBy, reason: Option<Text<500>>) -> OrderEvent {
    let placement = placement();
    OrderEvent::Cancelled {
        by,
        reason,
        store_id: placement.store_id,
        currency: placement.currency,
        lines: placement.lines.iter().map(Into::into).collect(),
    }
}

pub(crate) fn placement() -> Placement {
    Placement {
        number: "7KQ2-M9XD".to_owned(),
        store_id: id(10),
        customer: Customer::Guest {
            email: email(),
            token_hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
                .to_owned(),
        },
        currency: Currency::Kes,
        lines: vec![OrderLine {
            variant_id: id(21),
            product_id: id(20),
            vendor_id: id(11),
            sku: text("MUG-01"),
            name: text("Red mug"),
            quantity: 3.try_into().unwrap(),
            unit_price: 65_000,
            discount: 5_000,
            subsidy: 0,
            tax: 26_207,
            total: 190_000,
            commission: 0,
            commission_tax: 0,
        }],
        totals: Totals {
            subtotal: 195_000,
            discount: 5_000,
            shipping: 30_000,
            tax: 26_207,
            total: 220_000,
        },
        tax: tax(),
        shipping_address: address(),
        payment_id: id(40),
        provider: PaymentProvider::CashOnDelivery,
        coupon: None,
    }
}

fn address() -> Personal<Address> {
    let address = Address {
        name: text("Wanjiru Kamau"),
        phone: text("+254712345678"),
        line1: text("Moi Avenue 1"),
        line2: Some(text("Second floor")),
        city: text("Nairobi"),
        province: Some(text("Nairobi County")),
        postal_code: Some(text("00100")),
        country: text("KE"),
    };
    Personal::new(subject(), address)
}

pub(crate) fn id<T: From<Uuid>>(n: u128) -> T {
    Uuid::from_u128(n).into()
}

/// Whatever is parsed from text.
pub(crate) fn text<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(crate) fn subject() -> SubjectId {
    SubjectId::from_uuid(Uuid::from_u128(30))
}

pub(crate) fn personal<T: DeserializeOwned + FromStr<Err: Debug>>(value: &str) -> Personal<T> {
    Personal::new(subject(), text(value))
}

fn email() -> Personal<EmailAddress> {
    personal("wanjiru@example.com")
}

pub(crate) fn personal_of<T>(value: T) -> Personal<T> {
    Personal::new(subject(), value)
}

pub(crate) fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}

fn tax() -> Tax {
    Tax {
        prices_include_tax: true,
        rate: 1_600.try_into().unwrap(),
    }
}
