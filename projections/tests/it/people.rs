//! Who there is, and where.

use crate::log::{Log, id, tenant};
use crate::market::{customer, opening, owner, store, vendor};
use crate::running::built;
use soko_domain::store::StoreRole;
use soko_domain::vendor::VendorStatus;
use soko_event_log::Scope;
use soko_projections::read_models::accounts::{account, accounts};
use soko_projections::read_models::invitations::{invitation_by_token, open_invitations};
use soko_projections::read_models::members::{MemberScope, memberships};
use soko_projections::read_models::stores::{
    StoreFilter, store as find_store, store_by_slug, stores,
};
use soko_projections::read_models::tenants::{TenantsOf, tenant as find_tenant, tenants};
use soko_projections::read_models::vendors::{VendorFilter, vendor as find_vendor, vendors};
use soko_projections::{Keyset, Within};

#[tokio::test]
async fn an_account_knows_its_memberships() {
    let log = people().await;
    let found = memberships(log.reader(), customer()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].role_as::<StoreRole>(), Some(StoreRole::Auditor));
    // The owner's: the tenant, and two vendors.
    let found = memberships(log.reader(), owner()).await.unwrap();
    let scopes: Vec<_> = found.iter().map(|member| member.scope).collect();
    assert_eq!(
        scopes,
        [
            MemberScope::Tenant,
            MemberScope::Vendor,
            MemberScope::Vendor
        ]
    );
}

#[tokio::test]
async fn accounts_are_found_by_their_ids() {
    let log = people().await;
    let found = account(log.reader(), owner()).await.unwrap().unwrap();
    assert_eq!(found.name.0.value().unwrap().as_str(), "Otieno");
    assert_eq!(
        accounts(
            log.reader(),
            &Scope::Platform,
            &[owner(), customer(), id(1)]
        )
        .await
        .unwrap()
        .len(),
        2
    );
}

#[tokio::test]
async fn stores_are_public() {
    let log = people().await;
    let found = find_store(log.reader(), store()).await.unwrap().unwrap();
    assert_eq!(found.tax_rate_bps, 1_600);
    assert_eq!(found.locations.0.len(), 1);
    assert_eq!(
        store_by_slug(log.reader(), "duka").await.unwrap(),
        Some(found.clone())
    );
    let (listed, next) = stores(log.reader(), StoreFilter::default(), Keyset::first(5))
        .await
        .unwrap();
    assert_eq!((listed, next), (vec![found], None));
    let of_others = StoreFilter {
        tenant_id: Some(id(999)),
        only_open: true,
    };
    let (listed, _) = stores(log.reader(), of_others, Keyset::first(5))
        .await
        .unwrap();
    assert!(listed.is_empty());
}

#[tokio::test]
async fn tenants_are_their_members_business() {
    let log = people().await;
    let of = async |of| {
        tenants(log.reader(), of, Keyset::first(5))
            .await
            .unwrap()
            .0
            .len()
    };
    assert_eq!(of(TenantsOf::Platform).await, 1);
    assert_eq!(of(TenantsOf::Member(owner())).await, 1);
    assert_eq!(of(TenantsOf::Member(customer())).await, 0);
    let found = find_tenant(log.reader(), tenant()).await.unwrap().unwrap();
    assert_eq!(found.name, "Soko Ltd");
}

#[tokio::test]
async fn vendors_are_listed_within_their_store() {
    let log = people().await;
    let within = Within::Store(tenant(), store());
    let (listed, _) = vendors(
        log.reader(),
        within,
        VendorFilter::default(),
        Keyset::first(5),
    )
    .await
    .unwrap();
    let names: Vec<_> = listed.iter().map(|vendor| vendor.name.as_str()).collect();
    assert_eq!(names, ["Vyombo", "Kahawa Bora"]);
    let approved = VendorFilter {
        status: Some(VendorStatus::Approved),
        ..VendorFilter::default()
    };
    let (listed, _) = vendors(log.reader(), within, approved, Keyset::first(5))
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
    let elsewhere = Within::Tenant(id(999));
    assert_eq!(
        find_vendor(log.reader(), elsewhere, vendor(0))
            .await
            .unwrap(),
        None
    );
    assert!(
        find_vendor(log.reader(), within, vendor(0))
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn an_invitation_is_found_by_its_token() {
    let log = people().await;
    let found = invitation_by_token(log.reader(), "cafe")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.vendor_id, vendor(1));
    let open = open_invitations(log.reader(), tenant(), vendor(1))
        .await
        .unwrap();
    assert_eq!(open, [found]);
    assert_eq!(
        invitation_by_token(log.reader(), "c0de").await.unwrap(),
        None
    );
}

async fn people() -> Log {
    let mut log = Log::empty().await;
    log.append(opening()).await;
    built(log.pool()).await;
    log
}
