//! What was agreed with a customer, and how far it has come: one fulfilment for each vendor.

mod command;
mod error;
mod event;
mod number;
mod placement;
mod pricing;
#[cfg(test)]
mod properties;
mod status;
#[cfg(test)]
mod tests;

pub use command::OrderCommand;
pub use error::OrderError;
pub use event::{CancelledBy, CancelledLine, Customer, OrderEvent, OrderLine, Placement, Totals};
pub use number::number;
pub use pricing::{OrderItem, price};
pub use status::{FulfilmentStatus, OrderStatus};

use crate::{Decide, Money, OrderId, PaymentId, RefundId, Text, VendorId, write_decision};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
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
    paid_by: Option<PaymentId>,
    refunds: Vec<RefundId>,
    /// Whether all that was paid went back.
    is_refunded: bool,
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

    fn decide(&self, command: OrderCommand) -> Decision {
        match command {
            OrderCommand::Place(placement) => self.place(placement),
            OrderCommand::RecordPayment { payment_id, amount } => {
                self.progress()?.record_payment(payment_id, amount)
            }
            OrderCommand::RecordRefund {
                payment_id,
                refund_id,
                amount,
                kept,
            } => self
                .progress()?
                .record_refund(payment_id, refund_id, amount, kept),
            OrderCommand::Pack { vendor_id } => self.progress()?.pack(vendor_id),
            OrderCommand::Ship {
                vendor_id,
                carrier,
                tracking_number,
            } => self.progress()?.ship(vendor_id, carrier, tracking_number),
            OrderCommand::Deliver { vendor_id } => self.progress()?.deliver(vendor_id),
            OrderCommand::Cancel { by, reason } => self.progress()?.cancel(by, reason),
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
            None => OrderStatus::under_way(
                self.fulfilments
                    .values()
                    .map(|fulfilment| fulfilment.status),
                self.paid_by.is_some(),
                self.placement.provider,
            ),
        }
    }

    /// The payment that brought the money, once it is there.
    pub fn paid_by(&self) -> Option<PaymentId> {
        self.paid_by
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

    /// Asked twice for the same, it decides once: its money may be reported again.
    fn record_payment(&self, payment_id: PaymentId, amount: Money) -> Decision {
        match self.paid_by {
            Some(paid_by) if paid_by == payment_id => return Ok(vec![]),
            Some(_) => return Err(OrderError::AlreadyPaid),
            None => self.not_cancelled()?,
        }
        let expected = self.placement.total();
        if amount != expected {
            return Err(OrderError::AmountDiffers {
                expected,
                found: amount,
            });
        }
        let paid = OrderEvent::Paid {
            payment_id,
            amount: amount.amount(),
        };
        let completed = self
            .all_are(FulfilmentStatus::Delivered)
            .then_some(OrderEvent::Completed {});
        Ok(std::iter::once(paid).chain(completed).collect())
    }

    /// Asked twice for the same, it decides once.
    fn record_refund(
        &self,
        payment_id: PaymentId,
        refund_id: RefundId,
        amount: Money,
        kept: Money,
    ) -> Decision {
        if self.paid_by != Some(payment_id) {
            return Err(OrderError::PaidOtherwise);
        }
        if self.refunds.contains(&refund_id) {
            return Ok(vec![]);
        }
        Ok(vec![OrderEvent::Refunded {
            payment_id,
            refund_id,
            amount: amount.amount(),
            kept: kept.amount(),
        }])
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
                let completed = (others_are_delivered && self.paid_by.is_some())
                    .then_some(OrderEvent::Completed {});
                let delivered = OrderEvent::Delivered { vendor_id };
                Ok(std::iter::once(delivered).chain(completed).collect())
            }
        }
    }

    fn cancel(&self, by: CancelledBy, reason: Option<Text<500>>) -> Decision {
        if self.not_cancelled().is_err() {
            return Ok(vec![]);
        }
        if self.any_is_shipped() {
            return Err(OrderError::AlreadyShipped);
        }
        if self.paid_by.is_some() && !self.is_refunded {
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
        self.not_cancelled()?;
        if self.paid_by.is_none() && !self.pays_on_delivery() {
            return Err(OrderError::AwaitsPayment);
        }
        Ok(fulfilment)
    }

    fn not_cancelled(&self) -> Result<(), OrderError> {
        match self.end {
            Some(End::Cancelled) => Err(OrderError::Cancelled),
            Some(End::Completed) | None => Ok(()),
        }
    }

    fn pays_on_delivery(&self) -> bool {
        self.placement.provider.is_paid_on_delivery()
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
            OrderEvent::Paid { payment_id, .. } => self.paid_by = Some(payment_id),
            OrderEvent::Refunded {
                refund_id, kept, ..
            } => {
                self.refunds.push(refund_id);
                self.is_refunded |= kept == 0;
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
            placement: *placement,
            paid_by: None,
            refunds: Vec::new(),
            is_refunded: false,
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
