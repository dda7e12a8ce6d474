//! Parts of the state: accounts, channels, their lists and metadata, invites, files, hooks, access tokens, audiences, send ids.

pub mod access_tokens;
pub mod accounts;
pub mod audience;
pub mod channel;
pub mod daily_usage;
pub mod files;
pub mod groups;
pub mod hooks;
pub mod invites;
pub mod mask_lists;
pub mod metadata;
pub mod permission_level;
pub mod send_ids;
