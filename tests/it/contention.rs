//! Many buyers, one mug.

use futures::future::join_all;
use soko_tests::checkers::check_everything;
use soko_tests::{Market, Soko};

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
