//! The integration tests, one binary so that they link once.

mod admin_cli;
mod architecture;
mod certs_cli;
mod golden;
mod handshakes;
