//! Addresses that invites carry if the configuration names none.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::trust::{Address, certs};

/// Maximum count of addresses that are detected. A machine with many interfaces should not make a link that is too long
/// to paste.
const MAX_DETECTED: usize = 8;

/// Returns the addresses under which a server that listens on `bound` can be reached.
///
/// For a socket on every address these are the machine's own, IPv4 first, with the host name between the families: in
/// most small networks names do not resolve, and IPv4 works. A machine without a network advertises its loopback
/// addresses.
pub fn advertised_addresses(configured: &[Address], bound: &[SocketAddr]) -> Vec<Address> {
    if !configured.is_empty() {
        return configured.to_vec();
    }
    detect_addresses(bound, &certs::machine_addresses(), certs::host_name().as_deref())
}

fn detect_addresses(
    bound: &[SocketAddr],
    machine_addresses: &[IpAddr],
    host_name: Option<&str>,
) -> Vec<Address> {
    let mut addresses: Vec<Address> = Vec::new();
    let mut add = |host: &str, port| {
        if let Ok(address) = Address::new(host, port)
            && !addresses.contains(&address)
        {
            addresses.push(address);
        }
    };
    let unspecified_socket = |v4: bool| bound.iter().find(|a| a.ip().is_unspecified() && a.is_ipv4() == v4);
    for address in bound.iter().filter(|address| !address.ip().is_unspecified()) {
        add(&address.ip().to_string(), address.port());
    }
    if let Some(socket) = unspecified_socket(true) {
        machine_addresses.iter().filter(|ip| ip.is_ipv4()).for_each(|ip| add(&ip.to_string(), socket.port()));
    }
    if let Some(socket) = unspecified_socket(true).or(unspecified_socket(false)) {
        if let Some(name) = host_name {
            add(name, socket.port());
        }
        if machine_addresses.is_empty() {
            add(&Ipv4Addr::LOCALHOST.to_string(), socket.port());
        }
    }
    if let Some(socket) = unspecified_socket(false) {
        machine_addresses.iter().filter(|ip| ip.is_ipv6()).for_each(|ip| add(&ip.to_string(), socket.port()));
    }
    addresses.truncate(MAX_DETECTED);
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bound: &[&str], own: &[&str]) -> Vec<String> {
        let bound: Vec<SocketAddr> = bound.iter().map(|text| text.parse().expect(text)).collect();
        let own: Vec<IpAddr> = own.iter().map(|text| text.parse().expect(text)).collect();
        detect_addresses(&bound, &own, Some("den")).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn bound_addresses_are_advertised() {
        let own = ["192.0.2.7", "198.51.100.7", "2001:db8::7"];
        let all = ["192.0.2.7:1", "198.51.100.7:1", "den:1", "[2001:db8::7]:1"];
        assert_eq!(texts(&["0.0.0.0:1", "[::]:1"], &own), all);
        assert_eq!(texts(&["[::]:1"], &own), ["den:1", "[2001:db8::7]:1"]);
        assert_eq!(texts(&["127.0.0.1:2", "[::1]:3"], &own), ["127.0.0.1:2", "[::1]:3"]);
        assert_eq!(texts(&["0.0.0.0:1", "192.0.2.7:1"], &own), ["192.0.2.7:1", "198.51.100.7:1", "den:1"]);
        assert_eq!(texts(&["0.0.0.0:1"], &[]), ["den:1", "127.0.0.1:1"]);
        assert_eq!(texts(&["0.0.0.0:1"], &["192.0.2.7"; 20]).len(), 2);
    }

    #[test]
    fn configured_addresses_take_precedence() {
        let configured = ["chat.example.org".parse().expect("an address")];
        let bound = ["0.0.0.0:1".parse().expect("a socket")];
        assert_eq!(advertised_addresses(&configured, &bound), configured);
    }

    #[test]
    fn advertised_addresses_are_limited() {
        let many: Vec<String> = (0..99).map(|n| format!("192.0.2.{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(texts(&["0.0.0.0:1"], &many).len(), MAX_DETECTED);
    }
}
