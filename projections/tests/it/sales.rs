//! Sales reports.

use crate::samples::{ANNA, BILL, STORE, TENANT, cancelled, id, item, placement, time};
use crate::trade::Trade;
use soko_domain::order::Placement;
use soko_domain::{Currency, VendorId};
use soko_projections::Within;
use soko_projections::read_models::sales::{
    GroupBy, Interval, ReportError, SalesLine, SalesQuery, report,
};

#[tokio::test]
async fn an_order_counts_once_in_every_line() {
    let trade = busy_days().await;
    let by = |group_by| SalesQuery {
        group_by,
        interval: Interval::Month,
        ..march()
    };
    let lines = lines(&trade, Within::Tenant(TENANT), &by(GroupBy::default())).await;
    assert_eq!(lines, [(time("2026-02-28T21:00:00Z"), 3, 7, 7_000)]);

    let grouped = GroupBy {
        vendor: true,
        ..GroupBy::default()
    };
    let by_vendor = report(trade.reader(), Within::Tenant(TENANT), &by(grouped))
        .await
        .unwrap();
    let orders = |line: &SalesLine| (line.vendor_id, line.orders, line.units, line.gross);
    let by_vendor: Vec<_> = by_vendor.iter().map(orders).collect();
    assert_eq!(
        by_vendor,
        [(Some(ANNA), 3, 5, 5_000), (Some(BILL), 2, 2, 2_000)]
    );

    let grouped = GroupBy {
        product: true,
        ..GroupBy::default()
    };
    let by_product = report(trade.reader(), Within::Tenant(TENANT), &by(grouped))
        .await
        .unwrap();
    let by_product: Vec<_> = by_product
        .iter()
        .map(|line| (line.product_id, line.orders, line.units, line.vendor_id))
        .collect();
    assert_eq!(
        by_product,
        [
            (Some(id(1)), 3, 3, None),
            (Some(id(2)), 2, 2, None),
            (Some(id(3)), 2, 2, None)
        ]
    );

    let grouped = GroupBy {
        store: true,
        vendor: true,
        product: true,
    };
    let all = report(trade.reader(), Within::Tenant(TENANT), &by(grouped))
        .await
        .unwrap();
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|line| {
        line.store_id == Some(STORE)
            && line.currency == Currency::Kes
            && line.net + line.tax == line.gross
            && line.tax > 0
    }));
}

#[tokio::test]
async fn days_are_those_of_the_time_zone() {
    let trade = busy_days().await;
    let by = |interval, time_zone: &str| SalesQuery {
        interval,
        time_zone: time_zone.to_owned(),
        ..march()
    };
    let within = Within::Platform;
    assert_eq!(
        lines(&trade, within, &by(Interval::Day, "Africa/Nairobi")).await,
        [
            (time("2026-03-01T21:00:00Z"), 2, 5, 5_000),
            (time("2026-03-02T21:00:00Z"), 1, 2, 2_000),
        ]
    );
    assert_eq!(
        lines(&trade, within, &by(Interval::Day, "UTC")).await,
        [
            (time("2026-03-01T00:00:00Z"), 1, 3, 3_000),
            (time("2026-03-02T00:00:00Z"), 2, 4, 4_000),
        ]
    );
    assert_eq!(
        lines(&trade, within, &by(Interval::Hour, "Africa/Nairobi")).await,
        [
            (time("2026-03-01T21:00:00Z"), 1, 3, 3_000),
            (time("2026-03-02T20:00:00Z"), 1, 2, 2_000),
            (time("2026-03-02T21:00:00Z"), 1, 2, 2_000),
        ]
    );
    // The first of March is a Sunday.
    assert_eq!(
        lines(&trade, within, &by(Interval::Week, "UTC")).await,
        [
            (time("2026-02-23T00:00:00Z"), 1, 3, 3_000),
            (time("2026-03-02T00:00:00Z"), 2, 4, 4_000),
        ]
    );
    assert_eq!(
        lines(&trade, within, &by(Interval::Week, "Africa/Nairobi")).await,
        [(time("2026-03-01T21:00:00Z"), 3, 7, 7_000)]
    );
    assert_eq!(
        lines(&trade, within, &by(Interval::Month, "Africa/Harare")).await,
        [(time("2026-02-28T22:00:00Z"), 3, 7, 7_000)]
    );
    let two_hours = SalesQuery {
        from: time("2026-03-02T20:00:00Z"),
        to: time("2026-03-02T21:00:00Z"),
        ..by(Interval::Day, "UTC")
    };
    assert_eq!(
        lines(&trade, within, &two_hours).await,
        [(time("2026-03-02T00:00:00Z"), 1, 2, 2_000)]
    );
}

#[tokio::test]
async fn what_is_cancelled_is_taken_off_when_it_is_cancelled() {
    let mut trade = Trade::none().await;
    trade.log.now = Some(time("2026-03-01T10:00:00Z"));
    let order_id = trade.place(&both(1, 1)).await;
    trade.place(&both(1, 0)).await;
    trade.is_folded().await;
    let first_day = SalesQuery {
        to: time("2026-03-02T00:00:00Z"),
        time_zone: "UTC".to_owned(),
        ..march()
    };
    let reported = lines(&trade, Within::Platform, &first_day).await;
    assert_eq!(reported, [(time("2026-03-01T00:00:00Z"), 2, 5, 5_000)]);

    trade.log.now = Some(time("2026-03-03T10:00:00Z"));
    trade.happens(order_id, [cancelled(&both(1, 1))]).await;
    trade.is_folded().await;
    assert_eq!(lines(&trade, Within::Platform, &first_day).await, reported);
    let month = SalesQuery {
        interval: Interval::Month,
        ..march()
    };
    assert_eq!(
        lines(&trade, Within::Platform, &month).await,
        [(time("2026-02-28T21:00:00Z"), 1, 2, 2_000)]
    );
    let days = SalesQuery {
        from: time("2026-03-02T00:00:00Z"),
        ..march()
    };
    assert_eq!(
        lines(&trade, Within::Platform, &days).await,
        [(time("2026-03-02T21:00:00Z"), -1, -3, -3_000)]
    );
}

#[tokio::test]
async fn a_report_shows_what_the_caller_may_see() {
    let trade = busy_days().await;
    let month = SalesQuery {
        interval: Interval::Month,
        ..march()
    };
    let start = time("2026-02-28T21:00:00Z");
    for (within, expected) in [
        (Within::Platform, vec![(start, 3, 7, 7_000)]),
        (Within::Store(TENANT, STORE), vec![(start, 3, 7, 7_000)]),
        (Within::Vendor(TENANT, ANNA), vec![(start, 3, 5, 5_000)]),
        (Within::Vendor(TENANT, BILL), vec![(start, 2, 2, 2_000)]),
        (Within::Tenant(id(2)), vec![]),
        (Within::Store(TENANT, id(99)), vec![]),
        (Within::Store(id(2), STORE), vec![]),
        (Within::Vendor(id(2), ANNA), vec![]),
    ] {
        assert_eq!(lines(&trade, within, &month).await, expected, "{within:?}");
    }
    let of = |vendor_id: Option<VendorId>, product: Option<u128>| SalesQuery {
        vendor_id,
        product_id: product.map(id),
        ..month.clone()
    };
    let platform = Within::Platform;
    let counted = async |asked| lines(&trade, platform, &asked).await[0].1;
    assert_eq!(counted(of(Some(ANNA), None)).await, 3);
    assert_eq!(counted(of(Some(BILL), None)).await, 2);
    assert_eq!(counted(of(None, Some(3))).await, 2);
    let elsewhere = SalesQuery {
        store_id: Some(id(99)),
        ..month.clone()
    };
    assert_eq!(lines(&trade, platform, &elsewhere).await, []);
    // A filter never widens what may be seen.
    assert_eq!(
        lines(&trade, Within::Vendor(TENANT, ANNA), &of(Some(BILL), None)).await,
        []
    );
}

#[tokio::test]
async fn a_question_that_has_no_right_answer_gets_none() {
    let trade = Trade::none().await;
    let ask = async |asked: SalesQuery| {
        report(trade.reader(), Within::Platform, &asked)
            .await
            .unwrap_err()
    };
    for zone in [
        "Africa/Nowhere",
        "Africa/Nairobi3",
        "EAT-3",
        "",
        "africa/nairobi\0",
    ] {
        let asked = SalesQuery {
            time_zone: zone.to_owned(),
            ..march()
        };
        assert!(
            matches!(ask(asked).await, ReportError::NoSuchTimeZone(_)),
            "{zone:?}"
        );
    }
    let asked = SalesQuery {
        time_zone: "Asia/Kolkata".to_owned(),
        ..march()
    };
    assert!(matches!(ask(asked).await, ReportError::OffTheHour(_)));
    let asked = SalesQuery {
        from: time("2026-03-01T00:30:00Z"),
        ..march()
    };
    assert!(matches!(ask(asked).await, ReportError::NotAFullHour));
    let asked = SalesQuery {
        to: march().from,
        ..march()
    };
    assert!(matches!(ask(asked).await, ReportError::EndsBeforeItBegins));
}

/// Three orders of one store: in the night to Monday, on Monday evening and in the night after it,
/// as Nairobi has it.
async fn busy_days() -> Trade {
    let mut trade = Trade::none().await;
    trade.log.tenant = TENANT;
    for (at, agreed) in [
        ("2026-03-01T21:30:00Z", both(1, 1)),
        ("2026-03-02T20:59:59.999999Z", both(1, 0)),
        (
            "2026-03-02T21:00:00Z",
            placement([item(1, ANNA, 1, 1_000), item(3, ANNA, 1, 1_000)]),
        ),
    ] {
        trade.log.now = Some(time(at));
        trade.place(&agreed).await;
    }
    trade.is_folded().await;
    trade
}

/// Of each vendor's mug so many, and of a third one of the first vendor's.
fn both(bills: u32, thirds: u32) -> Placement {
    let mut items = vec![item(1, ANNA, 1, 1_000), item(2, BILL, bills, 1_000)];
    if thirds > 0 {
        items.push(item(3, ANNA, thirds, 1_000));
    }
    placement(items)
}

/// Day by day, in Nairobi.
fn march() -> SalesQuery {
    SalesQuery {
        from: time("2026-02-28T21:00:00Z"),
        to: time("2026-03-31T21:00:00Z"),
        interval: Interval::Day,
        time_zone: "Africa/Nairobi".to_owned(),
        group_by: GroupBy::default(),
        store_id: None,
        vendor_id: None,
        product_id: None,
    }
}

/// Each line's start, orders, units and gross.
async fn lines(
    trade: &Trade,
    within: Within,
    asked: &SalesQuery,
) -> Vec<(chrono::DateTime<chrono::Utc>, i64, i64, i64)> {
    let lines = report(trade.reader(), within, asked).await.unwrap();
    lines
        .iter()
        .map(|line| (line.start, line.orders, line.units, line.gross))
        .collect()
}
