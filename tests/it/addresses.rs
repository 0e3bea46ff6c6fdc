//! Somebody's address book.

use serde_json::json;
use soko_tests::checkers::catch_up;
use soko_tests::{Soko, address, text};

#[tokio::test]
async fn an_address_book_has_what_was_added_and_not_removed() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let mut home = address();
    home["line1"] = json!("Moi Avenue 1");
    let mut work = address();
    work["line1"] = json!("Kenyatta Avenue 2");
    let added = amina.post("/me/addresses", home.clone()).await;
    assert!(
        added
            .header("location")
            .unwrap()
            .starts_with("/api/v1/me/addresses/")
    );
    let home_id = text(&added.expect(201)["address_id"]);
    amina.post("/me/addresses", work.clone()).await.expect(201);
    let known = amina.get("/me/addresses").await.expect(200);
    assert_eq!(known["items"][0]["address"], home);
    assert_eq!(known["items"][1]["address"], work);

    let path = format!("/me/addresses/{home_id}");
    let mut juma = soko.person("juma").await;
    juma.delete(&path).await.expect_problem(404, "not-found");
    amina.delete(&path).await.expect(204);
    amina.delete(&path).await.expect_problem(404, "not-found");
    let known = amina.get("/me/addresses").await.expect(200);
    assert_eq!(known["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_request_adds_an_address_once_and_there_are_twenty_at_most() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    for _ in 0..2 {
        let added = amina
            .post_with_key("/me/addresses", "home", address())
            .await;
        added.expect(201);
    }
    for _ in 1..20 {
        amina.post("/me/addresses", address()).await.expect(201);
    }
    let refused = amina.post("/me/addresses", address()).await;
    refused.expect_problem(409, "state-conflict");
    let mut wrong = address();
    wrong["country"] = json!("Kenya");
    let refused = amina.post("/me/addresses", wrong).await;
    let problem = refused.expect_problem(422, "validation");
    assert_eq!(problem["errors"][0]["pointer"], "/country");
}

#[tokio::test]
async fn an_address_book_is_exported_and_forgotten_with_its_owner() {
    let soko = Soko::start().await;
    let mut amina = soko.person("amina").await;
    let mut home = address();
    home["line1"] = json!("Canary Avenue 12");
    amina.post("/me/addresses", home.clone()).await.expect(201);
    let exported = amina.get("/me/export").await.expect(200);
    assert_eq!(exported["addresses"][0]["address"], home);
    catch_up(&soko).await;
    let payloads: Vec<String> = sqlx::query_scalar("SELECT payload::text FROM audit.events")
        .fetch_all(soko.database())
        .await
        .unwrap();
    assert!(!payloads.iter().any(|payload| payload.contains("Canary")));
    amina.delete("/me").await.expect(200);
}
