use super::*;
use actix_web::dev::ServiceFactory;
use actix_web::http::Method;
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse};
use serde_json::Value;
use soko_event_log::ScopedReader;

fn gate(deadline: Duration) -> Gate {
    Gate(Arc::new(Settings {
        rate_limits: None,
        security_headers: SecurityHeaders { is_https: false },
        cors: Cors::new(Arc::new(WebOrigins::new(
            Some("https://shop.example".parse().unwrap()),
            ScopedReader::new(
                sqlx::PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/nowhere").unwrap(),
            ),
        ))),
        proxies: 0,
        deadline,
    }))
}

const DEADLINE: Duration = Duration::from_millis(50);

fn app(
    deadline: Duration,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .route("/panic", web::get().to(panics))
        .route("/hang", web::get().to(hangs))
        .route("/bare", web::get().to(bare))
        .configure(|services| crate::route::register(own_deadlines(), services))
        .wrap(gate(deadline))
}

/// Routes that take longer than others, and give up sooner.
fn own_deadlines() -> &'static [Route] {
    vec![
        Route::new(Method::GET, "/slow", "", Access::Public, slow).within(Duration::from_secs(60)),
        Route::new(Method::GET, "/soon", "", Access::Public, hangs)
            .within(Duration::from_millis(1)),
    ]
    .leak()
}

async fn slow() -> HttpResponse {
    tokio::time::sleep(DEADLINE * 2).await;
    HttpResponse::Ok().json("at last")
}

async fn panics() -> HttpResponse {
    let nothing: Option<HttpResponse> = std::hint::black_box(None);
    nothing.expect("a defect")
}

async fn hangs() -> HttpResponse {
    futures::future::pending().await
}

/// As the framework answers by itself.
async fn bare() -> HttpResponse {
    HttpResponse::UnsupportedMediaType().finish()
}

async fn answer(path: &str) -> (u16, Value) {
    answer_within(path, DEADLINE).await
}

async fn answer_within(path: &str, deadline: Duration) -> (u16, Value) {
    let app = init_service(app(deadline)).await;
    let request = TestRequest::get()
        .uri(path)
        .insert_header(("x-request-id", "walk-1"));
    let response = match try_call_service(&app, request.to_request()).await {
        Ok(response) => response.into_parts().1,
        Err(error) => error.error_response(),
    };
    let status = response.status().as_u16();
    assert_eq!(response.headers().get("x-request-id").unwrap(), "walk-1");
    assert_eq!(
        response.headers().get("x-content-type-options").unwrap(),
        "nosniff"
    );
    let body: Bytes = actix_web::body::to_bytes(response.into_body())
        .await
        .unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[actix_web::test]
async fn a_panic_is_answered_as_a_defect() {
    let (status, body) = answer("/panic").await;
    assert_eq!((status, &body["code"]), (500, &"internal".into()));
    assert_eq!(body["instance"], "walk-1");
    assert!(!body.to_string().contains("defect"), "{body}");
}

#[actix_web::test]
async fn an_answer_that_never_comes_is_not_waited_for() {
    let (status, body) = answer("/hang").await;
    assert_eq!((status, &body["code"]), (503, &"unavailable".into()));
}

#[actix_web::test]
async fn a_route_takes_its_own_time() {
    assert_eq!(answer("/slow").await, (200, "at last".into()));
    let a_day = Duration::from_secs(24 * 60 * 60);
    assert_eq!(answer_within("/soon", a_day).await.0, 503);
}

#[actix_web::test]
async fn what_the_framework_refuses_by_itself_is_a_problem_too() {
    let (status, body) = answer("/bare").await;
    assert_eq!(
        (status, &body["code"]),
        (415, &"unsupported-media-type".into())
    );
    assert_eq!(answer("/nothing").await.1["code"], "not-found");
}

#[actix_web::test]
async fn a_page_that_may_call_reads_refusals_and_failures_too() {
    let app = init_service(app(DEADLINE)).await;
    for path in ["/panic", "/hang", "/bare", "/nothing"] {
        for (origin, allowed) in [
            ("https://shop.example", Some("https://shop.example")),
            ("https://evil.example", None),
        ] {
            let request = TestRequest::get()
                .uri(path)
                .insert_header(("origin", origin));
            let response = match try_call_service(&app, request.to_request()).await {
                Ok(response) => response.into_parts().1,
                Err(error) => error.error_response(),
            };
            let header = |name: &str| response.headers().get(name);
            let named = header("access-control-allow-origin");
            assert_eq!(
                named.map(|value| value.to_str().unwrap()),
                allowed,
                "{path}"
            );
            assert_eq!(header("vary").unwrap(), "origin", "{path}");
            assert!(header("access-control-allow-credentials").is_none());
        }
    }
}

#[actix_web::test]
async fn two_origins_are_none() {
    let app = init_service(app(DEADLINE)).await;
    let request = TestRequest::get()
        .uri("/bare")
        .append_header(("origin", "https://shop.example"))
        .append_header(("origin", "https://shop.example"));
    let response = try_call_service(&app, request.to_request()).await.unwrap();
    let headers = response.headers();
    assert!(headers.get("access-control-allow-origin").is_none());
}

#[actix_web::test]
async fn a_thread_that_is_full_takes_no_more() {
    let app = init_service(app(DEADLINE)).await;
    let hang = || TestRequest::get().uri("/hang").to_request();
    let waiting: Vec<_> = (0..IN_FLIGHT_MAX)
        .map(|_| try_call_service(&app, hang()))
        .collect();
    let mut waiting = Box::pin(futures::future::join_all(waiting));
    // Each of them has come in when all have been asked once.
    assert!(futures::poll!(&mut waiting).is_pending());
    let response = try_call_service(&app, TestRequest::get().uri("/bare").to_request())
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 503);
    waiting.await;
    let response = try_call_service(&app, TestRequest::get().uri("/bare").to_request())
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 415);
}
