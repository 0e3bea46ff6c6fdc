//! Whether the money adds up: what an order was sold for is what its shares say, no refund takes
//! back more, and what the ledger books comes to nothing and is what the payments moved.

use soko_domain::order::{OrderEvent, Placement, Shares};
use soko_domain::payment::{DisputedMoney, PaymentEvent};
use soko_domain::{AnyEvent, Currency, Money, OrderId, PaymentId, StoreId};
use soko_event_log::RecordedEvent;
use soko_projections::read_models::ledger::{Account, Transaction, transaction_of};
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The trial balance of each store.
    balances: BTreeMap<(StoreId, Currency), i128>,
    /// What is with the providers, fees included, by what was booked.
    booked: HashMap<PaymentId, i128>,
    /// The same by what the payments say.
    moved: HashMap<PaymentId, i128>,
    /// As they were agreed; then, once paid, what has not gone back.
    sales: HashMap<OrderId, Shares>,
}

impl Ledger {
    pub(super) fn enter(&mut self, recorded: &RecordedEvent, broken: &mut Vec<String>) {
        if let Some(transaction) = transaction_of(recorded) {
            self.book(&transaction, broken);
        }
        match &recorded.event {
            AnyEvent::Order(order, event) => self.order(*order, event, broken),
            AnyEvent::Payment(payment, event) => self.payment(*payment, event),
            AnyEvent::Account(..)
            | AnyEvent::Tenant(..)
            | AnyEvent::Store(..)
            | AnyEvent::Vendor(..)
            | AnyEvent::Promotion(..)
            | AnyEvent::Category(..)
            | AnyEvent::Product(..)
            | AnyEvent::Stock(..)
            | AnyEvent::Cart(..)
            | AnyEvent::Statement(..)
            | AnyEvent::VendorAccount(..) => (),
        }
    }

    /// What can only be said when the whole log has gone by.
    pub(super) fn close(&self, broken: &mut Vec<String>) {
        for ((store, currency), balance) in &self.balances {
            if *balance != 0 {
                broken.push(format!(
                    "the ledger of store {store} comes to {balance} in {currency}"
                ));
            }
        }
        let mut payments: Vec<_> = self.moved.keys().chain(self.booked.keys()).collect();
        payments.sort_unstable();
        payments.dedup();
        for payment in payments {
            let moved = self.moved.get(payment).copied().unwrap_or_default();
            let booked = self.booked.get(payment).copied().unwrap_or_default();
            if moved != booked {
                broken.push(format!(
                    "payment {payment}: {moved} came and stayed, the ledger says {booked}"
                ));
            }
        }
    }

    fn book(&mut self, transaction: &Transaction, broken: &mut Vec<String>) {
        let header = transaction.header();
        let entries = transaction.entries().iter();
        let sum: i128 = entries.map(|entry| i128::from(entry.amount)).sum();
        if sum != 0 {
            broken.push(format!("a transaction of the ledger comes to {sum}"));
        }
        *self
            .balances
            .entry((header.store_id, header.currency))
            .or_default() += sum;
        let Some(payment) = header.payment_id else {
            return;
        };
        for entry in transaction.entries() {
            if let Account::Clearing(_) | Account::Fees(_) = entry.account {
                *self.booked.entry(payment).or_default() += i128::from(entry.amount);
            }
        }
    }

    fn order(&mut self, order: OrderId, event: &OrderEvent, broken: &mut Vec<String>) {
        match event {
            OrderEvent::Placed(placement) => self.placed(order, placement, broken),
            OrderEvent::Paid {
                shares: Some(shares),
                ..
            } => {
                if self.sales.get(&order) != Some(shares) {
                    broken.push(format!("order {order}: paid to others than it was sold by"));
                }
            }
            OrderEvent::Refunded {
                amount,
                shares: Some(shares),
                ..
            } => self.taken_back(order, *amount, shares, broken),
            // Without shares: from before there were any, or of an order that was not paid yet.
            OrderEvent::Paid { shares: None, .. }
            | OrderEvent::Refunded { shares: None, .. }
            | OrderEvent::PaymentAttempted { .. }
            | OrderEvent::PartlyPaid { .. }
            | OrderEvent::Expired { .. }
            | OrderEvent::Packed { .. }
            | OrderEvent::Shipped { .. }
            | OrderEvent::Delivered { .. }
            | OrderEvent::Completed {}
            | OrderEvent::Cancelled { .. } => (),
        }
    }

    fn placed(&mut self, order: OrderId, placement: &Placement, broken: &mut Vec<String>) {
        let sale = Shares::of_sale(placement).ok();
        let total = sale.as_ref().and_then(|sale| sale.total().ok());
        match sale.filter(|_| total == Some(placement.total())) {
            Some(sale) => {
                self.sales.insert(order, sale);
            }
            None => broken.push(format!("order {order}: its shares are not its total")),
        }
    }

    fn taken_back(&mut self, order: OrderId, amount: i64, gone: &Shares, broken: &mut Vec<String>) {
        if gone.total() != Ok(Money::new(amount, gone.currency)) {
            broken.push(format!(
                "order {order}: {amount} went back, not what its shares say"
            ));
        }
        let left = self.sales.get(&order).map(|left| left.without(gone));
        match left {
            Some(Ok(left)) if is_sound(&left) => {
                self.sales.insert(order, left);
            }
            _ => broken.push(format!("order {order}: more was taken back than was sold")),
        }
    }

    fn payment(&mut self, payment: PaymentId, event: &PaymentEvent) {
        // Without a purpose: from before there was one.
        let moved = match event {
            PaymentEvent::Captured {
                amount, purpose, ..
            }
            | PaymentEvent::RefundReturned {
                amount, purpose, ..
            } => purpose.map(|_| amount.amount()),
            PaymentEvent::Refunded(refund) => refund.purpose.map(|_| -refund.amount.amount()),
            PaymentEvent::Disputed(dispute) => {
                let amount = dispute.amount.amount();
                let moved = dispute.money.map(|money| match money {
                    DisputedMoney::Withdrawn => -amount,
                    DisputedMoney::Reinstated => amount,
                });
                moved.filter(|_| dispute.purpose.is_some())
            }
            PaymentEvent::Initiated { .. }
            | PaymentEvent::Started { .. }
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
            | PaymentEvent::CreditHeld { .. }
            | PaymentEvent::Cancelled { .. } => None,
        };
        if let Some(moved) = moved {
            *self.moved.entry(payment).or_default() += i128::from(moved);
        }
    }
}

/// Nobody is left with less than nothing.
fn is_sound(left: &Shares) -> bool {
    let mut vendors = left.vendors.iter();
    left.shipping >= 0
        && vendors.all(|share| {
            let amounts = [
                share.gross,
                share.tax,
                share.commission,
                share.commission_tax,
                share.discount,
                share.subsidy,
            ];
            amounts.iter().all(|amount| *amount >= 0)
                && share.payable().is_ok_and(|payable| payable >= 0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use soko_domain::TenantId;
    use soko_domain::order::VendorShare;
    use soko_domain::payment::{PaymentProvider, Purpose};
    use soko_event_log::{Actor, Metadata, Position};
    use uuid::Uuid;

    #[test]
    fn sound_books_have_no_findings() {
        let found = findings([
            captured(1_000),
            refunded(400, [share(400, 40)]),
            refunded(600, [share(600, 60)]),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn more_taken_back_than_was_sold_is_found() {
        let found = findings([
            refunded(600, [share(600, 60)]),
            refunded(600, [share(600, 60)]),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("more was taken back"), "{found:?}");
        // Not more in all, but more of the store's part.
        let found = findings([refunded(600, [share(600, 101)])]);
        assert!(found[0].contains("more was taken back"), "{found:?}");
    }

    #[test]
    fn shares_that_are_not_what_went_back_are_found() {
        let found = findings([refunded(500, [share(600, 60)])]);
        assert!(found[0].contains("not what its shares say"), "{found:?}");
    }

    #[test]
    fn an_order_paid_to_others_is_found() {
        let paid = OrderEvent::Paid {
            payment_id: id(40),
            amount: 1_000,
            shares: Some(shares([share(1_000, 99)])),
        };
        let found = findings([AnyEvent::Order(id(50), paid)]);
        assert!(found[0].contains("paid to others"), "{found:?}");
    }

    #[test]
    fn a_payment_that_the_ledger_does_not_know_is_found() {
        let mut ledger = Ledger::default();
        ledger.moved.insert(id(40), 1_000);
        let mut found = Vec::new();
        ledger.close(&mut found);
        assert!(found[0].contains("the ledger says 0"), "{found:?}");
    }

    /// Of an order for 1000 of which the store keeps 100.
    fn findings<const N: usize>(events: [AnyEvent; N]) -> Vec<String> {
        let mut ledger = Ledger::default();
        ledger.sales.insert(id(50), shares([share(1_000, 100)]));
        let mut found = Vec::new();
        for event in events {
            ledger.enter(&recorded(event), &mut found);
        }
        ledger.close(&mut found);
        found
    }

    fn captured(amount: i64) -> AnyEvent {
        let purpose = Some(Purpose {
            order_id: id(50),
            store_id: id(10),
            provider: PaymentProvider::CashOnDelivery,
        });
        let captured = PaymentEvent::Captured {
            amount: Money::new(amount, Currency::Kes),
            reference: "R-1".parse().unwrap(),
            collected_by: None,
            fee: None,
            is_provisional: false,
            is_hearsay: false,
            purpose,
        };
        AnyEvent::Payment(id(40), captured)
    }

    fn refunded<const N: usize>(amount: i64, vendors: [VendorShare; N]) -> AnyEvent {
        let refunded = OrderEvent::Refunded {
            payment_id: id(40),
            refund_id: id(60),
            amount,
            kept: 0,
            shares: Some(shares(vendors)),
        };
        AnyEvent::Order(id(50), refunded)
    }

    fn shares<const N: usize>(vendors: [VendorShare; N]) -> Shares {
        Shares {
            store_id: id(10),
            currency: Currency::Kes,
            shipping: 0,
            vendors: vendors.into(),
        }
    }

    fn share(gross: i64, commission: i64) -> VendorShare {
        VendorShare {
            vendor_id: id(11),
            gross,
            tax: 0,
            commission,
            commission_tax: 0,
            discount: 0,
            subsidy: 0,
        }
    }

    fn recorded(event: AnyEvent) -> RecordedEvent {
        RecordedEvent {
            position: Position::new(1),
            tenant_id: TenantId::PLATFORM,
            sequence: 1,
            event,
            metadata: Metadata {
                actor: Actor::Guest,
                api_key: None,
                correlation: Uuid::nil(),
                causation: None,
                command_id: Uuid::nil(),
                request_id: None,
            },
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    fn id<T: From<Uuid>>(n: u128) -> T {
        Uuid::from_u128(n).into()
    }
}
