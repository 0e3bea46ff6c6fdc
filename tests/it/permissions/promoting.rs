//! Who may do what with coupons: a vendor's own, and a store's.

use serde_json::json;

use super::Where;
use super::Who::{self, *};
use super::rules::{Rule, rule};
use super::stage::Stage;

const MANAGERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    VendorOwner,
    VendorManager,
];

const VIEWERS: &[Who] = &[
    Admin,
    TenantOwner,
    TenantAdmin,
    Manager,
    Staff,
    Auditor,
    VendorOwner,
    VendorManager,
    Finance,
    Viewer,
];

const VIEWERS_OF_STORE: &[Who] = &[Admin, TenantOwner, TenantAdmin, Manager, Staff, Auditor];

pub(super) fn rules_of_promotions(stage: &Stage) -> Vec<Rule> {
    let (store, vendor) = (Where::Store, Where::Vendor);
    let market = &stage.market;
    let new = json!({
        "store_id": market.store_id, "vendor_id": market.vendor_id, "code": "ANOTHER",
        "name": "Another", "discount": { "type": "percentage", "bps": 500 },
    });
    let of_store = format!("store={}", market.store_id);
    let of_vendor = format!("store={}&vendor={}", market.store_id, market.vendor_id);
    vec![
        rule("post", "/promotions", new, vendor, MANAGERS),
        rule("get", "/promotions", json!({}), store, VIEWERS_OF_STORE).with(&of_store),
        rule("get", "/promotions", json!({}), vendor, VIEWERS).with(&of_vendor),
        rule("get", "/promotions/{id}", json!({}), vendor, VIEWERS),
        rule(
            "patch",
            "/promotions/{id}",
            json!({ "name": "Other" }),
            vendor,
            MANAGERS,
        ),
        rule("post", "/promotions/{id}/end", json!({}), vendor, MANAGERS),
    ]
}
