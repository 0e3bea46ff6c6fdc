//! What the stores and a vendor give off.

use soko_commands::handlers::{CreatePromotion, create_promotion};
use soko_domain::promotion::{Discount, Funder, Terms};
use soko_domain::{CouponCode, StoreId, TaxRate, VendorId};

use super::{Market, Seed, SeedError, done, failed, parsed};

/// 10 % off for everybody, at the store's cost.
pub(super) const WELCOME: &str = "KARIBU10";

/// 5 % off what the first vendor sells, at its own cost, once for each customer.
const OF_VENDOR: &str = "DUKA5";

pub(super) async fn promote(seed: &Seed<'_>, market: &Market) -> Result<(), SeedError> {
    for (n, store_id) in market.stores.iter().enumerate() {
        let terms = terms("Karibu: 10 % off", percent(10)?, None)?;
        let coupon = coupon(*store_id, parsed(WELCOME)?, None, terms);
        make(seed, market, &format!("welcome-{n}"), coupon).await?;
    }
    let (Some(store_id), Some(seller)) = (market.stores.first(), market.vendors.first()) else {
        return Ok(());
    };
    let terms = terms("5 % off, once", percent(5)?, Some(1))?;
    let coupon = coupon(*store_id, parsed(OF_VENDOR)?, Some(seller.vendor_id), terms);
    make(seed, market, "coupon-of-vendor", coupon).await
}

async fn make(
    seed: &Seed<'_>,
    market: &Market,
    step: &str,
    coupon: CreatePromotion,
) -> Result<(), SeedError> {
    let context = seed.context(market.owner, step);
    let made = create_promotion(seed.engine(), coupon, &context).await;
    done(step, made).map(drop)
}

fn coupon(
    store_id: StoreId,
    code: CouponCode,
    vendor_id: Option<VendorId>,
    terms: Terms,
) -> CreatePromotion {
    CreatePromotion {
        store_id,
        code,
        vendor_id,
        funder: vendor_id.map_or(Funder::Store, |_| Funder::Vendor),
        terms,
    }
}

fn percent(percent: u32) -> Result<TaxRate, SeedError> {
    TaxRate::try_from(percent * 100).map_err(|cause| failed("a coupon", cause))
}

fn terms(name: &str, bps: TaxRate, of_customer: Option<u8>) -> Result<Terms, SeedError> {
    Ok(Terms {
        name: parsed(name)?,
        discount: Discount::Percentage { bps, at_most: None },
        minimum: 0,
        starts_at: None,
        ends_at: None,
        uses_max: Some(10_000),
        uses_per_customer: of_customer,
    })
}
