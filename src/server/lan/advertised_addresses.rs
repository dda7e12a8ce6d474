//! Addresses that invites carry, taken when an invite is made: laptops change networks, and cables come late.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::task::spawn_blocking;

use crate::platform::network::{self, Interface, InterfaceKind};
use crate::trust::{Address, certs};

/// Maximum count of addresses beside those of the configuration. A machine with many interfaces should not make a link that
/// is too long to paste.
const MAX_DETECTED: usize = 8;

/// Time limit for the look-up of the machine's own name. Without a network it may take much longer, for nothing.
const NAME_TIMEOUT: Duration = Duration::from_secs(2);

/// The addresses of a server, read anew for each invite.
#[derive(Clone, Debug)]
pub struct AdvertisedAddresses {
    configured: Arc<[Address]>,
    bound: Arc<[SocketAddr]>,
}

impl AdvertisedAddresses {
    /// Makes the addresses of a server that is configured to advertise some and that listens on `bound`.
    pub fn new(configured: &[Address], bound: &[SocketAddr]) -> Self {
        Self { configured: configured.into(), bound: bound.into() }
    }

    /// Returns the addresses under which the server can be reached, the likeliest first, as `rank_addresses` orders them.
    /// Blocks for up to two seconds.
    pub fn read(&self) -> Vec<Address> {
        let interfaces = network::interfaces();
        let host_name = certs::host_name().map(|name| (resolve(&name), name));
        let host_name = host_name.as_ref().map(|(resolved, name)| HostName { name, resolved });
        rank_addresses(&self.configured, &self.bound, &interfaces, host_name)
    }

    /// Returns the addresses as [`read`](Self::read) does, without blocking.
    pub async fn current(&self) -> Vec<Address> {
        let own = self.clone();
        spawn_blocking(move || own.read()).await.unwrap_or_else(|_| self.configured.to_vec())
    }

    /// Returns the URL of the likeliest address, without a path. URLs have no zones.
    pub async fn http_url(&self) -> Option<String> {
        let likeliest = self.current().await.into_iter().find(|address| address.zone().is_none())?;
        Some(format!("https://{likeliest}"))
    }
}

/// The machine's name with the addresses that it resolves to.
#[derive(Clone, Copy)]
struct HostName<'a> {
    name: &'a str,
    resolved: &'a [IpAddr],
}

/// Orders the addresses of a server on this machine:
///
/// 1. those of the configuration,
/// 2. the machine's name, if it resolves to an address of this machine that is not its loopback,
/// 3. the addresses of interfaces with a default route that are no tunnels,
/// 4. those of other hardware; in a container, which has none, those of its other links,
/// 5. if there are none of these: link-local ones, then those of bridges and tunnels,
/// 6. if nothing at all is there: the loopback's, for clients on this machine.
///
/// Only addresses that the server listens on count. Of an interface IPv4 comes first.
fn rank_addresses(
    configured: &[Address],
    bound: &[SocketAddr],
    interfaces: &[Interface],
    host_name: Option<HostName>,
) -> Vec<Address> {
    let mut ranked = Ranked { bound, addresses: configured.to_vec() };
    let own = |ip: &IpAddr| interfaces.iter().any(|interface| interface.addresses.contains(ip));
    if let Some(HostName { name, resolved }) = host_name
        && let Some(port) = resolved.iter().filter(|ip| own(ip)).find_map(|ip| ranked.port_of(*ip))
    {
        ranked.add(name, port);
    }
    let has_hardware = interfaces.iter().any(|interface| {
        interface.kind == InterfaceKind::Hardware && interface.addresses.iter().any(|ip| !is_link_local(*ip))
    });
    let is_real = |interface: &&Interface| match interface.kind {
        InterfaceKind::Hardware => true,
        InterfaceKind::Virtual => interface.has_default_route || !has_hardware,
        // The bridge of a machine whose guests share its network.
        InterfaceKind::Bridge => interface.has_default_route,
        InterfaceKind::Tunnel => false,
    };
    let (mut real, others): (Vec<&Interface>, Vec<&Interface>) = interfaces.iter().partition(is_real);
    real.sort_by_key(|interface| !interface.has_default_route);
    let named = ranked.addresses.len();
    ranked.add_all(&real, |ip| !is_link_local(ip));
    // Addresses that an interface gets later, or that a balancer gives to several machines.
    let later = bound.iter().filter(|socket| !socket.ip().is_unspecified() && !socket.ip().is_loopback());
    later.filter(|socket| !own(&socket.ip())).for_each(|socket| {
        ranked.add(&socket.ip().to_string(), socket.port());
    });
    // The machine's own name may lead here for this machine alone.
    if configured.is_empty() && ranked.addresses.len() == named {
        ranked.add_all(&real, is_link_local);
        ranked.add_all(&others, |ip| !is_link_local(ip));
    }
    if ranked.addresses.is_empty() {
        ranked.add_all(&others, is_link_local);
    }
    if ranked.addresses.is_empty() {
        let on_loopback = bound.iter().filter(|socket| socket.ip().is_loopback()).map(SocketAddr::ip);
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        for ip in on_loopback.chain(loopback) {
            if let Some(port) = ranked.port_of(ip) {
                ranked.add(&ip.to_string(), port);
            }
        }
    }
    ranked.addresses.truncate(MAX_DETECTED.max(configured.len()));
    ranked.addresses
}

/// Addresses in their order, each once.
struct Ranked<'a> {
    bound: &'a [SocketAddr],
    addresses: Vec<Address>,
}

impl Ranked<'_> {
    /// Returns the port of the socket that an address of this machine leads to.
    fn port_of(&self, ip: IpAddr) -> Option<u16> {
        let exact = self.bound.iter().find(|socket| socket.ip() == ip);
        let any = || {
            self.bound.iter().find(|socket| socket.ip().is_unspecified() && socket.is_ipv4() == ip.is_ipv4())
        };
        exact.or_else(any).map(SocketAddr::port)
    }

    fn add(&mut self, host: &str, port: u16) {
        // Port 0 has not been chosen yet.
        if let Ok(address) = Address::new(host, port)
            && !self.addresses.contains(&address)
        {
            self.addresses.push(address);
        }
    }

    fn add_all(&mut self, interfaces: &[&Interface], is_wanted: impl Fn(IpAddr) -> bool) {
        for interface in interfaces {
            for ip in interface.addresses.iter().copied().filter(|ip| is_wanted(*ip)) {
                let Some(port) = self.port_of(ip) else { continue };
                match ip {
                    IpAddr::V6(v6) if v6.is_unicast_link_local() => {
                        self.add(&format!("{v6}%{}", interface.zone), port);
                    }
                    ip => self.add(&ip.to_string(), port),
                }
            }
        }
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// Returns the addresses of a name, none if that takes too long.
fn resolve(name: &str) -> Vec<IpAddr> {
    let (sender, resolved) = mpsc::sync_channel(1);
    let name = name.to_owned();
    // The system's look-up has no time limit of its own; the thread ends with it.
    let look_up = move || {
        let found = (&*name, 0).to_socket_addrs().map(|found| found.map(|socket| socket.ip()).collect());
        let _ = sender.send(found.unwrap_or_default());
    };
    let started = thread::Builder::new().name("own-name".to_owned()).spawn(look_up);
    started.ok().and_then(|_| resolved.recv_timeout(NAME_TIMEOUT).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(index: u32, zone: &str, kind: InterfaceKind, addresses: &[&str]) -> Interface {
        let addresses = addresses.iter().map(|text| text.parse().expect(text)).collect();
        let (zone, has_default_route) = match zone.strip_suffix('*') {
            Some(zone) => (zone, true),
            None => (zone, false),
        };
        Interface { index, zone: zone.to_owned(), kind, has_default_route, addresses }
    }

    fn hardware(zone: &str, addresses: &[&str]) -> Interface {
        interface(2, zone, InterfaceKind::Hardware, addresses)
    }

    fn bridge(zone: &str, addresses: &[&str]) -> Interface {
        interface(3, zone, InterfaceKind::Bridge, addresses)
    }

    fn tunnel(zone: &str, addresses: &[&str]) -> Interface {
        interface(4, zone, InterfaceKind::Tunnel, addresses)
    }

    fn link(zone: &str, addresses: &[&str]) -> Interface {
        interface(5, zone, InterfaceKind::Virtual, addresses)
    }

    const ALL: &[&str] = &["0.0.0.0:1", "[::]:1"];

    /// The addresses of a server on a machine whose name `den` resolves to `resolved`.
    fn ranked(
        configured: &[&str],
        bound: &[&str],
        interfaces: &[Interface],
        resolved: &[&str],
    ) -> Vec<String> {
        let configured: Vec<Address> = configured.iter().map(|text| text.parse().expect(text)).collect();
        let bound: Vec<SocketAddr> = bound.iter().map(|text| text.parse().expect(text)).collect();
        let resolved: Vec<IpAddr> = resolved.iter().map(|text| text.parse().expect(text)).collect();
        let name = HostName { name: "den", resolved: &resolved };
        rank_addresses(&configured, &bound, interfaces, Some(name)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_order_is_by_reachability() {
        let machine = [
            hardware("eth0", &["192.0.2.7", "2001:db8::7", "fe80::7"]),
            hardware("wlan0*", &["198.51.100.7", "fe80::8"]),
            bridge("docker0", &["172.17.0.1", "fe80::9"]),
            tunnel("wg0*", &["10.8.0.1"]),
            link("ve-guest", &["10.0.3.1"]),
        ];
        let own = ["198.51.100.7:1", "192.0.2.7:1", "[2001:db8::7]:1"];
        assert_eq!(ranked(&[], ALL, &machine, &[]), own);
        // The name is worth something only where it leads here.
        assert_eq!(ranked(&[], ALL, &machine, &["127.0.1.1"]), own);
        assert_eq!(ranked(&[], ALL, &machine, &["203.0.113.1"]), own);
        let with_name = ["den:1", "198.51.100.7:1", "192.0.2.7:1", "[2001:db8::7]:1"];
        assert_eq!(ranked(&[], ALL, &machine, &["127.0.1.1", "192.0.2.7"]), with_name);
        let configured = ["chat.example:6697", "den:1", "198.51.100.7:1", "192.0.2.7:1", "[2001:db8::7]:1"];
        assert_eq!(ranked(&["chat.example"], ALL, &machine, &["192.0.2.7"]), configured);
    }

    #[test]
    fn containers_bridges_and_tunnels_count_where_they_are_all_there_is() {
        let container = [link("eth0*", &["172.17.0.2"]), link("eth1", &["172.18.0.2"])];
        assert_eq!(ranked(&[], ALL, &container, &[]), ["172.17.0.2:1", "172.18.0.2:1"]);
        let host_of_guests = [hardware("eth0", &["fe80::7"]), bridge("br0*", &["192.0.2.7"])];
        assert_eq!(ranked(&[], ALL, &host_of_guests, &[]), ["192.0.2.7:1"]);
        let cut_off = [bridge("docker0", &["172.17.0.1"]), tunnel("wg0*", &["10.8.0.1"])];
        assert_eq!(ranked(&[], ALL, &cut_off, &[]), ["172.17.0.1:1", "10.8.0.1:1"]);
        assert_eq!(ranked(&["a.example"], ALL, &cut_off, &[]), ["a.example:6697"]);
    }

    #[test]
    fn link_local_addresses_have_a_zone_and_come_where_no_others_are() {
        let cable = [hardware("eth0", &["169.254.1.2", "fe80::7"]), bridge("docker0", &["172.17.0.1"])];
        let wanted = ["169.254.1.2:1", "[fe80::7%eth0]:1", "172.17.0.1:1"];
        assert_eq!(ranked(&[], ALL, &cable, &[]), wanted);
        assert_eq!(ranked(&[], &["[::]:1"], &cable, &[]), ["[fe80::7%eth0]:1"]);
        assert_eq!(ranked(&[], ALL, &[bridge("br0", &["fe80::9"])], &[]), ["[fe80::9%br0]:1"]);
    }

    #[test]
    fn only_addresses_that_are_listened_on_are_advertised() {
        let machine = [hardware("eth0*", &["192.0.2.7", "2001:db8::7"]), hardware("eth1", &["198.51.100.7"])];
        assert_eq!(ranked(&[], &["[::]:1"], &machine, &["192.0.2.7"]), ["[2001:db8::7]:1"]);
        assert_eq!(ranked(&[], &["198.51.100.7:2"], &machine, &["192.0.2.7"]), ["198.51.100.7:2"]);
        assert_eq!(ranked(&[], &["198.51.100.7:2", "127.0.0.1:3"], &machine, &[]), ["198.51.100.7:2"]);
        assert_eq!(ranked(&[], &["203.0.113.9:2"], &machine, &[]), ["203.0.113.9:2"]);
        assert_eq!(
            ranked(&[], &["0.0.0.0:1", "198.51.100.7:2"], &machine, &[]),
            ["192.0.2.7:1", "198.51.100.7:2"]
        );
        assert_eq!(ranked(&[], &["0.0.0.0:0"], &machine, &[]), [""; 0]);
    }

    #[test]
    fn the_loopback_is_the_last_resort() {
        assert_eq!(ranked(&[], ALL, &[], &[]), ["127.0.0.1:1", "[::1]:1"]);
        assert_eq!(ranked(&[], &["127.0.0.1:2", "[::1]:3"], &[], &[]), ["127.0.0.1:2", "[::1]:3"]);
        let machine = [hardware("eth0*", &["192.0.2.7"])];
        assert_eq!(ranked(&[], &["127.0.0.5:2"], &machine, &["192.0.2.7"]), ["127.0.0.5:2"]);
        assert_eq!(ranked(&["a.example"], &["127.0.0.1:2"], &machine, &[]), ["a.example:6697"]);
    }

    #[test]
    fn advertised_addresses_are_limited() {
        let many: Vec<String> = (0..99).map(|n| format!("192.0.2.{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(ranked(&[], ALL, &[hardware("eth0", &many)], &[]).len(), MAX_DETECTED);
        let configured: Vec<String> = (0..16).map(|n| format!("a{n}.example")).collect();
        let configured: Vec<&str> = configured.iter().map(String::as_str).collect();
        assert_eq!(ranked(&configured, ALL, &[hardware("eth0", &many)], &[]).len(), 16);
    }
}
