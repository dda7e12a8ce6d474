//! IO: the listener, connections and their pumps, the password pool, the hub that owns the chat.

pub mod advertise;
pub mod config;
