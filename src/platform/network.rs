//! The network interfaces of this machine, the same on every system but for what its own module knows.

use std::net::{IpAddr, Ipv6Addr};

use netdev::interface::types::InterfaceType;

use super::network_links::{link_kinds, zone_of};
pub use super::types::{Interface, InterfaceKind};

/// Returns the interfaces that are up, in the order of the system, without the loopback. Blocks for some milliseconds.
pub fn interfaces() -> Vec<Interface> {
    let kinds = link_kinds();
    let mut found: Vec<_> =
        netdev::get_interfaces().into_iter().filter(|found| found.is_up() && !found.is_loopback()).collect();
    found.sort_by_key(|interface| interface.index);
    let described = found.into_iter().map(|interface| {
        let kind = kinds.get(&interface.index).copied();
        let ipv6 = interface.ipv6.iter().enumerate().filter(|(at, _)| {
            let flags = interface.ipv6_addr_flags.get(*at).copied().unwrap_or_default();
            // A temporary address is for connections to others, and gone in a day (RFC 8981).
            !(flags.temporary || flags.deprecated || flags.tentative || flags.duplicated)
        });
        let ipv4 = interface.ipv4.iter().map(|net| IpAddr::V4(net.addr()));
        Interface {
            index: interface.index,
            zone: zone_of(&interface.name, interface.index),
            kind: kind.unwrap_or_else(|| kind_without_system(&interface)),
            has_default_route: interface.gateway.is_some() || interface.default,
            addresses: ipv4.chain(ipv6.map(|(_, net)| IpAddr::V6(net.addr()))).collect(),
        }
    });
    described.collect()
}

/// Returns the scope ids with which an IPv6 link-local address can be reached: the zone of that name first, if this
/// machine has it, because a zone has its name on one machine only and the address may come from another.
pub fn link_local_scopes(zone: Option<&str>) -> Vec<u32> {
    let mut on_links = interfaces();
    on_links.retain(|interface| interface.addresses.iter().copied().any(is_ipv6_link_local));
    on_links.sort_by_key(|interface| {
        (
            Some(&*interface.zone) != zone,
            interface.kind != InterfaceKind::Hardware,
            !interface.has_default_route,
        )
    });
    on_links.into_iter().map(|interface| interface.index).collect()
}

fn is_ipv6_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(ip) if Ipv6Addr::is_unicast_link_local(&ip))
}

/// Returns the kind by flags and types, for systems without other information.
fn kind_without_system(interface: &netdev::Interface) -> InterfaceKind {
    let is_tunnel_type = matches!(
        interface.if_type,
        InterfaceType::Tunnel | InterfaceType::Ppp | InterfaceType::Slip | InterfaceType::ProprietaryVirtual
    );
    if interface.if_type == InterfaceType::Bridge {
        InterfaceKind::Bridge
    } else if is_tunnel_type || interface.is_tun() {
        InterfaceKind::Tunnel
    } else if interface.is_physical() {
        InterfaceKind::Hardware
    } else {
        InterfaceKind::Virtual
    }
}
