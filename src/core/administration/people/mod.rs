//! Administration of people: their import and their groups.

mod groups;
mod import;
