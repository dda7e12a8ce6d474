//! Errors in a configuration file, with their location.

use std::io;
use std::path::PathBuf;

/// Error of loading a configuration file: one line with the location and the reason.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {reason}", file.display())]
    Read {
        /// The file that cannot be read.
        file: PathBuf,
        /// The system's error. Not a `source`, because it would be printed twice.
        reason: io::Error,
    },
    /// A key or a value is wrong.
    #[error("{}, line {line}: {what}", file.display())]
    Invalid {
        /// The configuration file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// Description of the error.
        what: String,
    },
}

/// An error and its byte offset in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LocatedError {
    pub offset: usize,
    pub message: String,
}

impl LocatedError {
    /// Returns the line, counted from 1.
    pub fn line(&self, text: &str) -> usize {
        text.bytes().take(self.offset).filter(|&byte| byte == b'\n').count() + 1
    }

    /// Makes an error about a value, with the key that it belongs to.
    pub fn from_value_error(error: toml::de::Error, text: &str) -> Self {
        let mut mistake = Self::from(error);
        if let Some(key) = key_before(text, mistake.offset) {
            mistake.message = format!("`{key}`: {}", mistake.message);
        }
        mistake
    }
}

/// Returns the key of the value at `at`, as far as can be seen without parsing.
fn key_before(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?.trim_end().strip_suffix('=')?;
    Some(before.rsplit(['{', ',', '\n']).next()?.trim()).filter(|key| !key.is_empty())
}

impl From<toml::de::Error> for LocatedError {
    fn from(error: toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        // Syntax errors have a second line with what was expected.
        Self { offset: at, message: error.message().trim().replace('\n', ", ") }
    }
}
