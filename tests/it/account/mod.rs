//! Accounts as others see them: information, metadata, presence, and changes by an admin.

mod accounts;
mod metadata;
mod people;
mod queries;
