//! Connections: TLS, framing, and the limits that apply to all of them.

mod before_login;
mod budgets;
mod handshakes;
mod limits;
mod lines;
mod transport;
