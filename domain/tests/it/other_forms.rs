//! The other forms that an event may have.

use crate::payment_forms::payment_forms;
use crate::promotion_forms::promotion_forms;
use crate::samples::{cancelled, id, kes, personal, placement, text, variant};
use crate::vendor_account_forms::vendor_account_forms;
use soko_domain::account::{AccountEvent, PlatformRole};
use soko_domain::cart::{CartEvent, CartOwner};
use soko_domain::category::CategoryEvent;
use soko_domain::commission::{CommissionRule, CommissionRules};
use soko_domain::order::{CancelledBy, Customer, OrderEvent, Placement, Shares};
use soko_domain::payment::PaymentProvider;
use soko_domain::product::{Description, ProductEvent, Variant};
use soko_domain::stock::{StockEvent, StockNote};
use soko_domain::store::{StoreEvent, StoreRole};
use soko_domain::tenant::{TenantEvent, TenantRole};
use soko_domain::vendor::{VendorEvent, VendorRole};
use soko_domain::{AnyEvent, Currency, Money};
use std::collections::{BTreeMap, BTreeSet};

/// What may be left out, left out, and every name that an enum may have, each with what makes it
/// different.
pub(crate) fn other_forms() -> Vec<(String, AnyEvent)> {
    let mut forms = bare();
    forms.extend(role_names());
    forms.extend(payment_forms());
    forms.extend(promotion_forms());
    forms.push(("bare".to_owned(), AnyEvent::Store(id(1), bare_rules())));
    forms.extend(vendor_account_forms());
    forms.extend(shared());
    forms.extend(Currency::ALL.map(|currency| {
        let price = Money::new(1, currency);
        let event = ProductEvent::PriceChanged {
            variant_id: id(21),
            price,
        };
        (
            currency.code().to_lowercase(),
            AnyEvent::Product(id(1), event),
        )
    }));
    forms.push((
        "every_provider".to_owned(),
        AnyEvent::Store(
            id(1),
            StoreEvent::PaymentMethodsChanged {
                payment_methods: BTreeSet::from([
                    PaymentProvider::CashOnDelivery,
                    PaymentProvider::Ecocash,
                    PaymentProvider::Mpesa,
                    PaymentProvider::Paynow,
                    PaymentProvider::Paystack,
                    PaymentProvider::Stripe,
                    PaymentProvider::StripeCheckout,
                ]),
            },
        ),
    ));
    let callers = [
        ("by_vendor", CancelledBy::Vendor),
        ("by_store", CancelledBy::Store),
    ];
    forms.extend(
        callers.map(|(case, by)| (case.to_owned(), AnyEvent::Order(id(1), cancelled(by, None)))),
    );
    forms
}

fn bare() -> Vec<(String, AnyEvent)> {
    let erased = r#"{"registered":{"name":{"personal_of":"00000000-0000-0000-0000-00000000001e",
        "value":null},"email":{"personal_of":"00000000-0000-0000-0000-00000000001e","value":null}}}"#;
    let placed_by_account = Placement {
        customer: Customer::Account(id(30)),
        ..placement()
    };
    let variant = Variant {
        barcode: None,
        weight_g: None,
        options: BTreeMap::new(),
        ..variant()
    };
    let description = Description {
        name: text("Mug"),
        description: None,
        category_ids: BTreeSet::new(),
        images: vec![],
        seo: None,
    };
    let forms = [
        (
            "erased",
            AnyEvent::Account(id(1), serde_json::from_str(erased).unwrap()),
        ),
        (
            "bare",
            AnyEvent::Account(
                id(1),
                AccountEvent::ProfileChanged {
                    name: personal("Wanjiru Otieno"),
                    phone: None,
                },
            ),
        ),
        (
            "bare",
            AnyEvent::Product(id(1), ProductEvent::Described { description }),
        ),
        (
            "bare",
            AnyEvent::Product(id(1), ProductEvent::VariantAdded { variant }),
        ),
        (
            "bare",
            AnyEvent::Stock(
                id(1),
                StockEvent::Adjusted {
                    location_id: id(60),
                    difference: 1,
                    note: StockNote {
                        reason: text("found"),
                        note: None,
                    },
                },
            ),
        ),
        (
            "root",
            AnyEvent::Category(id(1), CategoryEvent::Moved { parent: None }),
        ),
        (
            "guest",
            AnyEvent::Cart(
                id(1),
                CartEvent::Started {
                    store_id: id(10),
                    owner: CartOwner::Guest,
                },
            ),
        ),
        (
            "account",
            AnyEvent::Order(id(1), OrderEvent::Placed(Box::new(placed_by_account))),
        ),
        (
            "bare",
            AnyEvent::Order(
                id(1),
                OrderEvent::Shipped {
                    vendor_id: id(11),
                    carrier: None,
                    tracking_number: None,
                },
            ),
        ),
    ];
    forms.map(|(case, event)| (case.to_owned(), event)).into()
}

fn bare_rules() -> StoreEvent {
    StoreEvent::CommissionRulesChanged(Box::new(CommissionRules {
        standard: CommissionRule::of_bps(1_000.try_into().unwrap()),
        ..CommissionRules::default()
    }))
}

/// What the store keeps, and whose the money is.
fn shared() -> [(String, AnyEvent); 4] {
    let mut placement = placement();
    placement.lines[0].commission = 19_000;
    placement.lines[0].commission_tax = 3_040;
    let sale = Shares::of_sale(&placement).unwrap();
    let (payment_id, refund_id) = (id(40), id(41));
    let refunded = |amount: i64, kept: i64| OrderEvent::Refunded {
        payment_id,
        refund_id,
        amount,
        kept,
        shares: sale.part(kes(amount)).ok(),
    };
    let paid = OrderEvent::Paid {
        payment_id,
        amount: 220_000,
        shares: Some(sale.clone()),
    };
    [
        ("partly", refunded(20_000, 200_000)),
        ("wholly", refunded(220_000, 0)),
        ("shared", paid),
        ("commission", OrderEvent::Placed(Box::new(placement))),
    ]
    .map(|(case, event)| (case.to_owned(), AnyEvent::Order(id(1), event)))
}

fn role_names() -> Vec<(String, AnyEvent)> {
    let account_id = id(30);
    let platform = [
        PlatformRole::Admin,
        PlatformRole::Analyst,
        PlatformRole::Support,
    ];
    let store = [StoreRole::Auditor, StoreRole::Analyst, StoreRole::Manager];
    let vendor = [
        VendorRole::Owner,
        VendorRole::Catalog,
        VendorRole::Finance,
        VendorRole::Viewer,
    ];
    let platform = platform.map(|role| {
        let event = AccountEvent::PlatformRoleGranted { role };
        (format!("{role:?}"), AnyEvent::Account(id(1), event))
    });
    let tenant = [TenantRole::Owner].map(|role| {
        let event = TenantEvent::MemberAdded { account_id, role };
        (format!("{role:?}"), AnyEvent::Tenant(id(1), event))
    });
    let store = store.map(|role| {
        let event = StoreEvent::MemberAdded { account_id, role };
        (format!("{role:?}"), AnyEvent::Store(id(1), event))
    });
    let vendor = vendor.map(|role| {
        let event = VendorEvent::MemberRoleChanged { account_id, role };
        (format!("{role:?}"), AnyEvent::Vendor(id(1), event))
    });
    let roles = platform
        .into_iter()
        .chain(tenant)
        .chain(store)
        .chain(vendor);
    roles
        .map(|(role, event)| (role.to_lowercase(), event))
        .collect()
}
