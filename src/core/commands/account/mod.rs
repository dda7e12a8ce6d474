//! Commands about the own account, the administration and metadata.

pub mod away;
pub mod files;
pub mod invites;
pub mod metadata;
pub mod nick;
pub mod operator;
pub(super) mod reply_form;
pub mod services;
pub mod setname;
