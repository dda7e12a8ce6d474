//! Connections: TLS, framing, and the limits that apply to all of them.

mod budgets;
mod handshakes;
mod limits;
mod lines;
mod strangers;
mod transport;
