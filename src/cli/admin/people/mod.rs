//! `parlour user` and `parlour group`: the accounts of people, and groups of them.

pub mod cards;
pub mod group;
mod import;
mod passwords;
pub mod selection;
pub mod user;
