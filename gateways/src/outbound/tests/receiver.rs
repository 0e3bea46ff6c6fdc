//! Somebody's server, which hears what it is sent and answers as told, or worse.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A certificate with its key. It vouches for itself, to who trusts it.
pub(super) struct Identity {
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Identity {
    pub(super) fn of(name: &str) -> Self {
        Self::made_of(&CertificateParams::new([name.to_owned()]).unwrap())
    }

    pub(super) fn that_has_expired(name: &str) -> Self {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        Self::made_of(&params)
    }

    fn made_of(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        Self {
            certificate: params.self_signed(&key).unwrap().der().clone(),
            key: key.serialize_der(),
        }
    }

    pub(super) fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }

    fn acceptor(&self) -> TlsAcceptor {
        let provider = rustls::crypto::ring::default_provider();
        let config = ServerConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![self.certificate()],
                PrivatePkcs8KeyDer::from(self.key.clone()).into(),
            )
            .unwrap();
        Arc::new(config).into()
    }
}

/// How a receiver answers.
#[derive(Debug, Clone)]
pub(super) enum Manner {
    /// With these bytes, and then waits for more on the same connection.
    Says(String),
    /// Not at all.
    IsSilent,
    /// With this, and a body without end.
    NeverEnds(String),
}

#[derive(Clone)]
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    pub(super) connections: usize,
    /// The names that clients asked for in TLS.
    pub(super) names: Vec<String>,
    pub(super) requests: Vec<String>,
}

impl Receiver {
    pub(super) async fn start(identity: &Identity, manner: Manner) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), 0, identity, manner).await
    }

    pub(super) async fn start_at(
        ip: IpAddr,
        port: u16,
        identity: &Identity,
        manner: Manner,
    ) -> Self {
        let listener = TcpListener::bind((ip, port)).await.unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
        };
        let (acceptor, known) = (identity.acceptor(), receiver.clone());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                known.see(|seen| seen.connections += 1);
                let (acceptor, known) = (acceptor.clone(), known.clone());
                let manner = manner.clone();
                tokio::spawn(async move { known.serve(stream, &acceptor, manner).await });
            }
        });
        receiver
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    fn see(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap());
    }

    async fn serve(&self, stream: TcpStream, acceptor: &TlsAcceptor, manner: Manner) {
        let Ok(mut stream) = acceptor.accept(stream).await else {
            return;
        };
        let name = stream.get_ref().1.server_name().map(str::to_owned);
        self.see(|seen| seen.names.extend(name));
        let mut bytes = Vec::new();
        while let Ok(count) = stream.read_buf(&mut bytes).await {
            if count == 0 {
                return;
            }
            let Some(request) = whole_request(&bytes) else {
                continue;
            };
            bytes.clear();
            self.see(|seen| seen.requests.push(request));
            match &manner {
                Manner::Says(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                Manner::IsSilent => (),
                Manner::NeverEnds(head) => {
                    stream.write_all(head.as_bytes()).await.unwrap();
                    while stream.write_all(&[b'a'; 1024]).await.is_ok() {}
                    return;
                }
            }
        }
    }
}

fn whole_request(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.parse().unwrap());
    (body.len() >= length).then(|| text.to_owned())
}
