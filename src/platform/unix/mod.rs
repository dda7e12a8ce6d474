//! Unix: Linux, macOS and the BSDs. What only Linux has stands beside what the others have instead.

// In fuzz targets the sanitizer has an allocator of its own.
#[cfg(not(fuzzing))]
mod allocator;
pub mod clock;
pub mod control;
pub mod desktop;
pub mod files;
pub mod network_links;
pub mod process;
pub mod service;
pub mod service_manager;
pub mod signals;
pub mod stdio;
pub mod terminal;
