//! Read models that behave badly, on a table of their own.

use soko_domain::stock::StockEvent;
use soko_domain::{AnyEvent, VariantId};
use soko_event_log::RecordedEvent;
use soko_projections::{ReadModel, row};
use sqlx::PgPool;

row! {
    pub struct Tally in "tallies" {
        key { variant_id: VariantId }
        events: i64,
        units: i64,
    }
}

/// Its table takes no more than a thousand units.
pub(crate) async fn make_tallies(pool: &PgPool) {
    sqlx::query(
        "CREATE TABLE read_models.tallies (variant_id uuid PRIMARY KEY, events bigint NOT NULL, \
         units bigint NOT NULL CHECK (units <= 1000))",
    )
    .execute(pool)
    .await
    .unwrap();
}

/// An adjustment by this much makes the fold panic.
pub(crate) const TOO_ODD: i64 = 666;

/// The second version counts differently.
#[derive(Debug)]
pub(crate) struct Tallies<const VERSION: i32>;

impl<const VERSION: i32> ReadModel for Tallies<VERSION> {
    const VERSION: i32 = VERSION;
    const STREAMS: &'static [&'static str] = &["stock"];

    type Key = VariantId;
    type Row = Tally;

    fn keys(recorded: &RecordedEvent) -> Vec<VariantId> {
        match &recorded.event {
            AnyEvent::Stock(variant_id, _) => vec![*variant_id],
            _ => vec![],
        }
    }

    fn fold(row: Option<Tally>, key: &VariantId, recorded: &RecordedEvent) -> Option<Tally> {
        let mut tally = row.unwrap_or(Tally {
            variant_id: *key,
            events: 0,
            units: 0,
        });
        tally.events += i64::from(VERSION);
        match &recorded.event {
            AnyEvent::Stock(_, StockEvent::Received { quantity, .. }) => {
                tally.units += quantity.units();
            }
            AnyEvent::Stock(_, StockEvent::Adjusted { difference, .. }) => {
                assert!(*difference != TOO_ODD, "this is too odd");
                tally.units += difference;
            }
            _ => (),
        }
        // A variant that comes to nothing is forgotten.
        (tally.units >= 0).then_some(tally)
    }
}
