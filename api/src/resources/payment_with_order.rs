//! A payment and the order that it is of, seen together: who may do what with the one depends on the
//! other.

use soko_commands::{Lanes, UnitOfWork};
use soko_domain::order::Progress;
use soko_domain::payment::Demand;
use soko_domain::{Order, Payment, PaymentId};

use crate::app::App;
use crate::problem::{Code, Problem, Result};

/// What `look` makes of both.
///
/// # Errors
/// `not-found` if there is no such payment.
pub(crate) async fn seen<T>(
    app: &App,
    payment_id: PaymentId,
    look: impl Fn(&Demand, &Progress) -> T,
) -> Result<T> {
    let nothing = || Problem::new(Code::NotFound);
    let lanes = Lanes::new().with::<Payment>(payment_id);
    let look = |unit: &UnitOfWork<'_>| {
        let demand = unit.state::<Payment>(payment_id).demand();
        let demand = demand.map_err(|_| nothing())?;
        let progress = unit.state::<Order>(demand.order_id()).progress();
        Ok(look(demand, progress.map_err(|_| nothing())?))
    };
    app.engine().view(lanes, look).await?
}
