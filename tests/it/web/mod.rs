//! HTTP: the page, `parlour web`, files, hooks, reading by programs, and what browsers and those who pose as one may send.

mod api;
pub mod browser;
pub mod files;
mod hooks;
mod local;
mod local_files;
mod other_clients;
mod outgoing;
mod phone;
mod programs;
mod requests;
mod resumable;
mod server;
