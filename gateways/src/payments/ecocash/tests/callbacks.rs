use std::panic::AssertUnwindSafe;

use uuid::Uuid;

use super::super::super::testing::new_year;
use super::super::super::{
    Callback, CallbackKind, CallbackRefusal, CallbackToken, Credentials, Endpoints, Fact,
    Providers, Report,
};
use super::{REFERENCE, account, operation_id};

fn read_at(path: &str, body: &[u8]) -> Result<Vec<Report>, CallbackRefusal> {
    let endpoints = Endpoints::live("https://shop.example/webhooks");
    let providers = Providers::new(endpoints).unwrap();
    let callback = Callback {
        path,
        headers: &[],
        body,
        received_at: new_year(),
    };
    providers
        .account(Credentials::Ecocash(account()))
        .read(&callback)
}

fn path() -> String {
    let endpoints = Endpoints::live("https://shop.example/webhooks");
    let providers = Providers::new(endpoints).unwrap();
    let url = providers.ecocash_callback_url(&account()).unwrap();
    let path = url.strip_prefix("https://shop.example/webhooks/ecocash/");
    path.unwrap().to_owned()
}

#[test]
fn a_callback_says_no_more_than_that_it_is_time_to_ask() {
    let body = format!(
        r#"{{"transactionOperationStatus":"COMPLETED","clientReference":"{REFERENCE}",
        "ecocashReference":"MP1"}}"#
    );
    let reports = read_at(&path(), body.as_bytes()).unwrap();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].about.operation_id, Some(operation_id()));
    assert_eq!(reports[0].fact, Fact::Nudge);
    for bad in ["", "{}", "<html>", "[]"] {
        let refused = read_at(&path(), bad.as_bytes());
        assert_eq!(refused, Err(CallbackRefusal::Malformed));
    }
}

#[test]
fn only_the_path_that_we_gave_is_believed() {
    let other = |kind, id| {
        let token = CallbackToken::new(&"path secret".into(), kind, Uuid::from_u128(id));
        token.unwrap().text()
    };
    let body = b"{\"clientReference\":\"1\"}";
    for (path, refusal) in [
        (String::new(), CallbackRefusal::BadSignature),
        (path().replace('7', "8"), CallbackRefusal::BadSignature),
        (other(CallbackKind::Nudge, 6), CallbackRefusal::NotForUs),
        (other(CallbackKind::Prompt, 5), CallbackRefusal::NotForUs),
    ] {
        assert_eq!(read_at(&path, body), Err(refusal), "{path}");
    }
}

#[test]
fn any_bytes_are_read_without_harm() {
    let path = path();
    let endpoints = Endpoints::live("https://shop.example/webhooks");
    let providers = Providers::new(endpoints).unwrap();
    // It is only read from, whatever happens.
    let account = AssertUnwindSafe(providers.account(Credentials::Ecocash(account())));
    bolero::check!().for_each(|body: &[u8]| {
        let callback = Callback {
            path: &path,
            headers: &[],
            body,
            received_at: new_year(),
        };
        let _ = account.read(&callback);
    });
}
