//! The customer's phone and browser, as plain pages.

mod html;

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data, Form, Path, Query, ServiceConfig};
use serde::Deserialize;

use self::html::{escaped, page};
use super::customer::Act;
use super::major::major;
use super::mpesa::Bill;
use super::prompt::Prompt;
use super::provider::Provider;
use super::world::World;

const SHOWN_MAX: usize = 200;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/", web::get().to(home))
        .route("/phone", web::get().to(phone))
        .route("/phone/bills", web::post().to(pay_bill))
        .route("/phone/{provider}/{payment}", web::post().to(answer))
        .route("/pay/{provider}/{payment}", web::get().to(open))
        .route("/pay/{provider}/{payment}", web::post().to(pay));
}

async fn home() -> HttpResponse {
    let list = Provider::ALL
        .map(|provider| format!("<li><code>/{provider}</code></li>"))
        .concat();
    html_page(
        "Payment sandbox",
        &format!(
            r#"<p>Providers that no money passes, at:</p><ul>{list}</ul>
<p><a href="/phone">The customer's phone</a> · <a href="/book">The book</a> ·
<a href="/book?format=csv">as a table</a> · <a href="/faults">Faults</a> ·
<a href="/control/deliveries">Callbacks</a></p>"#
        ),
    )
}

#[derive(Deserialize)]
struct Whose {
    #[serde(default)]
    number: String,
    #[serde(default)]
    said: String,
}

async fn phone(world: Data<World>, whose: Query<Whose>) -> HttpResponse {
    let number = whose.number.trim();
    let mut body = format!(
        r#"<form method="get"><label>Number <input name="number" value="{}"></label>
<button>Show</button></form>"#,
        escaped(number)
    );
    if !whose.said.is_empty() {
        let _ = write!(body, "<p><strong>{}</strong></p>", escaped(&whose.said));
    }
    let all = world.prompts.list(usize::MAX);
    let mut shown = 0;
    for prompt in &all {
        let Some(of) = &prompt.phone else { continue };
        if shown < SHOWN_MAX && (number.is_empty() || of.ends_with(tail(number))) {
            body.push_str(&on_phone(prompt, of));
            shown += 1;
        }
    }
    if shown == 0 {
        body.push_str("<p>Nothing is asked of this phone.</p>");
    }
    body.push_str("<h2>Pages that wait</h2><ul>");
    for prompt in all
        .iter()
        .filter(|prompt| prompt.phone.is_none())
        .take(SHOWN_MAX)
    {
        let _ = write!(
            body,
            r#"<li><a href="/pay/{}/{}">{} {} {}, {}</a></li>"#,
            prompt.provider,
            escaped(&prompt.payment),
            prompt.provider,
            escaped(&prompt.currency),
            major(prompt.amount),
            escaped(&prompt.reference),
        );
    }
    body.push_str("</ul>");
    body.push_str(BILL);
    html_page("Phone", &body)
}

const BILL: &str = r#"<h2>Lipa na M-Pesa</h2><form method="post" action="/phone/bills">
<label>Pay bill <input name="short_code" value="174379"></label>
<label>Account <input name="account"></label>
<label>Whole shillings <input name="shillings" inputmode="numeric"></label>
<label>Your number <input name="phone" value="254708374149"></label><button>Send</button></form>"#;

/// Without the prefix, which some providers have and some have not.
fn tail(number: &str) -> &str {
    number
        .char_indices()
        .rev()
        .nth(8)
        .and_then(|(at, _)| number.get(at..))
        .unwrap_or(number)
}

fn on_phone(prompt: &Prompt, of: &str) -> String {
    let code = match &prompt.code {
        Some(code) => format!("<p>Your code: <code>{}</code></p>", escaped(code)),
        None => String::new(),
    };
    let pin = match prompt.provider {
        Provider::Ecocash => "0000, 1234 or 9999",
        _ => "any four digits",
    };
    format!(
        r#"<form class="prompt" method="post" action="/phone/{}/{}"><p>{} · {}</p><p>{}</p>
<p><strong>{} {}</strong></p>{code}
<label>PIN ({pin}) <input name="pin" type="password" inputmode="numeric" autocomplete="off"></label>
<button name="act" value="pay">Pay</button> <button name="act" value="cancel">Cancel</button>
<button name="act" value="insufficient_funds">Pay without money</button>
<button name="act" value="unreachable">Switch the phone off</button></form>"#,
        prompt.provider,
        escaped(&prompt.payment),
        prompt.provider,
        escaped(of),
        escaped(&prompt.text),
        escaped(&prompt.currency),
        major(prompt.amount),
    )
}

#[derive(Deserialize)]
struct Answer {
    act: Act,
    #[serde(default)]
    pin: String,
}

async fn answer(
    world: Data<World>,
    path: Path<(Provider, String)>,
    answer: Form<Answer>,
) -> HttpResponse {
    let (provider, payment) = path.into_inner();
    let Some(prompt) = world.prompts.get(provider, &payment) else {
        return see_other("/phone?said=That+is+over.");
    };
    let pin = answer.pin.trim();
    let right = match provider {
        Provider::Ecocash => matches!(pin, "0000" | "1234" | "9999"),
        _ => pin.len() == 4 && pin.bytes().all(|byte| byte.is_ascii_digit()),
    };
    let act = if answer.act == Act::Pay && !right {
        Act::WrongPin
    } else {
        answer.act
    };
    let said = match world.into_inner().act(provider, &payment, act) {
        Ok(()) if act == Act::Pay => "Paid.",
        Ok(()) if act == Act::WrongPin => "Wrong PIN.",
        Ok(()) => "Not paid.",
        Err(_) if prompt.code.is_some() => "Give the code to the shop.",
        Err(_) => "That is not possible here.",
    };
    let number = prompt.phone.unwrap_or_default();
    let query = [("number", &*number), ("said", said)];
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    see_other(&format!("/phone?{query}"))
}

#[derive(Deserialize)]
struct BillForm {
    short_code: String,
    account: String,
    shillings: String,
    phone: String,
}

async fn pay_bill(world: Data<World>, form: Form<BillForm>) -> HttpResponse {
    let BillForm {
        short_code,
        account,
        shillings,
        phone,
    } = form.into_inner();
    let amount = shillings
        .trim()
        .parse()
        .ok()
        .filter(|amount| (1..=250_000_i64).contains(amount));
    let Some(amount) = amount.map(|amount| amount * 100) else {
        return see_other("/phone?said=That+is+no+amount.");
    };
    let world = world.into_inner();
    let bill = Bill {
        short_code,
        phone,
        amount,
        account,
    };
    let said = match world.mpesa.pay_bill(&world, &bill) {
        Ok(()) => "/phone?said=Sent.",
        Err(_) => "/phone?said=There+is+no+such+pay+bill.",
    };
    see_other(said)
}

async fn open(world: Data<World>, path: Path<(Provider, String)>) -> HttpResponse {
    let (provider, payment) = path.into_inner();
    let world = world.into_inner();
    let Some(prompt) = world.prompts.get(provider, &payment) else {
        return over();
    };
    // Where the provider tells who looked at its page, it does.
    let _ = world.act(provider, &payment, Act::Open);
    html_page(
        "Pay",
        &format!(
            r#"<p>{} · {}</p><p>{}</p><p><strong>{} {}</strong></p><form method="post">
<button name="act" value="pay">Pay</button> <button name="act" value="decline">Card is declined</button>
<button name="act" value="insufficient_funds">Card has no money</button>
<button name="act" value="cancel">Leave</button></form>"#,
            provider,
            escaped(&prompt.reference),
            escaped(&prompt.text),
            escaped(&prompt.currency),
            major(prompt.amount),
        ),
    )
}

async fn pay(
    world: Data<World>,
    path: Path<(Provider, String)>,
    answer: Form<Answer>,
) -> HttpResponse {
    let (provider, payment) = path.into_inner();
    let world = world.into_inner();
    let Some(prompt) = world.prompts.get(provider, &payment) else {
        return over();
    };
    if world.act(provider, &payment, answer.act).is_err() {
        return over();
    }
    // A declined card leaves the page open for another.
    let still_open = world.prompts.get(provider, &payment).is_some();
    match prompt.return_url.filter(|url| is_web(url)) {
        _ if still_open && answer.act != Act::Cancel => html_page(
            "Declined",
            r#"<p>The card was declined.</p><p><a href="">Try again</a></p>"#,
        ),
        Some(url) if answer.act != Act::Cancel => see_other(&url),
        _ if answer.act == Act::Pay => html_page("Paid", "<p>Paid. You may go back.</p>"),
        _ => html_page("Not paid", "<p>Nothing was paid. You may go back.</p>"),
    }
}

fn is_web(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn over() -> HttpResponse {
    html_page("Over", "<p>This page is not open any more.</p>")
}

fn see_other(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, to))
        .finish()
}

fn html_page(title: &str, body: &str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'",
        ))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(page(title, body))
}
