//! Orders as they stand.

mod audience;
mod queries;
mod terms;
#[cfg(test)]
mod tests;
mod vendor_orders;

pub use audience::Audience;
pub use queries::{OrderFilter, OrderPage, guests_to_forget, order, orders, orders_of_account};
pub use terms::{FoundOrder, Terms};
pub use vendor_orders::{VendorOrder, VendorOrders};

use crate::ReadModel;
use crate::row::{Json, RenderedJson};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::order::{Customer, FulfilmentStatus, OrderEvent, OrderStatus, Placement};
use soko_domain::payment::{PaymentProvider, PaymentStatus};
use soko_domain::{
    AccountId, AnyEvent, Currency, OrderId, PaymentId, StoreId, TenantId, Text, VendorId,
};
use soko_event_log::RecordedEvent;
use std::collections::BTreeSet;
use uuid::Uuid;

crate::row! {
    /// An order, and how far it is.
    pub struct Order in "orders" {
        key { order_id: OrderId }
        tenant_id: TenantId,
        store_id: StoreId,
        /// Who ordered, if it was not a guest.
        account_id: Option<AccountId>,
        /// SHA-256 (hex) of the token that opens a guest's order.
        token_hash: Option<String>,
        /// In their order.
        vendor_ids: Vec<VendorId>,
        number: String,
        status: OrderStatus,
        is_final: bool,
        /// Who must act next, such as `vendor:<id> to ship`; `None` when nobody must.
        waiting_for: Option<String>,
        currency: Currency,
        /// What the buyer pays, in minor units.
        total: i64,
        payment_id: PaymentId,
        provider: PaymentProvider,
        payment_status: PaymentStatus,
        /// In the order of `vendor_ids`.
        fulfilments: Json<Vec<Fulfilment>>,
        /// [`Terms`]: much of the row, and never looked into by the fold again.
        terms: RenderedJson,
        /// Of the event by which it was placed.
        position: i64,
        placed_at: DateTime<Utc>,
        changed_at: DateTime<Utc>,
        /// The sequence of the order's last event.
        version: i64,
    }
}

/// What one vendor does for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfilment {
    pub vendor_id: VendorId,
    pub status: FulfilmentStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Text<100>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<Text<100>>,
}

/// The read model.
#[derive(Debug)]
pub struct Orders;

impl ReadModel for Orders {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["order"];
    /// Between two events of an order lie minutes, or days.
    const CACHE_ROWS: usize = 0;
    const ROW_BYTES: usize = 2_048;

    type Key = OrderId;
    type Row = Order;

    fn keys(recorded: &RecordedEvent) -> Vec<OrderId> {
        match &recorded.event {
            AnyEvent::Order(order_id, _) => vec![*order_id],
            _ => vec![],
        }
    }

    fn creates(recorded: &RecordedEvent) -> bool {
        recorded.sequence == 1
    }

    fn fold(row: Option<Order>, order_id: &OrderId, recorded: &RecordedEvent) -> Option<Order> {
        let AnyEvent::Order(_, event) = &recorded.event else {
            return row;
        };
        let mut order = match event {
            OrderEvent::Placed(placement) => Order::placed(*order_id, placement, recorded),
            _ => row?,
        };
        order.apply(event);
        order.changed_at = recorded.recorded_at;
        order.version = recorded.sequence.cast_signed();
        order.see_who_is_next();
        Some(order)
    }

    fn sources(order_id: &OrderId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("order", order_id.as_uuid())])
    }
}

impl Order {
    fn placed(order_id: OrderId, placement: &Placement, recorded: &RecordedEvent) -> Self {
        let vendors: BTreeSet<_> = placement.lines.iter().map(|line| line.vendor_id).collect();
        let fulfilments = vendors.iter().map(|vendor_id| Fulfilment {
            vendor_id: *vendor_id,
            status: FulfilmentStatus::Pending,
            carrier: None,
            tracking_number: None,
        });
        let (account_id, token_hash) = match &placement.customer {
            Customer::Account(account_id) => (Some(*account_id), None),
            Customer::Guest { token_hash, .. } => (None, Some(token_hash.clone())),
        };
        Self {
            order_id,
            tenant_id: recorded.tenant_id,
            store_id: placement.store_id,
            account_id,
            token_hash,
            fulfilments: Json(fulfilments.collect()),
            vendor_ids: vendors.into_iter().collect(),
            number: placement.number.clone(),
            status: OrderStatus::PendingPayment,
            is_final: false,
            waiting_for: None,
            currency: placement.currency,
            total: placement.totals.total,
            payment_id: placement.payment_id,
            provider: placement.provider,
            payment_status: PaymentStatus::at_first(placement.provider),
            terms: Terms::render(placement),
            position: recorded.position.get(),
            placed_at: recorded.recorded_at,
            changed_at: recorded.recorded_at,
            version: 0,
        }
    }

    fn apply(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::Paid { payment_id, .. } => {
                self.payment_id = *payment_id;
                self.payment_status = PaymentStatus::Captured;
            }
            OrderEvent::Refunded { kept, .. } if self.is_paid() => {
                self.payment_status = PaymentStatus::of_kept(*kept, self.total);
            }
            // Or a part of what was not enough.
            OrderEvent::Placed(_) | OrderEvent::Refunded { .. } | OrderEvent::PartlyPaid { .. } => {
            }
            OrderEvent::PaymentAttempted {
                payment_id,
                provider,
            } => {
                self.payment_id = *payment_id;
                self.provider = *provider;
                self.payment_status = PaymentStatus::at_first(*provider);
            }
            OrderEvent::Packed { vendor_id } => {
                self.fulfil(*vendor_id, |part| part.status = FulfilmentStatus::Packed);
            }
            OrderEvent::Shipped {
                vendor_id,
                carrier,
                tracking_number,
            } => self.fulfil(*vendor_id, |part| {
                part.status = FulfilmentStatus::Shipped;
                part.carrier.clone_from(carrier);
                part.tracking_number.clone_from(tracking_number);
            }),
            OrderEvent::Delivered { vendor_id } => {
                self.fulfil(*vendor_id, |part| part.status = FulfilmentStatus::Delivered);
            }
            OrderEvent::Completed {} => self.status = OrderStatus::Completed,
            OrderEvent::Cancelled { .. } => {
                self.status = OrderStatus::Cancelled;
                if !self.payment_status.was_captured() {
                    self.payment_status = PaymentStatus::Cancelled;
                }
            }
            OrderEvent::Expired { .. } => {
                self.status = OrderStatus::Expired;
                self.payment_status = PaymentStatus::Expired;
            }
        }
        if !self.status.is_final() {
            let parts = self.fulfilments.0.iter().map(|part| part.status);
            self.status = OrderStatus::under_way(parts, self.is_paid(), self.provider);
        }
        self.is_final = self.status.is_final();
    }

    fn fulfil(&mut self, vendor_id: VendorId, change: impl FnOnce(&mut Fulfilment)) {
        let mut parts = self.fulfilments.0.iter_mut();
        if let Some(part) = parts.find(|part| part.vendor_id == vendor_id) {
            change(part);
        }
    }

    fn is_paid(&self) -> bool {
        self.payment_status.was_captured()
    }

    fn see_who_is_next(&mut self) {
        self.waiting_for = match self.status {
            OrderStatus::Completed | OrderStatus::Cancelled | OrderStatus::Expired => None,
            OrderStatus::Delivered if self.provider.is_paid_on_delivery() => {
                Some("customer to pay in cash".to_owned())
            }
            OrderStatus::PendingPayment | OrderStatus::Delivered => {
                Some("customer to pay".to_owned())
            }
            OrderStatus::Confirmed
            | OrderStatus::Paid
            | OrderStatus::PartlyShipped
            | OrderStatus::Shipped => {
                let parts = self.fulfilments.0.iter().filter_map(Fulfilment::next_step);
                Some(parts.collect::<Vec<_>>().join(", "))
            }
        };
    }
}

impl Fulfilment {
    fn next_step(&self) -> Option<String> {
        let vendor_id = self.vendor_id;
        match self.status {
            FulfilmentStatus::Pending | FulfilmentStatus::Packed => {
                Some(format!("vendor:{vendor_id} to ship"))
            }
            FulfilmentStatus::Shipped => Some(format!("vendor:{vendor_id} to deliver")),
            FulfilmentStatus::Delivered => None,
        }
    }
}
