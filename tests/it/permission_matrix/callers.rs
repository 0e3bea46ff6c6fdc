//! Who asks, and which roles that gives them where.

use super::objects::{Object, Objects, Place};
use serde_json::json;
use soko_tests::{Person, Soko, text};

#[derive(Clone)]
pub(super) struct Caller {
    pub(super) name: String,
    pub(super) person: Person,
    pub(super) held: Held,
    pub(super) has_order_token: bool,
}

/// The role that somebody has, and where.
#[derive(Clone)]
pub(super) enum Held {
    Nothing,
    /// With the platform: everywhere.
    Platform(String),
    /// In one's own tenant, in its store, with one's own vendor there.
    Tenant(String),
    Store(String),
    Vendor(String),
    /// With the vendor next door.
    Neighbour(String),
    /// In the other business.
    OtherTenant(String),
    /// The order is theirs.
    Buyer(String),
}

impl Caller {
    pub(super) fn of_tenant(role: &str, person: &Person) -> Self {
        Self::new(role, person, Held::Tenant(role.to_owned()))
    }

    fn new(name: &str, person: &Person, held: Held) -> Self {
        Self {
            name: name.to_owned(),
            person: person.clone(),
            held,
            has_order_token: false,
        }
    }

    /// Every role that counts where the object lies.
    pub(super) fn roles_at(&self, place: Place, object: Object) -> Vec<String> {
        use Object::{Neighbours, Never, OtherTenants, Own};
        let is_in_store = matches!(place, Place::Store | Place::Vendor | Place::Order);
        let is_with_vendor = matches!(place, Place::Vendor | Place::Order);
        let role = match (&self.held, object) {
            (_, Never) | (Held::Nothing, _) => None,
            (Held::Platform(role), _) => Some(role),
            (Held::Tenant(role), Own | Neighbours) => {
                Some(role).filter(|_| place != Place::Platform)
            }
            (Held::Store(role), Own | Neighbours) => Some(role).filter(|_| is_in_store),
            (Held::Vendor(role), Own) | (Held::Neighbour(role), Neighbours) => {
                Some(role).filter(|_| is_with_vendor)
            }
            (Held::OtherTenant(role), OtherTenants) => {
                Some(role).filter(|_| place != Place::Platform)
            }
            (Held::Buyer(role), Own) => Some(role).filter(|_| place == Place::Order),
            (
                Held::Tenant(_)
                | Held::Store(_)
                | Held::Vendor(_)
                | Held::Neighbour(_)
                | Held::OtherTenant(_)
                | Held::Buyer(_),
                Own | Neighbours | OtherTenants,
            ) => None,
        };
        role.into_iter().cloned().collect()
    }
}

pub(super) struct Callers(Vec<Caller>);

impl Callers {
    pub(super) fn all(&self) -> &[Caller] {
        &self.0
    }

    pub(super) fn named(&self, name: &str) -> &Caller {
        self.0.iter().find(|caller| caller.name == name).unwrap()
    }

    pub(super) async fn gather(soko: &Soko, objects: &Objects) -> Self {
        let mut callers = vec![
            Caller::new("nobody", &soko.guest(), Held::Nothing),
            Caller::new(
                "another customer",
                &soko.person("other").await,
                Held::Nothing,
            ),
            Caller::new(
                "the buyer",
                &objects.buyer,
                Held::Buyer("customer".to_owned()),
            ),
            Caller::of_tenant("tenant_owner", &objects.tenant_owner),
            Caller::new(
                "vendor_owner",
                &objects.vendor_owner,
                Held::Vendor("vendor_owner".to_owned()),
            ),
            Caller::new(
                "the neighbour",
                &objects.neighbour,
                Held::Neighbour("vendor_owner".to_owned()),
            ),
            Caller::new(
                "another owner",
                &objects.other_owner,
                Held::OtherTenant("tenant_owner".to_owned()),
            ),
            Caller::new(
                "platform_admin",
                &soko.admin().await,
                Held::Platform("platform_admin".to_owned()),
            ),
        ];
        callers.push(Caller {
            has_order_token: true,
            ..Caller::new(
                "a guest with the token",
                &objects.guest.0,
                Held::Buyer("guest".to_owned()),
            )
        });
        callers.extend(hired(soko, objects).await);
        callers.extend(invited(soko, objects).await);
        callers.push(removed(soko, objects).await);
        // Nobody waits for what the others did last.
        Self(callers)
    }
}

async fn hired(soko: &Soko, objects: &Objects) -> Vec<Caller> {
    let mut owner = objects.tenant_owner.clone();
    let mut callers = Vec::new();
    let (tenants, stores) = ("tenants", "stores");
    for (part, team, role) in [
        (tenants, "tenant", "admin"),
        (stores, "store", "manager"),
        (stores, "store", "staff"),
        (stores, "store", "auditor"),
        (stores, "store", "analyst"),
    ] {
        let person = soko.person(role).await;
        let body = json!({ "email": person.email, "role": role });
        let path = format!("/{part}/{}/members", objects.id(team));
        owner.post(&path, body).await.ok();
        let name = format!("{team}_{role}");
        let held = if team == "tenant" {
            Held::Tenant(name.clone())
        } else {
            Held::Store(name.clone())
        };
        callers.push(Caller::new(&name, &person, held));
    }
    callers
}

/// The vendor's people; the last of them has not accepted yet.
async fn invited(soko: &Soko, objects: &Objects) -> Vec<Caller> {
    let mut vendor = objects.vendor_owner.clone();
    let mut callers = Vec::new();
    let path = format!("/vendors/{}/members", objects.id("vendor"));
    for role in ["manager", "catalog", "fulfilment", "finance", "viewer"] {
        let mut person = soko.person(role).await;
        let body = json!({ "email": person.email, "role": role });
        let token = text(&vendor.post(&path, body).await.expect(201)["token"]);
        let accept = format!("/invitations/{token}/accept");
        person.post(&accept, json!({})).await.ok();
        let name = format!("vendor_{role}");
        callers.push(Caller::new(&name, &person, Held::Vendor(name.clone())));
    }
    let waiting = soko.person("waiting").await;
    let body = json!({ "email": waiting.email, "role": "manager" });
    vendor.post(&path, body).await.expect(201);
    callers.push(Caller::new(
        "invited, not accepted",
        &waiting,
        Held::Nothing,
    ));
    callers
}

/// Was a manager until just now, and has used it.
async fn removed(soko: &Soko, objects: &Objects) -> Caller {
    let mut owner = objects.tenant_owner.clone();
    let person = soko.person("former").await;
    let members = format!("/stores/{}/members", objects.id("store"));
    let body = json!({ "email": person.email, "role": "manager" });
    owner.post(&members, body).await.ok();
    person.get(&members).await.expect(200);
    let account_id = person.account_id.as_deref().unwrap();
    owner.delete(&format!("{members}/{account_id}")).await.ok();
    Caller::new("a former manager", &person, Held::Nothing)
}

/// Tokens that were good.
pub(super) async fn spent_log_ins(soko: &Soko) -> Vec<(&'static str, Person)> {
    let mut logged_out = soko.person("logged-out").await;
    logged_out.post("/auth/logout", json!({})).await.ok();
    let mut owner = soko.person("keys").await;
    let body = json!({ "name": "till", "permissions": ["view_stock"] });
    let made = owner.post("/api-keys", body).await.expect(201);
    owner
        .delete(&format!("/api-keys/{}", text(&made["key_id"])))
        .await
        .ok();
    let revoked = owner.with_token(&text(&made["key"]));
    let unknown = owner.with_token("soko_key_0000000000000000000000000000000000000000000");
    let nonsense = owner.with_token("nonsense");
    vec![
        ("a session that has ended", logged_out),
        ("a key that was revoked", revoked),
        ("a key that never was", unknown),
        ("no token at all", nonsense),
    ]
}
