//! What is wrong with a configuration file, and where.

use std::io;
use std::path::PathBuf;

/// Why a configuration file was refused: one line that says where and what.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {}: {reason}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says. Not a `source`, which would be printed twice.
        reason: io::Error,
    },
    /// It says something that cannot be.
    #[error("{}, line {line}: {what}", file.display())]
    Mistake {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
}

/// A mistake and the byte at which it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub at: usize,
    pub what: String,
}

impl Mistake {
    /// The line, from 1.
    pub fn line(&self, text: &str) -> usize {
        text.bytes().take(self.at).filter(|&byte| byte == b'\n').count() + 1
    }

    /// A mistake in a value, with the key that it belongs to.
    pub fn in_value(error: toml::de::Error, text: &str) -> Self {
        let mut mistake = Self::from(error);
        if let Some(key) = key_before(text, mistake.at) {
            mistake.what = format!("`{key}`: {}", mistake.what);
        }
        mistake
    }
}

/// The key of the value that stands there, as far as can be seen without parsing.
fn key_before(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?.trim_end().strip_suffix('=')?;
    Some(before.rsplit(['{', ',', '\n']).next()?.trim()).filter(|key| !key.is_empty())
}

impl From<toml::de::Error> for Mistake {
    fn from(error: toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        // Syntax errors say what was expected in a second line.
        Self { at, what: error.message().trim().replace('\n', ", ") }
    }
}
