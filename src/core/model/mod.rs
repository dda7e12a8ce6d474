//! Parts of the state: accounts, channels, their lists and metadata, audiences, send ids.

pub mod audience;
pub mod channel;
pub mod lists;
pub mod metadata;
pub mod people;
pub mod power;
pub mod sends;
