//! The client for providers' HTTP interfaces.

use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore};

const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// Shorter than servers keep a connection open for which nothing happens: what is written into one
/// that they are just closing may have arrived or not, and nobody knows.
const IDLE_FOR: Duration = Duration::from_secs(4);

/// No client could be made: a defect of the build.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    #[error("there is no HTTP client")]
    Http(#[from] reqwest::Error),
}

/// It follows no redirects: what carries a key goes where it was told to, and nowhere else. The
/// roots that it trusts come with the program, so that it needs none of the machine's.
pub(crate) fn client() -> Result<Client, ClientError> {
    Ok(Client::builder()
        .tls_backend_preconfigured(tls()?)
        .redirect(Policy::none())
        .connect_timeout(CONNECTED_WITHIN)
        .pool_idle_timeout(IDLE_FOR)
        .timeout(ANSWERED_WITHIN)
        .build()?)
}

pub(crate) fn tls() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    tls_trusting(roots)
}

pub(crate) fn tls_trusting(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let provider = rustls::crypto::ring::default_provider();
    let versions = ClientConfig::builder_with_provider(provider.into());
    Ok(versions
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
