//! Commands of the client: the chat, joining a server, known servers, devices.

pub mod chat;
pub mod config;
pub mod device;
pub mod discover;
pub mod echo;
pub mod join;
pub mod login;
pub mod logout;
pub mod servers;
pub mod web;
