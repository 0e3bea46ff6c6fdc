//! Payments over all providers while everything goes wrong: callbacks are lost, doubled, late, forged
//! and wrong, providers do not answer or lie, payers cancel and come late, and the process is killed
//! again and again. Afterwards our book is the providers' book, line by line.
//!
//! `SOKO_TEST_PAYMENTS` says how many (`make soak`: ten thousand).

mod books;
mod customers;
mod repairs;

use customers::Crowd;
use soko_gateways::sandbox::{Customer, Fault, FaultRule};
use soko_tests::Soko;
use soko_tests::checkers::{catch_up, check_everything};
use soko_tests::till::{Till, sandbox};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// In the suite; enough to meet every fault a few times.
const PAYMENTS: usize = 240;

const KILLED_EVERY: Duration = Duration::from_millis(3_500);

/// How long it may take until nothing is under way any more, with some for each payment.
const QUIET_WITHIN: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn our_book_is_the_providers_book_whatever_goes_wrong() {
    let count = std::env::var("SOKO_TEST_PAYMENTS").ok();
    let count = count.map_or(PAYMENTS, |text| text.parse().expect("a number"));
    let (sandbox, settings) = sandbox(Customer::pays_after_ms(20));
    let settings = settings
        .with("SOKO_PROMPT_SECONDS", "25")
        .with("SOKO_PAGE_SECONDS", "25")
        .with("SOKO_LOOK_AGAIN_SECONDS", "2,6,20")
        .with("SOKO_REFUND_ASKED_SECONDS", "1,3,6");
    let mut soko = Soko::start_with(settings).await;
    let mut till = Till::open(&soko, sandbox).await;
    let crowd = Crowd::gather(&soko, &mut till, count).await;
    till.sandbox.set_faults(faults());

    let began = Instant::now();
    let mut crowd = tokio::spawn(crowd.buys());
    let mut kills = 0;
    loop {
        tokio::select! {
                    crowd = &mut crowd => {
         crowd.expect("the crowd goes home");
        break;
        }
                    () = tokio::time::sleep(KILLED_EVERY) => {
                        soko.kill().await;
                        soko.launch().await;
                        kills += 1;
                    }
                }
    }
    println!("{count} payments in {:?}, {kills} kills", began.elapsed());
    till.sandbox.set_faults(vec![]);
    is_quiet(&soko).await;
    println!("quiet after {:?}", began.elapsed());

    let repairs = repairs::repair(&soko, &mut till).await;
    println!("in {:?}, repaired by hand: {repairs:?}", began.elapsed());
    is_quiet(&soko).await;
    catch_up(&soko).await;
    books::are_equal(&soko, &till).await;
    books::no_money_is_without_a_place(&soko).await;
    check_everything(&soko).await;
    let met = till.sandbox.faults();
    let kinds: BTreeSet<_> = met.iter().map(|met| format!("{:?}", met.fault)).collect();
    println!("{} faults of {} kinds: {kinds:?}", met.len(), kinds.len());
    // With enough payments every fault that can happen has happened.
    assert!(count < 1_000 || kinds.len() >= 18, "{kinds:?}");
}

/// In a million cases; each happens a few times in the suite already.
fn faults() -> Vec<FaultRule> {
    let rule = |fault, per_million, delay_ms| FaultRule {
        fault,
        provider: None,
        per_million,
        times: None,
        reference: None,
        delay_ms,
    };
    vec![
        rule(Fault::CallbackLost, 40_000, None),
        rule(Fault::CallbackDoubled, 40_000, None),
        rule(Fault::CallbackLate, 40_000, Some(1_500)),
        rule(Fault::CallbackReordered, 20_000, Some(500)),
        rule(Fault::CallbackForged, 30_000, None),
        rule(Fault::WrongAmount, 20_000, None),
        rule(Fault::WrongCurrency, 10_000, None),
        rule(Fault::UnavailableBefore, 10_000, None),
        rule(Fault::RateLimited, 10_000, None),
        rule(Fault::HtmlBefore, 5_000, None),
        rule(Fault::CutBefore, 5_000, None),
        rule(Fault::ErrorAfter, 10_000, None),
        rule(Fault::CutAfter, 10_000, None),
        rule(Fault::SilenceAfter, 3_000, None),
        rule(Fault::AnswerLate, 10_000, Some(400)),
        rule(Fault::QueryLags, 10_000, None),
        rule(Fault::QueryDenies, 5_000, None),
        rule(Fault::RefundFails, 10_000, None),
        rule(Fault::CustomerCancels, 40_000, None),
        rule(Fault::CustomerNeverAnswers, 15_000, None),
        rule(Fault::CustomerPaysLate, 10_000, None),
    ]
}

/// Until nothing is under way that ends by itself soon: no timer, no callback, no payment that can be asked
/// about. Refunds of money wait whose receipt a person has to tell.
async fn is_quiet(soko: &Soko) {
    let began = Instant::now();
    loop {
        catch_up(soko).await;
        let under_way: (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM timers AS t WHERE fired_at IS NULL \
                        AND manager = 'carry_payments' AND kind <> 'remind' \
                        AND NOT (kind = 'give_back' AND round >= 3) \
                        AND NOT EXISTS (SELECT FROM read_models.payments AS p \
                                        WHERE p.status = 'unresolved' AND p.provider = 'mpesa' \
                                          AND t.stream_id IN (p.payment_id, p.order_id)) \
                        AND NOT EXISTS (SELECT FROM read_models.payment_refunds AS r \
                                        JOIN read_models.payments AS p USING (payment_id) \
                                        WHERE p.reference_doubt IS NOT NULL \
                                          AND t.stream_id = r.refund_id)), \
                    (SELECT count(*) FROM provider_callbacks WHERE verdict IS NULL)",
        )
        .fetch_one(soko.database())
        .await
        .unwrap();
        if under_way == (0, 0) {
            return;
        }
        assert!(
            began.elapsed() < QUIET_WITHIN,
            "{under_way:?} timers and callbacks are under way:\n{}",
            waiting(soko).await.join("\n")
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn waiting(soko: &Soko) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT concat_ws(' ', kind, stream_id, 'round', round, 'attempt', t.attempts, \
                          due_at - now(), t.reason, p.provider, p.status) \
         FROM timers AS t LEFT JOIN read_models.payments AS p ON p.payment_id = t.stream_id \
         WHERE fired_at IS NULL AND manager = 'carry_payments' LIMIT 30",
    )
    .fetch_all(soko.database())
    .await
    .unwrap()
}
