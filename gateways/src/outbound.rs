//! Calls to addresses that users give: webhook endpoints of vendors, files to import.
//!
//! Such an address is somebody's try at making us call ourselves, our neighbours, or what a cloud
//! keeps for its machines alone. So its form is narrow ([`OutboundUrl`]); its name is resolved here;
//! every address it stands for must be public; and the connection goes to one of those that were
//! looked at, never to what a second look-up might say. No redirect is followed, no proxy is asked,
//! no connection is kept, and little of the answer is read.
//!
//! Nothing calls this yet: webhooks out and imports will.

mod answer;
mod error;
mod public_address;
mod resolver;
mod url;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::header::{HOST, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use rustls::ClientConfig;
use tokio::time::timeout;

pub use self::answer::OutboundAnswer;
pub use self::error::{OutboundError, Unusable};
pub use self::public_address::is_public;
use self::resolver::Pinned;
pub use self::resolver::{Resolver, SystemResolver};
pub use self::url::{OutboundUrl, OutboundUrlError};
use crate::http::{self, ClientError};

const DEADLINES: Deadlines = Deadlines {
    connected: Duration::from_secs(5),
    answered: Duration::from_secs(10),
};

/// Addresses of one name that are looked at. A name with more is nobody's web server.
const ADDRESSES_MAX: usize = 64;

/// What the operator has to say about it.
#[derive(Debug, Clone, Default)]
pub struct OutboundSettings {
    /// Besides 443.
    pub ports: BTreeSet<u16>,
    /// Public, but ours: who calls us through us would be believed to be us.
    pub own_names: BTreeSet<String>,
    pub own_networks: Vec<IpNet>,
    /// Not public, but the operator's choice all the same: for who develops.
    pub let_in: Vec<IpNet>,
}

#[derive(Debug, Clone, Copy)]
struct Deadlines {
    connected: Duration,
    /// From the look-up of the name to the last byte that is read.
    answered: Duration,
}

/// Calls what users have named.
pub struct Outbound {
    settings: OutboundSettings,
    resolver: Arc<dyn Resolver>,
    tls: ClientConfig,
    deadlines: Deadlines,
}

impl Outbound {
    /// # Errors
    /// TLS cannot be set up: a defect of the build.
    pub fn new(settings: OutboundSettings) -> Result<Self, ClientError> {
        Ok(Self {
            settings,
            resolver: Arc::new(SystemResolver::default()),
            tls: http::tls()?,
            deadlines: DEADLINES,
        })
    }

    /// The address that a user gives, when they give it.
    ///
    /// # Errors
    /// It has not the form of an address that is ever called.
    pub fn read(&self, text: &str) -> Result<OutboundUrl, OutboundUrlError> {
        let url: OutboundUrl = text.parse()?;
        if url.port() != 443 && !self.settings.ports.contains(&url.port()) {
            return Err(OutboundUrlError::Port);
        }
        if self.settings.own_names.contains(url.host()) {
            return Err(OutboundUrlError::Host);
        }
        Ok(url)
    }

    /// Sends a body there; what comes back is for the status and for people to look at.
    ///
    /// # Errors
    /// [`OutboundError`], which tells a tenant nothing of what is on our side.
    pub async fn post(
        &self,
        url: &OutboundUrl,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<OutboundAnswer, OutboundError> {
        self.within_deadline(url, Method::POST, headers, Some(body))
            .await
    }

    /// # Errors
    /// As [`Self::post`].
    pub async fn get(
        &self,
        url: &OutboundUrl,
        headers: HeaderMap,
    ) -> Result<OutboundAnswer, OutboundError> {
        self.within_deadline(url, Method::GET, headers, None).await
    }

    async fn within_deadline(
        &self,
        url: &OutboundUrl,
        method: Method,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<OutboundAnswer, OutboundError> {
        let call = self.call(url, method, headers, body);
        timeout(self.deadlines.answered, call)
            .await
            .unwrap_or(Err(OutboundError::TimedOut))
    }

    async fn call(
        &self,
        url: &OutboundUrl,
        method: Method,
        mut headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<OutboundAnswer, OutboundError> {
        // Read under settings that may have changed since.
        self.read(url.as_str())
            .map_err(|_| OutboundError::Refused)?;
        let addresses = self.checked_addresses(url.host()).await?;
        let client = self.client_for(url.host(), addresses)?;
        // The name in the address is the one that is asked for, whoever calls.
        headers.remove(HOST);
        let mut request = client.request(method, url.as_str()).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| OutboundError::of(&error))?;
        OutboundAnswer::read(response).await
    }

    /// All addresses of a name, if each of them may be called: one that may not is reason enough to
    /// call none, for next time it may be the first.
    async fn checked_addresses(&self, host: &str) -> Result<Vec<IpAddr>, OutboundError> {
        let unusable = OutboundError::NoPublicAddress;
        let found = self.resolver.addresses(host).await;
        let addresses = found.map_err(|_| unusable(Unusable::Unknown))?;
        match addresses.len() {
            0 => return Err(unusable(Unusable::Unknown)),
            1..=ADDRESSES_MAX => (),
            _ => return Err(unusable(Unusable::TooMany)),
        }
        if addresses.iter().all(|address| self.may_be_called(*address)) {
            Ok(addresses)
        } else {
            Err(unusable(Unusable::NotPublic))
        }
    }

    fn may_be_called(&self, address: IpAddr) -> bool {
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        let is_own = is_in(&self.settings.own_networks);
        (is_public(address) && !is_own) || is_in(&self.settings.let_in)
    }

    /// For one call: a connection that is kept would outlive what was checked.
    fn client_for(&self, host: &str, addresses: Vec<IpAddr>) -> Result<Client, OutboundError> {
        Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .https_only(true)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(Arc::new(Pinned::new(host, addresses)))
            .pool_max_idle_per_host(0)
            .connect_timeout(self.deadlines.connected)
            .timeout(self.deadlines.answered)
            .build()
            .map_err(|_| OutboundError::Ours)
    }
}

#[cfg(test)]
mod tests;
