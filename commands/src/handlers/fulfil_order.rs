//! A vendor's part of an order is packed, shipped and delivered.

use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::order::{FulfilmentStatus, OrderCommand, OrderError, OrderStatus, Progress};
use soko_domain::stock::{StockCommand, StockError};
use soko_domain::{Order, OrderId, Stock, Text, VendorId};

#[derive(Debug, Clone)]
pub struct ShipOrder {
    pub order_id: OrderId,
    pub vendor_id: VendorId,
    pub carrier: Option<Text<100>>,
    pub tracking_number: Option<Text<100>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FulfilOrderError {
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Stock(#[from] StockError),
}

type Fulfilled = Result<Committed<OrderStatus>, CommandError<FulfilOrderError>>;

/// # Errors
/// [`FulfilOrderError`], and every other [`CommandError`].
pub async fn pack_order(
    engine: &Engine,
    order_id: OrderId,
    vendor_id: VendorId,
    context: &CommandContext,
) -> Fulfilled {
    let command = OrderCommand::Pack { vendor_id };
    ask(engine, order_id, command, context).await
}

/// What was reserved for the vendor's lines leaves the house with them.
///
/// # Errors
/// [`FulfilOrderError`], and every other [`CommandError`].
pub async fn ship_order(
    engine: &Engine,
    request: ShipOrder,
    context: &CommandContext,
) -> Fulfilled {
    let lanes = Lanes::new().with::<Order>(request.order_id);
    engine
        .transact(context, lanes, |unit| ship(unit, &request, context))
        .await
}

/// The last delivery of a paid order completes it.
///
/// # Errors
/// [`FulfilOrderError`], and every other [`CommandError`].
pub async fn deliver_order(
    engine: &Engine,
    order_id: OrderId,
    vendor_id: VendorId,
    context: &CommandContext,
) -> Fulfilled {
    let command = OrderCommand::Deliver { vendor_id };
    ask(engine, order_id, command, context).await
}

async fn ask(
    engine: &Engine,
    order_id: OrderId,
    command: OrderCommand,
    context: &CommandContext,
) -> Fulfilled {
    let lanes = Lanes::new().with::<Order>(order_id);
    engine
        .transact(context, lanes, |unit| {
            order_of_tenant(unit, order_id, context)?;
            unit.execute::<Order>(order_id, command.clone())?;
            Ok(unit.state::<Order>(order_id).progress()?.status())
        })
        .await
}

fn ship(
    unit: &mut UnitOfWork<'_>,
    request: &ShipOrder,
    context: &CommandContext,
) -> Result<OrderStatus, FulfilOrderError> {
    let ShipOrder {
        order_id,
        vendor_id,
        ..
    } = *request;
    let progress = order_of_tenant(unit, order_id, context)?;
    let was_shipped = progress.fulfilment(vendor_id)?.status >= FulfilmentStatus::Shipped;
    let variant_ids: Vec<_> = progress
        .lines_of(vendor_id)
        .map(|line| line.variant_id)
        .collect();
    let command = OrderCommand::Ship {
        vendor_id,
        carrier: request.carrier.clone(),
        tracking_number: request.tracking_number.clone(),
    };
    unit.execute::<Order>(order_id, command)?;
    if !was_shipped {
        unit.require::<Stock>(variant_ids.iter().copied());
        for variant_id in variant_ids {
            unit.execute::<Stock>(variant_id, StockCommand::Commit { order_id })?;
        }
    }
    Ok(unit.state::<Order>(order_id).progress()?.status())
}

/// An order of another tenant is as good as none.
fn order_of_tenant<'u>(
    unit: &'u UnitOfWork<'_>,
    order_id: OrderId,
    context: &CommandContext,
) -> Result<&'u Progress, OrderError> {
    let progress = unit.state::<Order>(order_id).progress()?;
    let store_id = progress.placement().store_id;
    if shelf::is_store_of(unit, store_id, context.tenant_id) {
        Ok(progress)
    } else {
        Err(OrderError::NotPlaced)
    }
}
