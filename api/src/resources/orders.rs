//! Orders: how they are placed, called off, and brought to the customer.

use actix_web::web::Data;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use soko_commands::handlers::{
    CancelOrder, OrderSource, PlaceOrder, ShipOrder, cancel_order, deliver_order, pack_order,
    place_order, ship_order,
};
use soko_commands::{CommandContext, CommandError, Committed};
use soko_domain::order::{CancelledBy, Customer, OrderStatus, Progress};
use soko_domain::payment::{PaymentProvider, Wallet};
use soko_domain::permission::Role;
use soko_domain::store::Shop;
use soko_domain::{
    Address, CouponCode, EmailAddress, Order, OrderId, PaymentId, Personal, PhoneNumber, Quantity,
    Store, StoreId, SubjectId, Text, VariantId, VendorId,
};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Permit, Place};
use crate::command::{Command, NoBody};
use crate::problem::{Code, Problem, Result};
use crate::query::Path;
use crate::recorded::{New, Recorded};
use crate::resources::carts::cart_of;
use crate::resources::order_details::OrderDetails;
use crate::resources::payers::{Paying, email_of};
use crate::resources::paying::standing;
use crate::schema::{answer, body};

body! {
    /// Either the caller's cart or lines.
    pub(crate) struct NewOrder {
        pub store_id: StoreId,
        /// Everything that is in the cart, which is empty afterwards.
        pub cart: Option<bool>,
        pub lines: Option<Vec<NewLine>>,
        /// Of a guest; an account has one.
        pub email: Option<EmailAddress>,
        pub shipping_address: Address,
        /// One of the store's; stores have none yet.
        pub shipping_method_id: Option<Uuid>,
        /// In place of the cart's, if it has one.
        pub coupon: Option<CouponCode>,
        pub payment: NewOrderPayment,
    }

    pub(crate) struct NewLine {
        pub variant_id: VariantId,
        pub quantity: Quantity,
    }

    pub(crate) struct NewOrderPayment {
        pub provider: PaymentProvider,
        /// Whom a provider of mobile money asks; cash needs none.
        pub phone: Option<PhoneNumber>,
        /// Where a provider's page leads back to; cash needs none.
        pub return_url: Option<Text<500>>,
        /// Which wallet is prompted, where the provider serves several; its page if left out.
        pub wallet: Option<Wallet>,
        /// The payer only agrees now, and the store takes the money later.
        pub capture_later: Option<bool>,
    }

    pub(crate) struct Cancellation {
        pub reason: Option<Text<500>>,
    }

    pub(crate) struct Shipment {
        pub carrier: Option<Text<100>>,
        pub tracking_number: Option<Text<100>>,
    }
}

answer! {
    pub(crate) struct OrderChanged {
        pub order_id: OrderId,
        pub status: OrderStatus,
    }
}

pub(crate) async fn place(
    app: Data<App>,
    caller: Caller,
    command: Command<NewOrder>,
) -> Result<New<OrderDetails>> {
    let store_id = command.body.store_id;
    let permit = caller.permit(Place::store(store_id).owned(true)).await?;
    let context = permit.context(&command);
    let order_id = OrderId::from_uuid(Uuid::now_v7());
    let NewOrder {
        cart,
        lines,
        email,
        shipping_address,
        shipping_method_id,
        coupon,
        payment,
        ..
    } = command.body;
    if shipping_method_id.is_some() {
        let unknown = "is not a shipping method of the store";
        return Err(Problem::invalid_at("/shipping_method_id", unknown));
    }
    let provider = payment.provider;
    let paying = Paying {
        provider,
        phone: payment.phone,
        email: match (&email, provider.is_recorded_by_hand()) {
            (Some(email), _) => Some(email.clone()),
            (None, true) => None,
            (None, false) => email_of(&app, caller.account_id()).await?,
        },
        return_url: payment.return_url,
        wallet: payment.wallet,
        capture_later: payment.capture_later.unwrap_or(false),
    };
    let ask = if provider.is_recorded_by_hand() {
        None
    } else {
        let currency = {
            let store = app.engine().read::<Store>(store_id).await?;
            store.state.open().map(Shop::currency).ok()
        };
        // A store that is not open refuses by itself.
        let asking = currency.map(|currency| paying.ask(&app, currency, context.now, "/payment"));
        asking.transpose()?.flatten()
    };
    let customer = customer(&app, &caller, order_id, email)?;
    let source = source(&caller, store_id, cart, lines)?;
    let request = PlaceOrder {
        order_id,
        payment_id: PaymentId::from_uuid(Uuid::now_v7()),
        store_id,
        customer,
        source,
        shipping_address,
        provider,
        ask,
        coupon,
    };
    let is_guest = caller.account_id().is_none();
    let placed = place_order(app.engine(), request, &context).await;
    let placed_at = placed.as_ref().ok().and_then(|placed| placed.recorded_at);
    let mut payment_now = None;
    if let (Ok(placed), false) = (&placed, provider.is_recorded_by_hand()) {
        let payment_id = placed.value.payment_id;
        if !context.dry_run {
            let replayed = placed.replayed;
            app.payments().begin(payment_id, replayed, &context).await;
            payment_now = Some(standing(&app, payment_id, true).await?);
        }
    }
    let mut recorded: New<_> = app
        .recorded_of::<Order, _, _, _>(order_id, placed, &context)
        .await?;
    if payment_now.is_some() {
        // The payer was asked after the order was placed.
        recorded = recorded.up_to(*app.head().borrow());
    }
    Ok(recorded
        .map(|placed| {
            let token = is_guest.then(|| guest_token(&app, placed.order_id));
            let mut details = OrderDetails::placed(store_id, placed, placed_at, token);
            if let Some((status, next_action)) = payment_now {
                details.payment.status = status;
                details.payment.next_action = next_action;
            }
            details
        })
        .at(|placed| format!("/orders/{}", placed.order_id)))
}

fn source(
    caller: &Caller,
    store_id: StoreId,
    cart: Option<bool>,
    lines: Option<Vec<NewLine>>,
) -> Result<OrderSource> {
    match (cart.unwrap_or(false), lines) {
        (true, None) => Ok(OrderSource::Cart(cart_of(caller, store_id)?.0)),
        (false, Some(lines)) if !lines.is_empty() => {
            let lines = lines.into_iter();
            let lines = lines.map(|line| (line.variant_id, line.quantity));
            Ok(OrderSource::Lines(lines.collect()))
        }
        (false, Some(_)) => Err(Problem::invalid_at("/lines", "must not be empty")),
        _ => {
            let neither = "must have either `cart: true` or `lines`";
            Err(Problem::invalid_at("", neither))
        }
    }
}

fn customer(
    app: &App,
    caller: &Caller,
    order_id: OrderId,
    email: Option<EmailAddress>,
) -> Result<Customer> {
    match (caller.account_id(), email) {
        (Some(account_id), _) => Ok(Customer::Account(account_id)),
        (None, Some(email)) => Ok(Customer::Guest {
            email: Personal::new(SubjectId::from(order_id), email),
            token_hash: token_hash(&guest_token(app, order_id)),
        }),
        (None, None) => Err(Problem::invalid_at("/email", "is needed of a guest")),
    }
}

/// Made anew from the order's id and a secret of ours, so that a repeated request gets the same one
/// although it is stored nowhere.
fn guest_token(app: &App, order_id: OrderId) -> String {
    let mac = app
        .tokens()
        .keys()
        .derived("order token", order_id.as_uuid());
    BASE64_URL_SAFE_NO_PAD.encode(mac)
}

pub(crate) fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

pub(crate) async fn cancel(
    app: Data<App>,
    caller: Caller,
    order_id: Path<OrderId>,
    command: Command<Cancellation>,
) -> Result<Recorded<OrderChanged>> {
    let order = app.engine().read::<Order>(*order_id).await?;
    let progress = order
        .state
        .progress()
        .map_err(|_| Problem::new(Code::NotFound))?;
    let permit = caller.permit(place_of(&caller, progress)).await?;
    let context = permit.context(&command);
    let by = cancelling_party(&permit);
    let is_shared = progress.fulfilments().len() > 1;
    // Given back before the command needs it.
    drop(order);
    if by == CancelledBy::Vendor && is_shared {
        return Err(Problem::new(Code::Forbidden)
            .with_detail("several vendors share this order: its store calls it off"));
    }
    let request = CancelOrder {
        order_id: *order_id,
        by,
        reason: command.body.reason.clone(),
    };
    let done = cancel_order(app.engine(), request, &context).await;
    changed(&app, *order_id, done, &context).await
}

/// In whose name somebody acts who may be several things at once.
fn cancelling_party(permit: &Permit) -> CancelledBy {
    let roles = permit.roles();
    if roles
        .iter()
        .any(|role| matches!(role, Role::Customer | Role::Guest))
    {
        return CancelledBy::Customer;
    }
    let is_of_store = |role: &Role| {
        !matches!(
            role,
            Role::VendorOwner
                | Role::VendorManager
                | Role::VendorCatalog
                | Role::VendorFulfilment
                | Role::VendorFinance
                | Role::VendorViewer
        )
    };
    if roles.iter().any(is_of_store) {
        CancelledBy::Store
    } else {
        CancelledBy::Vendor
    }
}

pub(crate) async fn pack(
    app: Data<App>,
    caller: Caller,
    path: Path<(OrderId, VendorId)>,
    command: Command<NoBody>,
) -> Result<Recorded<OrderChanged>> {
    let (order_id, vendor_id) = path.0;
    let context = fulfil_permit(&app, &caller, order_id, vendor_id)
        .await?
        .context(&command);
    let done = pack_order(app.engine(), order_id, vendor_id, &context).await;
    changed(&app, order_id, done, &context).await
}

pub(crate) async fn ship(
    app: Data<App>,
    caller: Caller,
    path: Path<(OrderId, VendorId)>,
    command: Command<Shipment>,
) -> Result<Recorded<OrderChanged>> {
    let (order_id, vendor_id) = path.0;
    let context = fulfil_permit(&app, &caller, order_id, vendor_id)
        .await?
        .context(&command);
    let Shipment {
        carrier,
        tracking_number,
    } = command.body;
    let request = ShipOrder {
        order_id,
        vendor_id,
        carrier,
        tracking_number,
    };
    let done = ship_order(app.engine(), request, &context).await;
    changed(&app, order_id, done, &context).await
}

pub(crate) async fn deliver(
    app: Data<App>,
    caller: Caller,
    path: Path<(OrderId, VendorId)>,
    command: Command<NoBody>,
) -> Result<Recorded<OrderChanged>> {
    let (order_id, vendor_id) = path.0;
    let context = fulfil_permit(&app, &caller, order_id, vendor_id)
        .await?
        .context(&command);
    let done = deliver_order(app.engine(), order_id, vendor_id, &context).await;
    changed(&app, order_id, done, &context).await
}

async fn changed<R>(
    app: &App,
    order_id: OrderId,
    done: std::result::Result<Committed<OrderStatus>, CommandError<R>>,
    context: &CommandContext,
) -> Result<Recorded<OrderChanged>>
where
    R: std::error::Error + 'static,
    Problem: From<R>,
{
    let recorded: Recorded<_> = app
        .recorded_of::<Order, _, _, _>(order_id, done, context)
        .await?;
    Ok(recorded.map(|status| OrderChanged { order_id, status }))
}

/// Only with the part of a vendor that has one. Its customer sees it, and is told that it is not for
/// them.
async fn fulfil_permit(
    app: &App,
    caller: &Caller,
    order_id: OrderId,
    vendor_id: VendorId,
) -> Result<Permit> {
    let order = app.engine().read::<Order>(order_id).await?;
    let progress = order
        .state
        .progress()
        .map_err(|_| Problem::new(Code::NotFound))?;
    if !progress.fulfilments().contains_key(&vendor_id) {
        return Err(Problem::new(Code::NotFound));
    }
    let placement = progress.placement();
    let place = Place::store(placement.store_id)
        .shared_by([vendor_id])
        .owned(is_customer(caller, &placement.customer));
    caller.permit(place).await
}

/// Where an order lies: with its customer, with each of its vendors, and in its store.
pub(crate) fn place_of(caller: &Caller, progress: &Progress) -> Place {
    let placement = progress.placement();
    let is_own = is_customer(caller, &placement.customer);
    Place::store(placement.store_id)
        .shared_by(progress.fulfilments().keys().copied())
        .owned(is_own)
}

pub(crate) fn is_customer(caller: &Caller, customer: &Customer) -> bool {
    match customer {
        Customer::Account(account_id) => caller.account_id() == Some(*account_id),
        Customer::Guest {
            token_hash: known, ..
        } => {
            // Of two hashes it does not matter how long the comparing takes.
            caller
                .order_token()
                .is_some_and(|token| token_hash(token) == *known)
        }
    }
}
