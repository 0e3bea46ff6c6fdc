//! Many buyers, one mug.

use futures::future::join_all;
use serde_json::json;
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Soko, text};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

const BUYERS: usize = 10_000;

/// How many of them ask at the same moment.
const AT_ONCE: usize = 64;

#[tokio::test]
async fn fifty_buyers_and_five_mugs_make_five_orders_and_forty_five_truthful_refusals() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Last Mugs", 65_000, 5).await;
    let customer = soko.person("customer").await;

    let order = market.order_of(&[(&mug, 1)]);
    let buyers = (0..50).map(|_| {
        let (mut buyer, order) = (customer.clone(), order.clone());
        async move { buyer.post("/orders", order).await }
    });
    let answers = join_all(buyers).await;

    let sold = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(sold, 5);
    for refused in answers.into_iter().filter(|answer| answer.status != 201) {
        let problem = refused.expect_problem(409, "out-of-stock");
        assert!(problem.to_string().contains(&mug.variant_id), "{problem}");
    }
    check_everything(&soko).await;
}

#[tokio::test]
async fn ten_thousand_buyers_and_a_hundred_mugs_make_a_hundred_orders() {
    let soko = Soko::start().await;
    let mut market = Market::open(&soko).await;
    let mug = market.product("Last Mugs", 65_000, 100).await;
    // Guests, for each is another person, and none has to wait for a password to be hashed.
    let (guest, order) = (soko.guest(), market.order_of(&[(&mug, 1)]));

    let next = AtomicUsize::new(0);
    let queues = (0..AT_ONCE).map(|_| async {
        let (mut sold, mut refused) = (Vec::new(), 0_usize);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= BUYERS {
                return (sold, refused);
            }
            let (mut buyer, mut order) = (guest.clone(), order.clone());
            order["email"] = json!(format!("buyer-{number}@soko.test"));
            let answer = buyer.post("/orders", order).await;
            if answer.status == 201 {
                sold.push(text(&answer.body["order_id"]));
            } else {
                let problem = answer.expect_problem(409, "out-of-stock");
                assert!(problem.to_string().contains(&mug.variant_id), "{problem}");
                refused += 1;
            }
        }
    });
    let (sold, refused): (Vec<_>, Vec<_>) = join_all(queues).await.into_iter().unzip();

    let sold: BTreeSet<_> = sold.concat().into_iter().collect();
    assert_eq!((sold.len(), refused.iter().sum()), (100, BUYERS - 100));
    check_everything(&soko).await;
    let path = format!("/stock/{}", mug.variant_id);
    let stock = market.vendor.get(&path).await.expect(200);
    assert_eq!(
        (&stock["reserved"], &stock["available"]),
        (&json!(100), &json!(0))
    );
}
