//! What happens to an order, as it happens.

use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use soko_tests::{Market, Person, Settings, Soko, text};
use std::time::Duration;

const COMES_WITHIN: Duration = Duration::from_secs(60);

/// An order of one mug: whose it is, and where.
async fn placed(soko: &Soko, market: &mut Market) -> (Person, String) {
    let mug = market.product("Mug", 500, 10).await;
    let mut customer = soko.person("customer").await;
    let placed = customer
        .post("/orders", market.order_of(&[(&mug, 1)]))
        .await
        .expect(201);
    let order = format!("/orders/{}", text(&placed["order_id"]));
    customer.get(&order).await.expect(200);
    (customer, order)
}

#[tokio::test]
async fn who_follows_an_order_sees_each_step_once_and_goes_on_after_the_last() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let (customer, order) = placed(&soko, &mut market).await;

    let mut stream = Stream::open(&customer, &order, None).await;
    assert_eq!(stream.next().await.kind, "placed");
    let mut vendor = market.vendor.clone();
    let fulfilment = format!("{order}/fulfilments/{}", market.vendor_id);
    vendor
        .post(&format!("{fulfilment}/pack"), json!({}))
        .await
        .ok();
    stream.until("packed").await;
    let shipment = json!({ "carrier": "G4S", "tracking_number": "KE-1" });
    vendor
        .post(&format!("{fulfilment}/ship"), shipment)
        .await
        .ok();
    let shipped = stream.until("shipped").await;
    assert_eq!(shipped.data["tracking_number"], "KE-1");
    drop(stream);

    vendor
        .post(&format!("{fulfilment}/deliver"), json!({}))
        .await
        .ok();
    let mut resumed = Stream::open(&customer, &order, Some(&shipped.id)).await;
    let next = resumed.next().await;
    assert_ne!(next.kind, "shipped");
    assert!(next.id.parse::<i64>().unwrap() > shipped.id.parse().unwrap());
}

#[tokio::test]
async fn a_stream_on_which_nothing_happens_is_no_client_that_rests() {
    let settings = Settings::default()
        .with("SOKO_IDLE_DEADLINE_MS", "500")
        .with("SOKO_STALL_DEADLINE_MS", "500");
    let soko = Soko::start_with(settings).await;
    let mut market = Market::open(&soko).await;
    let (customer, order) = placed(&soko, &mut market).await;
    let mut stream = Stream::open(&customer, &order, None).await;
    assert_eq!(stream.next().await.kind, "placed");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut vendor = market.vendor.clone();
    let fulfilment = format!("{order}/fulfilments/{}", market.vendor_id);
    vendor
        .post(&format!("{fulfilment}/pack"), json!({}))
        .await
        .ok();
    stream.until("packed").await;
}

#[tokio::test]
async fn who_logs_out_sees_no_more_steps() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let (mut customer, order) = placed(&soko, &mut market).await;
    let mut stream = Stream::open(&customer, &order, None).await;
    assert_eq!(stream.next().await.kind, "placed");
    customer.post("/auth/logout", json!({})).await.expect(204);
    let mut vendor = market.vendor.clone();
    let pack = format!("{order}/fulfilments/{}/pack", market.vendor_id);
    vendor.post(&pack, json!({})).await.ok();
    stream.ends().await;
}

#[tokio::test]
async fn nobody_follows_the_orders_of_others() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let (customer, order) = placed(&soko, &mut market).await;
    let path = format!("{order}/stream");
    let stranger = soko.person("stranger").await;
    stranger.get(&path).await.expect_problem(404, "not-found");
    soko.guest()
        .get(&path)
        .await
        .expect_problem(404, "not-found");
    let confused = customer
        .with_header("Last-Event-ID", "yesterday")
        .get(&path)
        .await;
    confused.expect_problem(400, "malformed-header");
}

struct Step {
    id: String,
    kind: String,
    data: Value,
}

struct Stream {
    bytes: futures::stream::BoxStream<'static, Vec<u8>>,
    text: String,
}

impl Stream {
    async fn open(person: &Person, order: &str, last: Option<&str>) -> Self {
        let mut request = person.request(Method::GET, &format!("{order}/stream"));
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let bytes = response
            .bytes_stream()
            .map(|chunk| chunk.unwrap().to_vec())
            .boxed();
        Self {
            bytes,
            text: String::new(),
        }
    }

    /// And no step comes before it does.
    async fn ends(&mut self) {
        while let Some(chunk) = tokio::time::timeout(COMES_WITHIN, self.bytes.next())
            .await
            .expect("it ends")
        {
            let text = String::from_utf8(chunk).unwrap();
            assert!(!text.contains("event:"), "{text}");
        }
    }

    async fn until(&mut self, kind: &str) -> Step {
        for _ in 0..10 {
            let step = self.next().await;
            if step.kind == kind {
                return step;
            }
        }
        panic!("no {kind} in ten steps");
    }

    /// The next event; comments are passed over.
    async fn next(&mut self) -> Step {
        loop {
            while let Some((frame, rest)) = self.text.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    frame
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(str::to_owned)
                };
                if let (Some(id), Some(kind), Some(data)) =
                    (field("id: "), field("event: "), field("data: "))
                {
                    return Step {
                        id,
                        kind,
                        data: serde_json::from_str(&data).unwrap(),
                    };
                }
            }
            let chunk = tokio::time::timeout(COMES_WITHIN, self.bytes.next()).await;
            let chunk = chunk
                .expect("something comes in time")
                .expect("the stream goes on");
            self.text.push_str(&String::from_utf8(chunk).unwrap());
        }
    }
}
