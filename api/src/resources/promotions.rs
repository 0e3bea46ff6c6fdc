//! Coupons: what a store, or a vendor in it, gives to whoever names one.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_commands::handlers::{
    self, CreatePromotion, RunPromotionError, change_promotion, create_promotion, end_promotion,
};
use soko_domain::promotion::{Campaign, Discount, Funder, Limited, PromotionError, Terms};
use soko_domain::{
    CouponCode, Currency, Money, Promotion, PromotionId, Store, StoreId, TaxRate, Text, VendorId,
};
use soko_projections::read_models::promotions::{self as found, Promotions};
use soko_projections::{Keyset, Within};

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::change::Change;
use crate::command::{Command, NoBody};
use crate::found::{Found, Page};
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::query::{Cursor, Limit, Path, Query, query};
use crate::recorded::{New, Recorded};
use crate::resources::promotion_details::{DiscountType, Facts, PromotionDetails};
use crate::schema::{answer, body};

body! {
    pub(crate) struct NewPromotion {
        pub store_id: StoreId,
        /// For the goods of this vendor only.
        pub vendor_id: Option<VendorId>,
        /// Who bears what is taken off: the vendor if there is one, else the store. A store may pay
        /// for the goods of a vendor; a vendor only for its own.
        pub funder: Option<Funder>,
        /// What customers type, in any case. It stands for this promotion for ever.
        pub code: CouponCode,
        pub name: Text<120>,
        pub discount: NewDiscount,
        /// What the goods that it is for must cost together.
        pub minimum: Option<Money>,
        /// At once if left out.
        pub starts_at: Option<DateTime<Utc>>,
        /// Until somebody ends it if left out.
        pub ends_at: Option<DateTime<Utc>>,
        /// How many orders may be given it; any number if left out.
        pub uses_max: Option<u32>,
        /// How many orders of one customer, from 1 to 10; then it is for customers with an account.
        pub uses_per_customer: Option<u8>,
    }

    pub(crate) struct NewDiscount {
        pub r#type: DiscountType,
        /// Of a percentage: from 1 to 10000 basis points of the goods' prices; 1000 is 10 %.
        pub bps: Option<TaxRate>,
        /// Of a percentage: never more than this.
        pub at_most: Option<Money>,
        /// Of a fixed discount.
        pub amount: Option<Money>,
    }

    /// For orders from now on.
    pub(crate) struct ChangePromotion {
        pub name: Option<Text<120>>,
        pub discount: Option<NewDiscount>,
        #[serde(default)]
        pub minimum: Change<Money>,
        #[serde(default)]
        pub starts_at: Change<DateTime<Utc>>,
        /// One that has ended goes on if this is taken away, or lies ahead.
        #[serde(default)]
        pub ends_at: Change<DateTime<Utc>>,
        #[serde(default)]
        pub uses_max: Change<u32>,
        #[serde(default)]
        pub uses_per_customer: Change<u8>,
    }
}

query! {
    pub(crate) struct OfPromotions {
        pub store: StoreId,
        /// Only those for the goods of this vendor, for its people.
        pub vendor: Option<VendorId>,
        pub limit: Limit,
        pub cursor: Option<Cursor>,
    }
}

answer! {
    pub(crate) struct PromotionCreated {
        pub promotion_id: PromotionId,
    }
}

pub(crate) async fn create(
    app: Data<App>,
    caller: Caller,
    command: Command<NewPromotion>,
) -> Result<New<PromotionCreated>> {
    let NewPromotion {
        store_id,
        vendor_id,
        ..
    } = command.body;
    let of_vendor = vendor_id.map_or(Funder::Store, |_| Funder::Vendor);
    let funder = command.body.funder.unwrap_or(of_vendor);
    // What the store pays for is not for its vendors to decide.
    let paying = vendor_id.filter(|_| funder == Funder::Vendor);
    let place = Place::store(store_id).shared_by(paying);
    let context = caller.permit(place).await?.context(&command);
    let currency = {
        let store = app.engine().read::<Store>(store_id).await?;
        store.state.shop()?.currency()
    };
    let body = command.body;
    let minimum = body.minimum.map(|money| minor(money, currency, "/minimum"));
    let request = CreatePromotion {
        store_id,
        code: body.code,
        vendor_id,
        funder,
        terms: Terms {
            name: body.name,
            discount: asked(&body.discount, currency)?,
            minimum: minimum.transpose()?.unwrap_or_default(),
            starts_at: body.starts_at,
            ends_at: body.ends_at,
            uses_max: body.uses_max,
            uses_per_customer: body.uses_per_customer,
        },
    };
    let promotion_id = PromotionId::of_code(store_id, &request.code);
    let created = create_promotion(app.engine(), request, &context).await;
    let recorded: New<_> = app
        .recorded_of::<Promotion, _, _, _>(promotion_id, created, &context)
        .await?;
    Ok(recorded
        .map(|promotion_id| PromotionCreated { promotion_id })
        .at(|created| format!("/promotions/{}", created.promotion_id)))
}

pub(crate) async fn list(
    app: Data<App>,
    caller: Caller,
    query: Query<OfPromotions>,
    fresh: MinPosition,
) -> Result<Page<PromotionDetails>> {
    let store_id = query.store;
    let within = if let Some(vendor_id) = query.vendor {
        let place = Place::store(store_id).shared_by([vendor_id]);
        Within::Vendor(caller.permit(place).await?.tenant_id(), vendor_id)
    } else {
        let permit = caller.permit(Place::store(store_id)).await?;
        Within::Store(permit.tenant_id(), store_id)
    };
    fresh.reached_by::<Promotions>(app.freshness()).await?;
    let list = format!("promotions {within:?}");
    let page = Keyset {
        after: query.cursor.as_ref().map(|c| c.key(&list)).transpose()?,
        limit: query.limit.rows(),
    };
    let (rows, next) = found::promotions(app.reader(), within, page).await?;
    let now = caller.now();
    let items = rows.iter().map(|row| Facts::of_row(row).told(now));
    Ok(Page::of(items, next, &list))
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    promotion_id: Path<PromotionId>,
) -> Result<Found<PromotionDetails>> {
    let promotion = app.engine().read::<Promotion>(*promotion_id).await?;
    let campaign = promotion.state.campaign()?;
    let place = Place::store(campaign.store_id()).shared_by(campaign.vendor_id());
    caller.permit(place).await?;
    let details = Facts::of_campaign(*promotion_id, campaign).told(caller.now());
    Ok(Found::new(details).with_version(promotion.version))
}

pub(crate) async fn change(
    app: Data<App>,
    caller: Caller,
    promotion_id: Path<PromotionId>,
    command: Command<ChangePromotion>,
) -> Result<Recorded<()>> {
    let (place, currency) = where_it_lies(&app, *promotion_id).await?;
    let context = caller.permit(place).await?.context(&command);
    let body = command.body;
    let discount = body.discount.map(|discount| asked(&discount, currency));
    let request = handlers::ChangePromotion {
        promotion_id: *promotion_id,
        name: body.name,
        discount: discount.transpose()?,
        minimum: match body.minimum {
            Change::Keep => None,
            Change::Clear => Some(0),
            Change::Set(money) => Some(minor(money, currency, "/minimum")?),
        },
        starts_at: body.starts_at.into_option(),
        ends_at: body.ends_at.into_option(),
        uses_max: body.uses_max.into_option(),
        uses_per_customer: body.uses_per_customer.into_option(),
    };
    let changed = change_promotion(app.engine(), request, &context).await;
    app.recorded_of::<Promotion, _, _, _>(*promotion_id, changed, &context)
        .await
}

pub(crate) async fn end(
    app: Data<App>,
    caller: Caller,
    promotion_id: Path<PromotionId>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let (place, _) = where_it_lies(&app, *promotion_id).await?;
    let context = caller.permit(place).await?.context(&command);
    let ended = end_promotion(app.engine(), *promotion_id, &context).await;
    app.recorded_of::<Promotion, _, _, _>(*promotion_id, ended, &context)
        .await
}

async fn where_it_lies(app: &App, promotion_id: PromotionId) -> Result<(Place, Currency)> {
    let promotion = app.engine().read::<Promotion>(promotion_id).await?;
    let campaign = promotion.state.campaign()?;
    Ok((place_to_manage(campaign), campaign.currency()))
}

/// With the vendor that pays for it, and in its store: what the store gives on a vendor's goods, that
/// vendor sees and does not change.
fn place_to_manage(campaign: &Campaign) -> Place {
    let is_vendors = campaign.funder() == Funder::Vendor;
    let paying = campaign.vendor_id().filter(|_| is_vendors);
    Place::store(campaign.store_id()).shared_by(paying)
}

fn asked(body: &NewDiscount, currency: Currency) -> Result<Discount> {
    let needed = |member: &str| {
        let pointer = format!("/discount/{member}");
        Problem::invalid_at(pointer, "is needed for a discount of this type")
    };
    let unused = |is_there: bool, member: &str| {
        if !is_there {
            return Ok(());
        }
        let pointer = format!("/discount/{member}");
        Err(Problem::invalid_at(
            pointer,
            "is not for a discount of this type",
        ))
    };
    match body.r#type {
        DiscountType::Percentage => {
            unused(body.amount.is_some(), "amount")?;
            let at_most = body.at_most;
            let at_most = at_most.map(|money| minor(money, currency, "/discount/at_most"));
            Ok(Discount::Percentage {
                bps: body.bps.ok_or_else(|| needed("bps"))?,
                at_most: at_most.transpose()?,
            })
        }
        DiscountType::Fixed => {
            unused(body.bps.is_some(), "bps")?;
            unused(body.at_most.is_some(), "at_most")?;
            let amount = body.amount.ok_or_else(|| needed("amount"))?;
            Ok(Discount::Fixed {
                amount: minor(amount, currency, "/discount/amount")?,
            })
        }
    }
}

fn minor(money: Money, currency: Currency, pointer: &str) -> Result<i64> {
    if money.currency() == currency {
        Ok(money.amount())
    } else {
        let pointer = format!("{pointer}/currency");
        Err(Problem::invalid_at(pointer, format!("must be {currency}")))
    }
}

impl From<RunPromotionError> for Problem {
    fn from(error: RunPromotionError) -> Self {
        match error {
            RunPromotionError::Store(error) => error.into(),
            RunPromotionError::Vendor(error) => error.into(),
            RunPromotionError::Promotion(error) => error.into(),
        }
    }
}

impl From<PromotionError> for Problem {
    fn from(error: PromotionError) -> Self {
        let pointer = match &error {
            // As if it were another's.
            PromotionError::NotCreated => return Self::new(Code::NotFound),
            PromotionError::CodeTaken { .. } => {
                return Self::new(Code::AlreadyExists).with_detail(error);
            }
            PromotionError::Exhausted => {
                return Self::new(Code::CouponExhausted).with_detail(error);
            }
            PromotionError::NotStarted
            | PromotionError::Ended
            | PromotionError::NothingToDiscount
            | PromotionError::BelowMinimum { .. }
            | PromotionError::TooLarge => return Self::new(Code::StateConflict).with_detail(error),
            PromotionError::NobodyToFund => "/funder",
            PromotionError::EndsBeforeItStarts => "/ends_at",
            PromotionError::OutOfRange { what, .. } => match what {
                Limited::Percentage => "/discount/bps",
                Limited::Amount => "/discount/amount",
                Limited::AtMost => "/discount/at_most",
                Limited::Minimum => "/minimum",
                Limited::Uses => "/uses_max",
                Limited::UsesOfCustomer => "/uses_per_customer",
            },
        };
        Self::invalid_at(pointer, error)
    }
}
