//! The invariants of stock and money, over the whole log.

use super::ledger::Ledger;
use super::promotions::Promotions;
use soko_domain::order::OrderEvent;
use soko_domain::payment::{PaymentEvent, PaymentProvider};
use soko_domain::stock::StockEvent;
use soko_domain::{AnyEvent, LocationId, OrderId, PaymentId, StoreId, VariantId};
use soko_event_log::{Position, RecordedEvent};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// What is kept while the log goes by.
#[derive(Default)]
pub(super) struct Books {
    sequences: HashMap<(&'static str, Uuid), u64>,
    places: HashMap<(VariantId, LocationId), Place>,
    held: HashMap<OrderId, BTreeMap<(VariantId, LocationId), i64>>,
    orders: HashMap<OrderId, OpenOrder>,
    payments: HashMap<PaymentId, i64>,
    /// What came and has not gone back.
    kept: HashMap<PaymentId, i64>,
    /// Whose account each payment is to come to.
    accounts: HashMap<PaymentId, Account>,
    references: HashSet<(Account, String)>,
    ledger: Ledger,
    promotions: Promotions,
    last_time: Option<chrono::DateTime<chrono::Utc>>,
    pub(super) events: u64,
}

/// Within which no reference stands for two payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Account {
    /// A provider calls no two movements the same, whosever they are.
    Provider(PaymentProvider),
    /// What people put on record, each store counts for itself.
    Store(StoreId),
}

#[derive(Default, Clone, Copy)]
struct Place {
    on_hand: i64,
    reserved: i64,
}

struct OpenOrder {
    total: i64,
    /// By each payment, as far as the order needed it.
    brought: HashMap<PaymentId, i64>,
    refunded: i64,
    ended: bool,
}

/// Something that must never be.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) position: Option<Position>,
    pub(super) what: String,
}

impl Books {
    /// Enters one event; what it breaks, if anything.
    pub(super) fn enter(&mut self, recorded: &RecordedEvent) -> Vec<Finding> {
        self.events += 1;
        let mut broken = Vec::new();
        self.order_in_stream(recorded, &mut broken);
        self.ledger.enter(recorded, &mut broken);
        self.promotions.enter(&recorded.event, &mut broken);
        match &recorded.event {
            AnyEvent::Stock(variant, event) => self.stock(*variant, event, &mut broken),
            AnyEvent::Order(order, event) => self.order(*order, event, &mut broken),
            AnyEvent::Payment(payment, event) => self.payment(*payment, event, &mut broken),
            AnyEvent::Account(..)
            | AnyEvent::Tenant(..)
            | AnyEvent::Store(..)
            | AnyEvent::Vendor(..)
            | AnyEvent::Promotion(..)
            | AnyEvent::Category(..)
            | AnyEvent::Product(..)
            | AnyEvent::Cart(..)
            | AnyEvent::Statement(..)
            | AnyEvent::VendorAccount(..) => (),
        }
        let at = |what| Finding {
            position: Some(recorded.position),
            what,
        };
        broken.into_iter().map(at).collect()
    }

    /// What can only be said when the whole log has gone by.
    pub(super) fn close(&self) -> Vec<Finding> {
        let mut broken = Vec::new();
        self.ledger.close(&mut broken);
        self.promotions.close(&mut broken);
        for (order, held) in &self.held {
            let ended = self.orders.get(order).is_some_and(|open| open.ended);
            if ended && held.values().any(|quantity| *quantity != 0) {
                broken.push(format!("order {order} has ended and still holds stock"));
            }
        }
        broken
            .into_iter()
            .map(|what| Finding {
                position: None,
                what,
            })
            .collect()
    }

    fn order_in_stream(&mut self, recorded: &RecordedEvent, broken: &mut Vec<String>) {
        let stream = (recorded.event.stream_type(), recorded.event.stream_id());
        let last = self.sequences.entry(stream).or_default();
        if recorded.sequence != *last + 1 {
            let (kind, id) = stream;
            let sequence = recorded.sequence;
            broken.push(format!(
                "{kind} {id}: event {sequence} follows event {last}"
            ));
        }
        *last = recorded.sequence;
        if self
            .last_time
            .is_some_and(|last| recorded.recorded_at < last)
        {
            broken.push("recorded before the event that precedes it".to_owned());
        }
        self.last_time = Some(recorded.recorded_at);
    }

    fn stock(&mut self, variant: VariantId, event: &StockEvent, broken: &mut Vec<String>) {
        let (location, order, on_hand, reserved) = match event {
            StockEvent::Received {
                location_id,
                quantity,
                ..
            }
            | StockEvent::Returned {
                location_id,
                quantity,
                ..
            } => (*location_id, None, quantity.units(), 0),
            StockEvent::Adjusted {
                location_id,
                difference,
                ..
            }
            | StockEvent::Counted {
                location_id,
                difference,
                ..
            } => (*location_id, None, *difference, 0),
            StockEvent::Reserved {
                order_id,
                location_id,
                quantity,
            } => (*location_id, Some(*order_id), 0, quantity.units()),
            StockEvent::Released {
                order_id,
                location_id,
                quantity,
            } => (*location_id, Some(*order_id), 0, -quantity.units()),
            StockEvent::Committed {
                order_id,
                location_id,
                quantity,
            } => (
                *location_id,
                Some(*order_id),
                -quantity.units(),
                -quantity.units(),
            ),
            StockEvent::Tracked { .. }
            | StockEvent::LowStockThresholdSet { .. }
            | StockEvent::RanLow { .. }
            | StockEvent::Replenished { .. } => return,
        };
        let place = self.places.entry((variant, location)).or_default();
        place.on_hand += on_hand;
        place.reserved += reserved;
        let Place {
            on_hand,
            reserved: now_reserved,
        } = *place;
        if now_reserved > on_hand || now_reserved < 0 {
            broken.push(format!(
                "variant {variant} at {location}: {now_reserved} reserved, {on_hand} on hand"
            ));
        }
        if let (StockEvent::Counted { counted, .. }, true) = (event, on_hand >= 0)
            && i64::from(*counted) != on_hand
        {
            broken.push(format!(
                "variant {variant} at {location}: counted {counted}, not {on_hand}"
            ));
        }
        if let Some(order) = order {
            let held = self
                .held
                .entry(order)
                .or_default()
                .entry((variant, location))
                .or_default();
            *held += reserved;
            if *held < 0 {
                broken.push(format!(
                    "order {order} gave back more of {variant} than it held"
                ));
            }
        }
    }

    fn order(&mut self, order: OrderId, event: &OrderEvent, broken: &mut Vec<String>) {
        match event {
            OrderEvent::Placed(placement) => {
                let sum: i64 = placement.lines.iter().map(|line| line.total).sum();
                let totals = placement.totals;
                if sum + totals.shipping != totals.total {
                    broken.push(format!(
                        "order {order}: lines come to {sum}, the total is {}",
                        totals.total
                    ));
                }
                let open = OpenOrder {
                    total: totals.total,
                    brought: HashMap::new(),
                    refunded: 0,
                    ended: false,
                };
                self.orders.insert(order, open);
            }
            OrderEvent::PartlyPaid {
                payment_id,
                amount,
                due,
            } => self.brings(order, *payment_id, *amount, *due, broken),
            OrderEvent::Paid {
                payment_id, amount, ..
            } => self.brings(order, *payment_id, *amount, 0, broken),
            OrderEvent::Completed {}
            | OrderEvent::Cancelled { .. }
            | OrderEvent::Expired { .. } => {
                if let Some(open) = self.orders.get_mut(&order) {
                    open.ended = true;
                }
            }
            OrderEvent::Refunded { amount, kept, .. } => {
                let Some(open) = self.orders.get_mut(&order) else {
                    return;
                };
                open.refunded += amount;
                let left = open.kept();
                if left != *kept || left < 0 {
                    broken.push(format!(
                        "order {order}: {kept} is left of its money, which comes to {left}"
                    ));
                }
            }
            OrderEvent::PaymentAttempted { .. }
            | OrderEvent::Packed { .. }
            | OrderEvent::Shipped { .. }
            | OrderEvent::Delivered { .. } => {}
        }
    }

    fn payment(&mut self, payment: PaymentId, event: &PaymentEvent, broken: &mut Vec<String>) {
        match event {
            PaymentEvent::Captured {
                amount, reference, ..
            } => {
                *self.payments.entry(payment).or_default() += amount.amount();
                *self.kept.entry(payment).or_default() += amount.amount();
                if let Some(account) = self.accounts.get(&payment)
                    && !self.references.insert((*account, reference.to_string()))
                {
                    broken.push(format!("reference {reference} was applied twice"));
                }
            }
            PaymentEvent::Initiated { store_id, provider, .. } => {
                let account = if provider.is_recorded_by_hand() {
                    Account::Store(*store_id)
                } else {
                    Account::Provider(provider.account())
                };
                self.accounts.insert(payment, account);
            }
            PaymentEvent::Refunded(refund) => {
                let back = refund.amount.amount();
                let kept = self.kept.entry(payment).or_default();
                *kept -= back;
                if *kept < 0 || back <= 0 {
                    broken.push(format!("payment {payment}: more went back than came"));
                }
            }
            PaymentEvent::RefundReturned { amount, .. } => {
                *self.kept.entry(payment).or_default() += amount.amount();
            }
            PaymentEvent::Started { .. }
            | PaymentEvent::PutOff { .. }
            | PaymentEvent::Authorised { .. }
            | PaymentEvent::Doubted { .. }
            | PaymentEvent::Resumed {}
            | PaymentEvent::ReferenceLearned { .. }
            | PaymentEvent::ReferenceContested { .. }
            | PaymentEvent::Failed { .. }
            | PaymentEvent::Expired {}
            | PaymentEvent::RefundRequested { .. }
            | PaymentEvent::RefundStarted { .. }
            | PaymentEvent::RefundDoubted { .. }
            | PaymentEvent::RefundFailed { .. }
            // What a bank takes may have gone back before: the store then has lost it twice.
            | PaymentEvent::Disputed(_)
            | PaymentEvent::CreditHeld { .. }
            | PaymentEvent::Cancelled { .. } => (),
        }
    }

    /// Money of a payment counts for the order, and so much is due afterwards.
    fn brings(
        &mut self,
        order: OrderId,
        payment: PaymentId,
        amount: i64,
        due: i64,
        broken: &mut Vec<String>,
    ) {
        let captured = self.payments.get(&payment).copied().unwrap_or_default();
        let Some(open) = self.orders.get_mut(&order) else {
            return;
        };
        let brought = open.brought.entry(payment).or_default();
        *brought += amount;
        if *brought > captured {
            broken.push(format!(
                "order {order}: {brought} of payment {payment} counted, which captured {captured}"
            ));
        }
        let left = open.total - open.kept();
        if left != due {
            broken.push(format!("order {order}: {due} said to be due, {left} is"));
        }
    }
}

impl OpenOrder {
    fn kept(&self) -> i64 {
        self.brought.values().sum::<i64>() - self.refunded
    }
}
