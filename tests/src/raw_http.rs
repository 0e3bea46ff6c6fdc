//! HTTP by hand: what no well-behaved client would send, and whatever comes back.

use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A request whose every byte is the caller's.
#[derive(Debug, Clone)]
pub struct RawRequest {
    pub method: String,
    pub target: Vec<u8>,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Option<Vec<u8>>,
}

#[derive(Debug)]
pub struct RawAnswer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum NoAnswer {
    Late,
    /// The connection ended, or broke, with only this in it.
    Dropped(String),
}

impl RawRequest {
    pub fn new(method: &str, target: impl Into<Vec<u8>>) -> Self {
        Self {
            method: method.to_owned(),
            target: target.into(),
            headers: Vec::new(),
            body: None,
        }
    }

    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// In place of all headers of this name.
    pub fn with_only_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self = self.without_header(name);
        self.with_header(name, value)
    }

    pub fn without_header(mut self, name: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    fn bytes(&self, address: &str) -> Vec<u8> {
        let mut bytes = [self.method.as_bytes(), b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        let mut header = |name: &str, value: &[u8]| {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        };
        let is_given = |name: &str| {
            let mut names = self.headers.iter().map(|(known, _)| known);
            names.any(|known| known.eq_ignore_ascii_case(name))
        };
        if !is_given("host") {
            header("Host", address.as_bytes());
        }
        header("Connection", b"close");
        for (name, value) in &self.headers {
            header(name, value);
        }
        let body = self.body.as_deref().unwrap_or_default();
        let has_length = is_given("content-length") || is_given("transfer-encoding");
        if self.body.is_some() && !has_length {
            header("Content-Length", body.len().to_string().as_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(body);
        bytes
    }

    /// Sends it on a connection of its own.
    ///
    /// # Errors
    /// [`NoAnswer`]
    pub async fn send(&self, address: &str, within: Duration) -> Result<RawAnswer, NoAnswer> {
        let exchange = exchange(address, self.bytes(address), self.method == "HEAD");
        timeout(within, exchange)
            .await
            .unwrap_or(Err(NoAnswer::Late))
    }
}

impl RawAnswer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// `null` if the body is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The beginning of the body, for a person to read.
    pub fn excerpt(&self) -> String {
        String::from_utf8_lossy(&self.body)
            .chars()
            .take(300)
            .collect()
    }
}

async fn exchange(address: &str, request: Vec<u8>, is_head: bool) -> Result<RawAnswer, NoAnswer> {
    let broken = |cause: std::io::Error| NoAnswer::Dropped(cause.to_string());
    let stream = TcpStream::connect(address).await.map_err(broken)?;
    let (mut reader, mut writer) = stream.into_split();
    // An answer may come before all is sent; what then cannot be sent is not missed.
    let sending = tokio::spawn(async move {
        let _ = writer.write_all(&request).await;
        writer
    });
    let mut received = Vec::new();
    let answer = loop {
        let ended = match reader.read_buf(&mut received).await {
            Ok(count) => count == 0,
            Err(_) if !received.is_empty() => true,
            Err(cause) => break Err(broken(cause)),
        };
        if let Some(answer) = parsed(&received, ended, is_head) {
            break Ok(answer);
        }
        if ended {
            let text = String::from_utf8_lossy(&received).into_owned();
            break Err(NoAnswer::Dropped(text));
        }
    };
    sending.abort();
    answer
}

/// The answer, if all of it is there. Of a stream of events the head is all; an answer to HEAD has
/// no body whatever its head says.
fn parsed(received: &[u8], has_ended: bool, is_head: bool) -> Option<RawAnswer> {
    let end = received.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&received[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut answer = RawAnswer {
        status,
        headers,
        body: received[end + 4..].to_vec(),
    };
    if status == 100 {
        return parsed(&received[end + 4..], has_ended, is_head);
    }
    if is_head {
        return Some(answer);
    }
    let is_stream = answer.header("content-type") == Some("text/event-stream");
    let is_chunked = answer.header("transfer-encoding") == Some("chunked");
    let length = answer.header("content-length").map(str::parse::<usize>);
    let is_whole = match length {
        Some(Ok(length)) => answer.body.len() >= length,
        Some(Err(_)) => return None,
        None if is_chunked => answer.body.ends_with(b"0\r\n\r\n"),
        None => has_ended || is_stream || status == 204 || status == 304,
    };
    if is_chunked && !is_stream {
        answer.body = dechunked(&answer.body);
    }
    (is_whole || is_stream).then_some(answer)
}

fn dechunked(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(line) = chunks.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&chunks[..line]).unwrap_or_default();
        let length = usize::from_str_radix(length, 16).unwrap_or(0);
        let Some(chunk) = chunks.get(line + 2..line + 2 + length) else {
            break;
        };
        body.extend(chunk);
        chunks = chunks.get(line + 4 + length..).unwrap_or_default();
    }
    body
}
