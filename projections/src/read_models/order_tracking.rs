//! What has become of an order, step by step, for who waits for it.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::timeline;

use crate::ReadModel;
use chrono::{DateTime, Utc};
use soko_domain::order::{CancelledBy, OrderEvent};
use soko_domain::{AnyEvent, OrderId, TenantId, Text, VendorId};
use soko_event_log::RecordedEvent;
use uuid::Uuid;

crate::row! {
    /// One step, at the position of its event.
    pub struct TrackingItem in "order_tracking" {
        key { order_id: OrderId, position: i64 }
        tenant_id: TenantId,
        at: DateTime<Utc>,
        /// The event's name without its stream, such as `shipped`.
        kind: String,
        text: String,
        /// Whose part of the order it is about, if not all of it.
        vendor_id: Option<VendorId>,
        carrier: Option<String>,
        tracking_number: Option<String>,
    }
}

/// The read model.
#[derive(Debug)]
pub struct OrderTracking;

impl ReadModel for OrderTracking {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["order"];
    const CACHE_ROWS: usize = 0;
    const ROW_BYTES: usize = 320;

    type Key = (OrderId, i64);
    type Row = TrackingItem;

    fn keys(recorded: &RecordedEvent) -> Vec<(OrderId, i64)> {
        match &recorded.event {
            AnyEvent::Order(order_id, _) => vec![(*order_id, recorded.position.get())],
            _ => vec![],
        }
    }

    fn creates(_recorded: &RecordedEvent) -> bool {
        true
    }

    fn fold(
        _row: Option<TrackingItem>,
        (order_id, position): &(OrderId, i64),
        recorded: &RecordedEvent,
    ) -> Option<TrackingItem> {
        let AnyEvent::Order(_, event) = &recorded.event else {
            return None;
        };
        let name = event.name();
        let (carrier, tracking_number) = parcel_of(event);
        Some(TrackingItem {
            order_id: *order_id,
            position: *position,
            tenant_id: recorded.tenant_id,
            at: recorded.recorded_at,
            kind: name
                .split_once('.')
                .map_or(name, |(_, kind)| kind)
                .to_owned(),
            text: text_of(event),
            vendor_id: vendor_of(event),
            carrier: carrier.map(ToString::to_string),
            tracking_number: tracking_number.map(ToString::to_string),
        })
    }

    fn sources((order_id, _): &(OrderId, i64)) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("order", order_id.as_uuid())])
    }
}

fn text_of(event: &OrderEvent) -> String {
    match event {
        OrderEvent::Placed(_) => "Your order was placed".to_owned(),
        OrderEvent::Paid { .. } => "Your payment has arrived".to_owned(),
        OrderEvent::PaymentAttempted { .. } => "Another way to pay was chosen".to_owned(),
        OrderEvent::PartlyPaid { .. } => "Some of your payment has arrived".to_owned(),
        OrderEvent::Expired { .. } => "Your order was not paid in time".to_owned(),
        OrderEvent::Refunded { kept: 0, .. } => "Your money went back to you".to_owned(),
        OrderEvent::Refunded { .. } => "Some of your money went back to you".to_owned(),
        OrderEvent::Packed { .. } => "Packed".to_owned(),
        OrderEvent::Shipped { .. } => match parcel_of(event) {
            (None, None) => "On its way".to_owned(),
            (Some(carrier), None) => format!("On its way with {carrier}"),
            (None, Some(number)) => format!("On its way, tracking number {number}"),
            (Some(carrier), Some(number)) => {
                format!("On its way with {carrier}, tracking number {number}")
            }
        },
        OrderEvent::Delivered { .. } => "Delivered".to_owned(),
        OrderEvent::Completed {} => "Your order is complete".to_owned(),
        OrderEvent::Cancelled { by, reason, .. } => {
            let by = match by {
                CancelledBy::Customer => "you",
                CancelledBy::Vendor => "the vendor",
                CancelledBy::Store => "the store",
            };
            match reason {
                None => format!("Cancelled by {by}"),
                Some(reason) => format!("Cancelled by {by}: {reason}"),
            }
        }
    }
}

fn vendor_of(event: &OrderEvent) -> Option<VendorId> {
    match event {
        OrderEvent::Packed { vendor_id }
        | OrderEvent::Shipped { vendor_id, .. }
        | OrderEvent::Delivered { vendor_id } => Some(*vendor_id),
        OrderEvent::Placed(_)
        | OrderEvent::Paid { .. }
        | OrderEvent::Refunded { .. }
        | OrderEvent::PaymentAttempted { .. }
        | OrderEvent::PartlyPaid { .. }
        | OrderEvent::Completed {}
        | OrderEvent::Cancelled { .. }
        | OrderEvent::Expired { .. } => None,
    }
}

fn parcel_of(event: &OrderEvent) -> (Option<&Text<100>>, Option<&Text<100>>) {
    match event {
        OrderEvent::Shipped {
            carrier,
            tracking_number,
            ..
        } => (carrier.as_ref(), tracking_number.as_ref()),
        OrderEvent::Placed(_)
        | OrderEvent::Paid { .. }
        | OrderEvent::Refunded { .. }
        | OrderEvent::PaymentAttempted { .. }
        | OrderEvent::PartlyPaid { .. }
        | OrderEvent::Packed { .. }
        | OrderEvent::Delivered { .. }
        | OrderEvent::Completed {}
        | OrderEvent::Cancelled { .. }
        | OrderEvent::Expired { .. } => (None, None),
    }
}
