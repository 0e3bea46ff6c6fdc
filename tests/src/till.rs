//! A market that is paid by providers, all of whom the sandbox plays.

use crate::{Market, Person, Product, Settings, Soko, address, text};
use serde_json::{Value, json};
use soko_gateways::sandbox::{Customer, Merchants, Movement, Options, Running, Sandbox};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// A sandbox's second is this many of a provider's.
const SPEED: u32 = 20;

/// Of the store in Nairobi, at M-Pesa.
pub const SHORT_CODE: &str = "174379";

const SETTLED_WITHIN: Duration = Duration::from_secs(40);

/// A store in Nairobi and one in Harare, and their providers.
pub struct Till {
    pub sandbox: Running,
    /// In KES: M-Pesa, Paystack and Stripe.
    pub nairobi: Market,
    /// In USD: EcoCash, Paynow and Stripe.
    pub harare: Market,
}

/// One way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    pub provider: &'static str,
    pub wallet: Option<&'static str>,
    pub is_in_nairobi: bool,
}

impl Way {
    pub const MPESA: Self = Self::nairobi("mpesa", None);
    pub const PAYSTACK_PAGE: Self = Self::nairobi("paystack", None);
    pub const PAYSTACK_WALLET: Self = Self::nairobi("paystack", Some("mpesa"));
    pub const STRIPE_PAGE: Self = Self::nairobi("stripe_checkout", None);
    pub const ECOCASH: Self = Self::harare("ecocash", None);
    pub const PAYNOW_WALLET: Self = Self::harare("paynow", Some("ecocash"));
    pub const PAYNOW_PAGE: Self = Self::harare("paynow", None);

    pub const ALL: [Self; 7] = [
        Self::MPESA,
        Self::PAYSTACK_PAGE,
        Self::PAYSTACK_WALLET,
        Self::STRIPE_PAGE,
        Self::ECOCASH,
        Self::PAYNOW_WALLET,
        Self::PAYNOW_PAGE,
    ];

    const fn nairobi(provider: &'static str, wallet: Option<&'static str>) -> Self {
        Self {
            provider,
            wallet,
            is_in_nairobi: true,
        }
    }

    const fn harare(provider: &'static str, wallet: Option<&'static str>) -> Self {
        Self {
            provider,
            wallet,
            is_in_nairobi: false,
        }
    }

    /// The member `payment` of an order.
    pub fn payment(self) -> Value {
        let phone = if self.is_in_nairobi {
            "+254708374149"
        } else {
            "+263772345678"
        };
        let mut payment = json!({
            "provider": self.provider,
            "phone": phone,
            "return_url": "https://shop.example/back",
        });
        if let Some(wallet) = self.wallet {
            payment["wallet"] = json!(wallet);
        }
        payment
    }

    /// Whether the provider gives money back by itself.
    pub fn gives_back(self) -> bool {
        self.provider != "paynow"
    }
}

/// An order that somebody is to pay.
#[derive(Debug, Clone)]
pub struct Placed {
    pub order_id: String,
    pub payment_id: String,
    pub number: String,
    pub total: i64,
    pub answer: Value,
}

/// A sandbox, and settings with which a `soko` calls it.
pub fn sandbox(customer: Customer) -> (Running, Settings) {
    let options = Options {
        speed: NonZeroU32::new(SPEED).expect("not zero"),
        customer,
        ..Options::new(20_26)
    };
    let sandbox = Sandbox::start(&options).expect("the sandbox starts");
    let settings = Settings::default()
        .with("SOKO_PAYMENT_SANDBOX", sandbox.origin())
        .with("SOKO_PROVIDER_DEADLINE_MS", "4000");
    (sandbox, settings)
}

impl Till {
    /// On a `soko` that was started with the settings of the sandbox.
    pub async fn open(soko: &Soko, sandbox: Running) -> Self {
        let nairobi = json!({
            "payment_methods": [
                "cash_on_delivery", "bank_transfer", "mpesa", "paystack", "stripe",
                "stripe_checkout",
            ],
        });
        let harare = json!({
            "currency": "USD", "country": "ZW", "time_zone": "Africa/Harare",
            "payment_methods": ["cash_on_delivery", "ecocash", "paynow", "stripe_checkout"],
        });
        let mut nairobi = Market::open_with(soko, nairobi).await;
        let mut harare = Market::open_with(soko, harare).await;
        let mut merchants = Merchants::demo();
        let mpesa = &merchants.mpesa[0];
        let account = json!({
            "consumer_key": mpesa.consumer_key, "consumer_secret": mpesa.consumer_secret,
            "short_code": mpesa.short_code, "passkey": mpesa.passkey,
            "initiator": mpesa.initiator,
            "security_credential": format!("{}==", "A".repeat(342)),
        });
        set(&mut nairobi, "mpesa", account).await;
        let account = json!({ "secret_key": merchants.paystack[0].secret_key });
        merchants.paystack[0].webhook_url = set(&mut nairobi, "paystack", account).await;
        let account = json!({
            "secret_key": merchants.stripe[0].secret_key,
            "webhook_secret": merchants.stripe[0].webhook_secrets[0],
        });
        // One account of both stores: its endpoint is the one for all.
        set(&mut harare, "stripe", account.clone()).await;
        let of_store = set(&mut nairobi, "stripe", account).await;
        merchants.stripe[0].webhook_url = of_store.map(|url| {
            let (for_all, _) = url.rsplit_once('/').expect("a path");
            for_all.to_owned()
        });
        let account = json!({
            "api_key": merchants.ecocash[0].api_key, "client_name": "Soko la Harare",
        });
        merchants.ecocash[0].callback_url = set(&mut harare, "ecocash", account).await;
        let account = json!({
            "integration_id": merchants.paynow[0].id, "integration_key": merchants.paynow[0].key,
        });
        set(&mut harare, "paynow", account).await;
        sandbox.set_merchants(merchants);
        Self {
            sandbox,
            nairobi,
            harare,
        }
    }

    pub fn market(&mut self, way: Way) -> &mut Market {
        if way.is_in_nairobi {
            &mut self.nairobi
        } else {
            &mut self.harare
        }
    }

    /// Something to buy in the store of this way to pay; so much of its money.
    pub async fn ware(&mut self, way: Way, price: i64, stock: u32) -> Product {
        let currency = if way.is_in_nairobi { "KES" } else { "USD" };
        let market = self.market(way);
        market.product_in("Mug", price, stock, currency).await
    }

    /// How often a payment is in the providers' book, and with how much.
    pub fn booked(&self, placed: &Placed, kind: &str) -> Vec<i64> {
        // M-Pesa is told the order's number, for the payer to read.
        let names = [&placed.payment_id, &placed.number];
        let is_its = |movement: &&Movement| names.contains(&&movement.reference);
        let book = self.sandbox.book();
        let movements = book.iter().filter(is_its);
        movements
            .filter(|movement| movement.kind.as_str() == kind)
            .map(|movement| movement.amount)
            .collect()
    }
}

async fn set(market: &mut Market, provider: &str, account: Value) -> Option<String> {
    let path = format!("/stores/{}/payment-accounts/{provider}", market.store_id);
    let set = market.owner.put(&path, account).await.ok();
    set["webhook_url"].as_str().map(str::to_owned)
}

/// Buys so many of something.
pub async fn order(
    customer: &mut Person,
    market: &Market,
    product: &Product,
    quantity: u32,
    payment: Value,
) -> Placed {
    let body = json!({
        "store_id": market.store_id,
        "lines": [{ "variant_id": product.variant_id, "quantity": quantity }],
        "shipping_address": address(),
        "payment": payment,
    });
    let answer = customer.post("/orders", body).await.expect(201);
    Placed {
        order_id: text(&answer["order_id"]),
        payment_id: text(&answer["payment"]["payment_id"]),
        number: text(&answer["number"]),
        total: answer["totals"]["total"]["amount"]
            .as_i64()
            .expect("a number"),
        answer,
    }
}

/// Waits until `path` answers something that `is` true of; what it answered then.
pub async fn until(person: &Person, path: &str, is: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let answer = person.get(path).await.ok();
        if is(&answer) {
            return answer;
        }
        assert!(began.elapsed() < SETTLED_WITHIN, "{path} stays {answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub async fn until_status(person: &Person, path: &str, status: &str) -> Value {
    until(person, path, |answer| answer["status"] == status).await
}
