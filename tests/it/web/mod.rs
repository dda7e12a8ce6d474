//! HTTP: the page, `parlour web`, files, and what browsers and those who pose as one may send.

pub mod browser;
pub mod files;
mod local;
mod local_files;
mod phone;
mod requests;
mod resumable;
mod server;
