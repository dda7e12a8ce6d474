//! The local network: addresses for invites, and announcements by mDNS.

pub mod advertised_addresses;
pub mod mdns;
