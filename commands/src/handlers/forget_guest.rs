//! Who a guest was is needed no more.

use crate::{CommandContext, CommandError, Committed, Engine, Lanes};
use soko_domain::order::{Customer, OrderError};
use soko_domain::{Order, OrderId};

/// Destroys the key of what is personal in a guest's order that nothing is left to do for. Of any
/// other order nothing is forgotten: an account's is under the account's key.
///
/// # Errors
/// [`OrderError`], and every other [`CommandError`].
pub async fn forget_guest(
    engine: &Engine,
    order_id: OrderId,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<OrderError>> {
    let lanes = Lanes::new().with::<Order>(order_id);
    engine
        .transact(context, lanes, |unit| {
            let progress = unit.state::<Order>(order_id).progress()?;
            let is_guest = matches!(progress.placement().customer, Customer::Guest { .. });
            if is_guest && progress.status().is_final() {
                unit.erase(order_id.into());
            }
            Ok(())
        })
        .await
}
