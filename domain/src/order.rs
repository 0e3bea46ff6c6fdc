//! What was agreed with a customer, and how far it has come: one fulfilment for each vendor.

mod command;
mod error;
mod event;
mod number;
mod paying;
mod placement;
mod pricing;
#[cfg(test)]
mod properties;
mod shares;
mod status;
#[cfg(test)]
mod tests;

pub use command::OrderCommand;
pub use error::OrderError;
pub use event::{
    CancelledBy, CancelledLine, Customer, OrderCoupon, OrderEvent, OrderLine, Placement, Totals,
};
pub use number::number;
pub use pricing::{OrderItem, price, sum};
pub use shares::{Shares, VendorShare};
pub use status::{FulfilmentStatus, OrderStatus};

use crate::{Decide, OrderId, Text, VendorId, write_decision};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use paying::Purse;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Order {
    #[default]
    NotPlaced,
    Placed(Box<Progress>),
}

/// A placed order and what has become of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Progress {
    placement: Placement,
    purse: Purse,
    /// Of the sale, once it is paid, what has not gone back.
    left: Option<Shares>,
    fulfilments: BTreeMap<VendorId, Fulfilment>,
    end: Option<End>,
}

/// What one vendor does for an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfilment {
    pub status: FulfilmentStatus,
    pub carrier: Option<Text<100>>,
    pub tracking_number: Option<Text<100>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum End {
    Completed,
    Cancelled,
    Expired,
}

type Decision = Result<Vec<OrderEvent>, OrderError>;

impl Order {
    /// # Errors
    /// [`OrderError::NotPlaced`].
    pub fn progress(&self) -> Result<&Progress, OrderError> {
        match self {
            Self::NotPlaced => Err(OrderError::NotPlaced),
            Self::Placed(progress) => Ok(progress),
        }
    }

    /// Asked twice for the same, it decides once.
    fn place(&self, placement: Box<Placement>) -> Decision {
        match self {
            Self::Placed(progress) if progress.placement == *placement => Ok(vec![]),
            Self::Placed(_) => Err(OrderError::AlreadyPlaced),
            Self::NotPlaced => {
                placement.check()?;
                Ok(vec![OrderEvent::Placed(placement)])
            }
        }
    }
}

impl Decide for Order {
    type Id = OrderId;

    /// 3: with what is left of the sale, and with payments in parts.
    const SNAPSHOT_VERSION: u32 = 3;

    fn decide(&self, command: OrderCommand) -> Decision {
        match command {
            OrderCommand::Place(placement) => self.place(placement),
            OrderCommand::AttemptPayment {
                payment_id,
                provider,
            } => self.progress()?.attempt_payment(payment_id, provider),
            OrderCommand::RecordPayment {
                payment_id,
                brought,
            } => self.progress()?.record_payment(payment_id, brought),
            OrderCommand::RecordRefund {
                payment_id,
                refund_id,
                amount,
            } => self
                .progress()?
                .record_refund(payment_id, refund_id, amount),
            OrderCommand::Pack { vendor_id } => self.progress()?.pack(vendor_id),
            OrderCommand::Ship {
                vendor_id,
                carrier,
                tracking_number,
            } => self.progress()?.ship(vendor_id, carrier, tracking_number),
            OrderCommand::Deliver { vendor_id } => self.progress()?.deliver(vendor_id),
            OrderCommand::Cancel {
                by,
                reason,
                refund_follows,
            } => self.progress()?.cancel(by, reason, refund_follows),
            OrderCommand::Expire {} => self.progress()?.expire(),
        }
    }
}

impl Progress {
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    pub fn status(&self) -> OrderStatus {
        match self.end {
            Some(End::Completed) => OrderStatus::Completed,
            Some(End::Cancelled) => OrderStatus::Cancelled,
            Some(End::Expired) => OrderStatus::Expired,
            None => OrderStatus::under_way(
                self.fulfilments
                    .values()
                    .map(|fulfilment| fulfilment.status),
                self.purse.paid_by.is_some(),
                self.purse.provider,
            ),
        }
    }

    pub fn fulfilments(&self) -> &BTreeMap<VendorId, Fulfilment> {
        &self.fulfilments
    }

    /// # Errors
    /// [`OrderError::NoSuchVendor`].
    pub fn fulfilment(&self, vendor_id: VendorId) -> Result<&Fulfilment, OrderError> {
        self.fulfilments
            .get(&vendor_id)
            .ok_or(OrderError::NoSuchVendor { vendor_id })
    }

    pub fn lines_of(&self, vendor_id: VendorId) -> impl Iterator<Item = &OrderLine> {
        self.placement
            .lines
            .iter()
            .filter(move |line| line.vendor_id == vendor_id)
    }

    fn pack(&self, vendor_id: VendorId) -> Decision {
        match self.workable(vendor_id)?.status {
            FulfilmentStatus::Pending => Ok(vec![OrderEvent::Packed { vendor_id }]),
            FulfilmentStatus::Packed => Ok(vec![]),
            FulfilmentStatus::Shipped | FulfilmentStatus::Delivered => {
                Err(OrderError::AlreadyShipped)
            }
        }
    }

    /// Asked twice for the same, it decides once.
    fn ship(
        &self,
        vendor_id: VendorId,
        carrier: Option<Text<100>>,
        tracking_number: Option<Text<100>>,
    ) -> Decision {
        let fulfilment = self.workable(vendor_id)?;
        match fulfilment.status {
            FulfilmentStatus::Pending | FulfilmentStatus::Packed => Ok(vec![OrderEvent::Shipped {
                vendor_id,
                carrier,
                tracking_number,
            }]),
            FulfilmentStatus::Shipped | FulfilmentStatus::Delivered
                if (&fulfilment.carrier, &fulfilment.tracking_number)
                    == (&carrier, &tracking_number) =>
            {
                Ok(vec![])
            }
            FulfilmentStatus::Shipped | FulfilmentStatus::Delivered => {
                Err(OrderError::AlreadyShipped)
            }
        }
    }

    fn deliver(&self, vendor_id: VendorId) -> Decision {
        match self.workable(vendor_id)?.status {
            FulfilmentStatus::Pending | FulfilmentStatus::Packed => Err(OrderError::NotShipped),
            FulfilmentStatus::Delivered => Ok(vec![]),
            FulfilmentStatus::Shipped => {
                let others_are_delivered = self
                    .fulfilments
                    .iter()
                    .filter(|(other, _)| **other != vendor_id)
                    .all(|(_, fulfilment)| fulfilment.status == FulfilmentStatus::Delivered);
                let completed = (others_are_delivered && self.purse.paid_by.is_some())
                    .then_some(OrderEvent::Completed {});
                let delivered = OrderEvent::Delivered { vendor_id };
                Ok(std::iter::once(delivered).chain(completed).collect())
            }
        }
    }

    fn cancel(&self, by: CancelledBy, reason: Option<Text<500>>, refund_follows: bool) -> Decision {
        if self.end == Some(End::Cancelled) {
            return Ok(vec![]);
        }
        self.alive()?;
        if self.any_is_shipped() {
            return Err(OrderError::AlreadyShipped);
        }
        if self.kept().amount() > 0 && !refund_follows {
            return Err(OrderError::AlreadyPaid);
        }
        Ok(vec![OrderEvent::Cancelled {
            by,
            reason,
            store_id: self.placement.store_id,
            currency: self.placement.currency,
            lines: self.placement.lines.iter().map(Into::into).collect(),
        }])
    }

    /// The part of a vendor that may set to work.
    fn workable(&self, vendor_id: VendorId) -> Result<&Fulfilment, OrderError> {
        let fulfilment = self.fulfilment(vendor_id)?;
        self.alive()?;
        if self.purse.paid_by.is_none() && !self.pays_on_delivery() {
            return Err(OrderError::AwaitsPayment);
        }
        Ok(fulfilment)
    }

    fn alive(&self) -> Result<(), OrderError> {
        match self.end {
            Some(End::Cancelled) => Err(OrderError::Cancelled),
            Some(End::Expired) => Err(OrderError::Expired),
            Some(End::Completed) | None => Ok(()),
        }
    }

    fn has_expired(&self) -> bool {
        self.end == Some(End::Expired)
    }

    fn pays_on_delivery(&self) -> bool {
        self.purse.provider.is_paid_on_delivery()
    }

    /// Whether every vendor is at least that far.
    fn all_are(&self, status: FulfilmentStatus) -> bool {
        self.fulfilments
            .values()
            .all(|fulfilment| fulfilment.status >= status)
    }

    fn any_is_shipped(&self) -> bool {
        self.fulfilments
            .values()
            .any(|fulfilment| fulfilment.status >= FulfilmentStatus::Shipped)
    }

    fn apply(&mut self, event: OrderEvent) {
        match event {
            OrderEvent::Placed(_) => (),
            OrderEvent::PaymentAttempted {
                payment_id,
                provider,
            } => {
                self.purse.attempts.push(payment_id);
                self.purse.provider = provider;
            }
            OrderEvent::PartlyPaid {
                payment_id, amount, ..
            } => *self.purse.brought.entry(payment_id).or_default() += amount,
            OrderEvent::Paid {
                payment_id,
                amount,
                shares,
            } => {
                *self.purse.brought.entry(payment_id).or_default() += amount;
                self.purse.paid_by = Some(payment_id);
                self.note_sale(shares);
            }
            OrderEvent::Refunded {
                payment_id,
                refund_id,
                amount,
                shares,
                ..
            } => {
                self.purse.refunds.push(refund_id);
                *self.purse.returned.entry(payment_id).or_default() += amount;
                self.note_refund(amount, shares);
            }
            OrderEvent::Packed { vendor_id } => {
                self.fulfilments.entry(vendor_id).or_default().status = FulfilmentStatus::Packed;
            }
            OrderEvent::Shipped {
                vendor_id,
                carrier,
                tracking_number,
            } => {
                let shipped = Fulfilment {
                    status: FulfilmentStatus::Shipped,
                    carrier,
                    tracking_number,
                };
                self.fulfilments.insert(vendor_id, shipped);
            }
            OrderEvent::Delivered { vendor_id } => {
                self.fulfilments.entry(vendor_id).or_default().status = FulfilmentStatus::Delivered;
            }
            OrderEvent::Completed {} => self.end = Some(End::Completed),
            OrderEvent::Cancelled { .. } => self.end = Some(End::Cancelled),
            OrderEvent::Expired { .. } => self.end = Some(End::Expired),
        }
    }
}

impl From<Box<Placement>> for Progress {
    fn from(placement: Box<Placement>) -> Self {
        let vendors = placement.lines.iter().map(|line| line.vendor_id);
        Self {
            fulfilments: vendors
                .map(|vendor_id| (vendor_id, Fulfilment::default()))
                .collect(),
            purse: Purse::new(&placement),
            placement: *placement,
            left: None,
            end: None,
        }
    }
}

impl Aggregate for Order {
    const TYPE: &'static str = "order";
    type Command = OrderCommand;
    type Event = OrderEvent;
    type Error = OrderError;
    type Services = ();

    async fn handle(
        &mut self,
        command: OrderCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), OrderError> {
        write_decision(self, command, sink).await
    }

    fn apply(&mut self, event: OrderEvent) {
        if let OrderEvent::Placed(placement) = event {
            *self = Self::Placed(Box::new(placement.into()));
        } else if let Self::Placed(progress) = self {
            progress.apply(event);
        }
    }
}
