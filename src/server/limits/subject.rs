//! The subject of a limit: what counts as one address.
//!
//! An IPv6 customer has at least a /64 and picks addresses in it at will, so the prefix counts. On the server's own
//! links the reverse holds: all machines there share one prefix, and one of them must not use up the share of the
//! others.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use if_addrs::IfAddr;
use parking_lot::Mutex;
use tracing::debug;

/// An address, or the IPv6 prefix of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An IPv4 address, or an IPv6 address that is private or on a link of this machine.
    Address(IpAddr),
    /// The first 64 bits of any other IPv6 address.
    Prefix(u64),
}

/// IPv6 prefix of a link of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    network: u128,
    mask: u128,
}

/// Finds the subject of an address. Caches the links of this machine for a minute.
#[derive(Debug, Default)]
pub struct SubjectResolver {
    links: Mutex<Option<(Instant, Vec<Link>)>>,
}

/// Time after which the machine's interfaces are read again.
const LINKS_CACHE_TIME: Duration = Duration::from_mins(1);

/// Minimum length of a link's prefix, in bits. An interface with a shorter one is a tunnel to everywhere, not a link.
const MIN_LINK_PREFIX_BITS: u8 = 48;

impl Subject {
    /// Returns the subject of an address for a machine with these links.
    pub fn from_address(address: IpAddr, links: &[Link]) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) if !is_private(v6) && !links.iter().any(|link| link.contains(v6)) => Self::Prefix(
                v6.octets().iter().take(8).fold(0, |prefix, byte| prefix << 8 | u64::from(*byte)),
            ),
            address => Self::Address(address),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Prefix(prefix) => write!(f, "{}/64", Ipv6Addr::from_bits(u128::from(*prefix) << 64)),
        }
    }
}

impl Link {
    /// Makes the link of an interface's address with a prefix of so many bits. Returns `None` if it leads to no other
    /// machine, or to all of them.
    pub fn new(address: Ipv6Addr, bits: u8) -> Option<Self> {
        if !(MIN_LINK_PREFIX_BITS..128).contains(&bits) {
            return None;
        }
        let mask = u128::MAX << (128 - bits);
        Some(Self { network: address.to_bits() & mask, mask })
    }

    fn contains(self, address: Ipv6Addr) -> bool {
        address.to_bits() & self.mask == self.network
    }
}

impl SubjectResolver {
    /// Returns the subject of an address.
    pub fn resolve(&self, address: IpAddr) -> Subject {
        if address.to_canonical().is_ipv4() {
            return Subject::from_address(address, &[]);
        }
        let mut links = self.links.lock();
        let links = match &mut *links {
            Some((at, links)) if at.elapsed() < LINKS_CACHE_TIME => links,
            stale => &stale.insert((Instant::now(), read_links())).1,
        };
        Subject::from_address(address, links)
    }
}

/// Returns true for addresses that reach only this machine or its own site: loopback, link-local, unique local (RFC
/// 4193).
fn is_private(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unicast_link_local() || address.is_unique_local()
}

fn read_links() -> Vec<Link> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        debug!(%error, "cannot read the network interfaces");
        Vec::new()
    });
    let links = interfaces.into_iter().filter_map(|interface| match interface.addr {
        IfAddr::V6(v6) => Link::new(v6.ip, v6.prefixlen),
        IfAddr::V4(_) => None,
    });
    links.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(text: &str, links: &[Link]) -> Subject {
        Subject::from_address(text.parse().expect(text), links)
    }

    #[test]
    fn ipv6_prefix_is_one_subject() {
        assert_eq!(subject("2001:db8:1:2::3", &[]), subject("2001:db8:1:2:ffff::4", &[]));
        assert_ne!(subject("2001:db8:1:2::3", &[]), subject("2001:db8:1:3::3", &[]));
        assert_eq!(subject("2001:db8:1:2::3", &[]).to_string(), "2001:db8:1:2::/64");
    }

    #[test]
    fn addresses_on_local_links_are_separate_subjects() {
        let link = Link::new("2001:db8:1:2::1".parse().expect("an address"), 64).expect("a link");
        assert_ne!(subject("2001:db8:1:2::3", &[link]), subject("2001:db8:1:2::4", &[link]));
        assert_eq!(subject("2001:db8:1:3::3", &[link]), subject("2001:db8:1:3::4", &[link]));
        for (one, other) in [("fd00:1::3", "fd00:1::4"), ("fe80::3", "fe80::4"), ("10.0.0.3", "10.0.0.4")] {
            assert_ne!(subject(one, &[]), subject(other, &[]), "{one}");
        }
        assert_eq!(subject("2001:db8:1:2::3", &[link]).to_string(), "2001:db8:1:2::3");
    }

    #[test]
    fn ipv4_mapped_address_is_the_ipv4_address() {
        assert_eq!(subject("::ffff:10.0.0.1", &[]), subject("10.0.0.1", &[]));
        assert_eq!(
            SubjectResolver::default().resolve("::ffff:192.0.2.1".parse().expect("one")).to_string(),
            "192.0.2.1"
        );
    }

    #[test]
    fn short_prefix_is_no_link() {
        let address = "2001:db8::1".parse().expect("an address");
        assert_eq!([0, 16, 47, 128, 255].map(|bits| Link::new(address, bits)), [None; 5]);
        assert!(
            Link::new(address, 127).is_some_and(|link| !link.contains("2001:db8::2".parse().expect("one")))
        );
    }
}
