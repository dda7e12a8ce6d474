//! Parlour's own client against the real server.

mod chat;
mod client_cli;
mod client_devices;
mod dialling;
mod discovery;
mod file_scripts;
mod joining;
mod pictures;
mod rotation;
mod script_accounts;
mod scripts;
mod terminal;
