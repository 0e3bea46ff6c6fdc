//! Statements of providers, in as many units as they take.

use super::market::{Market, context, refusal};
use crate::faulty::Fault;
use crate::world::{keyed_with, new_id};
use soko_commands::handlers::{LoadStatement, LoadStatementError, LoadedStatement, load_statement};
use soko_commands::{CommandContext, CommandError, Committed, Engine};
use soko_domain::statement::{
    LineKind, Opening, Period, StatementError, StatementEvent, StatementLine, StatementProvider,
};
use soko_domain::store::StoreError;
use soko_domain::{AnyEvent, Currency, Money, Statement, StoreId};
use soko_event_log::{AppendError, LogReader};

type Loaded = Result<Committed<LoadedStatement>, CommandError<LoadStatementError>>;

#[tokio::test]
async fn a_file_is_recorded_line_by_line_and_once() {
    let market = Market::open().await;
    let load = || load(market.engine(), file(market.store_id, 3), market.context());
    let loaded = load().await.unwrap();
    assert_eq!(loaded.value.lines, 3);
    assert_eq!(loaded.value.tallies[0].amount, kes(300));
    assert_eq!(recorded(&market).await, whole(3));
    let again = load().await.unwrap();
    assert_eq!(again.value, loaded.value);
    assert_eq!(again.position, None);
    assert_eq!(recorded(&market).await, whole(3));
    let head = market.world.head().await;
    assert_eq!(loaded.position, Some(head));
}

#[tokio::test]
async fn a_file_without_lines_is_opened_and_closed() {
    let market = Market::open().await;
    let request = file(market.store_id, 0);
    load(market.engine(), request, market.context())
        .await
        .unwrap();
    assert_eq!(recorded(&market).await, whole(0));
}

#[tokio::test]
async fn a_load_that_broke_off_goes_on_where_it_stopped() {
    const LINES: u32 = 1_100;
    let market = Market::open().await;
    let request = file(market.store_id, LINES);
    for broken in 0..3 {
        // Each time one unit more comes through: those that are there are not written again.
        let mut units = 0;
        let faults = move || {
            units += 1;
            (units > 1).then_some(Fault::Fail(AppendError::Closed))
        };
        let node = market.world.faulty_node(faults).await;
        let context = market.context();
        let stopped = load(&node, request.clone(), context).await.unwrap_err();
        assert!(
            matches!(stopped, CommandError::Unavailable(_)),
            "{stopped:?}"
        );
        let lines = recorded(&market)
            .await
            .iter()
            .filter(|name| **name == LINE)
            .count();
        assert_eq!(lines, 250 * (broken + 1));
        assert!(!is_closed(&market, &request).await);
    }
    let loaded = load(market.engine(), request.clone(), market.context())
        .await
        .unwrap();
    assert_eq!(loaded.value.lines, LINES);
    assert_eq!(recorded(&market).await, whole(LINES));
    assert!(is_closed(&market, &request).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_load_the_same_at_once_record_it_once() {
    const LINES: u32 = 900;
    let market = Market::open().await;
    let node = market.world.node().await;
    let request = file(market.store_id, LINES);
    let (one, other) = tokio::join!(
        load(market.engine(), request.clone(), market.context()),
        load(&node, request.clone(), market.context()),
    );
    assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
    for told in [one, other] {
        match told {
            Ok(loaded) => assert_eq!(loaded.value.lines, LINES),
            Err(error) => assert!(matches!(error, CommandError::Conflict), "{error:?}"),
        }
    }
    assert_eq!(recorded(&market).await, whole(LINES));
}

#[tokio::test]
async fn the_same_key_with_another_file_records_nothing() {
    let market = Market::open().await;
    let keyed = |digest: u8| CommandContext {
        tenant_id: market.context().tenant_id,
        ..keyed_with("load", [digest; 32])
    };
    let request = file(market.store_id, 600);
    let first = load(market.engine(), request.clone(), keyed(1))
        .await
        .unwrap();
    let replayed = load(market.engine(), request, keyed(1)).await.unwrap();
    assert!(replayed.replayed);
    // Whoever reads on from there sees the whole of it.
    assert_eq!(replayed.position, None);
    assert_eq!(replayed.value, first.value);
    let head = market.world.head().await;
    let other = load(market.engine(), file(market.store_id, 500), keyed(2)).await;
    assert!(matches!(other, Err(CommandError::IdempotencyMismatch)));
    assert_eq!(market.world.head().await, head);
}

#[tokio::test]
async fn what_cannot_be_a_statement_is_refused_before_anything_is_recorded() {
    let market = Market::open().await;
    let head = market.world.head().await;
    let mut late = file(market.store_id, 400);
    late.lines[399].happened_at = "2026-12-01T00:00:01Z".parse().unwrap();
    let mut large = file(market.store_id, 400);
    for line in &mut large.lines {
        line.amount = kes(i64::MAX / 300);
    }
    for (request, error) in [
        (late, StatementError::OutsideOfPeriod { number: 400 }),
        (large, StatementError::SumTooLarge { number: 400 }),
    ] {
        let refused = load(market.engine(), request, market.context()).await;
        assert_eq!(refusal(refused), LoadStatementError::Statement(error));
    }
    let elsewhere = load(market.engine(), file(market.store_id, 1), context(new_id())).await;
    assert_eq!(refusal(elsewhere), StoreError::NotOpened.into());
    let nowhere = load(market.engine(), file(new_id(), 1), market.context()).await;
    assert_eq!(refusal(nowhere), StoreError::NotOpened.into());
    assert_eq!(market.world.head().await, head);
}

#[tokio::test]
async fn the_same_file_for_another_period_is_refused() {
    let market = Market::open().await;
    let request = file(market.store_id, 2);
    load(market.engine(), request.clone(), market.context())
        .await
        .unwrap();
    let mut longer = request;
    longer.opening.period.from = "2026-10-01T00:00:00Z".parse().unwrap();
    let refused = load(market.engine(), longer, market.context()).await;
    assert_eq!(refusal(refused), StatementError::AlreadyOpened.into());
}

#[tokio::test]
async fn a_dry_run_tells_every_line_and_records_none() {
    let market = Market::open().await;
    let head = market.world.head().await;
    let context = CommandContext {
        dry_run: true,
        ..market.context()
    };
    let told = load(market.engine(), file(market.store_id, 300), context)
        .await
        .unwrap();
    assert_eq!((told.dry_run_events.len(), told.value.lines), (302, 300));
    assert_eq!(market.world.head().await, head);
}

const LINE: &str = "statement.line_recorded";

async fn load(engine: &Engine, request: LoadStatement, context: CommandContext) -> Loaded {
    load_statement(engine, request, &context).await
}

/// The names of the events of all statements, each line with the number that it should have.
async fn recorded(market: &Market) -> Vec<&'static str> {
    let log = LogReader::new(market.world.pool());
    let head = log.head().await.unwrap();
    let mut scan = log
        .scan(soko_event_log::Position::START, head, &["statement"])
        .await
        .unwrap();
    let mut names = Vec::new();
    while let Some(entries) = scan.next().await.unwrap() {
        for entry in entries {
            let recorded = entry.event.unwrap();
            if let AnyEvent::Statement(_, StatementEvent::LineRecorded { number, .. }) =
                &recorded.event
            {
                assert_eq!(usize::try_from(*number).unwrap(), names.len());
            }
            names.push(recorded.event.name());
        }
    }
    names
}

fn whole(lines: u32) -> Vec<&'static str> {
    let mut names = vec!["statement.opened"];
    names.extend((0..lines).map(|_| LINE));
    names.push("statement.closed");
    names
}

async fn is_closed(market: &Market, request: &LoadStatement) -> bool {
    let statement_id = request.opening.statement_id();
    // As another process reads it.
    let node = market.world.node().await;
    let statement = node.read::<Statement>(statement_id).await.unwrap();
    statement.state.sheet().unwrap().is_closed()
}

fn file(store_id: StoreId, lines: u32) -> LoadStatement {
    LoadStatement {
        opening: Opening {
            store_id,
            provider: StatementProvider::Mpesa,
            digest: format!("{lines:064}").parse().unwrap(),
            period: Period {
                from: "2026-11-01T00:00:00Z".parse().unwrap(),
                to: "2026-11-30T23:59:59Z".parse().unwrap(),
            },
            lines,
        },
        lines: (0..lines).map(line).collect(),
    }
}

fn line(number: u32) -> StatementLine {
    StatementLine {
        reference: format!("RECEIPT{number}").parse().unwrap(),
        name: Some(format!("RECEIPT{number}").parse().unwrap()),
        other_name: None,
        kind: LineKind::Capture,
        amount: kes(100),
        fee: None,
        happened_at: "2026-11-21T09:30:00Z".parse().unwrap(),
        words: "Pay Bill".parse().unwrap(),
    }
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}
