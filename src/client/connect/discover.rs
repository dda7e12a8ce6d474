//! Servers that announce themselves on the local network (mDNS).
//!
//! Every announcement is hostile input, because anybody on the network can send one. So it is bounded and cleaned, and
//! serves only as a hint for an address; [`find`](super::find) has the server there prove its pin.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use mdns_sd::{IfKind, Receiver, ResolvedService, ServiceDaemon, ServiceEvent};
use tokio::time::{Instant, timeout_at};

use crate::client::clean::clean;
use crate::trust::announcement::{Announcement, SERVICE};
use crate::trust::{Address, Pin, Pins};

/// Limit of different announcements.
pub const MOST: usize = 64;

/// Limit of addresses in one announcement.
const ADDRESSES: usize = 8;

/// The announcement of a server. The texts are safe to show on a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The name of its network.
    pub name: String,
    /// The pin that it claims, without proof.
    pub pin: Pin,
    /// The previous pin that it claims.
    pub old: Option<Pin>,
    /// The version that it claims.
    pub version: Option<String>,
    /// The addresses that it claims, IPv4 first.
    pub addresses: Vec<Address>,
}

impl Heard {
    /// Parses an announcement. Returns `None` if it has no usable name or address.
    fn of(service: &ResolvedService) -> Option<Self> {
        let said = Announcement::from_txt(|key| service.get_property_val(key).flatten())?;
        let ips = service.addresses.iter().map(mdns_sd::ScopedIp::to_ip_addr);
        Self::new(said, ips, service.port)
    }

    /// Returns whether it claims to be the server with these pins.
    pub fn claims(&self, pins: Pins) -> bool {
        pins.contains(self.pin) || self.old.is_some_and(|old| pins.contains(old))
    }

    fn new(said: Announcement, ips: impl Iterator<Item = IpAddr>, port: u16) -> Option<Self> {
        let mut ips: Vec<IpAddr> =
            ips.map(|ip| ip.to_canonical()).filter(|ip| can_be_a_server(*ip)).collect();
        ips.sort_unstable();
        ips.dedup();
        ips.truncate(ADDRESSES);
        let addresses: Vec<_> =
            ips.iter().filter_map(|ip| Address::new(&ip.to_string(), port).ok()).collect();
        let name = clean(&said.name);
        if addresses.is_empty() || name.is_empty() {
            return None;
        }
        Some(Self { name, pin: said.pin, old: said.old, version: said.version, addresses })
    }
}

/// Returns whether this is the address of a single machine that others can reach. IPv6 link-local addresses are
/// excluded, because they need an interface.
fn can_be_a_server(ip: IpAddr) -> bool {
    match ip {
        _ if ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() => false,
        IpAddr::V4(ip) => ip != Ipv4Addr::BROADCAST,
        IpAddr::V6(ip) => !ip.is_unicast_link_local(),
    }
}

/// The error that mDNS cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("mDNS cannot be used: {0}")]
pub struct DiscoverError(#[from] mdns_sd::Error);

/// A listener for announcements, which also requests them. Dropping it ends that.
pub struct Ear {
    daemon: ServiceDaemon,
    events: Receiver<ServiceEvent>,
    heard: HashSet<String>,
}

impl Ear {
    /// Starts listening on all networks of this machine, and requests announcements.
    pub fn open() -> Result<Self, DiscoverError> {
        let daemon = ServiceDaemon::new()?;
        let shut = |error| {
            let _ = daemon.shutdown();
            DiscoverError(error)
        };
        daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6]).map_err(shut)?;
        let events = daemon.browse(SERVICE).map_err(shut)?;
        Ok(Self { daemon, events, heard: HashSet::new() })
    }

    /// Returns the next announcement, or one again with changed addresses. Returns `None` after [`MOST`] different
    /// ones, because then somebody forges them.
    pub async fn next(&mut self) -> Option<Heard> {
        loop {
            let ServiceEvent::ServiceResolved(service) = self.events.recv_async().await.ok()? else {
                continue;
            };
            if self.heard.len() >= MOST && !self.heard.contains(&service.fullname) {
                return None;
            }
            let heard = Heard::of(&service);
            // Unusable announcements count too.
            self.heard.insert(service.fullname);
            if heard.is_some() {
                return heard;
            }
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let _ = self.daemon.shutdown();
    }
}

/// Collects announcements for the given time, sorted by name. Those with the same name and pin become one.
pub async fn listen(wait: Duration) -> Result<Vec<Heard>, DiscoverError> {
    let deadline = Instant::now() + wait;
    let mut ear = Ear::open()?;
    let mut all: Vec<Heard> = Vec::new();
    while let Ok(Some(heard)) = timeout_at(deadline, ear.next()).await {
        merge(&mut all, heard);
    }
    all.sort_by(|a, b| (&a.name, a.pin.as_bytes()).cmp(&(&b.name, b.pin.as_bytes())));
    Ok(all)
}

fn merge(all: &mut Vec<Heard>, heard: Heard) {
    let Some(known) = all.iter_mut().find(|known| (&known.name, known.pin) == (&heard.name, heard.pin))
    else {
        return all.push(heard);
    };
    for address in heard.addresses {
        if known.addresses.len() < ADDRESSES && !known.addresses.contains(&address) {
            known.addresses.push(address);
        }
    }
}

/// Returns whether the client may search the local network. Set `PARLOUR_DISCOVERY=off` to forbid it.
pub fn allowed() -> bool {
    let off = |value: std::ffi::OsString| {
        ["off", "0", "no", "false"].iter().any(|off| value.eq_ignore_ascii_case(off))
    };
    !std::env::var_os("PARLOUR_DISCOVERY").is_some_and(off)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(name: &str) -> Announcement {
        Announcement { name: name.to_owned(), pin: Pin::new([7; 32]), old: None, version: None }
    }

    fn heard(name: &str, ips: &[&str]) -> Option<Heard> {
        Heard::new(said(name), ips.iter().map(|ip| ip.parse().expect(ip)), 6697)
    }

    fn listed(heard: &Heard) -> String {
        heard.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn announcements_are_bounded_and_sanitized() {
        let found = heard(
            "De\u{202e}n",
            &["fd00::7", "10.0.0.7", "127.0.0.1", "fe80::1", "::ffff:10.0.0.7", "ff02::1"],
        );
        let found = found.expect("taken");
        assert_eq!(found.name, "Den");
        assert_eq!(listed(&found), "10.0.0.7:6697, [fd00::7]:6697");
        assert_eq!(heard("\u{202e}", &["10.0.0.7"]), None);
        for nowhere in
            ["0.0.0.0", "255.255.255.255", "224.0.0.251", "::", "::1", "127.8.8.8", "::ffff:127.0.0.1"]
        {
            assert_eq!(heard("Den", &[nowhere]), None, "{nowhere}");
        }
        let many: Vec<String> = (0..99).map(|n| format!("10.0.0.{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(heard("Den", &many).expect("taken").addresses.len(), ADDRESSES);
        assert_eq!(Heard::new(said("Den"), ["10.0.0.7".parse().expect("an address")].into_iter(), 0), None);
    }

    #[test]
    fn announcements_of_same_server_merge() {
        let mut all = Vec::new();
        for ip in ["10.0.0.7", "10.0.0.8", "10.0.0.7"] {
            merge(&mut all, heard("Den", &[ip]).expect("taken"));
        }
        merge(&mut all, heard("Other", &["10.0.0.7"]).expect("taken"));
        let shown: Vec<_> = all.iter().map(|heard| (heard.name.as_str(), listed(heard))).collect();
        assert_eq!(
            shown,
            [("Den", "10.0.0.7:6697, 10.0.0.8:6697".into()), ("Other", "10.0.0.7:6697".into())]
        );
        for n in 0..99 {
            merge(&mut all, heard("Den", &[&format!("10.0.1.{n}")]).expect("taken"));
        }
        assert_eq!(all[0].addresses.len(), ADDRESSES);
    }

    #[test]
    fn server_in_rotation_matches_old_and_new_pin() {
        let [old, new, other] = [6, 7, 8].map(|byte| Pin::new([byte; 32]));
        let heard = Heard { old: Some(old), ..heard("Den", &["10.0.0.7"]).expect("taken") };
        assert!(heard.claims(old.into()) && heard.claims(new.into()) && !heard.claims(other.into()));
        assert!(heard.claims(Pins { pin: other, next: Some(new) }));
        assert!(!Heard { old: None, ..heard }.claims(old.into()));
    }

    proptest! {
        #[test]
        fn arbitrary_announcements_never_panic(name: String, ips: Vec<IpAddr>, port: u16) {
            let said = Announcement { name, ..said("x") };
            if let Some(heard) = Heard::new(said, ips.into_iter(), port) {
                prop_assert!(!heard.name.chars().any(crate::client::clean::acts));
                prop_assert!((1..=ADDRESSES).contains(&heard.addresses.len()));
            }
        }
    }
}
