//! Connections: the listener, the TLS handshake and login, and the pump of a session's bytes.

pub(super) mod connection;
pub(super) mod entrance;
pub(super) mod listener;
pub(super) mod pump;
pub(super) mod shared;
pub(super) mod socket;
pub(super) mod threads;
