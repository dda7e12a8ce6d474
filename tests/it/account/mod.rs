//! Accounts as others see them: information, metadata, presence, and changes by an admin.

mod accounts;
mod bots;
mod metadata;
mod monitor;
mod people;
mod queries;
