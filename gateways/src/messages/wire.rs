//! One end of a wire, for tests: hears one request, and answers it as told.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub(super) struct Wire {
    address: std::net::SocketAddr,
    heard: oneshot::Receiver<Heard>,
}

/// A request, as it came.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) line: String,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Wire {
    pub(super) async fn answering(status: &str, body: &str) -> Self {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        Self::start(answer).await
    }

    /// Hears all of it, and says nothing.
    pub(super) async fn hanging_up() -> Self {
        Self::start(String::new()).await
    }

    async fn start(answer: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, heard) = oneshot::channel();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            let request = loop {
                assert!(stream.read_buf(&mut bytes).await.unwrap() > 0);
                if let Some(request) = Heard::of(&bytes) {
                    break request;
                }
            };
            let _ = tell.send(request);
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        Self { address, heard }
    }

    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) async fn heard(self) -> Heard {
        self.heard.await.unwrap()
    }
}

impl Heard {
    /// `None` if it is not yet whole.
    fn of(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let line = lines.next()?.to_owned();
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let request = Self {
            line,
            headers,
            body: body.to_owned(),
        };
        let length = request.header("content-length").parse().unwrap_or(0);
        (body.len() >= length).then_some(request)
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }
}
