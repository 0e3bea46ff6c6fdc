//! From a request to its end.

use super::*;

#[test]
fn all_that_can_be_paid_out_is_asked_for_and_waits_for_somebody_else() {
    given([opened(), sold(50_000)])
        .when(request(1, None, 0))
        .then_expect_events(vec![requested(1, 50_000)]);
    let account = account([opened(), sold(50_000), requested(1, 50_000)]);
    let purse = purse(&account);
    assert_eq!(purse.available(at(NOW)), kes(0));
    assert_eq!(status(&account, 1), PayoutStatus::Requested);
    assert!(!purse.is_owed());
}

#[test]
fn what_is_not_above_the_limit_needs_no_approval() {
    let by_itself = VendorAccountEvent::PayoutApproved {
        payout_id: id(1),
        approved_by: None,
    };
    given([opened(), sold(50_000)])
        .when(request(1, Some(20_000), 20_000))
        .then_expect_events(vec![requested(1, 20_000), by_itself]);
    given([opened(), sold(50_000)])
        .when(request(1, Some(20_001), 20_000))
        .then_expect_events(vec![requested(1, 20_001)]);
}

#[test]
fn a_repeated_request_changes_nothing() {
    given([opened(), sold(50_000), requested(1, 50_000)])
        .when(request(1, None, 0))
        .then_expect_events(vec![]);
}

#[test]
fn more_than_what_is_cleared_is_not_paid_out() {
    let on_hold = credited(credit(2, 90_000, HELD));
    for (amount, other) in [(50_001, None), (30_001, Some(requested(2, 20_000)))] {
        let available = kes(50_000 - if other.is_some() { 20_000 } else { 0 });
        given(
            [opened(), sold(50_000), on_hold.clone()]
                .into_iter()
                .chain(other),
        )
        .when(request(1, Some(amount), 0))
        .then_expect_error(VendorAccountError::NotEnough {
            available,
            requested: kes(amount),
        });
    }
}

#[test]
fn little_is_not_worth_a_payout() {
    let minimum = kes(10_000);
    for amount in [9_999, 0, -50_000] {
        given([opened(), sold(50_000)])
            .when(request(1, Some(amount), 0))
            .then_expect_error(VendorAccountError::BelowMinimum { minimum });
    }
    for sold_before in [None, Some(9_999)] {
        let events = sold_before.map(|amount| [opened(), sold(amount)]);
        given(events.into_iter().flatten())
            .when(request(1, None, 0))
            .then_expect_error(VendorAccountError::NotEnough {
                available: kes(sold_before.unwrap_or_default()),
                requested: minimum,
            });
    }
}

#[test]
fn by_phone_whole_shillings_are_paid_and_cents_stay_for_the_next() {
    let account = payout_account(mpesa("+254712345678"), "2026-02-01T10:00:00Z");
    let events = [opened(), account, sold(50_050)];
    given(events.clone())
        .when(request(1, None, 0))
        .then_expect_events(vec![by_phone(1)]);
    given(events)
        .when(request(1, Some(50_050), 0))
        .then_expect_error(VendorAccountError::NotWhole {
            method: PayoutMethod::Mpesa,
            unit: kes(100),
        });
}

#[test]
fn another_currency_is_refused() {
    let request = PayoutRequest {
        amount: Some(Money::new(50_000, Currency::Usd)),
        ..payout_request(1)
    };
    given([opened(), sold(50_000)])
        .when(VendorAccountCommand::RequestPayout {
            owner: owner(),
            request,
        })
        .then_expect_error(VendorAccountError::OtherCurrency {
            expected: Currency::Kes,
            found: Currency::Usd,
        });
}

#[test]
fn so_many_are_under_way_and_no_more() {
    let max = Payouts::UNDER_WAY_MAX;
    let others = (1..=max as u128).map(|number| requested(number + 100, 10_000));
    given([opened(), sold(10_000_000)].into_iter().chain(others))
        .when(request(1, Some(10_000), 0))
        .then_expect_error(VendorAccountError::TooManyUnderWay { max });
}

#[test]
fn somebody_else_approves_it_and_puts_on_record_that_it_was_paid() {
    let events = [opened(), sold(50_000), requested(1, 50_000)];
    given(events.clone())
        .when(approve(1, BOSS))
        .then_expect_events(vec![approved(1)]);
    let events = events.into_iter().chain([approved(1)]);
    given(events.clone())
        .when(approve(1, BOSS))
        .then_expect_events(vec![]);
    given(events.clone())
        .when(record(1, "KCB-1"))
        .then_expect_events(vec![paid(1, 50_000)]);
    let account = account(events.chain([paid(1, 50_000)]));
    assert_eq!(status(&account, 1), PayoutStatus::Paid);
    assert_eq!(purse(&account).available(at(NOW)), kes(0));
}

#[test]
fn nobody_approves_what_they_have_requested() {
    given([opened(), sold(50_000), requested(1, 50_000)])
        .when(approve(1, VENDOR))
        .then_expect_error(VendorAccountError::OwnRequest);
}

#[test]
fn what_the_schedule_requests_anybody_may_approve() {
    let by_schedule = VendorAccountEvent::PayoutRequested {
        payout_id: id(1),
        store_id: id(10),
        currency: Currency::Kes,
        amount: 50_000,
        method: PayoutMethod::ByHand,
        requested_by: None,
        requested_at: at(NOW),
    };
    given([opened(), sold(50_000), by_schedule])
        .when(approve(1, VENDOR))
        .then_expect_events(vec![VendorAccountEvent::PayoutApproved {
            payout_id: id(1),
            approved_by: Some(id(VENDOR)),
        }]);
}

#[test]
fn what_went_back_meanwhile_is_not_approved_any_more() {
    given([
        opened(),
        sold(50_000),
        requested(1, 50_000),
        debited(1, 10_000),
    ])
    .when(approve(1, BOSS))
    .then_expect_error(VendorAccountError::NotEnough {
        available: kes(40_000),
        requested: kes(50_000),
    });
}

#[test]
fn what_was_rejected_can_be_paid_out_another_time() {
    let rejected = VendorAccountEvent::PayoutRejected {
        payout_id: id(1),
        amount: 50_000,
        rejected_by: id(BOSS),
        reason: text("the bank is closed"),
    };
    for before in [None, Some(approved(1))] {
        let events = [opened(), sold(50_000), requested(1, 50_000)];
        given(events.into_iter().chain(before))
            .when(reject(1))
            .then_expect_events(vec![rejected.clone()]);
    }
    let events = [opened(), sold(50_000), requested(1, 50_000), rejected];
    let account = account(events.clone());
    assert_eq!(purse(&account).available(at(NOW)), kes(50_000));
    given(events.clone())
        .when(reject(1))
        .then_expect_events(vec![]);
    let status = PayoutStatus::Rejected;
    for late in [approve(1, BOSS), record(1, "KCB-1"), start(1)] {
        given(events.clone())
            .when(late)
            .then_expect_error(VendorAccountError::WrongStatus { status });
    }
}

#[test]
fn a_payout_is_made_once() {
    let events = [
        opened(),
        sold(50_000),
        requested(1, 50_000),
        approved(1),
        paid(1, 50_000),
    ];
    given(events.clone())
        .when(record(1, "KCB-1"))
        .then_expect_events(vec![]);
    let status = PayoutStatus::Paid;
    for again in [record(1, "KCB-2"), reject(1), approve(1, BOSS), start(1)] {
        given(events.clone())
            .when(again)
            .then_expect_error(VendorAccountError::WrongStatus { status });
    }
}

#[test]
fn what_nobody_has_approved_is_not_paid() {
    let status = PayoutStatus::Requested;
    given([opened(), sold(50_000), requested(1, 50_000)])
        .when(record(1, "KCB-1"))
        .then_expect_error(VendorAccountError::WrongStatus { status });
}

#[test]
fn what_went_back_after_the_payout_is_taken_from_the_next() {
    let events = [
        opened(),
        sold(50_000),
        requested(1, 50_000),
        approved(1),
        paid(1, 50_000),
        debited(1, 30_000),
        credited(credit(2, 45_000, NOW)),
    ];
    let account = account(events.clone());
    assert_eq!(purse(&account).available(at(NOW)), kes(15_000));
    given(events)
        .when(request(2, None, 0))
        .then_expect_events(vec![requested(2, 15_000)]);
}

#[test]
fn nothing_is_paid_out_while_the_account_is_held() {
    let until = at(NOW) + TimeDelta::hours(24);
    let set = payout_account(by_hand(), NOW);
    let held = VendorAccountError::Held { until };
    given([opened(), sold(50_000), set.clone()])
        .when(request(1, None, 0))
        .then_expect_error(held.clone());
    given([opened(), sold(50_000), requested(1, 50_000), set])
        .when(approve(1, BOSS))
        .then_expect_error(held);
}

#[test]
fn what_was_to_go_to_one_account_does_not_go_to_another() {
    let other = mpesa("+254799999999");
    for before in [None, Some(approved(1))] {
        let to_phone = VendorAccountEvent::PayoutRequested {
            payout_id: id(1),
            store_id: id(10),
            currency: Currency::Kes,
            amount: 50_000,
            method: PayoutMethod::Mpesa,
            requested_by: Some(id(VENDOR)),
            requested_at: at(NOW),
        };
        let events = [opened(), sold(50_000), to_phone];
        let failed = VendorAccountEvent::PayoutFailed {
            payout_id: id(1),
            amount: 50_000,
            reason: text("the payout account was changed before it was sent"),
        };
        given(events.into_iter().chain(before))
            .when(to_set(other.clone()))
            .then_expect_events(vec![payout_account(other.clone(), NOW), failed]);
    }
    // Who pays by hand may have done so already.
    given([opened(), sold(50_000), requested(1, 50_000), approved(1)])
        .when(to_set(other.clone()))
        .then_expect_events(vec![payout_account(other, NOW)]);
}

#[test]
fn money_that_came_back_can_be_paid_out_again() {
    let events = [
        opened(),
        sold(50_000),
        requested(1, 50_000),
        approved(1),
        paid(1, 50_000),
    ];
    let returned = VendorAccountEvent::PayoutReturned {
        payout_id: id(1),
        store_id: id(10),
        currency: Currency::Kes,
        method: PayoutMethod::ByHand,
        amount: 50_000,
        reason: text("no such account"),
        recorded_by: Some(id(BOSS)),
    };
    let events = events.into_iter();
    given(events.clone())
        .when(take_back(1))
        .then_expect_events(vec![returned.clone()]);
    let events = events.chain([returned]);
    given(events.clone())
        .when(take_back(1))
        .then_expect_events(vec![]);
    let account = account(events);
    assert_eq!(purse(&account).available(at(NOW)), kes(50_000));
    assert_eq!(status(&account, 1), PayoutStatus::Returned);
}

#[test]
fn a_provider_is_told_once_and_then_asked() {
    let events = [
        opened(),
        sold(50_000),
        by_phone(1),
        approved(1),
        started(1),
        sent(1),
    ];
    given(events[..4].iter().cloned())
        .when(start(1))
        .then_expect_events(vec![started(1)]);
    given(events[..5].iter().cloned())
        .when(start(1))
        .then_expect_events(vec![]);
    given(events[..5].iter().cloned())
        .when(note_sent(1))
        .then_expect_events(vec![sent(1)]);
    given(events.clone())
        .when(complete(1))
        .then_expect_events(vec![by_provider(1)]);
    given(events.clone())
        .when(fail(1))
        .then_expect_events(vec![failed(1)]);
    for refused in [record(1, "MPESA-1"), record(1, "X")] {
        given(events.clone())
            .when(refused)
            .then_expect_error(VendorAccountError::NotByHand);
    }
    given([opened(), sold(50_000), requested(1, 50_000), approved(1)])
        .when(start(1))
        .then_expect_error(VendorAccountError::ByHand);
}

#[test]
fn what_a_provider_cannot_be_told_fails_and_what_is_paid_by_hand_does_not() {
    given([opened(), sold(50_000), by_phone(1), approved(1)])
        .when(fail(1))
        .then_expect_events(vec![failed(1)]);
    given([opened(), sold(50_000), requested(1, 50_000), approved(1)])
        .when(fail(1))
        .then_expect_error(VendorAccountError::ByHand);
}

#[test]
fn what_is_not_known_is_neither_paid_nor_failed_until_somebody_knows() {
    let doubted = VendorAccountEvent::PayoutDoubted {
        payout_id: id(1),
        because: text("no answer"),
    };
    let events = [opened(), sold(50_000), by_phone(1), approved(1), started(1)];
    given(events.clone())
        .when(doubt(1))
        .then_expect_events(vec![doubted.clone()]);
    let by_somebody = VendorAccountEvent::PayoutPaid {
        payout_id: id(1),
        store_id: id(10),
        currency: Currency::Kes,
        method: PayoutMethod::Mpesa,
        amount: 50_000,
        reference: text("KCB-1"),
        paid_by: Some(id(BOSS)),
    };
    let events = events.into_iter().chain([doubted]);
    let account = account(events.clone());
    assert_eq!(status(&account, 1), PayoutStatus::Unresolved);
    assert_eq!(purse(&account).available(at(NOW)), kes(0));
    given(events.clone())
        .when(complete(1))
        .then_expect_events(vec![by_provider(1)]);
    given(events.clone())
        .when(fail(1))
        .then_expect_events(vec![failed(1)]);
    given(events.clone())
        .when(record(1, "KCB-1"))
        .then_expect_events(vec![by_somebody]);
    // What is sure stays so, whatever is said after it.
    let events = events.chain([by_provider(1)]);
    for late in [doubt(1), note_sent(1), complete(1)] {
        given(events.clone()).when(late).then_expect_events(vec![]);
    }
    let status = PayoutStatus::Paid;
    given(events)
        .when(fail(1))
        .then_expect_error(VendorAccountError::WrongStatus { status });
}

#[test]
fn a_payout_that_is_not_there_is_not_found() {
    let payout_id = id(9);
    for command in [approve(9, BOSS), reject(9), record(9, "X"), take_back(9)] {
        given([opened()])
            .when(command.clone())
            .then_expect_error(VendorAccountError::NoSuchPayout { payout_id });
        given([])
            .when(command)
            .then_expect_error(VendorAccountError::NotOpened);
    }
}

#[test]
fn the_last_hundred_are_remembered() {
    let many = Payouts::ENDED_KEPT as u128 + 1;
    let history = (1..=many).flat_map(|number| {
        [
            requested(number, 10_000),
            approved(number),
            paid(number, 10_000),
        ]
    });
    let account = account([opened(), sold(10_000_000)].into_iter().chain(history));
    let payouts = purse(&account).payouts();
    assert!(payouts.find(id(1)).is_none());
    assert!(payouts.find(id(2)).is_some() && payouts.find(id(many)).is_some());
    assert_eq!(payouts.under_way().len(), 0);
}

const VENDOR: u128 = 30;
const BOSS: u128 = 31;

fn status(account: &VendorAccount, payout: u128) -> PayoutStatus {
    purse(account).payouts().get(id(payout)).unwrap().status
}

fn sold(amount: i64) -> VendorAccountEvent {
    credited(credit(1, amount, NOW))
}

fn by_hand() -> Personal<PayoutDetails> {
    let details = PayoutDetails::ByHand {
        name: text("Mama Mboga"),
        account: text("KCB Moi Avenue 1234567"),
    };
    Personal::new(subject(), details)
}

fn payout_request(number: u128) -> PayoutRequest {
    PayoutRequest {
        payout_id: id(number),
        amount: None,
        requested_by: Some(id(VENDOR)),
        four_eyes_above: 0,
        now: at(NOW),
    }
}

fn request(number: u128, amount: Option<i64>, four_eyes_above: i64) -> VendorAccountCommand {
    VendorAccountCommand::RequestPayout {
        owner: owner(),
        request: PayoutRequest {
            amount: amount.map(kes),
            four_eyes_above,
            ..payout_request(number)
        },
    }
}

fn approve(number: u128, by: u128) -> VendorAccountCommand {
    VendorAccountCommand::ApprovePayout {
        payout_id: id(number),
        approved_by: id(by),
        now: at(NOW),
    }
}

fn reject(number: u128) -> VendorAccountCommand {
    VendorAccountCommand::RejectPayout {
        payout_id: id(number),
        rejected_by: id(BOSS),
        reason: text("the bank is closed"),
    }
}

fn record(number: u128, reference: &str) -> VendorAccountCommand {
    VendorAccountCommand::RecordPayout {
        payout_id: id(number),
        reference: text(reference),
        paid_by: id(BOSS),
    }
}

fn take_back(number: u128) -> VendorAccountCommand {
    VendorAccountCommand::ReturnPayout {
        payout_id: id(number),
        reason: text("no such account"),
        recorded_by: Some(id(BOSS)),
    }
}

fn start(number: u128) -> VendorAccountCommand {
    VendorAccountCommand::StartPayout {
        payout_id: id(number),
        now: at(NOW),
    }
}

fn note_sent(number: u128) -> VendorAccountCommand {
    VendorAccountCommand::NotePayoutSent {
        payout_id: id(number),
        handle: text("AG_1"),
    }
}

fn doubt(number: u128) -> VendorAccountCommand {
    VendorAccountCommand::DoubtPayout {
        payout_id: id(number),
        because: text("no answer"),
    }
}

fn complete(number: u128) -> VendorAccountCommand {
    VendorAccountCommand::CompletePayout {
        payout_id: id(number),
        reference: text("MPESA-1"),
    }
}

fn fail(number: u128) -> VendorAccountCommand {
    VendorAccountCommand::FailPayout {
        payout_id: id(number),
        reason: text("no such phone"),
    }
}

fn requested(number: u128, amount: i64) -> VendorAccountEvent {
    VendorAccountEvent::PayoutRequested {
        payout_id: id(number),
        store_id: id(10),
        currency: Currency::Kes,
        amount,
        method: PayoutMethod::ByHand,
        requested_by: Some(id(VENDOR)),
        requested_at: at(NOW),
    }
}

fn by_phone(number: u128) -> VendorAccountEvent {
    VendorAccountEvent::PayoutRequested {
        payout_id: id(number),
        store_id: id(10),
        currency: Currency::Kes,
        amount: 50_000,
        method: PayoutMethod::Mpesa,
        requested_by: Some(id(VENDOR)),
        requested_at: at(NOW),
    }
}

fn approved(number: u128) -> VendorAccountEvent {
    VendorAccountEvent::PayoutApproved {
        payout_id: id(number),
        approved_by: Some(id(BOSS)),
    }
}

fn started(number: u128) -> VendorAccountEvent {
    let payout_id = id(number);
    VendorAccountEvent::PayoutStarted { payout_id }
}

fn sent(number: u128) -> VendorAccountEvent {
    VendorAccountEvent::PayoutSent {
        payout_id: id(number),
        handle: text("AG_1"),
    }
}

fn paid(number: u128, amount: i64) -> VendorAccountEvent {
    VendorAccountEvent::PayoutPaid {
        payout_id: id(number),
        store_id: id(10),
        currency: Currency::Kes,
        method: PayoutMethod::ByHand,
        amount,
        reference: text("KCB-1"),
        paid_by: Some(id(BOSS)),
    }
}

fn by_provider(number: u128) -> VendorAccountEvent {
    VendorAccountEvent::PayoutPaid {
        payout_id: id(number),
        store_id: id(10),
        currency: Currency::Kes,
        method: PayoutMethod::Mpesa,
        amount: 50_000,
        reference: text("MPESA-1"),
        paid_by: None,
    }
}

fn failed(number: u128) -> VendorAccountEvent {
    VendorAccountEvent::PayoutFailed {
        payout_id: id(number),
        amount: 50_000,
        reason: text("no such phone"),
    }
}
