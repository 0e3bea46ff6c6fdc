//! What no program can find out, a person does: by the providers' statements, and by looking into the
//! book of the one that prints none.

use serde_json::{Value, json};
use soko_gateways::sandbox::{Kind, Movement, Provider};
use soko_tests::till::Till;
use soko_tests::{Person, Soko, text};
use sqlx::Row;
use std::collections::{HashMap, HashSet};

/// How much a person had to do.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    /// Money of M-Pesa whose callback and answer were both lost.
    taken: usize,
    named: usize,
    failed: usize,
    contested: usize,
    refunds: usize,
    asked_again: usize,
}

pub(super) async fn repair(soko: &Soko, till: &mut Till) -> Repairs {
    let mut repairs = Repairs::default();
    for owner in [&mut till.nairobi.owner, &mut till.harare.owner] {
        assert!(owner.log_in_again().await);
    }
    let book = till.sandbox.book();
    take_what_is_there(soko, till, &book, &mut repairs).await;
    name_what_is_contested(soko, till, &book, &mut repairs).await;
    settle_what_never_came(soko, till, &mut repairs).await;
    settle_refunds(soko, till, &book, &mut repairs).await;
    ask_again(soko, till, &mut repairs).await;
    repairs
}

/// Only M-Pesa cannot be asked about a prompt whose id was lost. All other money must be known.
async fn take_what_is_there(
    soko: &Soko,
    till: &mut Till,
    book: &[Movement],
    repairs: &mut Repairs,
) {
    let known: HashSet<String> =
        sqlx::query_scalar("SELECT reference FROM audit.payment_references")
            .fetch_all(soko.database())
            .await
            .unwrap()
            .into_iter()
            .collect();
    let by_number: HashMap<String, (String, String, Option<String>)> = sqlx::query(
        "SELECT o.number, p.payment_id::text, p.status, \
                CASE WHEN p.reference_doubt IS NULL THEN p.reference END \
         FROM read_models.orders AS o JOIN read_models.payments AS p ON p.order_id = o.order_id",
    )
    .fetch_all(soko.database())
    .await
    .unwrap()
    .iter()
    .map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3))))
    .collect();
    for movement in book
        .iter()
        .filter(|movement| movement.kind == Kind::Payment)
    {
        if known.contains(&movement.provider_reference) {
            continue;
        }
        assert_eq!(
            movement.provider,
            Provider::Mpesa,
            "not known: {movement:?}"
        );
        let (payment_id, status, known) = &by_number[&movement.reference];
        // A callback that nobody signed called it something that is in no book.
        let mut body = json!({
            "amount": { "amount": movement.amount, "currency": movement.currency },
            "reference": movement.provider_reference,
            "reason": "by their statement",
        });
        if let Some(known) = known {
            let is_theirs = |movement: &Movement| movement.provider_reference == *known;
            assert!(!book.iter().any(is_theirs), "{movement:?} beside {known}");
            body["instead_of"] = json!(known);
        }
        settle(&mut till.nairobi.owner, payment_id, "", body).await;
        if status == "captured" || status.contains("refunded") {
            repairs.named += 1;
        } else {
            repairs.taken += 1;
        }
    }
}

/// Two callbacks called it by two names: what stands in the book is right.
async fn name_what_is_contested(
    soko: &Soko,
    till: &mut Till,
    book: &[Movement],
    repairs: &mut Repairs,
) {
    soko_tests::checkers::catch_up(soko).await;
    let contested: Vec<(String, String)> = sqlx::query_as(
        "SELECT p.payment_id::text, o.number FROM read_models.payments AS p \
         JOIN read_models.orders AS o USING (order_id) WHERE p.reference_doubt = 'contested'",
    )
    .fetch_all(soko.database())
    .await
    .unwrap();
    for (payment_id, number) in contested {
        let mut book = book.iter();
        let paid = book.find(|movement| {
            movement.kind == Kind::Payment
                && movement.provider == Provider::Mpesa
                && movement.reference == number
        });
        let paid = paid.unwrap_or_else(|| panic!("{number} is in no book"));
        let body = json!({
            "amount": { "amount": paid.amount, "currency": paid.currency },
            "reference": paid.provider_reference,
            "reason": "by their statement",
        });
        settle(&mut till.nairobi.owner, &payment_id, "", body).await;
        repairs.contested += 1;
    }
}

async fn settle_what_never_came(soko: &Soko, till: &mut Till, repairs: &mut Repairs) {
    let open: Vec<(String, String)> = sqlx::query_as(
        "SELECT payment_id::text, provider FROM read_models.payments \
         WHERE status IN ('initiated', 'pending', 'unresolved')",
    )
    .fetch_all(soko.database())
    .await
    .unwrap();
    for (payment_id, provider) in open {
        let payment = till
            .nairobi
            .owner
            .get(&format!("/payments/{payment_id}"))
            .await;
        if payment.status == 200 && payment.body["status"] == "captured" {
            continue;
        }
        assert_eq!(provider, "mpesa", "{payment_id} could be asked about");
        let body = json!({ "reason": "not on their statement" });
        settle(&mut till.nairobi.owner, &payment_id, "", body).await;
        repairs.failed += 1;
    }
}

/// Of which nobody can ask whether they were sent, or nobody answers.
async fn settle_refunds(soko: &Soko, till: &mut Till, book: &[Movement], repairs: &mut Repairs) {
    soko_tests::checkers::catch_up(soko).await;
    let open: Vec<(String, String, String, i64, String)> = sqlx::query_as(
        "SELECT e.stream_id, e.payload #>> '{refund_requested,request,refund_id}', \
                e.payload #>> '{refund_requested,of}', \
                (e.payload #>> '{refund_requested,request,amount,amount}')::bigint, p.provider \
         FROM audit.events AS e JOIN read_models.payments AS p ON p.payment_id = e.stream_id::uuid \
         WHERE e.event_type = 'payment.refund_requested' \
           AND NOT EXISTS (SELECT FROM audit.events AS l \
               WHERE l.stream_type = 'payment' AND l.stream_id = e.stream_id \
                 AND l.event_type IN ('payment.refunded', 'payment.refund_failed') \
                 AND coalesce(l.payload #>> '{refunded,refund_id}', \
                              l.payload #>> '{refund_failed,refund_id}') \
                     = e.payload #>> '{refund_requested,request,refund_id}')",
    )
    .fetch_all(soko.database())
    .await
    .unwrap();
    let mut known: HashSet<String> =
        sqlx::query_scalar("SELECT reference FROM audit.payment_references WHERE kind = 'refund'")
            .fetch_all(soko.database())
            .await
            .unwrap()
            .into_iter()
            .collect();
    for (payment_id, refund_id, of, amount, provider) in open {
        let names = real_names(soko, &payment_id, &of).await;
        let paid = book.iter().find(|movement| {
            movement.kind == Kind::Payment && names.contains(&movement.provider_reference)
        });
        let paid = paid.unwrap_or_else(|| panic!("{of} of {provider} is in no book"));
        let sent = book.iter().find(|movement| {
            (
                movement.kind,
                movement.provider,
                &movement.payment,
                movement.amount,
            ) == (Kind::Refund, paid.provider, &paid.payment, -amount)
                && !known.contains(&movement.provider_reference)
        });
        let body = match sent {
            Some(movement) => {
                known.insert(movement.provider_reference.clone());
                json!({ "reference": movement.provider_reference, "reason": "in their book" })
            }
            None => json!({ "reason": "not in their book" }),
        };
        let owner = owner_for(till, &provider);
        settle(owner, &payment_id, &format!("/refunds/{refund_id}"), body).await;
        repairs.refunds += 1;
    }
}

/// What came under another name goes by its own once that is known.
async fn real_names(soko: &Soko, payment_id: &str, of: &str) -> Vec<String> {
    let mut names: Vec<String> = sqlx::query_scalar(
        "SELECT payload #>> '{reference_learned,reference}' FROM audit.events \
         WHERE stream_type = 'payment' AND stream_id = $1 \
           AND event_type = 'payment.reference_learned'",
    )
    .bind(payment_id)
    .fetch_all(soko.database())
    .await
    .unwrap();
    names.push(of.to_owned());
    names
}

/// Of orders that have died: what could not go back is asked for once more.
async fn ask_again(soko: &Soko, till: &mut Till, repairs: &mut Repairs) {
    soko_tests::checkers::catch_up(soko).await;
    let kept: Vec<(String, String, i64, String)> = sqlx::query_as(
        "SELECT p.payment_id::text, p.provider, \
                p.captured - p.refunded - p.charged_back - p.credit, p.currency \
         FROM read_models.payments AS p JOIN read_models.orders AS o USING (order_id) \
         WHERE o.status IN ('cancelled', 'expired') \
           AND p.captured - p.refunded - p.charged_back - p.credit > 0",
    )
    .fetch_all(soko.database())
    .await
    .unwrap();
    for (payment_id, provider, amount, currency) in kept {
        let path = format!("/payments/{payment_id}");
        let now = owner_for(till, &provider).get(&path).await.ok();
        let under_way = now["refunds"]
            .as_array()
            .unwrap()
            .iter()
            .any(|refund| refund["status"] == "pending");
        if under_way {
            continue;
        }
        let body = json!({
            "amount": { "amount": amount, "currency": currency },
            "reason": "once more",
        });
        let path = format!("{path}/refunds");
        owner_for(till, &provider)
            .post(&path, body)
            .await
            .expect(201);
        repairs.asked_again += 1;
    }
}

async fn settle(owner: &mut Person, payment_id: &str, of: &str, body: Value) {
    let path = format!("/payments/{payment_id}{of}/settle");
    let answer = owner.post(&path, body).await.ok();
    assert!(!text(&answer["status"]).is_empty());
}

fn owner_for<'a>(till: &'a mut Till, provider: &str) -> &'a mut Person {
    match provider {
        "ecocash" | "paynow" => &mut till.harare.owner,
        _ => &mut till.nairobi.owner,
    }
}
