//! What holds of a vendor's account whatever is asked of it, in whatever order, at whatever time.

use super::tests::{account, at, credit, id, kes, opened, owner};
use super::*;
use crate::PayoutId;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::collections::BTreeMap;

proptest! {
    #[test]
    fn nothing_is_paid_out_that_is_not_cleared(steps in any_steps()) {
        let mut account = VendorAccount::default();
        let mut books = Books::default();
        for step in steps {
            books.now += step.later;
            let command = step.command(books.now);
            for event in account.decide(command).unwrap_or_default() {
                account.apply(event.clone());
                books.enter(&event)?;
            }
            books.agree_with(&account)?;
        }
    }

    #[test]
    fn what_was_done_is_not_done_again(steps in any_steps(), last in any_step()) {
        let mut account = VendorAccount::default();
        let mut now = start();
        for step in steps {
            now += step.later;
            for event in account.decide(step.command(now)).unwrap_or_default() {
                account.apply(event);
            }
        }
        // Whoever credits and debits claims the order, or the refund, in the same unit.
        prop_assume!(!matches!(last.act, Act::Credit { .. } | Act::Debit { .. }));
        let command = last.command(now);
        if let Ok(events) = account.decide(command.clone()) {
            for event in events {
                account.apply(event);
            }
            prop_assert_eq!(account.decide(command), Ok(vec![]));
        }
    }

    #[test]
    fn a_snapshot_is_the_same_account(steps in any_steps()) {
        let mut account = VendorAccount::default();
        let mut now = start();
        for step in steps {
            now += step.later;
            for event in account.decide(step.command(now)).unwrap_or_default() {
                account.apply(event);
            }
        }
        let json = serde_json::to_value(&account).unwrap();
        let restored: VendorAccount = serde_json::from_value(json.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(&restored).unwrap(), json);
    }
}

#[test]
fn books_start_with_nothing() {
    Books::default().agree_with(&account([opened()])).unwrap();
}

fn start() -> DateTime<Utc> {
    at("2026-03-01T00:00:00Z")
}

/// What an auditor would reckon from the events alone.
struct Books {
    now: DateTime<Utc>,
    credits: Vec<(DateTime<Utc>, i64)>,
    debited: i64,
    payouts: BTreeMap<PayoutId, (i64, PayoutStatus)>,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            now: start(),
            credits: vec![],
            debited: 0,
            payouts: BTreeMap::new(),
        }
    }
}

impl Books {
    fn cleared(&self) -> i64 {
        let credits = self.credits.iter();
        let cleared = credits.filter(|(available_at, _)| *available_at <= self.now);
        cleared.map(|(_, amount)| amount).sum()
    }

    /// Paid out, or about to be.
    fn taken(&self) -> i64 {
        let taken = self
            .payouts
            .values()
            .filter(|(_, status)| status.is_under_way() || *status == PayoutStatus::Paid);
        taken.map(|(amount, _)| amount).sum()
    }

    fn become_of(
        &mut self,
        payout_id: PayoutId,
        from: &[PayoutStatus],
        to: PayoutStatus,
    ) -> Result<(), TestCaseError> {
        let (_, status) = self.payouts.get_mut(&payout_id).unwrap();
        prop_assert!(from.contains(status), "{status} and then {to}");
        *status = to;
        Ok(())
    }

    fn enter(&mut self, event: &VendorAccountEvent) -> Result<(), TestCaseError> {
        use PayoutStatus::{
            Approved, Failed, Paid, Rejected, Requested, Returned, Sent, Unresolved,
        };
        match event {
            VendorAccountEvent::Opened { .. } | VendorAccountEvent::PayoutAccountSet { .. } => (),
            VendorAccountEvent::Credited(credit) => {
                self.credits.push((credit.available_at, credit.amount));
            }
            VendorAccountEvent::Debited(debit) => self.debited += debit.amount,
            VendorAccountEvent::PayoutRequested {
                payout_id, amount, ..
            } => {
                let known = self.payouts.insert(*payout_id, (*amount, Requested));
                prop_assert_eq!(known, None);
                prop_assert!(*amount > 0);
                prop_assert!(self.taken() <= self.cleared() - self.debited);
            }
            VendorAccountEvent::PayoutApproved { payout_id, .. } => {
                self.become_of(*payout_id, &[Requested], Approved)?;
                prop_assert!(self.taken() <= self.cleared() - self.debited);
            }
            VendorAccountEvent::PayoutRejected { payout_id, .. } => {
                self.become_of(*payout_id, &[Requested, Approved], Rejected)?;
            }
            VendorAccountEvent::PayoutStarted { payout_id } => {
                self.become_of(*payout_id, &[Approved], Sent)?;
                prop_assert!(self.taken() <= self.cleared() - self.debited);
            }
            VendorAccountEvent::PayoutSent { payout_id, .. } => {
                self.become_of(*payout_id, &[Sent, Unresolved], Sent)?;
            }
            VendorAccountEvent::PayoutDoubted { payout_id, .. } => {
                self.become_of(*payout_id, &[Sent], Unresolved)?;
            }
            VendorAccountEvent::PayoutPaid { payout_id, .. } => {
                self.become_of(*payout_id, &[Approved, Sent, Unresolved], Paid)?;
            }
            VendorAccountEvent::PayoutFailed { payout_id, .. } => {
                let open = [Requested, Approved, Sent, Unresolved];
                self.become_of(*payout_id, &open, Failed)?;
            }
            VendorAccountEvent::PayoutReturned { payout_id, .. } => {
                self.become_of(*payout_id, &[Paid], Returned)?;
            }
        }
        Ok(())
    }

    fn agree_with(&self, account: &VendorAccount) -> Result<(), TestCaseError> {
        // Of what was sold, more is never paid out than was cleared, whatever went back since.
        prop_assert!(self.taken() <= self.cleared());
        let Ok(purse) = account.purse() else {
            prop_assert!(self.credits.is_empty());
            return Ok(());
        };
        let available = self.cleared() - self.debited - self.taken();
        prop_assert_eq!(purse.available(self.now), kes(available));
        let all: i64 = self.credits.iter().map(|(_, amount)| amount).sum();
        prop_assert_eq!(purse.pending(self.now), kes(all - self.cleared()));
        let under_way = self.payouts.values();
        let under_way = under_way.filter(|(_, status)| status.is_under_way());
        prop_assert_eq!(purse.payouts().under_way().len(), under_way.count());
        Ok(())
    }
}

#[derive(Debug, Clone)]
struct Step {
    /// After the one before.
    later: TimeDelta,
    act: Act,
}

#[derive(Debug, Clone)]
enum Act {
    Credit {
        amount: i64,
        held: TimeDelta,
    },
    Debit {
        amount: i64,
    },
    SetAccount {
        number: u8,
    },
    Request {
        payout: u8,
        amount: Option<i64>,
        is_seen_by_two: bool,
    },
    Approve {
        payout: u8,
    },
    Reject {
        payout: u8,
    },
    Record {
        payout: u8,
    },
    Start {
        payout: u8,
    },
    NoteSent {
        payout: u8,
    },
    Doubt {
        payout: u8,
    },
    Complete {
        payout: u8,
    },
    Fail {
        payout: u8,
    },
    TakeBack {
        payout: u8,
    },
}

impl Step {
    fn command(&self, now: DateTime<Utc>) -> VendorAccountCommand {
        let payout_id = |payout: u8| id::<PayoutId>(payout.into());
        let text = || "text".parse().unwrap();
        match self.act {
            Act::Credit { amount, held } => VendorAccountCommand::Credit {
                owner: owner(),
                credit: Credit {
                    available_at: now + held,
                    credited_at: now,
                    ..credit(1, amount, "2026-03-01T00:00:00Z")
                },
            },
            Act::Debit { amount } => VendorAccountCommand::Debit {
                owner: owner(),
                debit: Debit {
                    order_id: id(1),
                    refund_id: id(2),
                    amount,
                    share: credit(1, amount, "2026-03-01T00:00:00Z").share,
                },
            },
            Act::SetAccount { number } => VendorAccountCommand::SetPayoutAccount {
                owner: owner(),
                method: PayoutMethod::Mpesa,
                details: crate::Personal::new(
                    crate::SubjectId::from_uuid(id(20)),
                    PayoutDetails::Mpesa {
                        phone: format!("+2547000000{number:02}").parse().unwrap(),
                    },
                ),
                set_by: id(30),
                held_for: PayoutAccount::HELD_FOR,
                now,
            },
            Act::Request {
                payout,
                amount,
                is_seen_by_two,
            } => VendorAccountCommand::RequestPayout {
                owner: owner(),
                request: PayoutRequest {
                    payout_id: payout_id(payout),
                    amount: amount.map(kes),
                    requested_by: Some(id(30)),
                    four_eyes_above: if is_seen_by_two { 0 } else { i64::MAX },
                    now,
                },
            },
            Act::Approve { payout } => VendorAccountCommand::ApprovePayout {
                payout_id: payout_id(payout),
                approved_by: id(31),
                now,
            },
            Act::Reject { payout } => VendorAccountCommand::RejectPayout {
                payout_id: payout_id(payout),
                rejected_by: id(31),
                reason: text(),
            },
            Act::Record { payout } => VendorAccountCommand::RecordPayout {
                payout_id: payout_id(payout),
                reference: "text".parse().unwrap(),
                paid_by: id(31),
            },
            Act::Start { payout } => VendorAccountCommand::StartPayout {
                payout_id: payout_id(payout),
                now,
            },
            Act::NoteSent { payout } => VendorAccountCommand::NotePayoutSent {
                payout_id: payout_id(payout),
                handle: text(),
            },
            Act::Doubt { payout } => VendorAccountCommand::DoubtPayout {
                payout_id: payout_id(payout),
                because: text(),
            },
            Act::Complete { payout } => VendorAccountCommand::CompletePayout {
                payout_id: payout_id(payout),
                reference: "text".parse().unwrap(),
            },
            Act::Fail { payout } => VendorAccountCommand::FailPayout {
                payout_id: payout_id(payout),
                reason: text(),
            },
            Act::TakeBack { payout } => VendorAccountCommand::ReturnPayout {
                payout_id: payout_id(payout),
                reason: text(),
                recorded_by: None,
            },
        }
    }
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(any_step(), 0..60)
}

fn any_step() -> impl Strategy<Value = Step> {
    let payout = || 1_u8..5;
    let act = prop_oneof![
        4 => (0..200_000_i64, 0..30_i64)
            .prop_map(|(amount, hours)| Act::Credit { amount, held: TimeDelta::hours(hours) }),
        2 => (0..100_000_i64).prop_map(|amount| Act::Debit { amount }),
        1 => (1..3_u8).prop_map(|number| Act::SetAccount { number }),
        4 => (payout(), proptest::option::of(0..200_000_i64), any::<bool>()).prop_map(
            |(payout, amount, is_seen_by_two)| Act::Request { payout, amount, is_seen_by_two }
        ),
        2 => payout().prop_map(|payout| Act::Approve { payout }),
        1 => payout().prop_map(|payout| Act::Reject { payout }),
        2 => payout().prop_map(|payout| Act::Record { payout }),
        2 => payout().prop_map(|payout| Act::Start { payout }),
        1 => payout().prop_map(|payout| Act::NoteSent { payout }),
        1 => payout().prop_map(|payout| Act::Doubt { payout }),
        1 => payout().prop_map(|payout| Act::Complete { payout }),
        1 => payout().prop_map(|payout| Act::Fail { payout }),
        1 => payout().prop_map(|payout| Act::TakeBack { payout }),
    ];
    (act, 0..40_i64).prop_map(|(act, hours)| Step {
        act,
        later: TimeDelta::hours(hours),
    })
}
