//! `parlour export` and `parlour import`: what moves between servers, and from other programs to a server.

pub mod export;
pub mod import;

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressStyle};

/// Names of the files of an export.
mod file_names {
    /// Version, time and counts of the export; written last, so that an export that broke off has none.
    pub const MANIFEST: &str = "manifest.json";
    pub const ACCOUNTS: &str = "accounts.jsonl";
    pub const CHANNELS: &str = "channels.jsonl";
    pub const MESSAGES: &str = "messages.jsonl";
    pub const FILES: &str = "files.jsonl";
    /// Folder of the contents of files, each under its SHA-256.
    pub const CONTENTS: &str = "files";
}

/// Format of an export, in its manifest.
const FORMAT: &str = "parlour-export";

/// Version of the format. A program reads exports of this version and of earlier ones.
const FORMAT_VERSION: u32 = 1;

/// Makes a bar on standard error, if that is a terminal, for `length` units; a spinner if that is not known.
fn progress_bar(length: Option<u64>, template: &str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
