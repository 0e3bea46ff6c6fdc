//! Where a request comes from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_web::dev::ServiceRequest;

/// The address of a client, as far as it can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client(IpAddr);

impl Client {
    /// `proxies` of ours have each added the address that they saw to `X-Forwarded-For`; what
    /// stands before those, the client itself may have written.
    pub(super) fn of(request: &ServiceRequest, proxies: u8) -> Self {
        let peer = request
            .peer_addr()
            .map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip());
        if proxies == 0 {
            return Self(peer.to_canonical());
        }
        let entries = request
            .headers()
            .get_all("x-forwarded-for")
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect::<Vec<_>>();
        let entry = entries
            .len()
            .checked_sub(usize::from(proxies))
            .map(|index| entries[index]);
        let forwarded = entry.and_then(|entry| entry.trim().parse::<IpAddr>().ok());
        Self(forwarded.unwrap_or(peer).to_canonical())
    }

    pub const fn address(&self) -> IpAddr {
        self.0
    }

    /// One household, or one server: a network of 64 bits in IPv6, an address in IPv4.
    pub fn network(&self) -> IpAddr {
        match self.0 {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let network = address.to_bits() >> 64 << 64;
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn client(forwarded: &str, proxies: u8) -> String {
        let request = TestRequest::default()
            .peer_addr("192.0.2.1:4711".parse().unwrap())
            .insert_header(("x-forwarded-for", forwarded))
            .to_srv_request();
        Client::of(&request, proxies).address().to_string()
    }

    #[test]
    fn a_forwarding_header_is_believed_only_from_proxies_of_ours() {
        assert_eq!(client("203.0.113.9", 0), "192.0.2.1");
        assert_eq!(client("203.0.113.9", 1), "203.0.113.9");
        assert_eq!(client("198.51.100.7, 203.0.113.9", 1), "203.0.113.9");
        assert_eq!(client("198.51.100.7, 203.0.113.9", 2), "198.51.100.7");
        assert_eq!(client("203.0.113.9", 2), "192.0.2.1");
        assert_eq!(client("nonsense", 1), "192.0.2.1");
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_one() {
        let network = |text: &str| Client(text.parse().unwrap()).network();
        assert_eq!(
            network("2001:db8:1:2:3::4"),
            network("2001:db8:1:2:ffff::1")
        );
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    }
}
