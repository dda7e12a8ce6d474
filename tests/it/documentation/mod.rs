//! The documentation: its commands are run, its links lead somewhere, and what it names exists.

mod book;
mod commands;
mod names;
mod page;
mod scripting;
