//! What opens something, used while it is taken away.

use super::{TRACKS, divided, happened, on_tracks, rounds};
use futures::future::{join, join_all};
use serde_json::{Value, json};
use soko_tests::checkers::check_everything;
use soko_tests::{Answer, Market, Person, Soko, text};
use std::time::{Duration, Instant};

/// Until somebody who was told to come back does, and gives up.
const PAUSE: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(60);

const PASSWORD: &str = "a long enough password";

/// Who has somebody's refresh token, and who stole it.
const THIEVES: usize = 50;

/// Requests that are under way when what opens them goes.
const ACTS: usize = 6;

#[tokio::test]
async fn a_refresh_token_that_fifty_use_has_one_successor_which_is_worth_nothing() {
    let soko = Soko::start().await;
    let people = join_all((0..TRACKS).map(|_| soko.person("amina"))).await;
    let guest = &soko.guest();
    on_tracks(people, |_, mut amina| async move {
        let body = json!({ "email": amina.email, "password": PASSWORD });
        let logged_in = decided(guest, "/auth/login", None, &body).await;
        amina.refresh_token = Some(text(&logged_in.expect(200)["refresh_token"]));
        let (good, refused) = divided(refresh_all(guest, &amina, None).await);
        assert_eq!(good.len(), 1);
        for answer in refused {
            answer.expect_problem(401, "unauthenticated");
        }
        let successor = amina.with_token(&text(&good[0].body["access_token"]));
        let ended = successor.get("/me").await;
        ended.expect_problem(401, "unauthenticated");
        let next = json!({ "refresh_token": good[0].body["refresh_token"] });
        let ended = decided(guest, "/auth/refresh", None, &next).await;
        ended.expect_problem(401, "unauthenticated");
        amina
    })
    .await;
    check_everything(&soko).await;
}

/// A client that does not hear the answer asks again, and again.
#[tokio::test]
async fn one_client_that_refreshes_fifty_times_at_once_stays_logged_in() {
    let soko = Soko::start().await;
    let people = join_all((0..TRACKS).map(|_| soko.person("amina"))).await;
    let guest = &soko.guest();
    on_tracks(people, |number, mut amina| async move {
        let key = format!("round-{number}");
        let answers = refresh_all(guest, &amina, Some(&key)).await;
        let first = answers[0].body["refresh_token"].clone();
        for answer in answers {
            assert_eq!(answer.expect(200)["refresh_token"], first);
        }
        amina.refresh_token = Some(text(&first));
        amina
    })
    .await;
    check_everything(&soko).await;
}

#[tokio::test]
async fn a_key_that_is_revoked_while_it_is_used_opens_nothing_afterwards() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 0).await;
    let receive = &*format!("/stock/{}/receive", mug.variant_id);
    let owner = &market.owner;
    let received = on_tracks(vec![0; TRACKS], |_, received| async move {
        let mut owner = owner.clone();
        let wanted = json!({ "name": "till", "permissions": ["move_stock"] });
        let made = owner.post("/api-keys", wanted).await.expect(201);
        let till = owner.with_token(&text(&made["key"]));
        let revoke = format!("/api-keys/{}", text(&made["key_id"]));
        let revoked = async {
            owner.delete(&revoke).await.expect(204);
            // Others are still under way.
            act(&till, receive)
                .await
                .expect_problem(401, "unauthenticated");
        };
        let acts = join_all((0..ACTS).map(|_| act(&till, receive)));
        let (answers, ()) = join(acts, revoked).await;
        let (done, refused) = divided(answers);
        for answer in refused {
            answer.expect_problem(401, "unauthenticated");
        }
        let after = act(&till, receive).await;
        after.expect_problem(401, "unauthenticated");
        received + done.len()
    })
    .await;
    assert_eq!(
        happened(&soko, "stock.received").await,
        received.iter().sum::<usize>()
    );
    check_everything(&soko).await;
}

#[tokio::test]
async fn who_is_taken_out_while_acting_does_nothing_afterwards() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Mug", 500, 0).await;
    let receive = &*format!("/stock/{}/receive", mug.variant_id);
    let members = &*format!("/stores/{}/members", market.store_id);
    let owner = &market.owner;
    let staff = join_all((0..TRACKS).map(|_| soko.person("staff"))).await;
    let tracks = staff.into_iter().map(|staff| (staff, 0)).collect();
    let tracks = on_tracks(tracks, |_, (staff, received)| async move {
        let mut owner = owner.clone();
        let body = json!({ "email": staff.email, "role": "staff" });
        owner.post(members, body).await.ok();
        let member = format!("{members}/{}", staff.account_id.clone().unwrap());
        let removed = async {
            owner.delete(&member).await.ok();
            // Others are still under way.
            act(&staff, receive).await.expect_problem(404, "not-found");
        };
        let acts = join_all((0..ACTS).map(|_| act(&staff, receive)));
        let (answers, ()) = join(acts, removed).await;
        let (done, refused) = divided(answers);
        for answer in refused {
            answer.expect_problem(404, "not-found");
        }
        act(&staff, receive).await.expect_problem(404, "not-found");
        (staff, received + done.len())
    })
    .await;
    let received: usize = tracks.iter().map(|(_, received)| received).sum();
    assert_eq!(happened(&soko, "stock.received").await, received);
    assert_eq!(happened(&soko, "store.member_removed").await, rounds());
    check_everything(&soko).await;
}

async fn act(by: &Person, receive: &str) -> Answer {
    let delivery = json!({ "quantity": 1, "reason": "delivery" });
    by.clone().post(receive, delivery).await
}

/// The same token, fifty times at once.
async fn refresh_all(guest: &Person, person: &Person, key: Option<&str>) -> Vec<Answer> {
    let body = &json!({ "refresh_token": person.refresh_token });
    join_all((0..THIEVES).map(|_| decided(guest, "/auth/refresh", key, body))).await
}

/// The answer, however often one is told to come back for it: two hundred at once are a lot for a
/// machine that has other things to do.
async fn decided(guest: &Person, path: &str, key: Option<&str>, body: &Value) -> Answer {
    let (mut guest, since) = (guest.clone(), Instant::now());
    loop {
        let answer = match key {
            Some(key) => guest.post_with_key(path, key, body.clone()).await,
            None => guest.post(path, body.clone()).await,
        };
        if answer.status != 503 {
            return answer;
        }
        answer.is_told_to_come_back();
        assert!(since.elapsed() < PATIENCE, "{path} is never decided");
        tokio::time::sleep(PAUSE).await;
    }
}
