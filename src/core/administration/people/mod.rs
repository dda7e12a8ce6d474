//! Administration of people: their import, their groups, what is kept of them, and its erasure.

mod erasure;
mod groups;
mod import;
mod personal_data;
