//! What the server answers over HTTP, beside the page.

pub mod files;
