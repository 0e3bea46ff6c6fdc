//! What was sold, by hour and product: the facts behind the sales reports.
//!
//! A placed order counts in the hour in which it was placed, a cancellation is taken off in the
//! hour in which it came: what was reported of a past hour stays what it was. Amounts are those of
//! the lines; shipping is sold by nobody.

mod report;
#[cfg(test)]
mod tests;

pub use report::{GroupBy, Interval, ReportError, SalesLine, SalesQuery, report};

use crate::ReadModel;
use chrono::{DateTime, TimeDelta, Utc};
use soko_domain::order::{CancelledLine, OrderEvent, OrderLine};
use soko_domain::{AnyEvent, Currency, ProductId, StoreId, TenantId, VendorId};
use soko_event_log::RecordedEvent;

crate::row! {
    /// The sales of one product in one hour; amounts are minor units.
    pub struct SalesFact in "sales" {
        key {
            store_id: StoreId,
            /// Its start.
            hour: DateTime<Utc>,
            vendor_id: VendorId,
            product_id: ProductId,
            currency: Currency,
        }
        tenant_id: TenantId,
        /// Orders with this product.
        product_orders: i64,
        /// Each order once among the products of a vendor.
        vendor_orders: i64,
        /// Each order once among the products of a store.
        store_orders: i64,
        units: i64,
        net: i64,
        tax: i64,
        gross: i64,
    }
}

/// The read model.
#[derive(Debug)]
pub struct Sales;

type Key = (StoreId, DateTime<Utc>, VendorId, ProductId, Currency);

impl ReadModel for Sales {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["order"];
    /// Those of the present hour: orders come back to them all the time.
    const CACHE_ROWS: usize = 16_384;
    const ROW_BYTES: usize = 384;

    type Key = Key;
    type Row = SalesFact;

    fn keys(recorded: &RecordedEvent) -> Vec<Key> {
        let Some(sale) = Sale::of(recorded) else {
            return vec![];
        };
        let hour = hour_of(recorded.recorded_at);
        let key_of = |line: CancelledLine| {
            let (vendor_id, product_id) = (line.vendor_id, line.product_id);
            (sale.store_id, hour, vendor_id, product_id, sale.currency)
        };
        let mut keys: Vec<_> = sale.lines.iter().map(key_of).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn fold(row: Option<SalesFact>, key: &Key, recorded: &RecordedEvent) -> Option<SalesFact> {
        let Some(sale) = Sale::of(recorded) else {
            return row;
        };
        let (store_id, hour, vendor_id, product_id, currency) = *key;
        let mut fact = row.unwrap_or(SalesFact {
            store_id,
            hour,
            vendor_id,
            product_id,
            currency,
            tenant_id: recorded.tenant_id,
            product_orders: 0,
            vendor_orders: 0,
            store_orders: 0,
            units: 0,
            net: 0,
            tax: 0,
            gross: 0,
        });
        fact.add(&sale);
        Some(fact)
    }
}

impl SalesFact {
    /// Adds the lines that are of this product.
    fn add(&mut self, sale: &Sale<'_>) {
        let sign = sale.sign;
        let (mut orders_of_store, mut orders_of_vendor, mut orders_of_product) = (sign, sign, sign);
        for line in sale.lines.iter() {
            let is_of_vendor = line.vendor_id == self.vendor_id;
            if is_of_vendor && line.product_id == self.product_id {
                // The first line of an order counts the order, for each that it is counted for.
                self.store_orders += std::mem::take(&mut orders_of_store);
                self.vendor_orders += std::mem::take(&mut orders_of_vendor);
                self.product_orders += std::mem::take(&mut orders_of_product);
                self.units += sign * line.quantity.units();
                self.net += sign * (line.total - line.tax);
                self.tax += sign * line.tax;
                self.gross += sign * line.total;
            }
            orders_of_store = 0;
            if is_of_vendor {
                orders_of_vendor = 0;
            }
        }
    }
}

/// What an event sells, or takes back.
struct Sale<'a> {
    store_id: StoreId,
    currency: Currency,
    lines: Lines<'a>,
    /// -1 for what is taken back.
    sign: i64,
}

enum Lines<'a> {
    Placed(&'a [OrderLine]),
    Cancelled(&'a [CancelledLine]),
}

impl<'a> Sale<'a> {
    fn of(recorded: &'a RecordedEvent) -> Option<Self> {
        let AnyEvent::Order(_, event) = &recorded.event else {
            return None;
        };
        match event {
            OrderEvent::Placed(placement) => Some(Self {
                store_id: placement.store_id,
                currency: placement.currency,
                lines: Lines::Placed(&placement.lines),
                sign: 1,
            }),
            OrderEvent::Cancelled {
                store_id,
                currency,
                lines,
                ..
            }
            | OrderEvent::Expired {
                store_id,
                currency,
                lines,
            } => Some(Self {
                store_id: *store_id,
                currency: *currency,
                lines: Lines::Cancelled(lines),
                sign: -1,
            }),
            OrderEvent::Paid { .. }
            | OrderEvent::Refunded { .. }
            | OrderEvent::PaymentAttempted { .. }
            | OrderEvent::PartlyPaid { .. }
            | OrderEvent::Packed { .. }
            | OrderEvent::Shipped { .. }
            | OrderEvent::Delivered { .. }
            | OrderEvent::Completed {} => None,
        }
    }
}

impl Lines<'_> {
    fn iter(&self) -> impl Iterator<Item = CancelledLine> {
        let (placed, cancelled) = match *self {
            Self::Placed(lines) => (lines, &[][..]),
            Self::Cancelled(lines) => (&[][..], lines),
        };
        let placed = placed.iter().map(CancelledLine::from);
        placed.chain(cancelled.iter().cloned())
    }
}

fn hour_of(time: DateTime<Utc>) -> DateTime<Utc> {
    const HOUR_SECONDS: i64 = 60 * 60;
    let into_the_hour = TimeDelta::seconds(time.timestamp().rem_euclid(HOUR_SECONDS))
        + TimeDelta::nanoseconds(time.timestamp_subsec_nanos().into());
    time - into_the_hour
}
