//! Stock: what comes in, what is counted, and when it is low.

use actix_web::web::Data;
use soko_domain::stock::{Stock, StockCommand, StockError, StockNote};
use soko_domain::{LocationId, OrderId, Quantity, Store, StoreId, Text, VariantId};

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::Command;
use crate::problem::{Code, Problem, Result};
use crate::query::Path;
use crate::recorded::Recorded;
use crate::schema::body;

body! {
    pub(crate) struct Receipt {
        pub quantity: Quantity,
        /// The store's main location if left out.
        pub location_id: Option<LocationId>,
        /// Such as `delivery`.
        pub reason: Text<64>,
        pub note: Option<Text<500>>,
    }

    pub(crate) struct Adjustment {
        /// More, or, if negative, less.
        pub quantity: i64,
        /// The store's main location if left out.
        pub location_id: Option<LocationId>,
        /// Such as `damaged`.
        pub reason: Text<64>,
        pub note: Option<Text<500>>,
    }

    pub(crate) struct Count {
        /// What is there, reserved or not.
        pub quantity: u32,
        /// The store's main location if left out.
        pub location_id: Option<LocationId>,
        /// Such as `stocktake`.
        pub reason: Text<64>,
        pub note: Option<Text<500>>,
    }

    pub(crate) struct Return {
        /// The order that it had left with.
        pub order_id: OrderId,
        pub quantity: Quantity,
        /// The store's main location if left out.
        pub location_id: Option<LocationId>,
    }

    pub(crate) struct Threshold {
        /// Stock is low when no more than this is available.
        pub threshold: u32,
    }
}

pub(crate) async fn receive(
    app: Data<App>,
    caller: Caller,
    variant_id: Path<VariantId>,
    command: Command<Receipt>,
) -> Result<Recorded<()>> {
    let Receipt {
        quantity,
        location_id,
        ref reason,
        ref note,
    } = command.body;
    let note = stock_note(reason, note.as_ref());
    let at = At {
        variant_id: *variant_id,
        location_id,
    };
    let receive = |location_id| StockCommand::Receive {
        location_id,
        quantity,
        note,
    };
    move_stock(&app, &caller, &command, at, receive).await
}

pub(crate) async fn adjust(
    app: Data<App>,
    caller: Caller,
    variant_id: Path<VariantId>,
    command: Command<Adjustment>,
) -> Result<Recorded<()>> {
    let Adjustment {
        quantity,
        location_id,
        ref reason,
        ref note,
    } = command.body;
    let note = stock_note(reason, note.as_ref());
    let at = At {
        variant_id: *variant_id,
        location_id,
    };
    let adjust = |location_id| StockCommand::Adjust {
        location_id,
        difference: quantity,
        note,
    };
    move_stock(&app, &caller, &command, at, adjust).await
}

pub(crate) async fn count(
    app: Data<App>,
    caller: Caller,
    variant_id: Path<VariantId>,
    command: Command<Count>,
) -> Result<Recorded<()>> {
    let Count {
        quantity,
        location_id,
        ref reason,
        ref note,
    } = command.body;
    let note = stock_note(reason, note.as_ref());
    let at = At {
        variant_id: *variant_id,
        location_id,
    };
    let count = |location_id| StockCommand::Count {
        location_id,
        counted: quantity,
        note,
    };
    move_stock(&app, &caller, &command, at, count).await
}

/// What had left with an order came back and can be sold again.
pub(crate) async fn take_back(
    app: Data<App>,
    caller: Caller,
    variant_id: Path<VariantId>,
    command: Command<Return>,
) -> Result<Recorded<()>> {
    let Return {
        order_id,
        quantity,
        location_id,
    } = command.body;
    let at = At {
        variant_id: *variant_id,
        location_id,
    };
    let take_back = |location_id| StockCommand::Return {
        order_id,
        location_id,
        quantity,
    };
    move_stock(&app, &caller, &command, at, take_back).await
}

pub(crate) async fn set_threshold(
    app: Data<App>,
    caller: Caller,
    variant_id: Path<VariantId>,
    command: Command<Threshold>,
) -> Result<Recorded<()>> {
    let Threshold { threshold } = command.body;
    let at = At {
        variant_id: *variant_id,
        location_id: None,
    };
    let set = |_| StockCommand::SetLowStockThreshold { threshold };
    move_stock(&app, &caller, &command, at, set).await
}

/// Which stock is meant, and where.
struct At {
    variant_id: VariantId,
    location_id: Option<LocationId>,
}

fn stock_note(reason: &Text<64>, note: Option<&Text<500>>) -> StockNote {
    StockNote {
        reason: reason.clone(),
        note: note.cloned(),
    }
}

async fn move_stock<T>(
    app: &App,
    caller: &Caller,
    command: &Command<T>,
    at: At,
    stock_command: impl FnOnce(LocationId) -> StockCommand,
) -> Result<Recorded<()>> {
    let (store_id, place) = place_of(app, at.variant_id).await?;
    let context = caller.permit(place).await?.context(command);
    let location_id = location(app, store_id, at.location_id).await?;
    let stock_command = stock_command(location_id);
    let done = app
        .engine()
        .execute::<Stock>(at.variant_id, stock_command, &context)
        .await;
    app.recorded_of::<Stock, _, _, _>(at.variant_id, done, &context)
        .await
}

/// Stock lies with a vendor in a store.
pub(crate) async fn place_of(app: &App, variant_id: VariantId) -> Result<(StoreId, Place)> {
    let stock = app.engine().read::<Stock>(variant_id).await?;
    let levels = stock
        .state
        .levels()
        .map_err(|_| Problem::new(Code::NotFound))?;
    let place = Place::store(levels.store_id()).shared_by([levels.vendor_id()]);
    Ok((levels.store_id(), place))
}

async fn location(
    app: &App,
    store_id: StoreId,
    location_id: Option<LocationId>,
) -> Result<LocationId> {
    let store = app.engine().read::<Store>(store_id).await?;
    let shop = store.state.shop()?;
    match location_id {
        None => Ok(shop.main_location()),
        Some(location_id) if shop.has_location(location_id) => Ok(location_id),
        Some(_) => Err(Problem::invalid_at(
            "/location_id",
            "is not a location of the store",
        )),
    }
}

impl From<StockError> for Problem {
    fn from(error: StockError) -> Self {
        let code = match &error {
            StockError::NotTracked => Code::NotFound,
            StockError::AlreadyTracked => Code::AlreadyExists,
            StockError::OutOfStock { .. } => Code::OutOfStock,
            _ => Code::StateConflict,
        };
        Self::new(code).with_detail(error)
    }
}
