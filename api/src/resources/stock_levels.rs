//! How much there is, and why.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_domain::{LocationId, OrderId, ProductId, Sku, StoreId, VariantId, VendorId};
use soko_event_log::Position;
use soko_projections::read_models::stock_ledger::{LedgerLine, StockLedger, ledger as moves};
use soko_projections::read_models::stock_levels::{
    StockFilter, StockLevel, StockLevels, level, levels,
};
use soko_projections::{Keyset, Within};

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::found::{Found, Page};
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::query::{Cursor, Limit, Path, Query, cursor, query};
use crate::resources::stock::place_of;
use crate::schema::answer;

query! {
    pub(crate) struct OfStock {
        /// The store whose stock is meant; or
        pub store: Option<StoreId>,
        /// the vendor whose stock is meant.
        pub vendor: Option<VendorId>,
        /// Only this article.
        pub sku: Option<Sku>,
        /// Only what is low.
        pub low: Option<bool>,
        /// How many on a page.
        pub limit: Limit,
        /// From the page before.
        pub cursor: Option<Cursor>,
    }

    pub(crate) struct OfLedger {
        /// How many on a page.
        pub limit: Limit,
        /// From the page before.
        pub cursor: Option<Cursor>,
    }
}

answer! {
    pub(crate) struct StockDetails {
        pub variant_id: VariantId,
        pub product_id: ProductId,
        pub vendor_id: VendorId,
        pub sku: String,
        pub on_hand: i64,
        pub reserved: i64,
        /// What can still be promised.
        pub available: i64,
        pub low_stock_threshold: i64,
        pub is_low: bool,
        pub locations: Vec<LocationStock>,
    }

    pub(crate) struct LocationStock {
        pub location_id: LocationId,
        pub on_hand: i64,
        pub reserved: i64,
    }

    pub(crate) struct LedgerEntry {
        pub position: Position,
        pub at: DateTime<Utc>,
        /// Such as `received` or `reserved`.
        pub kind: String,
        pub location_id: LocationId,
        pub on_hand_delta: i64,
        pub reserved_delta: i64,
        /// What there was after it, over all locations.
        pub on_hand: i64,
        pub reserved: i64,
        pub order_id: Option<OrderId>,
        pub reason: Option<String>,
    }
}

pub(crate) async fn list(
    app: Data<App>,
    caller: Caller,
    query: Query<OfStock>,
    min_position: MinPosition,
) -> Result<Page<StockDetails>> {
    let OfStock {
        store,
        vendor,
        sku,
        low,
        limit,
        ..
    } = &query.0;
    let within = match (store, vendor) {
        (_, Some(vendor_id)) => {
            let permit = caller.permit(Place::vendor(*vendor_id)).await?;
            Within::Vendor(permit.tenant_id(), *vendor_id)
        }
        (Some(store_id), None) => {
            let permit = caller.permit(Place::store(*store_id)).await?;
            Within::Store(permit.tenant_id(), *store_id)
        }
        (None, None) => {
            return Err(Problem::invalid_parameter(
                "store",
                "store or vendor is needed",
            ));
        }
    };
    min_position
        .reached_by::<StockLevels>(app.freshness())
        .await?;
    let sku = sku.as_ref().map(ToString::to_string);
    let filter = StockFilter {
        sku,
        product_id: None,
        only_low: low.unwrap_or(false),
    };
    let list = format!("stock {within:?} {filter:?}");
    let after = query
        .cursor
        .as_ref()
        .map(|cursor| cursor.key(&list))
        .transpose()?;
    let found = levels(
        app.reader(),
        within,
        &filter,
        Keyset {
            after,
            limit: limit.rows(),
        },
    )
    .await?;
    Ok(Page {
        items: found.items.into_iter().map(details).collect(),
        next_cursor: found.next.map(|key| cursor(&list, &key)),
    })
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    variant_id: Path<VariantId>,
    min_position: MinPosition,
) -> Result<Found<StockDetails>> {
    let within = within(&app, &caller, *variant_id).await?;
    min_position
        .reached_by::<StockLevels>(app.freshness())
        .await?;
    let found = level(app.reader(), within, *variant_id).await?;
    let found = found.ok_or_else(|| Problem::new(Code::ProjectionBehind))?;
    Ok(Found::new(details(found)))
}

pub(crate) async fn ledger(
    app: Data<App>,
    caller: Caller,
    variant_id: Path<VariantId>,
    query: Query<OfLedger>,
    min_position: MinPosition,
) -> Result<Page<LedgerEntry>> {
    let within = within(&app, &caller, *variant_id).await?;
    min_position
        .reached_by::<StockLevels>(app.freshness())
        .await?;
    min_position
        .reached_by::<StockLedger>(app.freshness())
        .await?;
    let list = format!("ledger {variant_id:?}");
    let after = query
        .cursor
        .as_ref()
        .map(|cursor| cursor.key(&list))
        .transpose()?;
    let page = Keyset {
        after,
        limit: query.limit.rows(),
    };
    let found = moves(app.reader(), within, *variant_id, page).await?;
    Ok(Page {
        items: found.items.into_iter().map(entry).collect(),
        next_cursor: found.next.map(|position| cursor(&list, &position)),
    })
}

async fn within(app: &App, caller: &Caller, variant_id: VariantId) -> Result<Within> {
    let (store_id, place) = place_of(app, variant_id).await?;
    let permit = caller.permit(place).await?;
    Ok(Within::Store(permit.tenant_id(), store_id))
}

fn details(level: StockLevel) -> StockDetails {
    let locations = level.locations.0.iter().map(|location| LocationStock {
        location_id: location.location_id,
        on_hand: location.on_hand,
        reserved: location.reserved,
    });
    StockDetails {
        variant_id: level.variant_id,
        product_id: level.product_id,
        vendor_id: level.vendor_id,
        on_hand: level.on_hand,
        reserved: level.reserved,
        available: level.available(),
        low_stock_threshold: level.low_stock_threshold,
        is_low: level.is_low,
        locations: locations.collect(),
        sku: level.sku,
    }
}

fn entry(line: LedgerLine) -> LedgerEntry {
    let LedgerLine {
        moved,
        on_hand,
        reserved,
    } = line;
    LedgerEntry {
        position: Position::new(moved.position),
        at: moved.at,
        kind: moved.kind,
        location_id: moved.location_id,
        on_hand_delta: moved.on_hand_delta,
        reserved_delta: moved.reserved_delta,
        on_hand,
        reserved,
        order_id: moved.order_id,
        reason: moved.reason,
    }
}
