//! A store with vendors, products and stock.

use crate::world::{World, new_id};
use chrono::{DateTime, Utc};
use serde::Serialize;
use soko_commands::handlers::{
    AddToCart, CreateProduct, OpenStore, OrderSource, PlaceOrder, PlaceOrderError, PlacedOrder,
    RegisterVendor, add_to_cart, create_product, open_store, place_order, register_vendor,
};
use soko_commands::{CommandContext, CommandError, Committed, Engine, Snapshot};
use soko_domain::cart::CartOwner;
use soko_domain::order::{Customer, OrderStatus};
use soko_domain::payment::PaymentProvider;
use soko_domain::product::{Description, ProductCommand, Variant};
use soko_domain::stock::{StockCommand, StockNote};
use soko_domain::store::Terms;
use soko_domain::tenant::TenantCommand;
use soko_domain::vendor::VendorCommand;
use soko_domain::{
    Address, Cart, CartId, Currency, Decide, LocationId, Money, Order, OrderId, Payment, PaymentId,
    Personal, Product, ProductId, Quantity, Sku, Stock, StoreId, SubjectId, Tax, Tenant, TenantId,
    VariantId, Vendor, VendorId,
};
use soko_event_log::{Actor, LogReader, Position};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

pub(crate) const SHELF: LocationId = LocationId::from_uuid(Uuid::from_u128(0x5e1f));

pub(crate) struct Market {
    pub(crate) world: World,
    pub(crate) tenant_id: TenantId,
    pub(crate) store_id: StoreId,
    pub(crate) vendor_id: VendorId,
}

/// Something on sale.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ware {
    pub(crate) product_id: ProductId,
    pub(crate) variant_id: VariantId,
}

impl Market {
    /// An open store that takes cash, prices in shillings with 16 % of tax included, and one vendor
    /// that trades.
    pub(crate) async fn open() -> Self {
        let world = World::new().await;
        let tenant_id = new_id();
        let mut market = Self {
            world,
            tenant_id,
            store_id: new_id(),
            vendor_id: new_id(),
        };
        let create = TenantCommand::Create {
            name: "Soko Traders".parse().unwrap(),
            owner: new_id(),
        };
        market.execute::<Tenant>(tenant_id, create).await;
        market.store_id = market.another_store().await;
        market.vendor_id = market.vendor().await;
        market
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.world.engine
    }

    pub(crate) fn context(&self) -> CommandContext {
        context(self.tenant_id)
    }

    pub(crate) async fn execute<A: Decide>(&self, id: A::Id, command: A::Command) {
        let context = self.context();
        let done = self.engine().execute::<A>(id, command, &context).await;
        done.unwrap();
    }

    pub(crate) async fn read<A: Decide>(&self, id: A::Id) -> Snapshot<A> {
        self.engine().read::<A>(id).await.unwrap()
    }

    pub(crate) fn terms(&self) -> Box<Terms> {
        Box::new(Terms {
            tenant_id: self.tenant_id,
            slug: format!("store-{}", count()).parse().unwrap(),
            name: "Nairobi".parse().unwrap(),
            currency: Currency::Kes,
            country: "KE".parse().unwrap(),
            time_zone: "Africa/Nairobi".parse().unwrap(),
            tax: Tax {
                prices_include_tax: true,
                rate: 1_600.try_into().unwrap(),
            },
            payment_methods: BTreeSet::from([
                PaymentProvider::CashOnDelivery,
                PaymentProvider::Mpesa,
            ]),
            commission_bps: 1_000.try_into().unwrap(),
            main_location: SHELF,
        })
    }

    pub(crate) async fn another_store(&self) -> StoreId {
        let store_id = new_id();
        let request = OpenStore {
            store_id,
            terms: self.terms(),
            web_origins: BTreeSet::new(),
        };
        let opened = open_store(self.engine(), request, &self.context()).await;
        opened.unwrap();
        store_id
    }

    /// One more vendor that trades.
    pub(crate) async fn vendor(&self) -> VendorId {
        let vendor_id = self.vendor_to_approve(self.store_id).await;
        self.execute::<Vendor>(vendor_id, VendorCommand::Approve)
            .await;
        vendor_id
    }

    pub(crate) async fn vendor_to_approve(&self, store_id: StoreId) -> VendorId {
        let request = vendor_of(store_id);
        let vendor_id = request.vendor_id;
        let registered = register_vendor(self.engine(), request, &self.context()).await;
        registered.unwrap();
        vendor_id
    }

    /// A draft with one variant, not created yet.
    pub(crate) fn draft(&self, amount: i64) -> CreateProduct {
        CreateProduct {
            product_id: new_id(),
            store_id: self.store_id,
            vendor_id: self.vendor_id,
            slug: None,
            description: description("Mug"),
            variants: vec![variant(amount)],
        }
    }

    /// A published product with one variant, of which this many are on the shelf.
    pub(crate) async fn ware(&self, amount: i64, units: u32) -> Ware {
        self.ware_of(self.vendor_id, amount, units).await
    }

    pub(crate) async fn ware_of(&self, vendor_id: VendorId, amount: i64, units: u32) -> Ware {
        let request = CreateProduct {
            vendor_id,
            ..self.draft(amount)
        };
        let ware = Ware {
            product_id: request.product_id,
            variant_id: request.variants[0].variant_id,
        };
        let created = create_product(self.engine(), request, &self.context()).await;
        created.unwrap();
        self.execute::<Product>(ware.product_id, ProductCommand::Publish {})
            .await;
        if units > 0 {
            self.receive(ware, units).await;
        }
        ware
    }

    pub(crate) async fn receive(&self, ware: Ware, units: u32) {
        let receive = StockCommand::Receive {
            location_id: SHELF,
            quantity: units.try_into().unwrap(),
            note: StockNote {
                reason: "delivery".parse().unwrap(),
                note: None,
            },
        };
        self.execute::<Stock>(ware.variant_id, receive).await;
    }

    /// A guest's cart with these in it.
    pub(crate) async fn cart<const N: usize>(&self, items: [(Ware, u32); N]) -> CartId {
        let cart_id = new_id();
        for (ware, units) in items {
            let request = self.item(cart_id, ware, units);
            let added = add_to_cart(self.engine(), request, &self.context()).await;
            added.unwrap();
        }
        cart_id
    }

    pub(crate) fn item(&self, cart_id: CartId, ware: Ware, units: u32) -> AddToCart {
        AddToCart {
            cart_id,
            store_id: self.store_id,
            owner: CartOwner::Guest,
            variant_id: ware.variant_id,
            quantity: quantity(units),
        }
    }

    pub(crate) fn order_of<const N: usize>(&self, lines: [(Ware, u32); N]) -> PlaceOrder {
        let lines = lines.map(|(ware, units)| (ware.variant_id, quantity(units)));
        self.order_from(OrderSource::Lines(lines.into()))
    }

    pub(crate) fn order_from(&self, source: OrderSource) -> PlaceOrder {
        PlaceOrder {
            order_id: new_id(),
            payment_id: new_id(),
            store_id: self.store_id,
            customer: Customer::Account(new_id()),
            source,
            shipping_address: address(),
            provider: PaymentProvider::CashOnDelivery,
            ask: None,
            coupon: None,
        }
    }

    pub(crate) async fn place(
        &self,
        request: PlaceOrder,
    ) -> Result<Committed<PlacedOrder>, CommandError<PlaceOrderError>> {
        place_order(self.engine(), request, &self.context()).await
    }

    /// An order that was placed, with its payment.
    pub(crate) async fn placed<const N: usize>(
        &self,
        lines: [(Ware, u32); N],
    ) -> (OrderId, PaymentId) {
        let placed = self.place(self.order_of(lines)).await.unwrap().value;
        (placed.order_id, placed.payment_id)
    }

    pub(crate) async fn available(&self, ware: Ware) -> i64 {
        let stock = self.read::<Stock>(ware.variant_id).await;
        stock.state.levels().unwrap().available()
    }

    pub(crate) async fn status(&self, order_id: OrderId) -> OrderStatus {
        let order = self.read::<Order>(order_id).await;
        order.state.progress().unwrap().status()
    }

    pub(crate) async fn payment(&self, payment_id: PaymentId) -> Snapshot<Payment> {
        self.read::<Payment>(payment_id).await
    }

    pub(crate) async fn items(&self, cart_id: CartId) -> Vec<(VariantId, u32)> {
        let cart = self.read::<Cart>(cart_id).await;
        let items = cart.state.items().iter();
        items
            .map(|item| (item.variant_id, item.quantity.get()))
            .collect()
    }

    pub(crate) async fn head(&self) -> Position {
        self.world.head().await
    }

    /// The names of the events since then, in their order.
    pub(crate) async fn events_since(&self, position: Position) -> Vec<&'static str> {
        let reader = LogReader::new(self.world.pool());
        let entries = reader.read(position, 1_000).await.unwrap();
        let events = entries.into_iter();
        events
            .map(|entry| entry.event.unwrap().event.name())
            .collect()
    }
}

/// What a request was refused with.
pub(crate) fn refusal<T: std::fmt::Debug, R: std::fmt::Debug>(
    answer: Result<Committed<T>, CommandError<R>>,
) -> R {
    match answer {
        Err(CommandError::Rejected { rejection, .. }) => rejection,
        other => panic!("{other:?}"),
    }
}

/// What somebody else had already.
pub(crate) fn taken<T: std::fmt::Debug, R: std::fmt::Debug>(
    answer: Result<Committed<T>, CommandError<R>>,
) -> &'static str {
    match answer {
        Err(CommandError::ClaimTaken { kind, .. }) => kind.as_str(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn context(tenant_id: TenantId) -> CommandContext {
    let actor = Actor::System("test".into());
    CommandContext::new(tenant_id, actor, new_id(), DateTime::<Utc>::UNIX_EPOCH)
}

pub(crate) fn vendor_of(store_id: StoreId) -> RegisterVendor {
    let vendor_id: VendorId = new_id();
    let subject = SubjectId::from_uuid(vendor_id.as_uuid());
    RegisterVendor {
        vendor_id,
        store_id,
        name: "Mugs of Malindi".parse().unwrap(),
        email: Personal::new(subject, "mugs@example.com".parse().unwrap()),
        phone: Personal::new(subject, "+254712345678".parse().unwrap()),
        country: "KE".parse().unwrap(),
        owner: new_id(),
    }
}

pub(crate) fn description(name: &str) -> Description {
    Description {
        name: name.parse().unwrap(),
        description: None,
        category_ids: BTreeSet::new(),
        images: vec![],
        seo: None,
    }
}

pub(crate) fn variant(amount: i64) -> Variant {
    Variant {
        variant_id: new_id(),
        sku: sku(&format!("MUG-{}", count())),
        name: "Red mug".parse().unwrap(),
        price: kes(amount),
        barcode: None,
        weight_g: None,
        options: BTreeMap::new(),
    }
}

pub(crate) fn sku(text: &str) -> Sku {
    text.parse().unwrap()
}

pub(crate) fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}

pub(crate) fn quantity(units: u32) -> Quantity {
    units.try_into().unwrap()
}

pub(crate) fn json(value: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap()
}

fn address() -> Address {
    Address {
        name: "Wanjiru".parse().unwrap(),
        phone: "+254712345678".parse().unwrap(),
        line1: "Moi Avenue 1".parse().unwrap(),
        line2: None,
        city: "Nairobi".parse().unwrap(),
        province: None,
        postal_code: None,
        country: "KE".parse().unwrap(),
    }
}

/// For names that must differ.
fn count() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    COUNT.fetch_add(1, Ordering::Relaxed)
}
