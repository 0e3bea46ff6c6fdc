//! What is wrong with a body, and how long it may take to come.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::soko::{Soko, code, problem};

const LOGIN: &str = "/api/v1/auth/login";

async fn login_with(soko: &Soko, body: impl Into<reqwest::Body>) -> reqwest::Response {
    let request = soko
        .request(Method::POST, LOGIN)
        .header("content-type", "application/json");
    request.body(body).send().await.unwrap()
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    let soko = Soko::start().await;
    let deep = "[".repeat(8_000);
    for body in [
        "",
        "nul",
        "{",
        "{}{}",
        "{\"email\":\"a\",}",
        deep.as_str(),
        "\u{feff}{}",
        "\0",
    ] {
        let response = login_with(&soko, body.to_owned()).await;
        let expected = (400, "malformed-json".to_owned());
        assert_eq!(code(response).await, expected, "{body:.20}");
    }
    let not_utf8 = login_with(&soko, b"{\"email\":\"\xff\"}".to_vec()).await;
    assert_eq!(not_utf8.status().as_u16() / 100, 4);
    let where_it_is = problem(login_with(&soko, "{\n  \"email\": }").await).await;
    assert_eq!(where_it_is["detail"], "at line 2, column 12");
}

#[tokio::test]
async fn only_json_is_read() {
    let soko = Soko::start().await;
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let mut request = soko
            .request(Method::POST, LOGIN)
            .body("{\"email\":\"a\",\"password\":\"b\"}");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let response = request.send().await.unwrap();
        let expected = (415, "unsupported-media-type".to_owned());
        assert_eq!(code(response).await, expected, "{content_type:?}");
    }
    let packed = soko
        .request(Method::POST, LOGIN)
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(vec![0x1f, 0x8b]);
    assert_eq!(packed.send().await.unwrap().status(), 415);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read_to_its_end() {
    let soko = Soko::start().await;
    let large = format!("{{\"email\":\"{}\"}}", "a".repeat(70_000));
    let response = login_with(&soko, large).await;
    let body = problem(response).await;
    assert_eq!(
        (&body["code"], &body["status"]),
        (&json!("body-too-large"), &json!(413))
    );
    // Without a length in advance it is found out on the way.
    let chunks =
        futures::stream::iter((0..100).map(|_| Ok::<_, std::io::Error>("a".repeat(1_000))));
    let response = login_with(&soko, reqwest::Body::wrap_stream(chunks)).await;
    assert_eq!(code(response).await, (413, "body-too-large".to_owned()));
}

/// What a route does not need it does not read, and the document says how much that is.
#[tokio::test]
async fn every_route_reads_as_much_as_the_document_says() {
    let soko = Soko::start().await;
    let person = soko.person("amina").await;
    let document: Value = soko.get("/openapi.json").await.json().await.unwrap();
    let id = uuid::Uuid::now_v7().to_string();
    let (mut small, mut large) = (0, 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(body) = operation.get("requestBody") else {
                continue;
            };
            if body["content"].get("application/json").is_none() {
                // A file is read of those alone who may send it: tests/it/statements.rs sends one.
                continue;
            }
            let bytes_max = if let Some(max) = body.get("x-bytes-max") {
                small += 1;
                usize::try_from(max.as_u64().unwrap()).unwrap()
            } else {
                large += 1;
                65_536
            };
            for (length, is_read) in [(bytes_max, true), (bytes_max + 1, false)] {
                let method: Method = method.to_uppercase().parse().unwrap();
                let path = format!("{}{}", filled(path, &id), required_query(operation, &id));
                let request = soko
                    .request(method, &path)
                    .bearer_auth(&person.token)
                    .header("content-type", "application/json")
                    .header("idempotency-key", format!("{small}-{large}-{length}"))
                    // No object, so that nothing comes of it.
                    .body(format!("\"{}\"", " ".repeat(length - 2)));
                let status = request.send().await.unwrap().status().as_u16();
                assert_eq!(status != 413, is_read, "{path} of {length} bytes: {status}");
            }
        }
    }
    assert!(small > 30 && (3..10).contains(&large), "{small} {large}");
}

#[tokio::test]
async fn a_body_that_drips_is_not_waited_for() {
    let soko = Soko::with(&[("SOKO_BODY_DEADLINE_MS", "300")]).await;
    let mut stream = TcpStream::connect(soko.address).await.unwrap();
    let head = format!(
        "POST {LOGIN} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
         content-length: 1000\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let began = Instant::now();
    let drips = async {
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            if stream.write_all(b" ").await.is_err() {
                break;
            }
            let mut answer = vec![0; 4096];
            let read = tokio::time::timeout(Duration::from_millis(1), stream.read(&mut answer));
            if let Ok(Ok(length)) = read.await {
                return String::from_utf8_lossy(&answer[..length]).into_owned();
            }
        }
        String::new()
    };
    let answer = tokio::time::timeout(Duration::from_secs(5), drips)
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("\"code\":\"request-timeout\""), "{answer}");
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_refusal_never_shows_what_was_sent() {
    let soko = Soko::start().await;
    let secret = "tafadhali-usionyeshe";
    for body in [
        json!({ "email": "a@example.com", "password": [secret] }).to_string(),
        json!({ "email": "a@example.com", "name": "A", "password": { secret: secret } })
            .to_string(),
        format!("{{\"email\":\"a@example.com\",\"password\":\"{secret}"),
        json!(secret).to_string(),
    ] {
        for path in [LOGIN, "/api/v1/auth/register"] {
            let request = soko.request(Method::POST, path);
            let request = request.header("content-type", "application/json");
            let response = request.body(body.clone()).send().await.unwrap();
            let text = problem(response).await.to_string();
            assert!(!text.contains(secret), "{text}");
        }
    }
}

/// Whatever is sent, the answer is a refusal in the form of all refusals, and never a failure.
#[tokio::test]
async fn no_body_makes_any_route_fail() {
    let soko = Soko::start().await;
    let person = soko.person("amina").await;
    let document: Value = soko.get("/openapi.json").await.json().await.unwrap();
    let hostile = [
        "null",
        "[]",
        "{}",
        "7",
        "\"x\"",
        "true",
        "{\"a\":{\"b\":[1,2,{}]}}",
        "{\"email\":null}",
        "{\"quantity\":-1,\"amount\":1e400}",
        "{\"name\":\"\\u0000\"}",
        "{\"name\":\"\\ud800\"}",
        "{",
        "",
    ];
    let id = uuid::Uuid::now_v7().to_string();
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation.get("requestBody").is_none() || path.ends_with("/auth/logout") {
                continue;
            }
            let path = filled(path, &id);
            let method: Method = method.to_uppercase().parse().unwrap();
            for body in hostile {
                let request = soko
                    .request(method.clone(), &path)
                    .bearer_auth(&person.token)
                    .header("content-type", "application/json")
                    .header("idempotency-key", format!("hostile-{tried}"))
                    .body(body);
                let response = request.send().await.unwrap();
                let status = response.status().as_u16();
                assert!(status < 500, "{method} {path} {body}: {status}");
                if status >= 400 {
                    problem(response).await;
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
}

/// Ids that are none, in every place where one can stand.
#[tokio::test]
async fn no_path_makes_any_route_fail() {
    let soko = Soko::start().await;
    let person = soko.person("amina").await;
    let document: Value = soko.get("/openapi.json").await.json().await.unwrap();
    let strange = [
        "x",
        "%00",
        "..%2f..%2fetc",
        "00000000-0000-0000-0000-000000000000",
        "%27%20OR%201=1",
        "%F0%9F%98%80",
        "%ff",
        "{id}",
    ];
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item
            .as_object()
            .unwrap()
            .keys()
            .filter(|_| path.contains('{'))
        {
            for id in strange {
                let filled = filled(path, id);
                let method: Method = method.to_uppercase().parse().unwrap();
                let request = soko
                    .request(method.clone(), &filled)
                    .bearer_auth(&person.token);
                let request = request.header("idempotency-key", "strange");
                let status = request
                    .json(&json!({}))
                    .send()
                    .await
                    .unwrap()
                    .status()
                    .as_u16();
                assert!(status < 500, "{method} {filled}: {status}");
            }
        }
    }
}

/// Parameters that nobody knows, and values that are none.
#[tokio::test]
async fn no_query_makes_any_route_fail() {
    let soko = Soko::start().await;
    let person = soko.person("amina").await;
    let document: Value = soko.get("/openapi.json").await.json().await.unwrap();
    let id = uuid::Uuid::now_v7().to_string();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("get") else {
            continue;
        };
        let parameters = operation["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let names = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "query");
        let mut queries = vec![
            "nobody=knows".to_owned(),
            "%ff=%ff".to_owned(),
            "a&&=".to_owned(),
        ];
        for name in names.map(|parameter| parameter["name"].as_str().unwrap()) {
            for value in [
                "",
                "-1",
                "x",
                "99999999999999999999",
                "%00",
                "%ff",
                "a&limit=1&limit=2",
            ] {
                queries.push(format!("{name}={value}"));
            }
        }
        for query in queries {
            let path = format!("{}?{query}", filled(path, &id));
            let response = soko.get_as(&person, &path).await;
            let status = response.status().as_u16();
            assert!(status < 500, "{path}: {status}");
        }
    }
}

fn required_query(operation: &Value, value: &str) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let required = parameters
        .filter(|parameter| parameter["in"] == "query" && parameter["required"] == true)
        .map(|parameter| format!("{}={value}", parameter["name"].as_str().unwrap()));
    let query = required.collect::<Vec<_>>().join("&");
    if query.is_empty() {
        query
    } else {
        format!("?{query}")
    }
}

fn filled(path: &str, value: &str) -> String {
    let mut filled = String::new();
    for (index, part) in path.split(['{', '}']).enumerate() {
        filled.push_str(match part {
            "provider" => "mpesa",
            part if index % 2 == 0 => part,
            _ => value,
        });
    }
    filled
}
