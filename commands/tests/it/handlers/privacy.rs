//! Somebody is forgotten.

use super::market::Market;
use crate::world::new_id;
use futures::future::join_all;
use soko_commands::handlers::{
    RegisterAccount, erase_account, place_order, register_account, remove_vendor_member,
    withdraw_invitation,
};
use soko_commands::{CommandContext, CommandError, Engine};
use soko_domain::account::AccountError;
use soko_domain::order::Customer;
use soko_domain::vendor::{VendorCommand, VendorRole};
use soko_domain::{Account, AccountId, InvitationId, Order, OrderId, Personal, TenantId, Vendor};
use soko_event_log::Actor;
use uuid::Uuid;

#[tokio::test]
async fn whoever_is_erased_is_gone_from_the_account_and_from_every_order() {
    let market = Market::open().await;
    let mug = market.ware(500, 10).await;
    let wanjiru = registered(market.engine()).await;
    let mut request = market.order_of([(mug, 1)]);
    request.customer = Customer::Account(wanjiru);
    let order_id = request.order_id;
    let context = market.context();
    let placed = place_order(market.engine(), request, &context)
        .await
        .unwrap()
        .value;
    assert_eq!(
        city(&market.world.node().await, order_id).await,
        Some("Nairobi".to_owned())
    );

    erase_account(market.engine(), wanjiru, &platform())
        .await
        .unwrap();
    let node = market.world.node().await;
    let account = node.read::<Account>(wanjiru).await.unwrap().state;
    assert!(matches!(account.profile(), Err(AccountError::Erased)));
    assert_eq!(city(&node, order_id).await, None);
    let order = node.read::<Order>(order_id).await.unwrap().state;
    let placement = order.progress().unwrap().placement();
    assert_eq!(
        (&placement.number, placement.totals),
        (&placed.number, placed.totals)
    );

    // The e-mail is free for whoever has it.
    registered(&node).await;
}

#[tokio::test]
async fn an_erasure_asked_for_twice_is_one() {
    let market = Market::open().await;
    let wanjiru = registered(market.engine()).await;
    erase_account(market.engine(), wanjiru, &platform())
        .await
        .unwrap();
    let again = erase_account(market.engine(), wanjiru, &platform()).await;
    assert!(matches!(
        again,
        Err(CommandError::Rejected {
            rejection: AccountError::Erased,
            ..
        })
    ));
}

/// The key of an account is made once, whoever comes first: also for an account that the log does
/// not know from before there were keys.
#[tokio::test]
async fn orders_at_once_on_two_nodes_are_sealed_with_one_key() {
    let market = Market::open().await;
    let mug = market.ware(500, 100).await;
    let nodes = [market.world.node().await, market.world.node().await];
    let wanjiru: AccountId = new_id();
    let orders = (0..40).map(|number| {
        let mut request = market.order_of([(mug, 1)]);
        request.customer = Customer::Account(wanjiru);
        let (node, context) = (&nodes[number % 2], market.context());
        async move {
            let order_id = request.order_id;
            place_order(node, request, &context).await.unwrap();
            order_id
        }
    });
    let orders = join_all(orders).await;
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM personal_keys WHERE subject_id = $1")
        .bind(wanjiru.as_uuid())
        .fetch_one(&market.world.pool())
        .await
        .unwrap();
    assert_eq!(keys, 1);
    let node = market.world.node().await;
    for order_id in orders {
        assert_eq!(city(&node, order_id).await, Some("Nairobi".to_owned()));
    }
}

#[tokio::test]
async fn where_somebody_was_invited_is_forgotten_with_the_invitation() {
    let market = Market::open().await;
    let (withdrawn, accepted): (InvitationId, InvitationId) = (new_id(), new_id());
    let otieno: AccountId = new_id();
    invite(&market, withdrawn, "a").await;
    invite(&market, accepted, "b").await;
    market
        .execute::<Vendor>(
            market.vendor_id,
            VendorCommand::AcceptInvitation {
                token_hash: "b".to_owned(),
                account_id: otieno,
                now: market.context().now,
            },
        )
        .await;
    assert!(erased(&market).await.is_empty());
    let (engine, context) = (market.engine(), market.context());
    withdraw_invitation(engine, market.vendor_id, withdrawn, &context)
        .await
        .unwrap();
    assert_eq!(erased(&market).await, [withdrawn.as_uuid()]);
    let context = market.context();
    remove_vendor_member(engine, market.vendor_id, otieno, &context)
        .await
        .unwrap();
    let both = std::collections::BTreeSet::from([withdrawn.as_uuid(), accepted.as_uuid()]);
    assert_eq!(erased(&market).await, both.into_iter().collect::<Vec<_>>());
}

async fn invite(market: &Market, invitation_id: InvitationId, token_hash: &str) {
    let email = format!("{token_hash}@example.com").parse().unwrap();
    let now = market.context().now;
    let invite = VendorCommand::Invite {
        invitation_id,
        email: Personal::new(invitation_id.into(), email),
        role: VendorRole::Catalog,
        token_hash: token_hash.to_owned(),
        expires_at: now + chrono::Duration::days(7),
        now,
    };
    market.execute::<Vendor>(market.vendor_id, invite).await;
}

async fn erased(market: &Market) -> Vec<Uuid> {
    sqlx::query_scalar(
        "SELECT subject_id FROM personal_keys WHERE erased_at IS NOT NULL ORDER BY subject_id",
    )
    .fetch_all(&market.world.pool())
    .await
    .unwrap()
}

async fn registered(engine: &Engine) -> AccountId {
    let account_id: AccountId = new_id();
    let request = RegisterAccount {
        account_id,
        name: Personal::new(account_id.into(), "Wanjiru".parse().unwrap()),
        email: Personal::new(account_id.into(), "wanjiru@example.com".parse().unwrap()),
        phone: None,
        platform_roles: vec![],
    };
    register_account(engine, request, &platform())
        .await
        .unwrap()
        .value
}

/// As a node reads it that has never heard of the order.
async fn city(engine: &Engine, order_id: OrderId) -> Option<String> {
    let order = engine.read::<Order>(order_id).await.unwrap().state;
    let address = &order.progress().unwrap().placement().shipping_address;
    address.value().map(|address| address.city.to_string())
}

fn platform() -> CommandContext {
    let actor = Actor::System("test".to_owned());
    CommandContext::new(
        TenantId::PLATFORM,
        actor,
        Uuid::now_v7(),
        chrono::Utc::now(),
    )
}
