//! What each event books.
//!
//! A sale is booked when it is paid, as it was agreed, whatever payments paid it; the money when it
//! comes. `receivable` stands between the two: it is nothing once an order is paid by exactly its
//! total, and tells at any time whose money is missing, or is there too much.
//!
//! The money of a sale is booked twice: as what it is (sales, tax, discounts; refunds), and as whose
//! it is (payable to the vendor, commission, its tax). `settlement` is where the one becomes the
//! other, so that both can be read off the same books, and each adds up to what the buyer paid and
//! what the store made up for.

use super::{Account, Header, Transaction};
use soko_domain::order::{OrderEvent, Shares, VendorShare};
use soko_domain::payment::{Dispute, DisputedMoney, PaymentEvent, Purpose};
use soko_domain::vendor_account::{PayoutMethod, VendorAccountEvent};
use soko_domain::{AnyEvent, Money, OrderId, PaymentId, VendorId};
use soko_event_log::RecordedEvent;

/// What the event books; `None` if no money changes hands.
///
/// Nor is anything booked of events that were written before they said whose the money is.
pub fn transaction_of(recorded: &RecordedEvent) -> Option<Transaction> {
    let booked = match &recorded.event {
        AnyEvent::Order(order_id, event) => of_order(*order_id, event),
        AnyEvent::Payment(payment_id, event) => of_payment(*payment_id, event),
        AnyEvent::VendorAccount(vendor_id, event) => of_payout(*vendor_id, event),
        AnyEvent::Account(..)
        | AnyEvent::Tenant(..)
        | AnyEvent::Store(..)
        | AnyEvent::Vendor(..)
        | AnyEvent::Category(..)
        | AnyEvent::Product(..)
        | AnyEvent::Stock(..)
        | AnyEvent::Cart(..)
        | AnyEvent::Statement(..)
        | AnyEvent::Promotion(..) => None,
    };
    booked.and_then(Transaction::closed)
}

fn of_order(order_id: OrderId, event: &OrderEvent) -> Option<Transaction> {
    match event {
        OrderEvent::Paid {
            payment_id, shares, ..
        } => {
            let shares = shares.as_ref()?;
            Some(sale(order_id, *payment_id, shares, Account::Sales))
        }
        OrderEvent::Refunded {
            payment_id, shares, ..
        } => {
            let shares = shares.as_ref()?;
            Some(sale(order_id, *payment_id, shares, Account::Refunds).reversed())
        }
        OrderEvent::Placed(_)
        | OrderEvent::PaymentAttempted { .. }
        | OrderEvent::PartlyPaid { .. }
        | OrderEvent::Expired { .. }
        | OrderEvent::Packed { .. }
        | OrderEvent::Shipped { .. }
        | OrderEvent::Delivered { .. }
        | OrderEvent::Completed {}
        | OrderEvent::Cancelled { .. } => None,
    }
}

fn of_payment(payment_id: PaymentId, event: &PaymentEvent) -> Option<Transaction> {
    match event {
        PaymentEvent::Captured {
            amount,
            fee,
            purpose,
            ..
        } => {
            let purpose = (*purpose)?;
            let came = money_came(payment_id, purpose, *amount);
            Some(
                match fee.filter(|fee| fee.currency() == amount.currency()) {
                    Some(fee) => came.book(
                        Account::Fees(purpose.provider),
                        Account::Clearing(purpose.provider),
                        fee.amount(),
                    ),
                    None => came,
                },
            )
        }
        PaymentEvent::Refunded(refund) => {
            Some(money_came(payment_id, refund.purpose?, refund.amount).reversed())
        }
        PaymentEvent::RefundReturned {
            amount, purpose, ..
        } => Some(money_came(payment_id, (*purpose)?, *amount)),
        PaymentEvent::Disputed(dispute) => disputed(payment_id, dispute),
        // A credit is what is too much on `receivable`: that it is kept moves nothing.
        PaymentEvent::CreditHeld { .. }
        | PaymentEvent::Initiated { .. }
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
        | PaymentEvent::Cancelled { .. } => None,
    }
}

/// What a vendor is owed was booked with the sale; what leaves is booked when it has left.
fn of_payout(vendor_id: VendorId, event: &VendorAccountEvent) -> Option<Transaction> {
    let paid_out = |store_id, currency, method: PayoutMethod, amount| {
        let header = Header {
            store_id,
            currency,
            order_id: None,
            payment_id: None,
        };
        let from = method
            .provider()
            .map_or(Account::PaidByHand, Account::Clearing);
        Transaction::new(header).book(Account::VendorPayable(vendor_id), from, amount)
    };
    match *event {
        VendorAccountEvent::PayoutPaid {
            store_id,
            currency,
            method,
            amount,
            ..
        } => Some(paid_out(store_id, currency, method, amount)),
        VendorAccountEvent::PayoutReturned {
            store_id,
            currency,
            method,
            amount,
            ..
        } => Some(paid_out(store_id, currency, method, amount).reversed()),
        VendorAccountEvent::Opened { .. }
        | VendorAccountEvent::Credited(_)
        | VendorAccountEvent::Debited(_)
        | VendorAccountEvent::PayoutAccountSet { .. }
        | VendorAccountEvent::PayoutRequested { .. }
        | VendorAccountEvent::PayoutApproved { .. }
        | VendorAccountEvent::PayoutRejected { .. }
        | VendorAccountEvent::PayoutStarted { .. }
        | VendorAccountEvent::PayoutSent { .. }
        | VendorAccountEvent::PayoutDoubted { .. }
        | VendorAccountEvent::PayoutFailed { .. } => None,
    }
}

fn money_came(payment_id: PaymentId, purpose: Purpose, amount: Money) -> Transaction {
    Transaction::new(header(payment_id, purpose, amount)).book(
        Account::Clearing(purpose.provider),
        Account::Receivable,
        amount.amount(),
    )
}

/// The buyer has the goods and owes nothing: who bears it, the store or a vendor, is not said here.
fn disputed(payment_id: PaymentId, dispute: &Dispute) -> Option<Transaction> {
    let purpose = dispute.purpose?;
    let withdrawn = Transaction::new(header(payment_id, purpose, dispute.amount)).book(
        Account::Chargebacks(purpose.provider),
        Account::Clearing(purpose.provider),
        dispute.amount.amount(),
    );
    match dispute.money? {
        DisputedMoney::Withdrawn => Some(withdrawn),
        DisputedMoney::Reinstated => Some(withdrawn.reversed()),
    }
}

fn header(payment_id: PaymentId, purpose: Purpose, amount: Money) -> Header {
    Header {
        store_id: purpose.store_id,
        currency: amount.currency(),
        order_id: Some(purpose.order_id),
        payment_id: Some(payment_id),
    }
}

/// `sold` is where it counts as sold, or as taken back.
fn sale(
    order_id: OrderId,
    payment_id: PaymentId,
    shares: &Shares,
    sold: fn(VendorId) -> Account,
) -> Transaction {
    let header = Header {
        store_id: shares.store_id,
        currency: shares.currency,
        order_id: Some(order_id),
        payment_id: Some(payment_id),
    };
    let shipping =
        Transaction::new(header).book(Account::Receivable, Account::Shipping, shares.shipping);
    let vendors = shares.vendors.iter();
    vendors.fold(shipping, |booked, share| vendor_part(booked, share, sold))
}

fn vendor_part(
    transaction: Transaction,
    share: &VendorShare,
    sold: fn(VendorId) -> Account,
) -> Transaction {
    let VendorShare {
        vendor_id,
        gross,
        tax,
        commission,
        commission_tax,
        discount,
        subsidy,
    } = *share;
    let settlement = Account::Settlement(vendor_id);
    let payable = Account::VendorPayable(vendor_id);
    transaction
        .book(Account::Receivable, sold(vendor_id), gross - tax)
        .book(Account::Receivable, Account::Tax(vendor_id), tax)
        .book(
            Account::Discount(vendor_id),
            sold(vendor_id),
            discount - subsidy,
        )
        .book(Account::Subsidies, sold(vendor_id), subsidy)
        .book(
            settlement,
            payable,
            gross + subsidy - commission - commission_tax,
        )
        .book(settlement, Account::Commission, commission)
        .book(settlement, Account::CommissionTax, commission_tax)
}
