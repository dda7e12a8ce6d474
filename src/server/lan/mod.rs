//! The local network: addresses for invites, and announcements by mDNS.

pub mod advertise;
pub mod announce;
