//! The other forms of a payment's events.

use crate::samples::{id, kes, subject, text};
use chrono::DateTime;
use soko_domain::payment::{
    Dispute, DisputeStage, DisputedMoney, NextAction, Payer, PaymentEvent, PaymentProvider,
    Purpose, Refund, RefundMethod, Terms, Wallet,
};
use soko_domain::store::StoreEvent;
use soko_domain::{AnyEvent, Personal};
use std::collections::BTreeSet;

pub(crate) fn payment_forms() -> Vec<(String, AnyEvent)> {
    let mut forms = Vec::new();
    for (name, wallet) in [
        ("ecocash", Wallet::Ecocash),
        ("innbucks", Wallet::Innbucks),
        ("mpesa", Wallet::Mpesa),
        ("omari", Wallet::Omari),
        ("onemoney", Wallet::Onemoney),
    ] {
        forms.push((format!("wallet_{name}"), initiated(wallet)));
    }
    for (name, next) in [
        ("redirect", NextAction::Redirect { url: url() }),
        (
            "client_secret",
            NextAction::ClientSecret {
                client_secret: "pi_1_secret_2".to_owned(),
            },
        ),
        (
            "show_code",
            NextAction::ShowCode {
                code: "123456".to_owned(),
                until: Some("2026-11-29 12:00".to_owned()),
            },
        ),
        ("enter_code", NextAction::EnterCode { handle: url() }),
    ] {
        let started = PaymentEvent::Started {
            handle: None,
            next: Some(Personal::new(subject(), next)),
        };
        forms.push((name.to_owned(), of(started)));
    }
    forms.push((
        "bare".to_owned(),
        of(PaymentEvent::Started {
            handle: None,
            next: None,
        }),
    ));
    forms.extend(captured());
    for (name, stage) in [("won", DisputeStage::Won), ("lost", DisputeStage::Lost)] {
        let disputed = PaymentEvent::Disputed(Dispute {
            reference: text("dp_0001"),
            amount: kes(220_000),
            stage,
            money: None,
            words: None,
            answer_by: None,
            purpose: None,
        });
        forms.push((name.to_owned(), of(disputed)));
    }
    let by_bank = StoreEvent::PaymentMethodsChanged {
        payment_methods: BTreeSet::from([PaymentProvider::BankTransfer]),
    };
    forms.push(("bank_transfer".to_owned(), AnyEvent::Store(id(1), by_bank)));
    forms.extend(purposeful());
    forms
}

/// Money by what it may be called, and what it is called later.
fn captured() -> Vec<(String, AnyEvent)> {
    let of = |event| AnyEvent::Payment(id(40), event);
    vec![
        (
            "provisional".to_owned(),
            of(PaymentEvent::Captured {
                amount: kes(220_000),
                reference: text("ws_CO_0001"),
                collected_by: None,
                fee: Some(kes(1_100)),
                is_provisional: true,
                is_hearsay: false,
                purpose: None,
            }),
        ),
        (
            "hearsay".to_owned(),
            of(PaymentEvent::Captured {
                amount: kes(220_000),
                reference: text("SJK1ABCDEF"),
                collected_by: None,
                fee: None,
                is_provisional: false,
                is_hearsay: true,
                purpose: None,
            }),
        ),
        (
            "hearsay".to_owned(),
            of(PaymentEvent::ReferenceLearned {
                provisional: text("ws_CO_0001"),
                reference: text("SJK1ABCDEF"),
                amount: kes(220_000),
                is_hearsay: true,
            }),
        ),
        (
            "bare".to_owned(),
            of(PaymentEvent::Captured {
                amount: kes(220_000),
                reference: text("MPESA-QK1"),
                collected_by: None,
                fee: None,
                is_provisional: false,
                is_hearsay: false,
                purpose: None,
            }),
        ),
    ]
}

/// What the money is for.
fn purposeful() -> [(String, AnyEvent); 4] {
    let purpose = Some(Purpose {
        order_id: id(50),
        store_id: id(10),
        provider: PaymentProvider::Mpesa,
    });
    let events = [
        PaymentEvent::Captured {
            amount: kes(220_000),
            reference: text("SJK1ABCDEF"),
            collected_by: None,
            fee: None,
            is_provisional: false,
            is_hearsay: false,
            purpose,
        },
        PaymentEvent::Refunded(Refund {
            refund_id: id(41),
            amount: kes(20_000),
            reason: text("one mug was broken"),
            method: RefundMethod::MobileMoney,
            reference: text("SJK2ABCDEF"),
            refunded_by: Some(id(30)),
            purpose,
        }),
        PaymentEvent::RefundReturned {
            refund_id: id(41),
            amount: kes(20_000),
            purpose,
        },
        PaymentEvent::Disputed(Dispute {
            reference: text("dp_0001"),
            amount: kes(220_000),
            stage: DisputeStage::Open,
            money: Some(DisputedMoney::Withdrawn),
            words: None,
            answer_by: None,
            purpose,
        }),
    ];
    events.map(|event| ("purpose".to_owned(), of(event)))
}

fn initiated(wallet: Wallet) -> AnyEvent {
    let payer = Payer {
        phone: Some(text("+254712345678")),
        email: Some(text("wanjiru@example.com")),
        return_url: Some(text("https://shop.example/back")),
        wallet: Some(wallet),
    };
    of(PaymentEvent::Initiated {
        order_id: id(50),
        store_id: id(10),
        provider: PaymentProvider::Paynow,
        amount: kes(220_000),
        terms: Some(Box::new(Terms {
            payer: Personal::new(subject(), payer),
            asked_at: DateTime::UNIX_EPOCH,
            pay_by: DateTime::UNIX_EPOCH,
            capture_later: wallet == Wallet::Mpesa,
        })),
    })
}

fn url() -> String {
    "https://pay.example/1".to_owned()
}

fn of(event: PaymentEvent) -> AnyEvent {
    AnyEvent::Payment(id(1), event)
}
