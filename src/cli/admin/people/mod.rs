//! `parlour user`: the accounts of people.

mod import;
mod passwords;
mod selection;
pub mod user;
