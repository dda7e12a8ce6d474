//! Queries for the accounts that are online and for facts about the server.

pub mod audit;
pub mod isupport;
pub mod lusers;
pub mod monitor;
pub mod motd;
pub mod ping;
pub mod presence;
pub mod server_info;
pub mod version;
pub mod who;
pub mod whois;
