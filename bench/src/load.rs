//! A load generator that costs little itself: plain HTTP/1.1 over kept connections, one request in
//! flight on each, requests written by the case.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a run of requests came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub elapsed: Duration,
    /// How many answers of each status.
    pub statuses: BTreeMap<u16, u64>,
    /// Microseconds.
    pub latency: Histogram<u64>,
}

impl Outcome {
    pub(crate) fn answered(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    /// Answers of one status each second.
    pub(crate) fn rate(&self, status: u16) -> f64 {
        rate(self.answered(status), self.elapsed)
    }
}

/// How many each second.
pub(crate) fn rate(count: u64, elapsed: Duration) -> f64 {
    let millis = elapsed.as_millis().max(1);
    let per_second = u128::from(count) * 1_000 * 10 / millis;
    f64::from(u32::try_from(per_second).unwrap_or(u32::MAX)) / 10.0
}

/// One answer.
pub(crate) struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header, by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(16 * 1024),
        })
    }

    /// Sends one request and reads its answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head_end = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.fill().await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        let status = head.get(9..12).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| invalid("no status"))?;
        let mut answer = Answer {
            status,
            head,
            body: Vec::new(),
        };
        let length: usize = match answer.header("content-length") {
            Some(length) => length.parse().map_err(|_| invalid("bad length"))?,
            None if status == 204 || status == 304 => 0,
            None => return Err(invalid("an answer without a length")),
        };
        while self.buffer.len() < head_end + length {
            self.fill().await?;
        }
        answer
            .body
            .extend_from_slice(&self.buffer[head_end..head_end + length]);
        Ok(answer)
    }

    async fn fill(&mut self) -> io::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Keeps `connections` busy for `duration`; `request(connection, number)` writes each request.
pub(crate) async fn closed_loop(
    port: u16,
    connections: usize,
    duration: Duration,
    request: impl Fn(usize, u64) -> Vec<u8> + Clone + Send + 'static,
) -> io::Result<Outcome> {
    let started = Instant::now();
    drive(port, connections, move |connection, number| {
        (started.elapsed() < duration).then(|| request(connection, number))
    })
    .await
}

/// Sends every request once, each over the connection in whose list it stands.
pub(crate) async fn each_once(port: u16, requests: Arc<Vec<Vec<Vec<u8>>>>) -> io::Result<Outcome> {
    drive(port, requests.len(), move |connection, number| {
        requests[connection]
            .get(usize::try_from(number).ok()?)
            .cloned()
    })
    .await
}

/// Each connection sends what it is given next, and ends when that is nothing.
async fn drive(
    port: u16,
    connections: usize,
    next: impl Fn(usize, u64) -> Option<Vec<u8>> + Clone + Send + 'static,
) -> io::Result<Outcome> {
    let started = Instant::now();
    let mut tasks = Vec::with_capacity(connections);
    for connection in 0..connections {
        let next = next.clone();
        tasks.push(tokio::spawn(async move {
            let mut line = Connection::open(port).await?;
            let mut latency = histogram();
            let mut statuses = BTreeMap::<u16, u64>::new();
            let mut number = 0;
            while let Some(bytes) = next(connection, number) {
                let sent = Instant::now();
                let answer = line.send(&bytes).await?;
                latency.saturating_record(micros(sent.elapsed()));
                *statuses.entry(answer.status).or_default() += 1;
                number += 1;
            }
            Ok::<_, io::Error>((latency, statuses))
        }));
    }
    let mut latency = histogram();
    let mut statuses = BTreeMap::<u16, u64>::new();
    for task in tasks {
        let (one_latency, one_statuses) = task.await.map_err(io::Error::other)??;
        latency.add(one_latency).map_err(io::Error::other)?;
        for (status, count) in one_statuses {
            *statuses.entry(status).or_default() += count;
        }
    }
    Ok(Outcome {
        elapsed: started.elapsed(),
        statuses,
        latency,
    })
}

/// Microseconds up to a minute, three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(60_000_000, 3).unwrap_or_else(|_| unreachable!("constant bounds"))
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A request with a JSON body.
pub(crate) fn post(path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    request("POST", path, headers, body)
}

pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    request("GET", path, headers, "")
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    if method == "GET" {
        text.push_str("\r\n");
    } else {
        let length = body.len();
        let _ = write!(
            text,
            "content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        text.push_str(body);
    }
    text.into_bytes()
}
