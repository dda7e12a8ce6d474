//! The integration tests, one binary so that they link once: the real server, real TLS, real sockets.

mod account;
mod architecture;
mod auth;
mod backup;
mod channel;
mod cli;
mod client;
mod connection;
mod documentation;
mod load;
mod message;
mod parsers;
mod server;
mod session;
mod support;
mod web;
