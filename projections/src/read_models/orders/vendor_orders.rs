//! Which orders each vendor has a part in.

use crate::ReadModel;
use soko_domain::order::OrderEvent;
use soko_domain::{AnyEvent, OrderId, TenantId, VendorId};
use soko_event_log::RecordedEvent;
use std::collections::BTreeSet;

crate::row! {
    /// One vendor's part in one order, at the position at which the order was placed.
    pub struct VendorOrder in "vendor_orders" {
        key { vendor_id: VendorId, position: i64 }
        tenant_id: TenantId,
        order_id: OrderId,
    }
}

/// The read model: the list by vendor, which an array of vendors in the order itself could not
/// keep in its order.
#[derive(Debug)]
pub struct VendorOrders;

impl ReadModel for VendorOrders {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["order"];
    const CACHE_ROWS: usize = 0;
    const ROW_BYTES: usize = 192;

    type Key = (VendorId, i64);
    type Row = VendorOrder;

    fn keys(recorded: &RecordedEvent) -> Vec<(VendorId, i64)> {
        let AnyEvent::Order(_, OrderEvent::Placed(placement)) = &recorded.event else {
            return vec![];
        };
        let vendors: BTreeSet<_> = placement.lines.iter().map(|line| line.vendor_id).collect();
        let position = recorded.position.get();
        vendors
            .into_iter()
            .map(|vendor_id| (vendor_id, position))
            .collect()
    }

    fn creates(_recorded: &RecordedEvent) -> bool {
        true
    }

    fn fold(
        _row: Option<VendorOrder>,
        (vendor_id, position): &(VendorId, i64),
        recorded: &RecordedEvent,
    ) -> Option<VendorOrder> {
        let AnyEvent::Order(order_id, _) = &recorded.event else {
            return None;
        };
        Some(VendorOrder {
            vendor_id: *vendor_id,
            position: *position,
            tenant_id: recorded.tenant_id,
            order_id: *order_id,
        })
    }
}
