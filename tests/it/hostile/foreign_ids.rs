//! An id of somebody else's is no other than one that never was: whoever asks by it learns nothing,
//! not from the status, not from the words, and not from the time it takes.

use super::world::{People, World};
use soko_tests::{Contract, Operation, RawAnswer, RawRequest, Soko};
use std::time::{Duration, Instant};
use uuid::Uuid;

const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// Where everybody may name a store and what it sells, because it is on sale: another's is as good
/// as one's own.
const OPEN_TO_CUSTOMERS: &[&str] = &[
    "post_vendors_register",
    "get_cart",
    "delete_cart",
    "post_cart_items",
    "put_cart_items_variant_id",
    "delete_cart_items_variant_id",
    "post_cart_coupon",
    "delete_cart_coupon",
    "post_orders",
];

/// What is on sale, by the names that it goes by.
const ON_SALE: &[&str] = &[
    "/stores",
    "store",
    "store_id",
    "/variants",
    "variant_id",
    "/products",
    "product_id",
    "product",
];

#[tokio::test]
async fn an_id_of_another_business_is_answered_as_one_that_never_was() {
    let soko = Soko::start().await;
    let contract = Contract::of(&soko).await;
    let address = soko.base().replace("http://", "");
    let ours = People {
        admin: soko.person("ours").await,
        colleague: soko.person("colleague").await,
    };
    let theirs = People {
        admin: soko.person("theirs").await,
        colleague: soko.person("another-colleague").await,
    };
    let (mut differences, mut places) = (Vec::new(), 0);
    for operation in contract.operations().into_iter().filter(|o| !o.is_public) {
        let our_world = World::make(&soko, &ours, &operation).await;
        let their_world = World::make(&soko, &theirs, &operation).await;
        let request = our_world.request(&contract, &operation);
        for (name, our_id, their_id) in our_world.counterparts(&their_world) {
            let never = Uuid::now_v7().to_string();
            let foreign = with_other_id(&request, &our_id, &their_id);
            let unknown = with_other_id(&request, &our_id, &never);
            let (Some(foreign), Some(unknown)) = (foreign, unknown) else {
                continue;
            };
            if is_open(&operation, name) {
                continue;
            }
            places += 1;
            let foreign = foreign.send(&address, ANSWERED_WITHIN).await.unwrap();
            let unknown = unknown.send(&address, ANSWERED_WITHIN).await.unwrap();
            let told = [told(&foreign, &their_id), told(&unknown, &never)];
            if told[0] != told[1] {
                let [foreign, unknown] = told;
                differences.push(format!(
                    "{} by {name}:\n  another's: {foreign}\n  unknown: {unknown}",
                    operation.id
                ));
            }
        }
    }
    println!(
        "{places} places for an id, {} of them tell",
        differences.len()
    );
    assert!(places > 60, "only {places} places for an id");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The request with another id in the place of ours, and a key of its own; `None` if ours is not
/// in it.
fn with_other_id(request: &RawRequest, ours: &str, other: &str) -> Option<RawRequest> {
    let replaced = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes)
            .replace(ours, other)
            .into_bytes()
    };
    let mut changed = request.clone();
    changed.target = replaced(&request.target);
    changed.body = request.body.as_deref().map(replaced);
    let is_changed = changed.target != request.target || changed.body != request.body;
    if request.method == "POST" {
        changed = changed.with_only_header("Idempotency-Key", Uuid::new_v4().to_string());
    }
    is_changed.then_some(changed)
}

fn is_open(operation: &Operation, name: &str) -> bool {
    OPEN_TO_CUSTOMERS.contains(&operation.id.as_str()) && ON_SALE.contains(&name)
}

/// Everything that an answer says, but for the id that was asked by, when it was, and which request
/// it was.
fn told(answer: &RawAnswer, id: &str) -> String {
    let body = String::from_utf8_lossy(&answer.body).replace(id, "<id>");
    // A success has its position and version; `return` takes any order id as a reference.
    let changing = [
        "date",
        "x-request-id",
        "content-length",
        "soko-position",
        "etag",
    ];
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !changing.contains(&name.as_str()) && !name.starts_with("ratelimit"))
        .map(|(name, value)| format!("{name}: {}", value.replace(id, "<id>")))
        .collect();
    headers.sort();
    let body: serde_json::Value = serde_json::from_str(&body).map_or(body.into(), |mut body| {
        if let Some(problem) = body_of(&mut body) {
            problem.remove("instance");
            problem.remove("request_id");
        }
        body
    });
    format!("{} {body} {headers:?}", answer.status)
}

fn body_of(
    body: &mut serde_json::Value,
) -> Option<&mut serde_json::Map<String, serde_json::Value>> {
    body.as_object_mut()
}

/// Pairs of requests to each route.
const PAIRS: usize = 500;

#[tokio::test]
async fn the_time_of_an_answer_does_not_tell_another_id_from_one_that_never_was() {
    let soko = Soko::start().await;
    let mut theirs = soko_tests::Market::open(&soko).await;
    let product = theirs.product("Mug", 500, 10).await;
    let mut buyer = soko.person("buyer").await;
    let order = buyer
        .post("/orders", theirs.order_of(&[(&product, 1)]))
        .await
        .expect(201);
    let us = soko_tests::Market::open(&soko).await.owner;
    let payment_id = soko_tests::text(&order["payment"]["payment_id"]);
    for (path, their_id) in [
        ("/orders/", soko_tests::text(&order["order_id"])),
        ("/payments/", payment_id),
        ("/stock/", product.variant_id.clone()),
        ("/vendors/", theirs.vendor_id.clone()),
    ] {
        let (mut foreign, mut unknown) = (Vec::new(), Vec::new());
        for pair in 0..PAIRS {
            let never = Uuid::now_v7().to_string();
            let mut ids = [(&their_id, &mut foreign), (&never, &mut unknown)];
            if pair % 2 == 1 {
                ids.reverse();
            }
            for (id, times) in ids {
                let started = Instant::now();
                let answer = us.get(&format!("{path}{id}")).await;
                times.push(started.elapsed());
                assert_eq!(answer.status, 404);
            }
        }
        let [foreign_median, unknown_median] = [&foreign, &unknown].map(|times| median(times));
        let p = mann_whitney(&foreign, &unknown);
        println!("{path}: {foreign_median:?} and {unknown_median:?}, p = {p:.4}");
        // A busy machine moves both; a class of its own is more than this apart.
        let apart = foreign_median.abs_diff(unknown_median);
        let is_class_of_its_own =
            apart > Duration::from_micros(100) && apart * 5 > foreign_median.min(unknown_median);
        assert!(
            !is_class_of_its_own,
            "{path}: {foreign_median:?} for another's, {unknown_median:?} for none, p = {p:.4}"
        );
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2]
}

/// How likely such times are if both come from one distribution: the two-sided test by ranks, with
/// the normal approximation, which is as good as exact for thousands.
#[expect(
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    clippy::many_single_char_names,
    reason = "statistics, of some thousands, with the names they have in books"
)]
fn mann_whitney(some: &[Duration], others: &[Duration]) -> f64 {
    let mut all: Vec<(Duration, bool)> = some.iter().map(|time| (*time, true)).collect();
    all.extend(others.iter().map(|time| (*time, false)));
    all.sort();
    let ranks = all.iter().zip(1_u64..);
    let rank_sum: u64 = ranks
        .filter(|((_, is_some), _)| *is_some)
        .map(|(_, rank)| rank)
        .sum();
    let (n, m) = (some.len() as f64, others.len() as f64);
    let u = rank_sum as f64 - n * (n + 1.0) / 2.0;
    let deviation = (n * m * (n + m + 1.0) / 12.0).sqrt();
    let z = ((u - n * m / 2.0) / deviation).abs();
    // Abramowitz and Stegun 26.2.17, good to seven places.
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let tail = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
        * t
        * (0.319_381_530
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    2.0 * tail
}
