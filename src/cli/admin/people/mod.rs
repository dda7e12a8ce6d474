//! `parlour user` and `parlour group`: the accounts of people, and groups of them.

pub mod cards;
mod erase;
mod export;
pub mod group;
mod import;
mod messages;
mod passwords;
pub mod selection;
pub mod user;
