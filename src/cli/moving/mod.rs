//! `parlour export` and `parlour import`: what moves between servers, and from other programs to a server.

pub mod export;
pub mod import;

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::progress::when_stopped;

/// Names of the files of an export.
mod file_names {
    /// Version, time and counts of the export; written last, so that an export that broke off has none.
    pub const MANIFEST: &str = "manifest.json";
    pub const ACCOUNTS: &str = "accounts.jsonl";
    pub const CHANNELS: &str = "channels.jsonl";
    pub const MESSAGES: &str = "messages.jsonl";
    pub const FILES: &str = "files.jsonl";
    /// Empty, and there until the export is complete.
    pub const UNFINISHED: &str = "unfinished";
    /// Folder of the contents of files, each under its SHA-256.
    pub const CONTENTS: &str = "files";
}

/// Format of an export, in its manifest.
const FORMAT: &str = "parlour-export";

/// Version of the format. A program reads exports of this version and of earlier ones.
const FORMAT_VERSION: u32 = 1;

/// Ends the process at Ctrl-C and SIGTERM, with a line that says what to do. Each request to the server or to the database
/// is a transaction, so nothing of it is half done.
fn end_when_stopped(bar: &ProgressBar, what_to_do: String) {
    let bar = bar.clone();
    when_stopped(move || {
        bar.finish_and_clear();
        note!("parlour: {what_to_do}");
        std::process::exit(1);
    });
}

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
