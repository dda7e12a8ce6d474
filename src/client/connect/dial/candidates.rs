//! The order in which sockets are tried.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;

/// Limit of sockets tried for one name: more than any machine has, and a bound on a name server's reply.
const MAX_SOCKETS_PER_NAME: usize = 8;

/// Sockets that were found and not tried yet.
///
/// They are returned in the order of the address list, which has the likeliest first, but alternating between IPv6 and
/// IPv4 while there are both ([RFC 8305 section 4](https://www.rfc-editor.org/rfc/rfc8305#section-4)). If one family
/// doesn't work at all, that costs one attempt before the other is tried.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// IPv4 and IPv6 sockets, in the order of the address list.
    by_family: [BTreeMap<SocketRank, SocketAddr>; 2],
    /// Family of the previous attempt, as an index of `by_family`.
    last_family: Option<usize>,
    seen: HashSet<SocketAddr>,
}

/// Rank of a socket among those of its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SocketRank {
    /// Index of the address in the list.
    address_index: usize,
    /// Index of the socket in the look-up of the address.
    socket_index: usize,
}

impl Candidates {
    /// Adds the sockets found for the address with index `address_index`.
    pub fn add(&mut self, address_index: usize, sockets: impl IntoIterator<Item = SocketAddr>) {
        for (socket_index, socket) in sockets.into_iter().take(MAX_SOCKETS_PER_NAME).enumerate() {
            // Two names may resolve to the same machine.
            if self.seen.insert(socket) {
                self.by_family[usize::from(socket.is_ipv6())]
                    .insert(SocketRank { address_index, socket_index }, socket);
            }
        }
    }

    /// Returns whether no socket is left.
    pub fn is_empty(&self) -> bool {
        self.by_family.iter().all(BTreeMap::is_empty)
    }

    /// Removes and returns the next socket to try, with the index of its address.
    pub fn next(&mut self) -> Option<(usize, SocketAddr)> {
        let family = match self.last_family {
            Some(last) => 1 - last,
            None => (0..2)
                .filter(|&n| !self.by_family[n].is_empty())
                .min_by_key(|&n| self.by_family[n].first_key_value().map(|(rank, _)| *rank))?,
        };
        let family = if self.by_family[family].is_empty() { 1 - family } else { family };
        let (SocketRank { address_index, .. }, socket) = self.by_family[family].pop_first()?;
        self.last_family = Some(family);
        Some((address_index, socket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sockets(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().expect(text)).collect()
    }

    fn order(candidates: &mut Candidates) -> Vec<String> {
        std::iter::from_fn(|| candidates.next()).map(|(index, socket)| format!("{index} {socket}")).collect()
    }

    #[test]
    fn address_families_alternate_in_list_order() {
        let mut candidates = Candidates::default();
        assert!(candidates.is_empty() && candidates.next().is_none());
        candidates.add(2, sockets(&["[::2]:1", "10.0.0.2:1", "[::3]:1"]));
        candidates.add(0, sockets(&["10.0.0.1:1"]));
        candidates.add(1, sockets(&["10.0.0.9:1"]));
        let expected = ["0 10.0.0.1:1", "2 [::2]:1", "1 10.0.0.9:1", "2 [::3]:1", "2 10.0.0.2:1"];
        assert_eq!(order(&mut candidates), expected);
        assert!(candidates.is_empty());
    }

    #[test]
    fn late_sockets_are_queued_and_duplicates_skipped() {
        let mut candidates = Candidates::default();
        candidates.add(1, sockets(&["10.0.0.1:1", "10.0.0.2:1"]));
        assert_eq!(candidates.next().map(|(index, _)| index), Some(1));
        candidates.add(0, sockets(&["[::1]:1", "10.0.0.1:1"]));
        assert_eq!(order(&mut candidates), ["0 [::1]:1", "1 10.0.0.2:1"]);
    }

    #[test]
    fn limits_sockets_per_host_name() {
        let mut candidates = Candidates::default();
        candidates.add(0, (1..=200).map(|n| SocketAddr::from(([10, 0, 0, n], 1))));
        assert_eq!(order(&mut candidates).len(), MAX_SOCKETS_PER_NAME);
    }
}
