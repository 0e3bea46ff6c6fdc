mod receiver;

use super::*;
use async_trait::async_trait;
use receiver::{Identity, Manner, Receiver};
use reqwest::header::HeaderValue;
use rustls::RootCertStore;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::time::Instant;
use tokio::net::TcpListener;

const NAME: &str = "hooks.shop.example";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn a_call_goes_to_the_address_that_was_looked_at_by_the_name_that_was_given() {
    let (receiver, outbound) = receiver_and_outbound(says(OK)).await;
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", HeaderValue::from_static("evt_1"));
    headers.insert(HOST, HeaderValue::from_static("metadata.internal"));
    let url = url_of(&outbound, &receiver, "/soko?a=b");
    let answer = outbound.post(&url, headers, b"{}".to_vec()).await.unwrap();
    assert_eq!((answer.status, answer.is_success()), (200, true));
    assert_eq!((answer.body.as_slice(), answer.is_cut), (&b"ok"[..], false));
    let seen = receiver.seen();
    assert_eq!(seen.names, [NAME]);
    let request = &seen.requests[0];
    assert!(
        request.starts_with("POST /soko?a=b HTTP/1.1\r\n"),
        "{request}"
    );
    let host = format!("host: {NAME}:{}\r\n", receiver.port());
    assert_eq!(request.matches(&host).count(), 1, "{request}");
    assert!(!request.contains("metadata"), "{request}");
    assert!(request.contains("webhook-id: evt_1\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n{}"), "{request}");
}

#[tokio::test]
async fn one_address_that_is_not_public_is_enough_to_call_none() {
    let identity = Identity::of(NAME);
    let receiver = Receiver::start(&identity, says(OK)).await;
    let private: [&[&str]; 12] = [
        &["127.0.0.1"],
        &["41.90.64.1", "127.0.0.1"],
        &["127.0.0.1", "41.90.64.1"],
        &["41.90.64.1", "2606:4700:4700::1111", "10.0.0.1"],
        &["169.254.169.254"],
        &["100.100.100.200"],
        &["0.0.0.0"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["::ffff:41.90.64.1"],
        &["64:ff9b::7f00:1"],
        &["fd00:ec2::254"],
    ];
    for addresses in private {
        let mut outbound = outbound(&identity, vec![Some(ips(addresses))]);
        outbound.settings.ports.insert(receiver.port());
        let url = url_of(&outbound, &receiver, "/");
        let refused = outbound.get(&url, HeaderMap::new()).await.unwrap_err();
        let expected = OutboundError::NoPublicAddress(Unusable::NotPublic);
        assert_eq!(refused, expected, "{addresses:?}");
    }
    assert_eq!(receiver.seen().connections, 0);
}

#[tokio::test]
async fn a_name_of_the_inside_is_answered_as_one_that_never_was() {
    let identity = Identity::of(NAME);
    let mut told = BTreeSet::new();
    for (addresses, cause) in [
        (Some(ips(&["10.0.0.1"])), Unusable::NotPublic),
        (Some(vec![]), Unusable::Unknown),
        (None, Unusable::Unknown),
        (Some(vec![[41, 90, 64, 1].into(); 65]), Unusable::TooMany),
    ] {
        let outbound = outbound(&identity, vec![addresses]);
        let url = outbound.read("https://hooks.shop.example/").unwrap();
        let refused = outbound.get(&url, HeaderMap::new()).await.unwrap_err();
        assert_eq!(refused, OutboundError::NoPublicAddress(cause));
        told.insert(refused.to_string());
    }
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn a_name_that_is_moved_after_the_look_is_not_followed() {
    let identity = Identity::of(NAME);
    let inside: IpAddr = [127, 0, 0, 2].into();
    let outside = Receiver::start(&identity, says(OK)).await;
    let port = outside.port();
    let secret = Receiver::start_at(inside, port, &identity, says(OK)).await;
    // Public at the look, private from then on.
    let mut outbound = outbound(&identity, vec![Some(vec![HERE]), Some(vec![inside])]);
    outbound.settings.ports.insert(port);
    outbound.settings.let_in = vec!["127.0.0.1/32".parse().unwrap()];
    let url = url_of(&outbound, &outside, "/");
    outbound.get(&url, HeaderMap::new()).await.unwrap();
    assert_eq!(outside.seen().requests.len(), 1);
    // The next call looks again, though the first connection is still open on their side.
    let refused = outbound.get(&url, HeaderMap::new()).await.unwrap_err();
    let expected = OutboundError::NoPublicAddress(Unusable::NotPublic);
    assert_eq!(refused, expected);
    let seen = outside.seen();
    assert_eq!((seen.connections, seen.requests.len()), (1, 1));
    assert_eq!(secret.seen().connections, 0);
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let identity = Identity::of(NAME);
    let elsewhere = Receiver::start(&identity, says(OK)).await;
    let port = elsewhere.port();
    let places = [
        format!("https://{NAME}:{port}/"),
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1:6379/_INFO".to_owned(),
        "/again".to_owned(),
    ];
    for (status, place) in [301, 302, 303, 307, 308]
        .into_iter()
        .zip(places.iter().cycle())
    {
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n"
        );
        let (receiver, mut outbound) = receiver_and_outbound(Manner::Says(answer)).await;
        outbound.settings.ports.insert(port);
        let url = url_of(&outbound, &receiver, "/");
        let answer = outbound.post(&url, HeaderMap::new(), vec![]).await.unwrap();
        assert_eq!((answer.status, answer.is_success()), (status, false));
        assert_eq!(receiver.seen().requests.len(), 1, "{place}");
    }
    assert_eq!(elsewhere.seen().connections, 0);
}

#[tokio::test]
async fn who_cannot_show_that_the_name_is_theirs_is_told_nothing() {
    let right = Identity::of(NAME);
    let other_name = Identity::of("other.shop.example");
    let expired = Identity::that_has_expired(NAME);
    // Trusted, each of them, for what they say of themselves; the last one is not.
    for (shown, trusted) in [
        (&other_name, &other_name),
        (&expired, &expired),
        (&Identity::of(NAME), &right),
    ] {
        let receiver = Receiver::start(shown, says(OK)).await;
        let outbound = outbound_to(&receiver, trusted);
        let url = url_of(&outbound, &receiver, "/");
        let refused = outbound.get(&url, HeaderMap::new()).await.unwrap_err();
        assert_eq!(refused, OutboundError::NotConnected);
        assert!(receiver.seen().requests.is_empty());
    }
}

#[tokio::test]
async fn a_receiver_that_takes_its_time_is_not_waited_for() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n";
    for manner in [Manner::IsSilent, says(head), says(&format!("{head}\r\nab"))] {
        let (receiver, mut outbound) = receiver_and_outbound(manner).await;
        outbound.deadlines.answered = Duration::from_millis(300);
        let url = url_of(&outbound, &receiver, "/");
        let began = Instant::now();
        let late = outbound.get(&url, HeaderMap::new()).await.unwrap_err();
        assert_eq!(late, OutboundError::TimedOut);
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_name_server_that_takes_its_time_is_not_waited_for() {
    struct Silent;
    #[async_trait]
    impl Resolver for Silent {
        async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            std::future::pending().await
        }
    }
    let mut outbound = outbound(&Identity::of(NAME), vec![]);
    outbound.resolver = Arc::new(Silent);
    outbound.deadlines.answered = Duration::from_millis(100);
    let url = outbound.read("https://hooks.shop.example/").unwrap();
    let late = outbound.get(&url, HeaderMap::new()).await;
    assert_eq!(late, Err(OutboundError::TimedOut));
}

#[test]
fn nobody_is_waited_for_longer_than_ten_seconds() {
    assert_eq!(DEADLINES.connected, Duration::from_secs(5));
    assert_eq!(DEADLINES.answered, Duration::from_secs(10));
}

#[tokio::test]
async fn little_of_a_long_answer_is_read() {
    let endless = "HTTP/1.1 200 OK\r\n\r\n".to_owned();
    let (receiver, outbound) = receiver_and_outbound(Manner::NeverEnds(endless)).await;
    let url = url_of(&outbound, &receiver, "/");
    let answer = outbound.get(&url, HeaderMap::new()).await.unwrap();
    assert_eq!((answer.body.len(), answer.is_cut), (64 * 1024, true));
    let exact = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 65536\r\n\r\n{}",
        "a".repeat(65_536)
    );
    let (receiver, outbound) = receiver_and_outbound(Manner::Says(exact)).await;
    let url = url_of(&outbound, &receiver, "/");
    let answer = outbound.get(&url, HeaderMap::new()).await.unwrap();
    assert_eq!((answer.body.len(), answer.is_cut), (64 * 1024, false));
}

#[tokio::test]
async fn what_is_not_http_is_no_answer() {
    for answer in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 200 OK\r\nX-A: a\rSet-Cookie: b\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-A: a\0b\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    ] {
        let (receiver, outbound) = receiver_and_outbound(says(answer)).await;
        let url = url_of(&outbound, &receiver, "/");
        let broken = outbound.get(&url, HeaderMap::new()).await;
        assert_eq!(broken, Err(OutboundError::Broken), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_ours_is_never_called_through_us() {
    let mut outbound = outbound(&Identity::of(NAME), vec![Some(ips(&["41.90.64.1"]))]);
    outbound
        .settings
        .own_names
        .insert("api.soko.example".to_owned());
    outbound.settings.own_networks = vec!["41.90.64.0/24".parse().unwrap()];
    for text in [
        "https://api.soko.example/api/v1",
        "https://API.Soko.example",
    ] {
        assert_eq!(outbound.read(text), Err(OutboundUrlError::Host));
    }
    // By another name, it is our address all the same.
    let url = outbound.read("https://hooks.shop.example/").unwrap();
    let refused = outbound.get(&url, HeaderMap::new()).await.unwrap_err();
    let expected = OutboundError::NoPublicAddress(Unusable::NotPublic);
    assert_eq!(refused, expected);
}

#[tokio::test]
async fn a_port_is_called_only_if_the_operator_lets_it() {
    let mut outbound = outbound(&Identity::of(NAME), vec![Some(ips(&["41.90.64.1"]))]);
    let text = "https://hooks.shop.example:8443/";
    assert_eq!(outbound.read(text), Err(OutboundUrlError::Port));
    // What was let in once and is not any more is not called either.
    let url: OutboundUrl = text.parse().unwrap();
    let refused = outbound.get(&url, HeaderMap::new()).await;
    assert_eq!(refused, Err(OutboundError::Refused));
    outbound.settings.ports.insert(8443);
    assert_eq!(outbound.read(text), Ok(url));
    assert!(outbound.read("https://hooks.shop.example:443/").is_ok());
}

#[tokio::test]
async fn a_client_knows_no_name_but_the_one_that_was_looked_at() {
    let (receiver, outbound) = receiver_and_outbound(says(OK)).await;
    let client = outbound.client_for(NAME, vec![HERE]).unwrap();
    let port = receiver.port();
    let known = client.get(format!("https://{NAME}:{port}/")).send().await;
    assert_eq!(known.unwrap().status(), 200);
    for name in ["localhost", "other.shop.example"] {
        let unknown = client.get(format!("https://{name}:{port}/")).send().await;
        assert!(unknown.unwrap_err().is_connect(), "{name}");
    }
    assert_eq!(receiver.seen().connections, 1);
    // And nothing without TLS, which a redirect might have asked for.
    assert!(
        client
            .get(format!("http://{NAME}:{port}/"))
            .send()
            .await
            .is_err()
    );
}

/// Variables belong to a whole process, so the call is made in one of its own: this very test.
#[tokio::test]
async fn no_proxy_is_asked() {
    const IN_CHILD: &str = "SOKO_TEST_BEHIND_PROXY";
    if std::env::var_os(IN_CHILD).is_some() {
        let (receiver, outbound) = receiver_and_outbound(says(OK)).await;
        let url = url_of(&outbound, &receiver, "/");
        outbound.get(&url, HeaderMap::new()).await.unwrap();
        assert_eq!(receiver.seen().requests.len(), 1);
        return;
    }
    let proxy = TcpListener::bind((HERE, 0)).await.unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "outbound::tests::no_proxy_is_asked"]);
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, &address);
    }
    child.env(IN_CHILD, "yes").kill_on_drop(true);
    let mut child = child.spawn().unwrap();
    tokio::select! {
        ended = child.wait() => assert!(ended.unwrap().success()),
        _ = proxy.accept() => panic!("the proxy was asked"),
    }
}

/// Answers each look-up with the next of these, and with the last for ever; `None` is a failure.
struct Script {
    answers: Vec<Option<Vec<IpAddr>>>,
    asked: Mutex<usize>,
}

#[async_trait]
impl Resolver for Script {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        assert_eq!(name, NAME);
        let mut asked = self.asked.lock().unwrap();
        let last = self.answers.len() - 1;
        let answer = self.answers[last.min(*asked)].clone();
        *asked += 1;
        answer.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn outbound(trusted: &Identity, answers: Vec<Option<Vec<IpAddr>>>) -> Outbound {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.certificate()).unwrap();
    Outbound {
        settings: OutboundSettings::default(),
        resolver: Arc::new(Script {
            answers,
            asked: Mutex::new(0),
        }),
        tls: http::tls_trusting(roots).unwrap(),
        deadlines: DEADLINES,
    }
}

/// As for an operator who develops: this machine may be called.
fn outbound_to(receiver: &Receiver, trusted: &Identity) -> Outbound {
    let mut outbound = outbound(trusted, vec![Some(vec![HERE])]);
    outbound.settings.ports.insert(receiver.port());
    outbound.settings.let_in = vec!["127.0.0.1/32".parse().unwrap()];
    outbound
}

async fn receiver_and_outbound(manner: Manner) -> (Receiver, Outbound) {
    let identity = Identity::of(NAME);
    let receiver = Receiver::start(&identity, manner).await;
    let outbound = outbound_to(&receiver, &identity);
    (receiver, outbound)
}

fn url_of(outbound: &Outbound, receiver: &Receiver, rest: &str) -> OutboundUrl {
    let text = format!("https://{NAME}:{}{rest}", receiver.port());
    outbound.read(&text).unwrap()
}

fn says(answer: &str) -> Manner {
    Manner::Says(answer.to_owned())
}

fn ips(addresses: &[&str]) -> Vec<IpAddr> {
    addresses.iter().map(|text| text.parse().unwrap()).collect()
}
