use std::env;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::process::id;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::OnceCell;

use super::meeting::{Started, join};
use crate::nats::version_at;
use crate::process::Lifeline;
use crate::{Nats, NatsOptions, NatsVersion};

const DEFAULT_PORT: &str = ":4222";

/// A NATS server that this test shares with others.
#[derive(Debug, Clone)]
pub struct TestNats {
    url: String,
    version: String,
    prefix: String,
}

impl TestNats {
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn version(&self) -> &str {
        &self.version
    }

    /// What the names of this test's streams and subjects must begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// One server of each installed version, newest first.
///
/// # Panics
///
/// When there is none: a test of NATS that ran without NATS would say nothing.
pub async fn nats_servers() -> Vec<TestNats> {
    static SERVERS: OnceCell<Vec<(String, String)>> = OnceCell::const_new();
    let servers = SERVERS.get_or_init(find_or_start).await;
    servers
        .iter()
        .map(|(version, url)| TestNats {
            url: url.clone(),
            version: version.clone(),
            prefix: next_prefix(),
        })
        .collect()
}

async fn find_or_start() -> Vec<(String, String)> {
    if let Ok(url) = env::var("SOKO_TEST_NATS_URL") {
        let version = version_of(&url)
            .unwrap_or_else(|cause| panic!("no NATS at SOKO_TEST_NATS_URL: {cause}"));
        return vec![(version.to_string(), url)];
    }
    let message = join("nats", start)
        .await
        .unwrap_or_else(|cause| panic!("the test processes cannot meet: {cause}"));
    message
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(version, url)| (version.to_owned(), url.to_owned()))
        .collect()
}

async fn start(scratch: &Path, lifeline: Lifeline) -> Started {
    let installed = Nats::installed();
    assert!(
        !installed.is_empty(),
        "{}",
        crate::EmbeddedError::NatsNotFound
    );
    let (mut pids, mut lines) = (Vec::new(), Vec::new());
    for (version, program) in installed {
        let options = NatsOptions {
            program: Some(program),
        };
        let lifeline = lifeline
            .try_clone()
            .unwrap_or_else(|cause| panic!("{cause}"));
        let server = Nats::start_with(&scratch.join(version.to_string()), options, lifeline)
            .await
            .unwrap_or_else(|cause| panic!("{cause}"));
        pids.push(server.pid());
        lines.push(format!("{version} {}", server.url()));
        server.leave();
    }
    Started {
        pids,
        message: lines.join("\n"),
    }
}

fn version_of(url: &str) -> io::Result<NatsVersion> {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let address = after_scheme
        .rsplit_once('@')
        .map_or(after_scheme, |(_, rest)| rest);
    let address = address.trim_end_matches('/');
    let address = if address.contains(':') {
        address.to_owned()
    } else {
        address.to_owned() + DEFAULT_PORT
    };
    let addresses: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
    addresses
        .into_iter()
        .find_map(version_at)
        .ok_or_else(|| io::Error::other(format!("nobody greets at {address}")))
}

fn next_prefix() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("t{}_{}", id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
