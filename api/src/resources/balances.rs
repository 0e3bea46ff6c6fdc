//! What a vendor is owed, and what of it can be paid out.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_commands::{Lanes, UnitOfWork};
use soko_domain::vendor_account::PayoutMethod;
use soko_domain::{Currency, Money, Store, Vendor, VendorId};
use soko_projections::Within;
use soko_projections::read_models::vendor_balances::{VendorBalances, vendor_balance};

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::found::Found;
use crate::fresh::MinPosition;
use crate::problem::Result;
use crate::query::Path;
use crate::schema::answer;

answer! {
    pub(crate) struct Balance {
        pub vendor_id: VendorId,
        /// What can be paid out now. Below nothing where more went back than was left: what is
        /// cleared next makes up for that first.
        pub available: Money,
        /// What was sold, and is kept back for a while.
        pub pending: Money,
        /// What is kept aside for payouts that were asked for and are not paid yet.
        pub under_way: Money,
        /// All that was ever paid out.
        pub paid_out: Money,
        /// When pending money becomes available: the next hundred times.
        pub upcoming: Vec<Upcoming>,
        pub payout_method: PayoutMethod,
        /// Nothing is paid out before this: the payout account was set a short while ago.
        pub payouts_held_until: Option<DateTime<Utc>>,
    }

    pub(crate) struct Upcoming {
        pub available_at: DateTime<Utc>,
        pub amount: Money,
    }
}

const UPCOMING_MAX: usize = 100;

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    fresh: MinPosition,
) -> Result<Found<Balance>> {
    let permit = caller.permit(Place::vendor(*vendor_id)).await?;
    fresh.reached_by::<VendorBalances>(app.freshness()).await?;
    let within = Within::Vendor(permit.tenant_id(), *vendor_id);
    let found = vendor_balance(app.reader(), within, *vendor_id).await?;
    let Some(row) = found else {
        let currency = currency(&app, *vendor_id).await?;
        return Ok(Found::new(nothing(*vendor_id, currency)));
    };
    let money = |amount| Money::new(amount, row.currency);
    // The clock of this process may be behind that of the log.
    let now = caller.now().max(row.changed_at);
    let upcoming = row.held(now).take(UPCOMING_MAX);
    let balance = Balance {
        vendor_id: *vendor_id,
        available: money(row.available(now)),
        pending: money(row.pending(now)),
        under_way: money(row.under_way),
        paid_out: money(row.paid_out),
        upcoming: upcoming
            .map(|held| Upcoming {
                available_at: held.available_at,
                amount: money(held.amount),
            })
            .collect(),
        payout_method: row.payout_method.unwrap_or(PayoutMethod::ByHand),
        payouts_held_until: row.usable_from.filter(|usable_from| *usable_from > now),
    };
    Ok(Found::new(balance).with_version_for_changes(row.version.unsigned_abs()))
}

fn nothing(vendor_id: VendorId, currency: Currency) -> Balance {
    let zero = Money::zero(currency);
    Balance {
        vendor_id,
        available: zero,
        pending: zero,
        under_way: zero,
        paid_out: zero,
        upcoming: vec![],
        payout_method: PayoutMethod::ByHand,
        payouts_held_until: None,
    }
}

/// That of the vendor's store.
pub(crate) async fn currency(app: &App, vendor_id: VendorId) -> Result<Currency> {
    let look = |unit: &UnitOfWork<'_>| {
        let store_id = unit.state::<Vendor>(vendor_id).seller()?.store_id();
        Ok(unit.state::<Store>(store_id).shop()?.currency())
    };
    let lanes = Lanes::new().with::<Vendor>(vendor_id);
    app.engine().view(lanes, look).await?
}
