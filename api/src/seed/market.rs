//! The business, its stores, their vendors and what these offer.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use soko_commands::Lanes;
use soko_commands::handlers::{
    CreateCategory, OpenStore, RegisterVendor, create_category, open_store, register_vendor,
};
use soko_domain::payment::PaymentProvider;
use soko_domain::store::{Store, StoreCommand, StoreRole, Terms};
use soko_domain::tenant::{Tenant, TenantCommand, TenantError};
use soko_domain::vendor::{Vendor, VendorCommand, VendorRole};
use soko_domain::{
    AccountId, CategoryId, Currency, LocationId, Personal, Slug, StoreId, SubjectId, Tax, TaxRate,
    TenantId, VariantId, VendorId,
};

use super::goods::{VENDORS, VendorOf};
use super::offers::{Offer, offer};
use super::payments;
use super::{AT_ONCE, By, LAST_STEP, Market, Seed, SeedError, done, failed, id, parsed, trade};

pub(super) const OWNER: &str = "owner@soko.example";
pub(super) const MANAGER: &str = "manager@soko.example";

/// A vendor, and who works there.
pub(super) struct Seller {
    pub vendor_id: VendorId,
    pub owner: AccountId,
}

/// What can be bought of a product.
pub(super) struct Article {
    pub store: usize,
    /// With enough of each in stock.
    pub variants: Vec<VariantId>,
}

pub(super) struct Shop {
    pub slug: &'static str,
    pub name: &'static str,
    pub currency: Currency,
    country: &'static str,
    time_zone: &'static str,
    tax_bps: u32,
    /// Minor units for one US cent, and the step that prices are rounded to.
    pub rate: (i64, i64),
}

const SHOPS: [Shop; 3] = [
    Shop {
        slug: "soko-nairobi",
        name: "Soko la Nairobi",
        currency: Currency::Kes,
        country: "KE",
        time_zone: "Africa/Nairobi",
        tax_bps: 1600,
        rate: (130, 5_000),
    },
    Shop {
        slug: "musika-harare",
        name: "Musika Harare",
        currency: Currency::Usd,
        country: "ZW",
        time_zone: "Africa/Harare",
        tax_bps: 1550,
        rate: (1, 5),
    },
    Shop {
        slug: "imakethe-joburg",
        name: "Imakethe Johannesburg",
        currency: Currency::Zar,
        country: "ZA",
        time_zone: "Africa/Johannesburg",
        tax_bps: 1500,
        rate: (18, 100),
    },
];

const CATEGORIES: [(&str, &[&str]); 3] = [
    ("Home", &["Kitchen", "Textiles", "Decoration"]),
    ("Fashion", &["Clothing", "Bags and shoes", "Jewellery"]),
    ("Food", &["Coffee and tea", "Pantry"]),
];

/// Opens everything.
pub(super) async fn open(seed: &Seed<'_>) -> Result<Market, SeedError> {
    let owner = seed.account("Wanjiku Kamau", OWNER).await?;
    let owner = By {
        tenant_id: tenant(seed, owner).await?,
        account_id: owner,
    };
    let manager = seed.account("Tendai Moyo", MANAGER).await?;
    let mut stores = Vec::new();
    let mut categories = Vec::new();
    for shop in &SHOPS {
        let store_id = store(seed, owner, shop, manager).await?;
        categories.push(arrange(seed, owner, store_id, shop).await?);
        stores.push(store_id);
    }
    let mut vendors = Vec::new();
    for vendor in &VENDORS {
        vendors.push(sign_up(seed, owner, stores[vendor.store], vendor).await?);
    }
    let offers = VENDORS
        .iter()
        .zip(&vendors)
        .enumerate()
        .flat_map(|(v, (vendor, seller))| {
            vendor
                .goods
                .iter()
                .enumerate()
                .map(move |(n, good)| (v * 100 + n, vendor, seller, good))
        });
    let offers = offers.map(|(number, vendor, seller, good)| {
        let category = categories[vendor.store].get(vendor.category).copied();
        let by = By {
            account_id: seller.owner,
            ..owner
        };
        let product = Offer {
            number,
            vendor,
            shop: &SHOPS[vendor.store],
            seller,
            good,
            category,
            store_id: stores[vendor.store],
        };
        async move { offer(seed, by, product).await }
    });
    let offers: Vec<_> = offers.collect();
    let products = stream::iter(offers).buffered(AT_ONCE).try_collect().await?;
    let mut customers = BTreeMap::new();
    for (n, name) in trade::CUSTOMERS.iter().enumerate() {
        let email = format!("customer{}@soko.example", n + 1);
        customers.insert(n, seed.account(name, &email).await?);
    }
    Ok(Market {
        owner,
        stores,
        vendors,
        products,
        customers,
    })
}

/// Puts on record that all of it is there.
pub(super) async fn finish(seed: &Seed<'_>, market: &Market) -> Result<(), SeedError> {
    let context = seed.context(market.owner, LAST_STEP);
    let tenant_id = market.owner.tenant_id;
    let lanes = Lanes::new().with::<Tenant>(tenant_id);
    let finished = seed
        .engine()
        .transact(&context, lanes, |_| Ok::<_, TenantError>(()));
    done(LAST_STEP, finished.await)
}

async fn tenant(seed: &Seed<'_>, owner: AccountId) -> Result<TenantId, SeedError> {
    let step = "tenant";
    let tenant_id: TenantId = id(step);
    let context = seed.context(
        By {
            tenant_id,
            account_id: owner,
        },
        step,
    );
    let create = TenantCommand::Create {
        name: parsed("Maduka Group")?,
        owner,
    };
    done(
        step,
        seed.engine()
            .execute::<Tenant>(tenant_id, create, &context)
            .await,
    )?;
    Ok(tenant_id)
}

async fn store(
    seed: &Seed<'_>,
    owner: By,
    shop: &Shop,
    manager: AccountId,
) -> Result<StoreId, SeedError> {
    let step = format!("store-{}", shop.slug);
    let store_id: StoreId = id(&step);
    let rate = |bps: u32| TaxRate::try_from(bps).map_err(|cause| failed(&step, cause));
    let terms = Terms {
        tenant_id: owner.tenant_id,
        slug: parsed(shop.slug)?,
        name: parsed(shop.name)?,
        currency: shop.currency,
        country: parsed(shop.country)?,
        time_zone: parsed(shop.time_zone)?,
        tax: Tax {
            prices_include_tax: true,
            rate: rate(shop.tax_bps)?,
        },
        payment_methods: ways_to_pay(seed, shop.currency),
        commission_bps: rate(1_000)?,
        main_location: location(shop.slug),
    };
    let request = OpenStore {
        store_id,
        terms: Box::new(terms),
        web_origins: BTreeSet::new(),
    };
    let context = seed.context(owner, &step);
    done(&step, open_store(seed.engine(), request, &context).await)?;
    payments::open_accounts(seed, owner, (store_id, shop), &step).await?;
    let step = format!("{step}-manager");
    let hire = StoreCommand::AddMember {
        account_id: manager,
        role: StoreRole::Manager,
    };
    let context = seed.context(owner, &step);
    done(
        &step,
        seed.engine()
            .execute::<Store>(store_id, hire, &context)
            .await,
    )?;
    Ok(store_id)
}

/// Providers are only there if the sandbox plays them.
fn ways_to_pay(seed: &Seed<'_>, currency: Currency) -> BTreeSet<PaymentProvider> {
    let providers = payments::providers(seed, currency);
    let by_hand = [
        PaymentProvider::CashOnDelivery,
        PaymentProvider::BankTransfer,
    ];
    by_hand.into_iter().chain(providers).collect()
}

pub(super) fn location(slug: &str) -> LocationId {
    id(&format!("location-{slug}"))
}

/// The store's categories: those that have goods, in the order of [`CATEGORIES`].
async fn arrange(
    seed: &Seed<'_>,
    owner: By,
    store_id: StoreId,
    shop: &Shop,
) -> Result<Vec<CategoryId>, SeedError> {
    let mut leaves = Vec::new();
    for (top, below) in CATEGORIES {
        let parent = category(seed, owner, (store_id, shop), top, None).await?;
        for name in below {
            leaves.push(category(seed, owner, (store_id, shop), name, Some(parent)).await?);
        }
    }
    Ok(leaves)
}

async fn category(
    seed: &Seed<'_>,
    owner: By,
    (store_id, shop): (StoreId, &Shop),
    name: &str,
    parent: Option<CategoryId>,
) -> Result<CategoryId, SeedError> {
    let slug = Slug::of_name(name).map_or_else(|| parsed(name), Ok)?;
    let step = format!("category-{}-{slug}", shop.slug);
    let category_id: CategoryId = id(&step);
    let request = CreateCategory {
        category_id,
        store_id,
        slug,
        name: parsed(name)?,
        parent,
    };
    let context = seed.context(owner, &step);
    done(
        &step,
        create_category(seed.engine(), request, &context).await,
    )
}

async fn sign_up(
    seed: &Seed<'_>,
    tenant_owner: By,
    store_id: StoreId,
    vendor: &VendorOf,
) -> Result<Seller, SeedError> {
    let owner = seed.account(vendor.owner, vendor.email).await?;
    let step = format!("vendor-{}", vendor.email);
    let vendor_id: VendorId = id(&step);
    let subject = SubjectId::from(vendor_id);
    let request = RegisterVendor {
        vendor_id,
        store_id,
        name: parsed(vendor.name)?,
        email: Personal::new(subject, parsed(vendor.email)?),
        phone: Personal::new(subject, parsed(vendor.phone)?),
        country: parsed(SHOPS[vendor.store].country)?,
        owner,
    };
    let context = seed.context(
        By {
            account_id: owner,
            ..tenant_owner
        },
        &step,
    );
    done(
        &step,
        register_vendor(seed.engine(), request, &context).await,
    )?;
    let step = format!("{step}-approved");
    let context = seed.context(tenant_owner, &step);
    let approved = seed
        .engine()
        .execute::<Vendor>(vendor_id, VendorCommand::Approve, &context);
    done(&step, approved.await)?;
    hire(
        seed,
        By {
            account_id: owner,
            ..tenant_owner
        },
        vendor_id,
        vendor,
    )
    .await?;
    Ok(Seller { vendor_id, owner })
}

/// Somebody who packs and ships.
async fn hire(
    seed: &Seed<'_>,
    owner: By,
    vendor_id: VendorId,
    vendor: &VendorOf,
) -> Result<(), SeedError> {
    let email = format!("packing.{}", vendor.email);
    let account_id = seed.account(vendor.helper, &email).await?;
    let step = format!("vendor-{}-invites", vendor.email);
    let invitation_id: soko_domain::InvitationId = id(&step);
    let token_hash = hex::encode(invitation_id.as_uuid().as_bytes());
    let invite = VendorCommand::Invite {
        invitation_id,
        email: Personal::new(SubjectId::from(invitation_id), parsed(&email)?),
        role: VendorRole::Fulfilment,
        token_hash: token_hash.clone(),
        expires_at: seed.now + chrono::Duration::days(7),
        now: seed.now,
    };
    let context = seed.context(owner, &step);
    done(
        &step,
        seed.engine()
            .execute::<Vendor>(vendor_id, invite, &context)
            .await,
    )?;
    let step = format!("vendor-{}-joined", vendor.email);
    let accept = VendorCommand::AcceptInvitation {
        token_hash,
        account_id,
        now: seed.now,
    };
    let context = seed.context(
        By {
            account_id,
            ..owner
        },
        &step,
    );
    done(
        &step,
        seed.engine()
            .execute::<Vendor>(vendor_id, accept, &context)
            .await,
    )
}
