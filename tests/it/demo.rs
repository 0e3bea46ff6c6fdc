//! The demo market of `soko seed`.

use soko_tests::checkers::check_everything;
use soko_tests::{Settings, Soko};

#[tokio::test]
async fn the_demo_market_is_made_once_and_everybody_it_names_can_log_in() {
    let soko = Soko::start_with(Settings::default().with("SOKO_LOG", "warn")).await;
    let (code, told, errors) = soko.command(&["seed"]).await;
    assert_eq!(code, 0, "{told}\n{errors}");
    assert!(told.contains("is open"), "{told}");
    let people = log_ins(&told);
    assert_eq!(people.len(), 5, "{told}");
    for (email, password) in &people {
        let mut person = soko.guest();
        person.log_in(email, password).await;
        assert_eq!(person.get("/me").await.expect(200)["email"], *email);
    }
    check_everything(&soko).await;

    let (code, told, errors) = soko.command(&["seed"]).await;
    assert_eq!(code, 0, "{told}\n{errors}");
    assert!(told.contains("there already"), "{told}");
    assert_eq!(log_ins(&told), people);
    check_everything(&soko).await;
}

/// E-mail and password of each line that has one.
fn log_ins(told: &str) -> Vec<(String, String)> {
    let lines = told.lines().filter(|line| line.contains('@'));
    let log_in = |line: &str| {
        let at = line
            .split_whitespace()
            .position(|word| word.contains('@'))
            .unwrap();
        let mut words = line.split_whitespace().skip(at);
        let email = words.next().unwrap().to_owned();
        (email, words.collect::<Vec<_>>().join(" "))
    };
    lines.map(log_in).collect()
}
