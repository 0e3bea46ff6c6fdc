//! Given, when, then.

use super::*;
use crate::TeamError;
use crate::commission::CommissionError;
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

#[test]
fn a_store_opens_with_its_terms() {
    given([])
        .when(StoreCommand::Open(terms()))
        .then_expect_events(vec![opened()]);
    let store = after([opened()]);
    let shop = store.open().unwrap();
    assert_eq!(shop.terms(), &*terms());
    assert_eq!(shop.currency(), Currency::Kes);
    assert!(shop.takes(PaymentProvider::CashOnDelivery));
    assert!(!shop.takes(PaymentProvider::Mpesa));
}

#[test]
fn a_store_opens_once() {
    given([opened()])
        .when(StoreCommand::Open(terms()))
        .then_expect_error(StoreError::AlreadyOpened);
    given([opened(), closed()])
        .when(StoreCommand::Open(terms()))
        .then_expect_error(StoreError::Closed);
}

#[test]
fn a_store_takes_payment_in_at_least_one_way() {
    let mut nothing = terms();
    nothing.payment_methods.clear();
    given([])
        .when(StoreCommand::Open(nothing))
        .then_expect_error(StoreError::NoPaymentMethod);
    given([opened()])
        .when(take([]))
        .then_expect_error(StoreError::NoPaymentMethod);
}

#[test]
fn each_term_can_be_changed_and_is_changed_once() {
    let changes = [
        (
            StoreCommand::Rename { name: name("Duka") },
            StoreEvent::Renamed { name: name("Duka") },
        ),
        (
            StoreCommand::ChangeTimeZone {
                time_zone: "Africa/Harare".parse().unwrap(),
            },
            StoreEvent::TimeZoneChanged {
                time_zone: "Africa/Harare".parse().unwrap(),
            },
        ),
        (
            StoreCommand::ChangeTax { tax: tax(1550) },
            StoreEvent::TaxChanged { tax: tax(1550) },
        ),
        (
            take([PaymentProvider::Mpesa]),
            StoreEvent::PaymentMethodsChanged {
                payment_methods: BTreeSet::from([PaymentProvider::Mpesa]),
            },
        ),
        (
            StoreCommand::ChangeCommission {
                commission_bps: rate(900),
            },
            StoreEvent::CommissionChanged {
                commission_bps: rate(900),
            },
        ),
        (
            StoreCommand::ChangeCommissionRules(Box::new(rules(1_000, 50))),
            StoreEvent::CommissionRulesChanged(Box::new(rules(1_000, 50))),
        ),
        (
            StoreCommand::ChangePayoutRules(paid_weekly()),
            StoreEvent::PayoutRulesChanged(paid_weekly()),
        ),
        (
            have_pages_at(["https://shop.example", "http://localhost:3000"]),
            pages_at(["https://shop.example", "http://localhost:3000"]),
        ),
    ];
    for (command, event) in changes {
        given([opened()])
            .when(command.clone())
            .then_expect_events(vec![event.clone()]);
        given([opened(), event])
            .when(command)
            .then_expect_events(vec![]);
    }
}

#[test]
fn terms_as_they_are_need_no_change() {
    let terms = terms();
    let commands = [
        StoreCommand::Rename { name: terms.name },
        StoreCommand::ChangeTimeZone {
            time_zone: terms.time_zone,
        },
        StoreCommand::ChangeTax { tax: terms.tax },
        StoreCommand::ChangePaymentMethods {
            payment_methods: terms.payment_methods,
        },
        StoreCommand::ChangeCommission {
            commission_bps: terms.commission_bps,
        },
        have_pages_at([]),
    ];
    for command in commands {
        given([opened()]).when(command).then_expect_events(vec![]);
    }
}

#[test]
fn the_standard_percentage_is_one_wherever_it_was_changed() {
    let changed = StoreEvent::CommissionRulesChanged(Box::new(rules(700, 50)));
    let store = after([opened(), changed.clone()]);
    let shop = store.open().unwrap();
    assert_eq!(shop.terms().commission_bps, rate(700));
    assert_eq!(shop.commission(), &rules(700, 50));

    let percentage = StoreEvent::CommissionChanged {
        commission_bps: rate(900),
    };
    let store = after([opened(), changed, percentage]);
    let shop = store.open().unwrap();
    assert_eq!(shop.terms().commission_bps, rate(900));
    assert_eq!(shop.commission(), &rules(900, 50));

    let store = after([opened()]);
    let standard = store.open().unwrap().commission().standard;
    assert_eq!(standard, CommissionRule::of_bps(terms().commission_bps));
}

#[test]
fn rules_of_commission_that_cannot_stand_are_refused() {
    given([opened()])
        .when(StoreCommand::ChangeCommissionRules(Box::new(rules(
            700, -1,
        ))))
        .then_expect_error(StoreError::Commission(CommissionError::OutOfRange {
            max: CommissionRules::AMOUNT_MAX,
        }));
}

#[test]
fn rules_of_payouts_that_cannot_stand_are_refused() {
    let rules = PayoutRules {
        hold_days: 91,
        ..paid_weekly()
    };
    given([opened()])
        .when(StoreCommand::ChangePayoutRules(rules))
        .then_expect_error(PayoutRulesError::HeldTooLong { max: 90 }.into());
}

#[test]
fn a_web_shop_may_move_and_may_go() {
    let was = pages_at(["https://old.example"]);
    given([opened(), was.clone()])
        .when(have_pages_at(["https://new.example"]))
        .then_expect_events(vec![pages_at(["https://new.example"])]);
    given([opened(), was])
        .when(have_pages_at([]))
        .then_expect_events(vec![pages_at([])]);
}

#[test]
fn a_store_has_the_web_origins_last_given() {
    let store = after([
        opened(),
        pages_at(["https://old.example"]),
        pages_at(["https://new.example", "https://shop.example"]),
    ]);
    let origins: Vec<_> = store.shop().unwrap().web_origins().iter().collect();
    assert_eq!(
        origins,
        [
            &origin("https://new.example"),
            &origin("https://shop.example")
        ]
    );
}

#[test]
fn a_store_has_room_for_so_many_web_origins() {
    let ports = |count: usize| {
        let origins = (0..count).map(|n| origin(&format!("https://shop.example:{}", 8000 + n)));
        StoreCommand::ChangeWebOrigins {
            web_origins: origins.collect(),
        }
    };
    given([opened()])
        .when(ports(Shop::WEB_ORIGINS_MAX + 1))
        .then_expect_error(StoreError::TooManyWebOrigins { max: 10 });
    assert_eq!(
        after([opened()])
            .decide(ports(Shop::WEB_ORIGINS_MAX))
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_snapshot_of_before_there_were_web_origins_has_none() {
    let mut written = serde_json::to_value(after([opened()])).unwrap();
    written["Open"]
        .as_object_mut()
        .unwrap()
        .remove("web_origins")
        .unwrap();
    let read: Store = serde_json::from_value(written).unwrap();
    assert!(read.shop().unwrap().web_origins().is_empty());
}

#[test]
fn a_location_is_added_once() {
    given([opened()])
        .when(add_location(DEPOT, "Depot"))
        .then_expect_events(vec![location_added(DEPOT, "Depot")]);
    given([opened(), location_added(DEPOT, "Depot")])
        .when(add_location(DEPOT, "Depot"))
        .then_expect_events(vec![]);
}

#[test]
fn a_location_is_not_added_under_another_name() {
    given([opened(), location_added(DEPOT, "Depot")])
        .when(add_location(DEPOT, "Yard"))
        .then_expect_error(StoreError::LocationExists { location_id: DEPOT });
    given([opened()])
        .when(add_location(MAIN, "Yard"))
        .then_expect_error(StoreError::LocationExists { location_id: MAIN });
}

#[test]
fn a_location_can_be_renamed() {
    given([opened(), location_added(DEPOT, "Depot")])
        .when(rename_location(DEPOT, "Yard"))
        .then_expect_events(vec![location_renamed(DEPOT, "Yard")]);
    given([
        opened(),
        location_added(DEPOT, "Depot"),
        location_renamed(DEPOT, "Yard"),
    ])
    .when(rename_location(DEPOT, "Yard"))
    .then_expect_events(vec![]);
    given([opened()])
        .when(rename_location(MAIN, "Counter"))
        .then_expect_events(vec![location_renamed(MAIN, "Counter")]);
}

#[test]
fn a_location_that_is_not_there_cannot_be_renamed() {
    given([opened()])
        .when(rename_location(DEPOT, "Yard"))
        .then_expect_error(StoreError::UnknownLocation { location_id: DEPOT });
}

#[test]
fn locations_are_listed_once_each_the_main_one_first() {
    let store = after([
        opened(),
        location_added(DEPOT, "Depot"),
        location_renamed(MAIN, "Counter"),
    ]);
    let shop = store.open().unwrap();
    let locations: Vec<_> = shop.locations().collect();
    assert_eq!(
        locations,
        [(MAIN, &name("Counter")), (DEPOT, &name("Depot"))]
    );
    assert!(shop.has_location(MAIN) && shop.has_location(DEPOT));
    assert!(!shop.has_location(LocationId::from_uuid(Uuid::from_u128(99))));
}

#[test]
fn the_main_location_goes_by_the_stores_name_at_first() {
    let store = after([opened()]);
    let shop = store.open().unwrap();
    let locations: Vec<_> = shop.locations().collect();
    assert_eq!(locations, [(MAIN, &name("Sokoni"))]);
}

#[test]
fn a_store_has_room_for_so_many_locations() {
    let mut events = vec![opened()];
    for n in 0..Shop::LOCATIONS_MAX {
        let place = LocationId::from_uuid(Uuid::from_u128(1000 + n as u128));
        events.push(location_added(place, "Depot"));
    }
    TestFramework::<Store>::with(())
        .given(events)
        .when(add_location(DEPOT, "Depot"))
        .then_expect_error(StoreError::TooManyLocations { max: 200 });
}

#[test]
fn a_member_is_added_changed_and_removed() {
    given([opened()])
        .when(add_member(StoreRole::Staff))
        .then_expect_events(vec![member_added(StoreRole::Staff)]);
    given([opened(), member_added(StoreRole::Staff)])
        .when(add_member(StoreRole::Staff))
        .then_expect_events(vec![]);
    given([opened(), member_added(StoreRole::Staff)])
        .when(change_member(StoreRole::Manager))
        .then_expect_events(vec![member_changed(StoreRole::Manager)]);
    given([
        opened(),
        member_added(StoreRole::Staff),
        member_changed(StoreRole::Manager),
    ])
    .when(change_member(StoreRole::Manager))
    .then_expect_events(vec![]);
    given([opened(), member_added(StoreRole::Manager)])
        .when(remove_member())
        .then_expect_events(vec![member_removed()]);
}

#[test]
fn a_member_has_the_role_last_given() {
    let staff = after([opened(), member_added(StoreRole::Staff)]);
    assert_eq!(staff.role_of(MEMBER), Some(StoreRole::Staff));
    let manager = after([
        opened(),
        member_added(StoreRole::Staff),
        member_changed(StoreRole::Manager),
    ]);
    assert_eq!(manager.role_of(MEMBER), Some(StoreRole::Manager));
    let nobody = after([opened(), member_added(StoreRole::Staff), member_removed()]);
    assert_eq!(nobody.role_of(MEMBER), None);
}

#[test]
fn a_member_is_not_added_in_another_role() {
    given([opened(), member_added(StoreRole::Staff)])
        .when(add_member(StoreRole::Auditor))
        .then_expect_error(TeamError::AlreadyMember { account_id: MEMBER }.into());
}

#[test]
fn who_is_no_member_has_no_role_to_change_or_lose() {
    for command in [change_member(StoreRole::Staff), remove_member()] {
        given([opened()])
            .when(command)
            .then_expect_error(TeamError::NotMember { account_id: MEMBER }.into());
    }
}

#[test]
fn a_store_closes_once() {
    given([opened()])
        .when(StoreCommand::Close)
        .then_expect_events(vec![closed()]);
    given([opened(), closed()])
        .when(StoreCommand::Close)
        .then_expect_events(vec![]);
    given([])
        .when(StoreCommand::Close)
        .then_expect_error(StoreError::NotOpened);
}

#[test]
fn a_closed_store_refuses_every_change() {
    for command in changes() {
        given([opened(), member_added(StoreRole::Staff), closed()])
            .when(command)
            .then_expect_error(StoreError::Closed);
    }
}

#[test]
fn a_closed_store_still_knows_its_terms_and_its_team() {
    let store = after([opened(), member_added(StoreRole::Staff), closed()]);
    assert!(store.is_closed());
    assert_eq!(store.open().unwrap_err(), StoreError::Closed);
    assert_eq!(store.shop().unwrap().terms(), &*terms());
    assert_eq!(store.role_of(MEMBER), Some(StoreRole::Staff));
}

#[test]
fn a_snapshot_reads_as_it_was_written() {
    let written = serde_json::to_value(after([
        opened(),
        location_added(DEPOT, "Depot"),
        member_added(StoreRole::Staff),
        pages_at(["https://shop.example"]),
    ]))
    .unwrap();
    let read: Store = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), written);
}

#[test]
fn what_is_not_opened_answers_nothing_but_opening() {
    for command in changes() {
        given([])
            .when(command)
            .then_expect_error(StoreError::NotOpened);
    }
    assert!(!Store::default().is_closed());
    assert_eq!(Store::default().role_of(MEMBER), None);
}

const MEMBER: AccountId = AccountId::from_uuid(Uuid::from_u128(1));
const MAIN: LocationId = LocationId::from_uuid(Uuid::from_u128(20));
const DEPOT: LocationId = LocationId::from_uuid(Uuid::from_u128(10));

fn changes() -> [StoreCommand; 11] {
    [
        StoreCommand::Rename { name: name("Duka") },
        StoreCommand::ChangeTimeZone {
            time_zone: "Africa/Harare".parse().unwrap(),
        },
        StoreCommand::ChangeTax { tax: tax(0) },
        take([PaymentProvider::Mpesa]),
        StoreCommand::ChangeCommission {
            commission_bps: rate(0),
        },
        have_pages_at(["https://shop.example"]),
        add_location(DEPOT, "Depot"),
        rename_location(MAIN, "Counter"),
        add_member(StoreRole::Staff),
        change_member(StoreRole::Staff),
        remove_member(),
    ]
}

fn given<const N: usize>(events: [StoreEvent; N]) -> AggregateTestExecutor<Store> {
    TestFramework::with(()).given(events.into())
}

fn after<const N: usize>(events: [StoreEvent; N]) -> Store {
    events
        .into_iter()
        .fold(Store::default(), |mut store, event| {
            store.apply(event);
            store
        })
}

fn name(text: &str) -> Text<120> {
    text.parse().unwrap()
}

fn rules(bps: u32, fixed: i64) -> CommissionRules {
    CommissionRules {
        standard: CommissionRule {
            bps: rate(bps),
            fixed,
            cap: None,
        },
        tax_rate_bps: rate(1_600),
        ..CommissionRules::default()
    }
}

fn rate(bps: u32) -> crate::TaxRate {
    bps.try_into().unwrap()
}

fn tax(bps: u32) -> Tax {
    Tax {
        prices_include_tax: true,
        rate: rate(bps),
    }
}

fn terms() -> Box<Terms> {
    Box::new(Terms {
        tenant_id: Uuid::from_u128(30).into(),
        slug: "sokoni".parse().unwrap(),
        name: name("Sokoni"),
        currency: Currency::Kes,
        country: "KE".parse().unwrap(),
        time_zone: "Africa/Nairobi".parse().unwrap(),
        tax: tax(1600),
        payment_methods: BTreeSet::from([PaymentProvider::CashOnDelivery]),
        commission_bps: rate(1000),
        main_location: MAIN,
    })
}

fn opened() -> StoreEvent {
    StoreEvent::Opened(terms())
}

fn closed() -> StoreEvent {
    StoreEvent::Closed {}
}

fn take<const N: usize>(methods: [PaymentProvider; N]) -> StoreCommand {
    StoreCommand::ChangePaymentMethods {
        payment_methods: methods.into(),
    }
}

fn origin(text: &str) -> WebOrigin {
    text.parse().unwrap()
}

fn have_pages_at<const N: usize>(origins: [&str; N]) -> StoreCommand {
    StoreCommand::ChangeWebOrigins {
        web_origins: origins.map(origin).into(),
    }
}

fn pages_at<const N: usize>(origins: [&str; N]) -> StoreEvent {
    StoreEvent::WebOriginsChanged {
        web_origins: origins.map(origin).into(),
    }
}

fn add_location(location_id: LocationId, text: &str) -> StoreCommand {
    let name = name(text);
    StoreCommand::AddLocation { location_id, name }
}

fn location_added(location_id: LocationId, text: &str) -> StoreEvent {
    let name = name(text);
    StoreEvent::LocationAdded { location_id, name }
}

fn rename_location(location_id: LocationId, text: &str) -> StoreCommand {
    let name = name(text);
    StoreCommand::RenameLocation { location_id, name }
}

fn paid_weekly() -> PayoutRules {
    PayoutRules {
        schedule: PayoutSchedule::Weekly,
        ..PayoutRules::default()
    }
}

fn location_renamed(location_id: LocationId, text: &str) -> StoreEvent {
    let name = name(text);
    StoreEvent::LocationRenamed { location_id, name }
}

fn add_member(role: StoreRole) -> StoreCommand {
    StoreCommand::AddMember {
        account_id: MEMBER,
        role,
    }
}

fn member_added(role: StoreRole) -> StoreEvent {
    StoreEvent::MemberAdded {
        account_id: MEMBER,
        role,
    }
}

fn change_member(role: StoreRole) -> StoreCommand {
    StoreCommand::ChangeMemberRole {
        account_id: MEMBER,
        role,
    }
}

fn member_changed(role: StoreRole) -> StoreEvent {
    StoreEvent::MemberRoleChanged {
        account_id: MEMBER,
        role,
    }
}

fn remove_member() -> StoreCommand {
    StoreCommand::RemoveMember { account_id: MEMBER }
}

fn member_removed() -> StoreEvent {
    StoreEvent::MemberRemoved { account_id: MEMBER }
}
