//! The database file: opening, locking, migrating, and the checks of a data folder.

pub(super) mod folder;
pub(super) mod free_space;
pub(super) mod generation;
pub(super) mod lock;
pub(super) mod open_files;
pub(super) mod position;
pub(super) mod readers;
pub(super) mod repair;
pub(super) mod schema;
pub(super) mod written_by;
