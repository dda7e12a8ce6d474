//! Connections of one address, which are bounded.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// How many connections there are from each address.
#[derive(Debug)]
pub(super) struct Addresses {
    most: u32,
    counts: Mutex<HashMap<IpAddr, u32>>,
}

/// A connection's place among those of its address; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    /// At most `most` connections from an address, 0 for no limit.
    pub fn new(most: u32) -> Arc<Self> {
        Arc::new(Self { most, counts: Mutex::default() })
    }

    /// A place for one more connection, if there is room.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = group(address);
        let mut counts = self.counts.lock();
        let count = counts.entry(address).or_default();
        if self.most > 0 && *count >= self.most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Place { addresses: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.addresses.counts.lock();
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: of IPv6 the /64 that one subscriber has to himself.
pub(super) fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let addresses = Addresses::new(2);
        let one = addresses.enter([10, 0, 0, 1].into());
        let two = addresses.enter([10, 0, 0, 1].into());
        assert!(one.is_some() && two.is_some());
        assert!(addresses.enter([10, 0, 0, 1].into()).is_none());
        assert!(addresses.enter([10, 0, 0, 2].into()).is_some());
        drop(one);
        assert!(addresses.enter([10, 0, 0, 1].into()).is_some());
        drop(two);
        assert!(addresses.counts.lock().is_empty());
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let group = |text: &str| group(text.parse().expect(text));
        assert_eq!(group("2001:db8:1:2::3"), group("2001:db8:1:2:ffff::4"));
        assert_ne!(group("2001:db8:1:2::3"), group("2001:db8:1:3::3"));
        assert_eq!(group("::ffff:10.0.0.1"), group("10.0.0.1"));
    }
}
