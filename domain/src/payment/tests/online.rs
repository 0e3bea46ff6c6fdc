//! Payments that a provider is asked for: told in any order, twice, late and wrong.

use super::*;
use PaymentProvider::Mpesa;

#[test]
fn a_provider_is_asked_on_terms_and_nobody_else() {
    for (provider, terms) in [(Mpesa, None), (CASH, terms(Mpesa))] {
        given([])
            .when(PaymentCommand::Initiate {
                order_id: order(),
                store_id: store(),
                provider,
                amount: kes(1_000),
                terms,
            })
            .then_expect_error(PaymentError::WrongTerms);
    }
}

#[test]
fn once_started_it_is_the_payers_turn() {
    given([asked()])
        .when(start("ws_CO_1"))
        .then_expect_events(vec![started("ws_CO_1")]);
    given([asked(), started("ws_CO_1")])
        .when(start("ws_CO_1"))
        .then_expect_events(vec![]);
    let payment = payment([asked(), started("ws_CO_1")]);
    let demand = payment.demand().unwrap();
    assert_eq!(demand.status(), PaymentStatus::Pending);
    assert_eq!(demand.handle().unwrap().as_str(), "ws_CO_1");
    assert_eq!(
        demand.next_action(),
        Some(&NextAction::AwaitPhonePrompt { instructions: None })
    );
}

#[test]
fn a_handle_that_was_lost_may_be_learned_later() {
    let lost = PaymentEvent::Started {
        handle: None,
        next: None,
    };
    given([asked(), lost])
        .when(start("ws_CO_1"))
        .then_expect_events(vec![started("ws_CO_1")]);
}

#[test]
fn what_is_not_known_is_unresolved_and_never_failed() {
    given([asked()])
        .when(doubt())
        .then_expect_events(vec![doubted()]);
    given([asked(), doubted()])
        .when(doubt())
        .then_expect_events(vec![]);
    assert_eq!(status([asked(), doubted()]), PaymentStatus::Unresolved);
    given([asked(), doubted()])
        .when(PaymentCommand::Resume {})
        .then_expect_events(vec![PaymentEvent::Resumed {}]);
    assert_eq!(
        status([asked(), doubted(), PaymentEvent::Resumed {}]),
        PaymentStatus::Pending
    );
}

#[test]
fn a_success_is_never_undone_by_a_later_word() {
    let paid = || vec![asked(), started("ws_CO_1"), came(1_000, "SJK1")];
    for word in [fail(), PaymentCommand::Expire {}, doubt(), start("ws_CO_2")] {
        given_events(paid()).when(word).then_expect_events(vec![]);
    }
    given_events(paid())
        .when(cancel())
        .then_expect_error(PaymentError::AlreadyCaptured);
}

#[test]
fn money_that_comes_late_is_taken_all_the_same() {
    for end in [failed(), PaymentEvent::Expired {}, cancelled()] {
        given([asked(), end.clone()])
            .when(take(1_000, "SJK1"))
            .then_expect_events(vec![came(1_000, "SJK1")]);
        assert_eq!(
            status([asked(), end, came(1_000, "SJK1")]),
            PaymentStatus::Captured
        );
    }
}

#[test]
fn more_or_less_than_was_asked_is_what_came() {
    for amount in [1, 999, 1_001] {
        given([asked()])
            .when(take(amount, "SJK1"))
            .then_expect_events(vec![came(amount, "SJK1")]);
    }
    given([asked()])
        .when(take(0, "SJK1"))
        .then_expect_error(PaymentError::NoMoney);
}

#[test]
fn a_reference_counts_once_and_another_is_other_money() {
    let paid = || [asked(), came(1_000, "SJK1")];
    given(paid())
        .when(take(1_000, "SJK1"))
        .then_expect_events(vec![]);
    given(paid())
        .when(take(1_000, "SJK2"))
        .then_expect_events(vec![came(1_000, "SJK2")]);
    let twice = payment([asked(), came(1_000, "SJK1"), came(1_000, "SJK2")]);
    assert_eq!(twice.demand().unwrap().kept(), kes(2_000));
}

#[test]
fn a_reference_that_is_told_later_names_the_money_that_is_known() {
    let provisional = || {
        let PaymentEvent::Captured {
            amount,
            collected_by,
            fee,
            purpose,
            ..
        } = came(1_000, "x")
        else {
            unreachable!()
        };
        PaymentEvent::Captured {
            amount,
            reference: text("ws_CO_1"),
            collected_by,
            fee,
            is_provisional: true,
            is_hearsay: false,
            purpose,
        }
    };
    let learned = PaymentEvent::ReferenceLearned {
        provisional: text("ws_CO_1"),
        reference: text("SJK1"),
        amount: kes(1_000),
        is_hearsay: false,
    };
    given([asked(), provisional()])
        .when(take(1_000, "SJK1"))
        .then_expect_events(vec![learned.clone()]);
    for reference in ["SJK1", "ws_CO_1"] {
        given([asked(), provisional(), learned.clone()])
            .when(take(1_000, reference))
            .then_expect_events(vec![]);
    }
    // Told the other way round, the vaguer word says nothing new.
    given([asked(), came(1_000, "SJK1")])
        .when(PaymentCommand::Capture {
            amount: kes(1_000),
            reference: text("ws_CO_1"),
            collected_by: None,
            fee: None,
            source: ReferenceSource::Provisional,
        })
        .then_expect_events(vec![]);
    let payment = payment([asked(), provisional(), learned]);
    assert_eq!(
        payment.demand().unwrap().reference().unwrap().as_str(),
        "SJK1"
    );
}

#[test]
fn a_prompt_is_paid_once_whatever_callbacks_call_it() {
    let prompt = [asked(), started("ws_CO_1")];
    let told = |reference| take_by(ReferenceSource::Hearsay, reference);
    given(prompt.clone())
        .when(told("FORGED1"))
        .then_expect_events(vec![heard("FORGED1")]);
    let paid = [asked(), started("ws_CO_1"), heard("FORGED1")];
    given(paid.clone())
        .when(told("SJK1"))
        .then_expect_events(vec![contested("FORGED1", "SJK1")]);
    let doubted = [
        asked(),
        started("ws_CO_1"),
        heard("FORGED1"),
        contested("FORGED1", "SJK1"),
    ];
    for reference in ["FORGED1", "SJK1", "FORGED2"] {
        given(doubted.clone())
            .when(told(reference))
            .then_expect_events(vec![]);
    }
    let payment = payment(doubted);
    let demand = payment.demand().unwrap();
    assert_eq!(demand.kept(), kes(1_000));
    assert!(!demand.captures()[0].standing.names_the_money());
}

#[test]
fn a_person_says_which_of_two_references_it_is_and_callbacks_no_longer_change_it() {
    for (right, wrong) in [("SJK1", "FORGED1"), ("FORGED1", "SJK1")] {
        let doubted = [asked(), heard("FORGED1"), contested("FORGED1", "SJK1")];
        given(doubted.clone())
            .when(seen(right))
            .then_expect_events(vec![seen_instead("FORGED1", right)]);
        let settled = [doubted.to_vec(), vec![seen_instead("FORGED1", right)]].concat();
        for again in [
            seen(right),
            take_by(ReferenceSource::Hearsay, wrong),
            take_by(ReferenceSource::Hearsay, "FORGED2"),
        ] {
            given_events(settled.clone())
                .when(again)
                .then_expect_events(vec![]);
        }
        let mut payment = Payment::default();
        for event in settled {
            payment.apply(event);
        }
        let demand = payment.demand().unwrap();
        assert_eq!(demand.kept(), kes(1_000));
        assert_eq!(demand.reference().unwrap().as_str(), right);
        assert!(demand.captures()[0].standing.names_the_money());
    }
}

#[test]
fn what_a_callback_called_money_is_replaced_by_who_says_so_and_by_nobody_else() {
    let paid = || [asked(), heard("FORGED1")];
    given(paid())
        .when(seen("SJK1"))
        .then_expect_error(PaymentError::ReferenceUnsure {
            known: text("FORGED1"),
        });
    given(paid())
        .when(correct("FORGED1", "SJK1"))
        .then_expect_events(vec![seen_instead("FORGED1", "SJK1")]);
    given(paid())
        .when(correct("SJK9", "SJK1"))
        .then_expect_error(PaymentError::NoSuchReference);
    let corrected = || [asked(), heard("FORGED1"), seen_instead("FORGED1", "SJK1")];
    given(corrected())
        .when(correct("FORGED1", "SJK1"))
        .then_expect_events(vec![]);
    given(corrected())
        .when(correct("SJK1", "SJK2"))
        .then_expect_error(PaymentError::ReferenceCertain);
}

#[test]
fn once_it_is_sure_what_money_is_called_another_reference_is_other_money() {
    given([asked(), heard("SJK1")])
        .when(seen("SJK1"))
        .then_expect_events(vec![seen_instead("SJK1", "SJK1")]);
    given([asked(), heard("SJK1"), seen_instead("SJK1", "SJK1")])
        .when(seen("SJK2"))
        .then_expect_events(vec![came(1_000, "SJK2")]);
}

#[test]
fn who_agreed_has_not_paid() {
    let authorised = PaymentEvent::Authorised { amount: kes(1_000) };
    given([asked(), started("pi_1")])
        .when(PaymentCommand::Authorise { amount: kes(1_000) })
        .then_expect_events(vec![authorised.clone()]);
    let payment = payment([asked(), started("pi_1"), authorised]);
    let demand = payment.demand().unwrap();
    assert_eq!(demand.status(), PaymentStatus::Authorised);
    assert_eq!(demand.kept(), kes(0));
}

fn asked() -> PaymentEvent {
    initiated(Mpesa, 1_000)
}

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    text.parse().unwrap()
}

fn next() -> Personal<NextAction> {
    let prompt = NextAction::AwaitPhonePrompt { instructions: None };
    Personal::new(SubjectId::from(order()), prompt)
}

fn start(handle: &str) -> PaymentCommand {
    PaymentCommand::RecordStart {
        handle: Some(text(handle)),
        next: Some(next()),
    }
}

fn started(handle: &str) -> PaymentEvent {
    PaymentEvent::Started {
        handle: Some(text(handle)),
        next: Some(next()),
    }
}

fn doubt() -> PaymentCommand {
    PaymentCommand::Doubt {
        because: text("no answer in time"),
    }
}

fn doubted() -> PaymentEvent {
    PaymentEvent::Doubted {
        because: text("no answer in time"),
    }
}

fn fail() -> PaymentCommand {
    PaymentCommand::Fail {
        reason: text("wrong_pin"),
        words: None,
    }
}

fn failed() -> PaymentEvent {
    PaymentEvent::Failed {
        reason: text("wrong_pin"),
        words: None,
    }
}

fn seen(reference: &str) -> PaymentCommand {
    take_by(ReferenceSource::Person { instead_of: None }, reference)
}

fn correct(wrong: &str, reference: &str) -> PaymentCommand {
    let instead_of = Some(text(wrong));
    take_by(ReferenceSource::Person { instead_of }, reference)
}

fn seen_instead(once: &str, reference: &str) -> PaymentEvent {
    PaymentEvent::ReferenceLearned {
        provisional: text(once),
        reference: text(reference),
        amount: kes(1_000),
        is_hearsay: false,
    }
}

fn take_by(source: ReferenceSource, reference: &str) -> PaymentCommand {
    PaymentCommand::Capture {
        amount: kes(1_000),
        reference: text(reference),
        collected_by: None,
        fee: None,
        source,
    }
}

fn heard(reference: &str) -> PaymentEvent {
    PaymentEvent::Captured {
        amount: kes(1_000),
        reference: text(reference),
        collected_by: None,
        fee: None,
        is_provisional: false,
        is_hearsay: true,
        purpose: Some(purpose(Mpesa)),
    }
}

fn contested(reference: &str, told: &str) -> PaymentEvent {
    PaymentEvent::ReferenceContested {
        reference: text(reference),
        told: text(told),
        amount: kes(1_000),
    }
}

pub(super) fn take(amount: i64, reference: &str) -> PaymentCommand {
    PaymentCommand::Capture {
        amount: kes(amount),
        reference: text(reference),
        collected_by: None,
        fee: None,
        source: ReferenceSource::Provider,
    }
}

pub(super) fn came(amount: i64, reference: &str) -> PaymentEvent {
    PaymentEvent::Captured {
        amount: kes(amount),
        reference: text(reference),
        collected_by: None,
        fee: None,
        is_provisional: false,
        is_hearsay: false,
        purpose: Some(purpose(Mpesa)),
    }
}

fn status<const N: usize>(events: [PaymentEvent; N]) -> PaymentStatus {
    payment(events).demand().unwrap().status()
}
