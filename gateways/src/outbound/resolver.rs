//! From names to addresses.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

/// What a name stands for.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// Every address of the name, whatever stands between: aliases are followed.
    ///
    /// # Errors
    /// The name is not known, or nobody could be asked.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Each look-up keeps a thread until it has an answer, however long nobody has waited for it any
/// more: slow name servers of one user must not take them all.
const LOOKUPS_MAX: usize = 16;

/// As the machine is set up to resolve names.
#[derive(Debug)]
pub struct SystemResolver {
    room: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        let room = Arc::new(Semaphore::new(LOOKUPS_MAX));
        Self { room }
    }
}

#[async_trait]
impl Resolver for SystemResolver {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let room = Arc::clone(&self.room).acquire_owned().await;
        let room = room.map_err(io::Error::other)?;
        // The dot at the end: no domain of ours is tried after it.
        let absolute = (format!("{name}."), 0);
        // Goes on without whoever waits for it, and keeps its room until it is done.
        let lookup = tokio::spawn(async move {
            let found = tokio::net::lookup_host(absolute).await;
            drop(room);
            found.map(|found| found.map(|socket| socket.ip()).collect())
        });
        lookup.await.map_err(io::Error::other)?
    }
}

/// Knows one name, and of it what was checked; nobody else is ever asked.
pub(super) struct Pinned {
    name: String,
    addresses: Vec<IpAddr>,
}

/// Asked for another name than the one that was checked.
#[derive(Debug, thiserror::Error)]
#[error("only the name that was checked is known")]
struct NotChecked;

impl Pinned {
    pub(super) fn new(name: &str, addresses: Vec<IpAddr>) -> Self {
        let name = name.to_owned();
        Self { name, addresses }
    }
}

impl Resolve for Pinned {
    fn resolve(&self, name: Name) -> Resolving {
        let found = if name.as_str() == self.name {
            // Port 0 becomes that of the URL.
            let sockets = self.addresses.iter().map(|ip| SocketAddr::new(*ip, 0));
            let sockets: Vec<_> = sockets.collect();
            Ok(Box::new(sockets.into_iter()) as Addrs)
        } else {
            Err(NotChecked.into())
        };
        Box::pin(std::future::ready(found))
    }
}
