//! `soko sandbox`, as somebody starts it who tries a payment by hand.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use soko_tests::{binary, text};
use tokio::process::Command;

const TRIES: u32 = 200;

#[tokio::test]
async fn it_takes_a_payment_keeps_it_in_its_book_and_stops_when_asked() {
    let address = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let origin = format!("http://{address}");
    let client = soko_tests::http_client();
    let mut sandbox = Command::new(binary("soko"))
        .args(["sandbox", "--customers", "pay", "--listen"])
        .arg(address.to_string())
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();

    let phone = format!("{origin}/phone");
    let mut tries = 0;
    while !client
        .get(&phone)
        .send()
        .await
        .is_ok_and(|answer| answer.status().is_success())
    {
        tries += 1;
        assert!(tries < TRIES, "nobody answers");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let intent = [
        ("amount", "2500"),
        ("currency", "kes"),
        ("payment_method", "pm_card_visa"),
        ("payment_method_types[]", "card"),
        ("confirm", "true"),
    ];
    let paid = client
        .post(format!("{origin}/stripe/v1/payment_intents"))
        .bearer_auth("sk_test_demo")
        .form(&intent)
        .send()
        .await
        .unwrap();
    let paid: Value = paid.json().await.unwrap();
    assert_eq!(paid["status"], "succeeded", "{paid}");
    let book = client.get(format!("{origin}/book?provider=stripe"));
    let book: Value = book.send().await.unwrap().json().await.unwrap();
    let kinds: Vec<_> = book["movements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|movement| (text(&movement["kind"]), movement["amount"].clone()))
        .collect();
    // A card of the land costs 2.9 % and 30 in the demo.
    let expected = [("payment", json!(2500)), ("fee", json!(-103))];
    assert_eq!(
        kinds,
        expected.map(|(kind, amount)| (kind.to_owned(), amount))
    );

    let id = i32::try_from(sandbox.id().unwrap()).unwrap();
    kill(Pid::from_raw(id), Signal::SIGTERM).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(10), sandbox.wait()).await;
    assert!(ended.expect("stops in time").unwrap().success());
}

#[tokio::test]
async fn an_address_with_a_path_is_refused_before_it_starts() {
    let refused = Command::new(binary("soko"))
        .args(["sandbox", "--public-url", "https://sandbox.example/pay"])
        .output()
        .await
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("without a path"), "{told}");
}
