//! Whose the money of a sale is, each vendor's account hears: when the order was paid, and when some
//! of it went back.

use super::claims::Name;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::order::{OrderError, Shares, VendorShare};
use soko_domain::store::StoreError;
use soko_domain::vendor_account::{Credit, Debit, Owner, VendorAccountCommand, VendorAccountError};
use soko_domain::{Money, MoneyError, Order, OrderId, RefundId, Store, VendorAccount};

/// An order was paid.
#[derive(Debug, Clone)]
pub struct CreditVendors {
    pub order_id: OrderId,
    /// As the order told; of one that was paid before orders told, they follow from the order.
    pub shares: Option<Shares>,
    pub paid_at: DateTime<Utc>,
}

/// Money of an order went back.
#[derive(Debug, Clone)]
pub struct DebitVendors {
    pub order_id: OrderId,
    pub refund_id: RefundId,
    /// Minor units of the order's currency.
    pub amount: i64,
    /// As the order told; of what went back before orders told, in proportion of the whole sale.
    pub shares: Option<Shares>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettleSaleError {
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Account(#[from] VendorAccountError),
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Each vendor of an order that was paid is owed for it, after the store's hold.
///
/// # Errors
/// [`SettleSaleError`], and [`CommandError::ClaimTaken`] for an order that was credited already.
pub async fn credit_vendors(
    engine: &Engine,
    request: CreditVendors,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<SettleSaleError>> {
    let CreditVendors {
        order_id, shares, ..
    } = &request;
    engine
        .transact(context, lanes(*order_id, shares.as_ref()), |unit| {
            let sale = match &request.shares {
                Some(shares) => shares.clone(),
                None => sale(unit, *order_id)?,
            };
            let rules = unit.state::<Store>(sale.store_id).shop()?.payout_rules();
            each(unit, &sale, |owner, share| {
                let credit = Credit {
                    order_id: *order_id,
                    amount: share.payable()?,
                    share,
                    available_at: rules.available_at(request.paid_at),
                    credited_at: context.now,
                };
                Ok(VendorAccountCommand::Credit { owner, credit })
            })?;
            unit.claim(Name::credited(*order_id).claimed_by(*order_id));
            Ok(())
        })
        .await
}

/// Each vendor of an order is owed less for what went back of it.
///
/// # Errors
/// [`SettleSaleError`], and [`CommandError::ClaimTaken`] for a refund that was debited already.
pub async fn debit_vendors(
    engine: &Engine,
    request: DebitVendors,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<SettleSaleError>> {
    let DebitVendors {
        order_id,
        refund_id,
        amount,
        shares,
    } = &request;
    engine
        .transact(context, lanes(*order_id, shares.as_ref()), |unit| {
            let gone = if let Some(shares) = shares {
                shares.clone()
            } else {
                let sale = sale(unit, *order_id)?;
                sale.part(Money::new(*amount, sale.currency))?
            };
            each(unit, &gone, |owner, share| {
                let debit = Debit {
                    order_id: *order_id,
                    refund_id: *refund_id,
                    amount: share.payable()?,
                    share,
                };
                Ok(VendorAccountCommand::Debit { owner, debit })
            })?;
            unit.claim(Name::debited(*refund_id).claimed_by(*order_id));
            Ok(())
        })
        .await
}

fn lanes(order_id: OrderId, shares: Option<&Shares>) -> Lanes {
    match shares {
        Some(shares) => {
            let vendors = shares.vendors.iter().map(|share| share.vendor_id);
            Lanes::new()
                .with::<Store>(shares.store_id)
                .with_all::<VendorAccount>(vendors)
        }
        None => Lanes::new().with::<Order>(order_id),
    }
}

fn sale(unit: &UnitOfWork<'_>, order_id: OrderId) -> Result<Shares, SettleSaleError> {
    let progress = unit.state::<Order>(order_id).progress()?;
    Ok(Shares::of_sale(progress.placement())?)
}

fn each(
    unit: &mut UnitOfWork<'_>,
    shares: &Shares,
    command: impl Fn(Owner, VendorShare) -> Result<VendorAccountCommand, SettleSaleError>,
) -> Result<(), SettleSaleError> {
    let owner = Owner {
        store_id: shares.store_id,
        currency: shares.currency,
    };
    unit.require::<VendorAccount>(shares.vendors.iter().map(|share| share.vendor_id));
    for share in &shares.vendors {
        unit.execute::<VendorAccount>(share.vendor_id, command(owner, *share)?)?;
    }
    Ok(())
}
