//! Orders as the engine gets them, without HTTP around them.

use chrono::Utc;
use soko_commands::{CommandContext, CommandError, Engine, Lanes};
use soko_domain::order::{Customer, OrderCommand, OrderItem, Placement, number, price};
use soko_domain::payment::{PaymentCommand, PaymentProvider};
use soko_domain::stock::{StockCommand, StockError, StockNote};
use soko_domain::{
    AccountId, Currency, LocationId, Money, Order, OrderId, Payment, PaymentId, Personal,
    ProductId, Quantity, Stock, StoreId, Tax, TaxRate, TenantId, VariantId, VendorId,
};
use soko_event_log::{Actor, Claim, ClaimKind};
use std::error::Error;
use uuid::Uuid;

/// A store with products to order, known to the log by their stock alone.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    pub tenant_id: TenantId,
    pub store_id: StoreId,
    pub vendor_id: VendorId,
    pub account_id: AccountId,
    pub variants: Vec<VariantId>,
}

/// Why an order was not placed.
#[derive(Debug, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub(crate) enum Refusal {
    #[error("out of stock")]
    Stock(StockError),
    #[error("{0}")]
    Other(String),
}

const UNIT_PRICE: i64 = 65_000;

impl Shelf {
    /// Puts so much of so many products into stock.
    pub(crate) async fn fill(
        engine: &Engine,
        variants: usize,
        each: u32,
    ) -> Result<Self, Box<dyn Error>> {
        let shelf = Self {
            tenant_id: Uuid::now_v7().into(),
            store_id: Uuid::now_v7().into(),
            vendor_id: Uuid::now_v7().into(),
            account_id: Uuid::now_v7().into(),
            variants: (0..variants).map(|_| Uuid::now_v7().into()).collect(),
        };
        let location_id: LocationId = Uuid::now_v7().into();
        for (number, variant) in shelf.variants.iter().enumerate() {
            let track = StockCommand::Track {
                store_id: shelf.store_id,
                vendor_id: shelf.vendor_id,
                product_id: ProductId::from_uuid(variant.as_uuid()),
                sku: format!("SKU-{number}").parse()?,
            };
            let note = StockNote {
                reason: "delivery".parse()?,
                note: None,
            };
            let quantity = Quantity::try_from(each)?;
            let receive = StockCommand::Receive {
                location_id,
                quantity,
                note,
            };
            let lanes = Lanes::new().with_new::<Stock>(*variant);
            let both = |unit: &mut soko_commands::UnitOfWork<'_>| {
                unit.execute::<Stock>(*variant, track.clone())?;
                unit.execute::<Stock>(*variant, receive.clone())
            };
            engine
                .transact::<(), StockError>(&shelf.context(), lanes, both)
                .await?;
        }
        Ok(shelf)
    }

    pub(crate) fn context(&self) -> CommandContext {
        let actor = Actor::Account(self.account_id);
        CommandContext::new(self.tenant_id, actor, Uuid::now_v7(), Utc::now())
    }

    /// One order of one of each of these variants: one event for the order, one for its payment,
    /// one for the stock of each, and the claim of its number.
    pub(crate) async fn order(
        &self,
        engine: &Engine,
        variants: &[VariantId],
    ) -> Result<(), CommandError<Refusal>> {
        let order_id = OrderId::from_uuid(Uuid::now_v7());
        let payment_id = PaymentId::from_uuid(Uuid::now_v7());
        let placement = self.placement(order_id, payment_id, variants);
        let (number, random) = (placement.number.clone(), random_of(order_id));
        let amount = Money::new(placement.totals.total, placement.currency);
        let lanes = Lanes::new()
            .with_new::<Order>(order_id)
            .with_new::<Payment>(payment_id)
            .with_all::<Stock>(variants.iter().copied());
        let decide = |unit: &mut soko_commands::UnitOfWork<'_>| {
            for variant in variants {
                let reserve = StockCommand::Reserve {
                    order_id,
                    quantity: Quantity::ONE,
                };
                unit.execute::<Stock>(*variant, reserve)
                    .map_err(Refusal::Stock)?;
            }
            let place = OrderCommand::Place(Box::new(placement.clone()));
            unit.execute::<Order>(order_id, place).map_err(other)?;
            let initiate = PaymentCommand::Initiate {
                order_id,
                store_id: self.store_id,
                provider: PaymentProvider::CashOnDelivery,
                amount,
                terms: None,
            };
            unit.execute::<Payment>(payment_id, initiate)
                .map_err(other)?;
            unit.claim(Claim {
                kind: ClaimKind::OrderNumber,
                // About as long as a real one, but no two of a run are the same.
                value: format!("{}:{number}-{:05x}", self.store_id, random >> 40 & 0xf_ffff),
                owner: Some(order_id.to_string()),
                digest: None,
                outcome: None,
            });
            Ok(())
        };
        engine
            .transact(&self.context(), lanes, decide)
            .await
            .map(|_| ())
    }

    fn placement(
        &self,
        order_id: OrderId,
        payment_id: PaymentId,
        variants: &[VariantId],
    ) -> Placement {
        let currency = Currency::Kes;
        let rate = TaxRate::try_from(1_600).unwrap_or_else(|_| unreachable!("a constant"));
        let tax = Tax {
            prices_include_tax: true,
            rate,
        };
        let items = variants.iter().map(|variant| OrderItem {
            variant_id: *variant,
            product_id: ProductId::from_uuid(variant.as_uuid()),
            vendor_id: self.vendor_id,
            sku: constant("MUG-1"),
            name: constant("Kahawa Mug"),
            quantity: Quantity::ONE,
            unit_price: Money::new(UNIT_PRICE, currency),
        });
        let (lines, totals) = price(items.collect(), tax, currency)
            .unwrap_or_else(|_| unreachable!("small constants"));
        let address = serde_json::from_value(serde_json::json!({
            "name": "Wanjiku Kamau", "phone": "+254722000111", "line1": "Moi Avenue 12",
            "city": "Nairobi", "country": "KE",
        }))
        .unwrap_or_else(|_| unreachable!("a constant"));
        let customer = Customer::Account(self.account_id);
        let shipping_address = Personal::new(customer.subject(order_id), address);
        Placement {
            number: number(random_of(order_id)),
            store_id: self.store_id,
            customer,
            currency,
            lines,
            totals,
            tax,
            shipping_address,
            payment_id,
            provider: PaymentProvider::CashOnDelivery,
            coupon: None,
        }
    }
}

/// The half of the id that is not its time.
fn random_of(order_id: OrderId) -> u64 {
    order_id.as_uuid().as_u64_pair().1
}

fn constant<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| unreachable!("a constant"))
}

fn other(error: impl Error) -> Refusal {
    Refusal::Other(error.to_string())
}
