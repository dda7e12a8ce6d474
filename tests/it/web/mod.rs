//! The page: `parlour web`, and what browsers and those who pose as one may send.

mod browser;
mod local;
mod phone;
mod requests;
mod server;
