//! Given, when, then.

use super::*;
use crate::SubjectId;
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

#[test]
fn anybody_may_register() {
    given([])
        .when(AccountCommand::Register {
            name: name("Amina"),
            email: email(),
            phone: Some(phone()),
        })
        .then_expect_events(vec![AccountEvent::Registered {
            name: name("Amina"),
            email: email(),
            phone: Some(phone()),
        }]);
}

#[test]
fn an_account_is_registered_once() {
    given([registered()])
        .when(register())
        .then_expect_error(AccountError::AlreadyRegistered);
}

#[test]
fn an_erased_account_is_not_registered_again() {
    given([registered(), erased()])
        .when(register())
        .then_expect_error(AccountError::Erased);
}

#[test]
fn a_profile_can_be_changed() {
    given([registered()])
        .when(rename("Amina W."))
        .then_expect_events(vec![renamed("Amina W.")]);
}

#[test]
fn a_profile_that_says_the_same_is_no_change() {
    given([registered()])
        .when(rename("Amina"))
        .then_expect_events(vec![]);
    given([registered(), renamed("Amina W.")])
        .when(rename("Amina W."))
        .then_expect_events(vec![]);
}

#[test]
fn a_phone_number_can_be_added_alone() {
    let with_phone = AccountCommand::ChangeProfile {
        name: name("Amina"),
        phone: Some(phone()),
    };
    given([registered()])
        .when(with_phone)
        .then_expect_events(vec![AccountEvent::ProfileChanged {
            name: name("Amina"),
            phone: Some(phone()),
        }]);
}

#[test]
fn an_e_mail_is_verified_once() {
    given([registered()])
        .when(AccountCommand::VerifyEmail)
        .then_expect_events(vec![AccountEvent::EmailVerified {}]);
    given([registered(), AccountEvent::EmailVerified {}])
        .when(AccountCommand::VerifyEmail)
        .then_expect_events(vec![]);
}

#[test]
fn a_phone_is_verified_once_and_only_the_one_that_the_account_has() {
    let with_phone = AccountEvent::ProfileChanged {
        name: name("Amina"),
        phone: Some(phone()),
    };
    given([registered(), with_phone.clone()])
        .when(AccountCommand::VerifyPhone { phone: phone() })
        .then_expect_events(vec![AccountEvent::PhoneVerified {}]);
    given([
        registered(),
        with_phone.clone(),
        AccountEvent::PhoneVerified {},
    ])
    .when(AccountCommand::VerifyPhone { phone: phone() })
    .then_expect_events(vec![]);
    given([registered()])
        .when(AccountCommand::VerifyPhone { phone: phone() })
        .then_expect_error(AccountError::OtherPhone);
    let other = personal("+254700000000".parse().unwrap());
    given([registered(), with_phone])
        .when(AccountCommand::VerifyPhone { phone: other })
        .then_expect_error(AccountError::OtherPhone);
}

#[test]
fn another_phone_is_not_verified_because_the_last_one_was() {
    let changed = |name_of: &str, phone: Option<Personal<PhoneNumber>>| {
        let name = name(name_of);
        AccountEvent::ProfileChanged { name, phone }
    };
    let verified = [
        registered(),
        changed("Amina", Some(phone())),
        AccountEvent::PhoneVerified {},
    ];
    let is_verified = |last: AccountEvent| {
        let [first, second, third] = verified.clone();
        let account = after([first, second, third, last]);
        account.profile().unwrap().phone_is_verified()
    };
    assert!(is_verified(changed("Amina W.", Some(phone()))));
    let other = personal("+254700000000".parse().unwrap());
    assert!(!is_verified(changed("Amina", Some(other))));
    assert!(!is_verified(changed("Amina", None)));
}

#[test]
fn an_account_has_one_second_factor_or_none() {
    let added = AccountEvent::SecondFactorAdded {};
    let removed = AccountEvent::SecondFactorRemoved {};
    given([registered()])
        .when(AccountCommand::AddSecondFactor)
        .then_expect_events(vec![added.clone()]);
    given([registered(), added.clone()])
        .when(AccountCommand::AddSecondFactor)
        .then_expect_error(AccountError::HasSecondFactor);
    given([registered(), added.clone()])
        .when(AccountCommand::RemoveSecondFactor)
        .then_expect_events(vec![removed.clone()]);
    for none in [vec![registered()], vec![registered(), added, removed]] {
        TestFramework::<Account>::with(())
            .given(none)
            .when(AccountCommand::RemoveSecondFactor)
            .then_expect_error(AccountError::NoSecondFactor);
    }
}

#[test]
fn every_change_of_the_password_is_on_record() {
    let changed = AccountEvent::PasswordChanged {};
    given([registered(), changed.clone()])
        .when(AccountCommand::ChangePassword)
        .then_expect_events(vec![changed]);
}

#[test]
fn an_address_book_has_each_address_once_and_room_for_twenty() {
    given([registered()])
        .when(add_address(1))
        .then_expect_events(vec![address_added(1)]);
    given([registered(), address_added(1)])
        .when(add_address(1))
        .then_expect_events(vec![]);
    let full = std::iter::once(registered()).chain((1..=20).map(address_added));
    TestFramework::<Account>::with(())
        .given(full.collect())
        .when(add_address(21))
        .then_expect_error(AccountError::TooManyAddresses);
    let account = after([registered(), address_added(1), address_added(2)]);
    let known: Vec<_> = account.profile().unwrap().addresses().collect();
    assert_eq!(known.len(), 2);
    assert_eq!(known[0].0, address_id(1));
}

#[test]
fn an_address_is_removed_once() {
    let removed = AccountEvent::AddressRemoved {
        address_id: address_id(1),
    };
    given([registered(), address_added(1)])
        .when(remove_address(1))
        .then_expect_events(vec![removed.clone()]);
    given([registered(), address_added(1), removed])
        .when(remove_address(1))
        .then_expect_error(AccountError::NoSuchAddress);
}

#[test]
fn a_platform_role_is_granted_once() {
    given([registered()])
        .when(grant(PlatformRole::Admin))
        .then_expect_events(vec![granted(PlatformRole::Admin)]);
    given([registered(), granted(PlatformRole::Admin)])
        .when(grant(PlatformRole::Admin))
        .then_expect_events(vec![]);
}

#[test]
fn an_account_may_hold_several_platform_roles() {
    given([registered(), granted(PlatformRole::Admin)])
        .when(grant(PlatformRole::Auditor))
        .then_expect_events(vec![granted(PlatformRole::Auditor)]);
    let account = after([
        registered(),
        granted(PlatformRole::Auditor),
        granted(PlatformRole::Admin),
    ]);
    let roles: Vec<_> = account.platform_roles().collect();
    assert_eq!(roles, [PlatformRole::Admin, PlatformRole::Auditor]);
}

#[test]
fn a_platform_role_is_revoked_once() {
    given([registered(), granted(PlatformRole::Admin)])
        .when(revoke(PlatformRole::Admin))
        .then_expect_events(vec![revoked(PlatformRole::Admin)]);
    given([
        registered(),
        granted(PlatformRole::Admin),
        revoked(PlatformRole::Admin),
    ])
    .when(revoke(PlatformRole::Admin))
    .then_expect_events(vec![]);
}

#[test]
fn an_account_is_erased_once() {
    given([registered()])
        .when(AccountCommand::Erase)
        .then_expect_events(vec![erased()]);
    given([registered(), erased()])
        .when(AccountCommand::Erase)
        .then_expect_events(vec![]);
}

#[test]
fn an_account_with_a_platform_role_is_not_erased() {
    given([registered(), granted(PlatformRole::Support)])
        .when(AccountCommand::Erase)
        .then_expect_error(AccountError::HoldsPlatformRole {
            role: PlatformRole::Support,
        });
}

#[test]
fn a_snapshot_reads_as_it_was_written() {
    let written =
        serde_json::to_value(after([registered(), granted(PlatformRole::Admin)])).unwrap();
    let read: Account = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), written);
}

#[test]
fn what_is_not_registered_answers_nothing_but_registration() {
    for command in changes() {
        given([])
            .when(command)
            .then_expect_error(AccountError::NotRegistered);
    }
    given([])
        .when(AccountCommand::Erase)
        .then_expect_error(AccountError::NotRegistered);
}

#[test]
fn an_erased_account_refuses_every_change() {
    for command in changes() {
        given([registered(), erased()])
            .when(command)
            .then_expect_error(AccountError::Erased);
    }
}

#[test]
fn nothing_personal_is_left_in_an_erased_account() {
    let account = after([registered(), granted(PlatformRole::Admin), erased()]);
    assert_eq!(account.profile().unwrap_err(), AccountError::Erased);
    assert_eq!(account.platform_roles().count(), 0);
    assert_eq!(serde_json::to_string(&account).unwrap(), r#""Erased""#);
}

#[test]
fn a_profile_shows_what_was_registered_and_changed() {
    let account = after([
        registered(),
        AccountEvent::ProfileChanged {
            name: name("Amina W."),
            phone: Some(phone()),
        },
        AccountEvent::EmailVerified {},
    ]);
    let profile = account.profile().unwrap();
    assert_eq!(profile.name(), &name("Amina W."));
    assert_eq!(profile.email(), &email());
    assert_eq!(profile.phone(), Some(&phone()));
    assert!(profile.email_is_verified());
}

fn changes() -> [AccountCommand; 10] {
    [
        add_address(1),
        remove_address(1),
        rename("Amina W."),
        AccountCommand::VerifyEmail,
        AccountCommand::VerifyPhone { phone: phone() },
        AccountCommand::AddSecondFactor,
        AccountCommand::RemoveSecondFactor,
        AccountCommand::ChangePassword,
        grant(PlatformRole::Admin),
        revoke(PlatformRole::Admin),
    ]
}

fn given<const N: usize>(events: [AccountEvent; N]) -> AggregateTestExecutor<Account> {
    TestFramework::with(()).given(events.into())
}

fn after<const N: usize>(events: [AccountEvent; N]) -> Account {
    events
        .into_iter()
        .fold(Account::default(), |mut account, event| {
            account.apply(event);
            account
        })
}

fn personal<T>(value: T) -> Personal<T> {
    Personal::new(SubjectId::from_uuid(Uuid::from_u128(1)), value)
}

fn name(text: &str) -> Personal<Text<120>> {
    personal(text.parse().unwrap())
}

fn email() -> Personal<EmailAddress> {
    personal("amina@example.com".parse().unwrap())
}

fn phone() -> Personal<PhoneNumber> {
    personal("+254712345678".parse().unwrap())
}

fn register() -> AccountCommand {
    AccountCommand::Register {
        name: name("Amina"),
        email: email(),
        phone: None,
    }
}

fn registered() -> AccountEvent {
    AccountEvent::Registered {
        name: name("Amina"),
        email: email(),
        phone: None,
    }
}

fn rename(text: &str) -> AccountCommand {
    AccountCommand::ChangeProfile {
        name: name(text),
        phone: None,
    }
}

fn renamed(text: &str) -> AccountEvent {
    AccountEvent::ProfileChanged {
        name: name(text),
        phone: None,
    }
}

fn address_id(number: u128) -> AddressId {
    AddressId::from_uuid(Uuid::from_u128(number))
}

fn address() -> Personal<Address> {
    personal(Address {
        name: "Amina".parse().unwrap(),
        phone: "+254712345678".parse().unwrap(),
        line1: "Moi Avenue 1".parse().unwrap(),
        line2: None,
        city: "Nairobi".parse().unwrap(),
        province: None,
        postal_code: None,
        country: "KE".parse().unwrap(),
    })
}

fn add_address(number: u128) -> AccountCommand {
    AccountCommand::AddAddress {
        address_id: address_id(number),
        address: address(),
    }
}

fn address_added(number: u128) -> AccountEvent {
    AccountEvent::AddressAdded {
        address_id: address_id(number),
        address: address(),
    }
}

fn remove_address(number: u128) -> AccountCommand {
    AccountCommand::RemoveAddress {
        address_id: address_id(number),
    }
}

fn grant(role: PlatformRole) -> AccountCommand {
    AccountCommand::GrantPlatformRole { role }
}

fn granted(role: PlatformRole) -> AccountEvent {
    AccountEvent::PlatformRoleGranted { role }
}

fn revoke(role: PlatformRole) -> AccountCommand {
    AccountCommand::RevokePlatformRole { role }
}

fn revoked(role: PlatformRole) -> AccountEvent {
    AccountEvent::PlatformRoleRevoked { role }
}

fn erased() -> AccountEvent {
    AccountEvent::Erased {}
}
