//! A way to the bus that can be blocked: what is sent stays on its way.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) struct Proxy {
    url: String,
    is_open: watch::Sender<bool>,
    held: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// To the server of a URL.
    pub(crate) async fn start(url: &str) -> Self {
        let (credentials, server) = url.rsplit_once('@').unwrap();
        let server: SocketAddr = server.parse().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (is_open, seen) = watch::channel(true);
        let held = Arc::new(AtomicUsize::new(0));
        let holding = Arc::clone(&held);
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let Ok(server) = TcpStream::connect(server).await else {
                    continue;
                };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let holding = Arc::clone(&holding);
                tokio::spawn(forward(
                    from_client,
                    to_server,
                    Some((seen.clone(), holding)),
                ));
                tokio::spawn(forward(from_server, to_client, None));
            }
        });
        Self {
            url: format!("{credentials}@127.0.0.1:{port}"),
            is_open,
            held,
            task,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Holds back what clients send.
    pub(crate) fn close(&self) {
        self.is_open.send_replace(false);
    }

    /// How many bytes have been held back.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Lets go of what was held back, and of what follows.
    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    gate: Option<(watch::Receiver<bool>, Arc<AtomicUsize>)>,
) {
    let mut buffer = vec![0; 256 * 1024];
    while let Ok(count) = from.read(&mut buffer).await {
        if count == 0 {
            return;
        }
        if let Some((is_open, held)) = &gate
            && !*is_open.borrow()
        {
            held.fetch_add(count, Ordering::Relaxed);
            // Whoever could open it may be gone: then it stays closed.
            if is_open.clone().wait_for(|is_open| *is_open).await.is_err() {
                return;
            }
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
