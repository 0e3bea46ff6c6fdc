//! Clients that take their time, in every part of an exchange: each is cut off, and keeps nobody
//! else waiting.

use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use crate::soko::Soko;

const HEAD: &str = "GET /health/live HTTP/1.1\r\nhost: a\r\n";

/// A server with one thread, so that whoever kept it would keep everybody.
async fn soko() -> Soko {
    Soko::with(&[
        ("SOKO_RATE_LIMITS", "off"),
        ("SOKO_BODY_DEADLINE_MS", "1000"),
        ("SOKO_IDLE_DEADLINE_MS", "3000"),
        ("SOKO_STALL_DEADLINE_MS", "1000"),
    ])
    .await
}

#[tokio::test]
async fn a_head_that_drips_is_not_waited_for() {
    let soko = soko().await;
    let stream = connect(&soko).await;
    let cut_off = drip(stream, &format!("{HEAD}x-slow: "), "a").await;
    assert!(cut_off < Duration::from_secs(10), "{cut_off:?}");
}

/// A first request buys no time for the second on the same connection.
#[tokio::test]
async fn a_second_head_that_drips_is_not_waited_for() {
    let soko = soko().await;
    let mut stream = connect(&soko).await;
    stream
        .write_all(format!("{HEAD}\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await.unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
    let cut_off = drip(stream, &format!("{HEAD}x-slow: "), "a").await;
    assert!(cut_off < Duration::from_secs(10), "{cut_off:?}");
}

/// Read by a handler, read by none, and where there is none.
#[tokio::test]
async fn a_body_that_drips_is_not_waited_for_wherever_it_goes() {
    let soko = soko().await;
    for line in [
        "POST /api/v1/auth/login",
        "GET /health/live",
        "POST /health/live",
        "POST /api/v1/nothing",
        "OPTIONS /api/v1/products",
    ] {
        for length in ["content-length: 100000", "transfer-encoding: chunked"] {
            let head = format!(
                "{line} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
            );
            let drop = if length.starts_with('c') {
                " "
            } else {
                "1\r\n \r\n"
            };
            let cut_off = drip(connect(&soko).await, &head, drop).await;
            assert!(
                cut_off < Duration::from_secs(10),
                "{line} {length}: {cut_off:?}"
            );
        }
    }
}

#[tokio::test]
async fn who_never_reads_an_answer_is_cut_off() {
    let soko = soko().await;
    let one = soko.get("/openapi.json").await.bytes().await.unwrap().len();
    let socket = TcpSocket::new_v4().unwrap();
    SockRef::from(&socket).set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(soko.address).await.unwrap();
    let requests = "GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n".repeat(REQUESTS);
    // What does not fit any more is not sent.
    let _ = timeout(
        Duration::from_secs(1),
        stream.write_all(requests.as_bytes()),
    )
    .await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(5) {
        // Meanwhile everybody else is served by the one thread there is.
        let asked = Instant::now();
        assert_eq!(soko.get("/health/live").await.status(), 200);
        assert!(asked.elapsed() < Duration::from_secs(1));
        sleep(Duration::from_millis(250)).await;
    }
    // What was on its way is still there, and after it nothing.
    let mut received = 0;
    let mut bytes = vec![0; 65_536];
    let rest = async {
        while let Ok(length @ 1..) = stream.read(&mut bytes).await {
            received += length;
        }
    };
    let has_ended = timeout(Duration::from_secs(5), rest).await.is_ok();
    assert!(has_ended, "the connection is still open");
    assert!(
        received < one * REQUESTS / 2,
        "{received} bytes of {one} each"
    );
}

const REQUESTS: usize = 100;

async fn connect(soko: &Soko) -> TcpStream {
    TcpStream::connect(soko.address).await.unwrap()
}

/// Sends the beginning, and then a drop at a time until it is cut off: after how long. Half a
/// minute, if it is not.
async fn drip(mut stream: TcpStream, beginning: &str, drop: &str) -> Duration {
    let began = Instant::now();
    stream.write_all(beginning.as_bytes()).await.unwrap();
    let mut bytes = vec![0; 4096];
    while began.elapsed() < Duration::from_secs(30) {
        match timeout(Duration::from_millis(100), stream.read(&mut bytes)).await {
            Ok(Ok(0) | Err(_)) => break,
            // An answer, which may come before all is sent.
            Ok(Ok(_)) => (),
            Err(_) => {
                if stream.write_all(drop.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    }
    began.elapsed()
}
