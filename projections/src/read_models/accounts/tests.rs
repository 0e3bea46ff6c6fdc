//! The fold, without a database.

use super::*;
use crate::given::{id, row, text};
use soko_domain::SubjectId;

#[test]
fn an_erased_account_has_nothing_personal_left() {
    let account = folded([AccountEvent::Erased {}]);
    assert!(account.is_erased);
    assert_eq!(account.name.0.value(), None);
    assert_eq!(account.email.0.value(), None);
    assert_eq!(account.phone, None);
    assert_eq!(account.name.0.subject(), subject());
}

#[test]
fn a_profile_is_what_it_was_changed_to() {
    let account = folded([AccountEvent::ProfileChanged {
        name: Personal::new(subject(), text("Wanjiru K.")),
        phone: None,
    }]);
    assert_eq!(account.name.0.value(), Some(&text("Wanjiru K.")));
    assert_eq!(account.phone, None);
    assert_eq!(account.email.0.value(), Some(&text("w@example.com")));
    assert_eq!(account.version, 2);
}

#[test]
fn platform_roles_come_and_go() {
    let granted = |role| AccountEvent::PlatformRoleGranted { role };
    let account = folded([
        granted(PlatformRole::Auditor),
        granted(PlatformRole::Admin),
        AccountEvent::PlatformRoleRevoked {
            role: PlatformRole::Auditor,
        },
    ]);
    let roles: Vec<_> = account.platform_roles.0.into_iter().collect();
    assert_eq!(roles, [PlatformRole::Admin]);
}

fn folded<const N: usize>(events: [AccountEvent; N]) -> Account {
    let registered = AccountEvent::Registered {
        name: Personal::new(subject(), text("Wanjiru")),
        email: Personal::new(subject(), text("w@example.com")),
        phone: Some(Personal::new(subject(), text("+254712345678"))),
    };
    let events = std::iter::once(registered).chain(events);
    row::<Accounts>(events.map(|event| AnyEvent::Account(id(40), event)))
}

fn subject() -> SubjectId {
    SubjectId::from_uuid(id(40))
}
