use std::panic::AssertUnwindSafe;

use super::super::super::testing::{new_year, operation};
use super::super::super::{
    Callback, CallbackRefusal, Credentials, Endpoints, Fact, Handle, Outcome, Providers, Report,
};
use super::{account, captured, sealed, sealed_with, update};

fn read_body(body: &str) -> Result<Report, CallbackRefusal> {
    let account = live().account(Credentials::Paynow(account()));
    let callback = Callback {
        path: "",
        headers: &[],
        body: body.as_bytes(),
        received_at: new_year(),
    };
    let mut reports = account.read(&callback)?;
    assert_eq!(reports.len(), 1);
    Ok(reports.remove(0))
}

fn live() -> Providers {
    Providers::new(Endpoints::live("https://shop.example/webhooks")).unwrap()
}

#[test]
fn an_update_tells_of_the_payment_that_its_reference_names() {
    let report = read_body(&update("Awaiting Delivery")).unwrap();
    assert_eq!(report.about.operation_id, Some(operation(0xb)));
    let poll_url = "https://www.paynow.co.zw/Interface/CheckPayment/?guid=2b7e";
    assert_eq!(report.about.handle, Handle::new(poll_url));
    assert_eq!(report.fact, Fact::Payment(captured()));
    let short = sealed(&[
        ("reference", "ORD-1001"),
        ("paynowreference", "90211"),
        ("amount", "149.5"),
        ("status", "Paid"),
        ("pollurl", "https://evil.example"),
    ]);
    let report = read_body(&short).unwrap();
    assert_eq!(
        (report.about.operation_id, report.about.handle),
        (None, None)
    );
}

#[test]
fn an_update_is_refused_whose_hash_is_wrong() {
    let good = update("Paid");
    for bad in [
        good.replace("149.50", "149.51"),
        good.replace("status=Paid", "status=Sent"),
        good.split("&hash=").next().unwrap().to_owned(),
        sealed_with(&"other".into(), &[("status", "Paid")]),
        // The values in another order.
        good.replace("amount=149.50&status=Paid", "status=Paid&amount=149.50"),
    ] {
        assert_eq!(read_body(&bad), Err(CallbackRefusal::BadSignature), "{bad}");
    }
    for bad in ["", "<html>", "{}"] {
        assert_eq!(read_body(bad), Err(CallbackRefusal::Malformed), "{bad}");
    }
    let silent = sealed(&[("reference", "1")]);
    assert_eq!(read_body(&silent), Err(CallbackRefusal::Malformed));
}

/// Why an update has to be confirmed by polling.
#[test]
fn the_hash_does_not_tell_where_a_value_ends() {
    let moved = update("Paid").replace(
        "paynowreference=1%2C082&amount=149.50",
        "paynowreference=1%2C08&amount=2149.50",
    );
    let report = read_body(&moved).unwrap();
    let Fact::Payment(Outcome::Captured(capture)) = report.fact else {
        panic!("it is captured");
    };
    assert_eq!(capture.amount.money().unwrap().amount(), 214_950);
}

#[test]
fn any_bytes_are_read_without_harm() {
    // It is only read from, whatever happens.
    let account = AssertUnwindSafe(live().account(Credentials::Paynow(account())));
    let valid = update("Paid").into_bytes();
    bolero::check!()
        .with_type::<(Vec<u8>, usize, u8)>()
        .for_each(|(noise, place, byte)| {
            let mut edited = valid.clone();
            let place = place % edited.len();
            edited[place] = *byte;
            for body in [noise, &edited] {
                let callback = Callback {
                    path: "",
                    headers: &[],
                    body,
                    received_at: new_year(),
                };
                let _ = account.read(&callback);
            }
        });
}
