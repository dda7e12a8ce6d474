//! Kinds of the network interfaces, from the system.

use std::collections::HashMap;

use crate::platform::types::InterfaceKind;

/// Returns the zone of an interface in a link-local address (RFC 4007, section 11), which is its number.
pub fn zone_of(_name: &str, index: u32) -> String {
    index.to_string()
}

/// Returns the kinds of the interfaces by their indices. The types of Windows tell them already.
pub fn link_kinds() -> HashMap<u32, InterfaceKind> {
    HashMap::new()
}
