//! Kinds of the network interfaces, from the kernel.

use std::collections::HashMap;

use crate::platform::types::InterfaceKind;

/// Returns the zone of an interface in a link-local address (RFC 4007, section 11), which is its name.
pub fn zone_of(name: &str, _index: u32) -> String {
    name.to_owned()
}

/// Returns the kinds of the interfaces by their indices, as far as the system tells them.
#[cfg(not(target_os = "linux"))]
pub fn link_kinds() -> HashMap<u32, InterfaceKind> {
    HashMap::new()
}

#[cfg(target_os = "linux")]
pub use linux::link_kinds;

#[cfg(target_os = "linux")]
mod linux {
    use std::io;

    use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
    use netlink_packet_route::RouteNetlinkMessage;
    use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo, LinkLayerType, LinkMessage};
    use netlink_sys::protocols::NETLINK_ROUTE;
    use netlink_sys::{Socket, SocketAddr};

    use super::{HashMap, InterfaceKind};

    /// Length of the fixed header of a netlink message, and the alignment of messages (`man 7 netlink`).
    const HEADER_BYTES: usize = 16;
    const ALIGNMENT: usize = 4;

    /// Size of the buffer for one piece of the answer; the kernel makes pieces of 32 KiB at most.
    const PIECE_BYTES: usize = 256 * 1024;

    /// Returns the kinds of the interfaces by their indices, as far as the kernel tells them. The files in `/sys` would tell
    /// those of another network namespace where they were not mounted anew.
    pub fn link_kinds() -> HashMap<u32, InterfaceKind> {
        read_kinds().unwrap_or_default()
    }

    fn read_kinds() -> io::Result<HashMap<u32, InterfaceKind>> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        let mut request = NetlinkMessage::from(RouteNetlinkMessage::GetLink(LinkMessage::default()));
        request.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        request.finalize();
        let mut bytes = vec![0; request.buffer_len()];
        request.serialize(&mut bytes);
        socket.send_to(&bytes, &SocketAddr::new(0, 0), 0)?;
        let mut kinds = HashMap::new();
        loop {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            let (read, _) = socket.recv_from(&mut piece, 0)?;
            if read == 0 || read_piece(&piece, &mut kinds) {
                return Ok(kinds);
            }
        }
    }

    /// Reads the messages of a piece. Returns whether it was the last one.
    fn read_piece(mut piece: &[u8], kinds: &mut HashMap<u32, InterfaceKind>) -> bool {
        while let Some(length) = piece.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes) as usize) {
            let Some(message) = piece.get(..length).filter(|_| length >= HEADER_BYTES) else { return true };
            // A message that this version of the crate does not understand costs one kind, not all of them.
            match NetlinkMessage::<RouteNetlinkMessage>::deserialize(message).map(|message| message.payload) {
                Ok(NetlinkPayload::Done(_) | NetlinkPayload::Error(_)) => return true,
                Ok(NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link))) => {
                    kinds.insert(link.header.index, kind_of(&link));
                }
                _ => {}
            }
            piece = piece.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
        }
        false
    }

    /// Returns the kind of a link. Devices of the hardware have no name of a kind.
    fn kind_of(link: &LinkMessage) -> InterfaceKind {
        let infos = link.attributes.iter().find_map(|attribute| match attribute {
            LinkAttribute::LinkInfo(infos) => Some(infos),
            _ => None,
        });
        let kind = infos.into_iter().flatten().find_map(|info| match info {
            LinkInfo::Kind(kind) => Some(kind),
            _ => None,
        });
        match kind {
            None if matches!(link.header.link_layer_type, LinkLayerType::None | LinkLayerType::Ppp) => {
                InterfaceKind::Tunnel
            }
            // These are the hardware under another name, or stand on the network of the hardware themselves.
            None
            | Some(
                InfoKind::Bond
                | InfoKind::Team
                | InfoKind::Vlan
                | InfoKind::MacVlan
                | InfoKind::MacVtap
                | InfoKind::IpVlan
                | InfoKind::IpVtap
                | InfoKind::MacSec
                | InfoKind::Dsa
                | InfoKind::Hsr
                | InfoKind::Ipoib
                | InfoKind::VirtWifi
                | InfoKind::Wwan
                | InfoKind::RmNet
                | InfoKind::BatAdv,
            ) => InterfaceKind::Hardware,
            Some(InfoKind::Bridge | InfoKind::Vrf) => InterfaceKind::Bridge,
            Some(
                InfoKind::Veth | InfoKind::Netkit | InfoKind::Dummy | InfoKind::Ifb | InfoKind::Netdevsim,
            ) => InterfaceKind::Virtual,
            Some(InfoKind::Other(name)) if name == "openvswitch" => InterfaceKind::Bridge,
            // Wireguard, tun and tap, IPsec, GRE and the like.
            Some(_) => InterfaceKind::Tunnel,
        }
    }
}
