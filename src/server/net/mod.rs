//! Connections: the listener, the TLS handshake and login, and the transfer of a session's bytes.

pub(super) mod client_stream;
pub(super) mod connection;
pub(super) mod context;
pub(super) mod handshake;
pub(super) mod listener;
pub(super) mod login;
pub(super) mod new_sessions;
pub(super) mod pre_login_runtime;
pub(super) mod session_io;
pub(super) mod socket;
mod tls;
