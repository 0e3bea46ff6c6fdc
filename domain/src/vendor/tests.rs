//! Given, when, then.

mod team;

use super::*;
use crate::SubjectId;
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

#[test]
fn who_registers_a_vendor_owns_it_and_waits_for_the_store() {
    given([])
        .when(register())
        .then_expect_events(vec![registered()]);
    let vendor = after([registered()]);
    let seller = vendor.seller().unwrap();
    assert_eq!(seller.status(), VendorStatus::Pending);
    assert_eq!(seller.store_id(), STORE);
    assert_eq!(vendor.role_of(OWNER), Some(VendorRole::Owner));
    assert!(!vendor.is_trading());
}

#[test]
fn a_vendor_is_registered_once() {
    given([registered()])
        .when(register())
        .then_expect_error(VendorError::AlreadyRegistered);
}

/// Every decision of the store on a vendor in every status.
#[test]
fn the_store_decides_in_order() {
    use VendorStatus::{Approved, Pending, Rejected, Suspended};
    let wrong = |status| Err(VendorError::WrongStatus { status });
    let (approve, reject) = (VendorCommand::Approve, reject());
    let (suspend, reinstate) = (suspend(), VendorCommand::Reinstate);
    let table = [
        (Pending, &approve, Ok(vec![VendorEvent::Approved {}])),
        (Approved, &approve, Ok(vec![])),
        (Rejected, &approve, wrong(Rejected)),
        (Suspended, &approve, wrong(Suspended)),
        (Pending, &reject, Ok(vec![rejected()])),
        (Approved, &reject, wrong(Approved)),
        (Rejected, &reject, Ok(vec![])),
        (Suspended, &reject, wrong(Suspended)),
        (Pending, &suspend, wrong(Pending)),
        (Approved, &suspend, Ok(vec![suspended()])),
        (Rejected, &suspend, wrong(Rejected)),
        (Suspended, &suspend, Ok(vec![])),
        (Pending, &reinstate, wrong(Pending)),
        (Approved, &reinstate, Ok(vec![])),
        (Rejected, &reinstate, wrong(Rejected)),
        (Suspended, &reinstate, Ok(vec![VendorEvent::Reinstated {}])),
    ];
    for (status, command, answer) in table {
        let decided = vendor_in(status).decide(command.clone());
        assert_eq!(decided, answer, "{command:?} when {status}");
    }
}

#[test]
fn only_an_approved_vendor_trades() {
    let trading: Vec<_> = VendorStatus::ALL
        .into_iter()
        .filter(|status| vendor_in(*status).is_trading())
        .collect();
    assert_eq!(trading, [VendorStatus::Approved]);
    assert!(!Vendor::default().is_trading());
    let reinstated = after([
        registered(),
        VendorEvent::Approved {},
        suspended(),
        VendorEvent::Reinstated {},
    ]);
    assert!(reinstated.is_trading());
}

#[test]
fn details_can_be_changed() {
    given([registered()])
        .when(rename("Mugs & more"))
        .then_expect_events(vec![renamed("Mugs & more")]);
    given([registered(), renamed("Mugs & more")])
        .when(rename("Mugs & more"))
        .then_expect_events(vec![]);
    given([registered()])
        .when(rename("Mugs"))
        .then_expect_events(vec![]);
}

#[test]
fn a_rejected_vendor_refuses_every_change() {
    for command in team::changes() {
        let refusal = VendorError::WrongStatus {
            status: VendorStatus::Rejected,
        };
        given([registered(), team::invited(1), rejected()])
            .when(command)
            .then_expect_error(refusal);
    }
}

#[test]
fn a_snapshot_reads_as_it_was_written() {
    let written = serde_json::to_value(after([registered(), team::invited(1)])).unwrap();
    let read: Vendor = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), written);
}

#[test]
fn what_is_not_registered_answers_nothing_but_registration() {
    let decisions = [
        VendorCommand::Approve,
        reject(),
        suspend(),
        VendorCommand::Reinstate,
    ];
    for command in team::changes().into_iter().chain(decisions) {
        given([])
            .when(command)
            .then_expect_error(VendorError::NotRegistered);
    }
    assert_eq!(Vendor::default().role_of(OWNER), None);
}

const OWNER: AccountId = AccountId::from_uuid(Uuid::from_u128(1));
const STORE: StoreId = StoreId::from_uuid(Uuid::from_u128(10));

fn given<const N: usize>(events: [VendorEvent; N]) -> AggregateTestExecutor<Vendor> {
    TestFramework::with(()).given(events.into())
}

fn after<const N: usize>(events: [VendorEvent; N]) -> Vendor {
    events
        .into_iter()
        .fold(Vendor::default(), |mut vendor, event| {
            vendor.apply(event);
            vendor
        })
}

fn vendor_in(status: VendorStatus) -> Vendor {
    let vendor = match status {
        VendorStatus::Pending => after([registered()]),
        VendorStatus::Approved => after([registered(), VendorEvent::Approved {}]),
        VendorStatus::Rejected => after([registered(), rejected()]),
        VendorStatus::Suspended => after([registered(), VendorEvent::Approved {}, suspended()]),
    };
    assert_eq!(vendor.seller().unwrap().status(), status);
    vendor
}

fn personal<T>(subject: u128, value: T) -> Personal<T> {
    Personal::new(SubjectId::from_uuid(Uuid::from_u128(subject)), value)
}

fn email() -> Personal<EmailAddress> {
    personal(5, "mugs@example.com".parse().unwrap())
}

fn phone() -> Personal<PhoneNumber> {
    personal(5, "+254712345678".parse().unwrap())
}

fn reason() -> Text<500> {
    "papers missing".parse().unwrap()
}

fn register() -> VendorCommand {
    VendorCommand::Register {
        store_id: STORE,
        name: "Mugs".parse().unwrap(),
        email: email(),
        phone: phone(),
        country: "KE".parse().unwrap(),
        owner: OWNER,
    }
}

fn registered() -> VendorEvent {
    VendorEvent::Registered {
        store_id: STORE,
        name: "Mugs".parse().unwrap(),
        email: email(),
        phone: phone(),
        country: "KE".parse().unwrap(),
        owner: OWNER,
    }
}

fn reject() -> VendorCommand {
    VendorCommand::Reject { reason: reason() }
}

fn rejected() -> VendorEvent {
    VendorEvent::Rejected { reason: reason() }
}

fn suspend() -> VendorCommand {
    VendorCommand::Suspend { reason: reason() }
}

fn suspended() -> VendorEvent {
    VendorEvent::Suspended { reason: reason() }
}

fn rename(name: &str) -> VendorCommand {
    VendorCommand::ChangeDetails {
        name: name.parse().unwrap(),
        email: email(),
        phone: phone(),
    }
}

fn renamed(name: &str) -> VendorEvent {
    VendorEvent::DetailsChanged {
        name: name.parse().unwrap(),
        email: email(),
        phone: phone(),
    }
}
