//! The integration tests, one binary so that they link once: the real server, real TLS, real sockets.

mod accounts;
mod admin_cli;
mod architecture;
mod certs_cli;
mod channels;
mod client;
mod client_cli;
mod common;
mod crash;
mod golden;
mod handshakes;
mod invites;
mod labels;
mod lifecycle;
mod limits;
mod lines;
mod login;
mod messages;
mod queries;
mod refusals;
mod sessions;
mod startup;
mod storage;
mod transport;
mod vectors;
