//! Servers that announce themselves on the local network (mDNS).
//!
//! Every announcement is hostile input, because anybody on the network can send one. So it is bounded and cleaned, and
//! serves only as a hint for an address; [`search`](super::search) has the server there prove its pin.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use mdns_sd::{IfKind, Receiver, ResolvedService, ServiceDaemon, ServiceEvent};
use tokio::time::{Instant, timeout_at};

use crate::client::text::clean::clean;
use crate::trust::announcement::{Announcement, SERVICE_TYPE};
use crate::trust::{Address, Pin, Pins};

/// Limit of different announcements.
pub const MAX_ANNOUNCEMENTS: usize = 64;

/// Limit of addresses in one announcement.
const MAX_ADDRESSES: usize = 8;

/// The announcement of a server. The texts are safe to show on a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncedServer {
    /// The name of its network.
    pub name: String,
    /// The pin that it claims, without proof.
    pub pin: Pin,
    /// The previous pin that it claims.
    pub old_pin: Option<Pin>,
    /// The version that it claims.
    pub version: Option<String>,
    /// The addresses that it claims, IPv4 first.
    pub addresses: Vec<Address>,
}

impl AnnouncedServer {
    /// Parses an announcement. Returns `None` if it has no usable name or address.
    fn from_service(service: &ResolvedService) -> Option<Self> {
        let announcement = Announcement::from_txt(|key| service.get_property_val(key).flatten())?;
        let ips = service.addresses.iter().map(mdns_sd::ScopedIp::to_ip_addr);
        Self::new(announcement, ips, service.port)
    }

    /// Returns whether it claims to be the server with these pins.
    pub fn claims_pin(&self, pins: Pins) -> bool {
        pins.contains(self.pin) || self.old_pin.is_some_and(|old| pins.contains(old))
    }

    fn new(announcement: Announcement, ips: impl Iterator<Item = IpAddr>, port: u16) -> Option<Self> {
        let mut ips: Vec<IpAddr> =
            ips.map(|ip| ip.to_canonical()).filter(|ip| is_usable_address(*ip)).collect();
        ips.sort_unstable();
        ips.dedup();
        ips.truncate(MAX_ADDRESSES);
        let addresses: Vec<_> =
            ips.iter().filter_map(|ip| Address::new(&ip.to_string(), port).ok()).collect();
        let name = clean(&announcement.name);
        if addresses.is_empty() || name.is_empty() {
            return None;
        }
        Some(Self {
            name,
            pin: announcement.pin,
            old_pin: announcement.old_pin,
            version: announcement.version,
            addresses,
        })
    }
}

/// Returns whether this is the address of a single machine that others can reach. IPv6 link-local addresses are
/// excluded, because they need an interface.
fn is_usable_address(ip: IpAddr) -> bool {
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
pub struct AnnouncementListener {
    daemon: ServiceDaemon,
    events: Receiver<ServiceEvent>,
    seen_names: HashSet<String>,
}

impl AnnouncementListener {
    /// Starts listening on all networks of this machine, and requests announcements.
    pub fn open() -> Result<Self, DiscoverError> {
        let daemon = ServiceDaemon::new()?;
        let shut = |error| {
            let _ = daemon.shutdown();
            DiscoverError(error)
        };
        daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6]).map_err(shut)?;
        let events = daemon.browse(SERVICE_TYPE).map_err(shut)?;
        Ok(Self { daemon, events, seen_names: HashSet::new() })
    }

    /// Returns the next announcement, or one again with changed addresses. Returns `None` after [`MAX_ANNOUNCEMENTS`] different
    /// ones, because then somebody forges them.
    pub async fn next_server(&mut self) -> Option<AnnouncedServer> {
        loop {
            let ServiceEvent::ServiceResolved(service) = self.events.recv_async().await.ok()? else {
                continue;
            };
            if self.seen_names.len() >= MAX_ANNOUNCEMENTS && !self.seen_names.contains(&service.fullname) {
                return None;
            }
            let server = AnnouncedServer::from_service(&service);
            // Unusable announcements count too.
            self.seen_names.insert(service.fullname);
            if server.is_some() {
                return server;
            }
        }
    }
}

impl Drop for AnnouncementListener {
    fn drop(&mut self) {
        let _ = self.daemon.shutdown();
    }
}

/// Collects announcements for the given time, sorted by name. Those with the same name and pin become one.
pub async fn collect_announcements(wait: Duration) -> Result<Vec<AnnouncedServer>, DiscoverError> {
    let deadline = Instant::now() + wait;
    let mut ear = AnnouncementListener::open()?;
    let mut all: Vec<AnnouncedServer> = Vec::new();
    while let Ok(Some(server)) = timeout_at(deadline, ear.next_server()).await {
        merge_announcement(&mut all, server);
    }
    all.sort_by(|a, b| (&a.name, a.pin.as_bytes()).cmp(&(&b.name, b.pin.as_bytes())));
    Ok(all)
}

fn merge_announcement(all: &mut Vec<AnnouncedServer>, server: AnnouncedServer) {
    let Some(known) = all.iter_mut().find(|known| (&known.name, known.pin) == (&server.name, server.pin))
    else {
        return all.push(server);
    };
    for address in server.addresses {
        if known.addresses.len() < MAX_ADDRESSES && !known.addresses.contains(&address) {
            known.addresses.push(address);
        }
    }
}

/// Returns whether the client may search the local network. Set `PARLOUR_DISCOVERY=off` to forbid it.
pub fn is_allowed() -> bool {
    let off = |value: std::ffi::OsString| {
        ["off", "0", "no", "false"].iter().any(|off| value.eq_ignore_ascii_case(off))
    };
    !std::env::var_os("PARLOUR_DISCOVERY").is_some_and(off)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn announcement(name: &str) -> Announcement {
        Announcement { name: name.to_owned(), pin: Pin::new([7; 32]), old_pin: None, version: None }
    }

    fn announced_server(name: &str, ips: &[&str]) -> Option<AnnouncedServer> {
        AnnouncedServer::new(announcement(name), ips.iter().map(|ip| ip.parse().expect(ip)), 6697)
    }

    fn addresses_of(announced: &AnnouncedServer) -> String {
        announced.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn announcements_are_bounded_and_sanitized() {
        let found = announced_server(
            "De\u{202e}n",
            &["fd00::7", "10.0.0.7", "127.0.0.1", "fe80::1", "::ffff:10.0.0.7", "ff02::1"],
        );
        let found = found.expect("taken");
        assert_eq!(found.name, "Den");
        assert_eq!(addresses_of(&found), "10.0.0.7:6697, [fd00::7]:6697");
        assert_eq!(announced_server("\u{202e}", &["10.0.0.7"]), None);
        for nowhere in
            ["0.0.0.0", "255.255.255.255", "224.0.0.251", "::", "::1", "127.8.8.8", "::ffff:127.0.0.1"]
        {
            assert_eq!(announced_server("Den", &[nowhere]), None, "{nowhere}");
        }
        let many: Vec<String> = (0..99).map(|n| format!("10.0.0.{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(announced_server("Den", &many).expect("taken").addresses.len(), MAX_ADDRESSES);
        assert_eq!(
            AnnouncedServer::new(
                announcement("Den"),
                ["10.0.0.7".parse().expect("an address")].into_iter(),
                0
            ),
            None
        );
    }

    #[test]
    fn announcements_of_same_server_merge() {
        let mut all = Vec::new();
        for ip in ["10.0.0.7", "10.0.0.8", "10.0.0.7"] {
            merge_announcement(&mut all, announced_server("Den", &[ip]).expect("taken"));
        }
        merge_announcement(&mut all, announced_server("Other", &["10.0.0.7"]).expect("taken"));
        let shown: Vec<_> =
            all.iter().map(|announced| (announced.name.as_str(), addresses_of(announced))).collect();
        assert_eq!(
            shown,
            [("Den", "10.0.0.7:6697, 10.0.0.8:6697".into()), ("Other", "10.0.0.7:6697".into())]
        );
        for n in 0..99 {
            merge_announcement(&mut all, announced_server("Den", &[&format!("10.0.1.{n}")]).expect("taken"));
        }
        assert_eq!(all[0].addresses.len(), MAX_ADDRESSES);
    }

    #[test]
    fn server_in_rotation_matches_old_and_new_pin() {
        let [old, new, other] = [6, 7, 8].map(|byte| Pin::new([byte; 32]));
        let announced =
            AnnouncedServer { old_pin: Some(old), ..announced_server("Den", &["10.0.0.7"]).expect("taken") };
        assert!(
            announced.claims_pin(old.into())
                && announced.claims_pin(new.into())
                && !announced.claims_pin(other.into())
        );
        assert!(announced.claims_pin(Pins { current: other, next: Some(new) }));
        assert!(!AnnouncedServer { old_pin: None, ..announced }.claims_pin(old.into()));
    }

    proptest! {
        #[test]
        fn arbitrary_announcements_never_panic(name: String, ips: Vec<IpAddr>, port: u16) {
            let announcement = Announcement { name, ..announcement("x") };
            if let Some(announced) = AnnouncedServer::new(announcement, ips.into_iter(), port) {
                prop_assert!(!announced.name.chars().any(crate::client::text::clean::is_terminal_control));
                prop_assert!((1..=MAX_ADDRESSES).contains(&announced.addresses.len()));
            }
        }
    }
}
