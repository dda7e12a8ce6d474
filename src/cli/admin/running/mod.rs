//! Commands that ask the running server about itself, or have it do something.

pub mod session;
