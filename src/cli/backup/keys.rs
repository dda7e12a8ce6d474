//! Passphrases and identities that open backups.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use zeroize::Zeroizing;

use crate::backup::{
    BackupError, Key, KeyKind, MAX_PASSPHRASE_BYTES, MIN_PASSPHRASE_CHARACTERS, open_secret, read_identities,
    read_passphrase_file,
};
use crate::cli::access;
use crate::platform::terminal;

/// The options for what opens a backup.
#[derive(clap::Args)]
#[group(multiple = false)]
pub struct KeyOptions {
    /// The file of a secret key of age, as `age-keygen` writes it, for a backup that was made with --recipient.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Read the passphrase from the first line of standard input instead of prompting for it.
    #[arg(long)]
    passphrase_stdin: bool,
    /// Read the passphrase from the first line of this file.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl KeyOptions {
    /// Returns whether standard input has the passphrase.
    pub fn uses_stdin(&self) -> bool {
        self.passphrase_stdin
    }

    /// Returns what opens a backup that needs a key of this kind.
    pub fn key(&self, kind: KeyKind) -> Result<Key, BackupError> {
        self.find_key(kind).map_err(|error| BackupError::Key(format!("{error:#}")))
    }

    fn find_key(&self, kind: KeyKind) -> anyhow::Result<Key> {
        match kind {
            KeyKind::Identity => {
                let file = self.identity.as_deref().context(
                    "this backup was made for a key of age: name the file of the secret key with --identity",
                )?;
                let open = open_secret(file)?;
                read_identities(open).with_context(|| format!("cannot read {}", file.display()))
            }
            KeyKind::Passphrase => {
                let text = match (self.passphrase_stdin, &self.passphrase_file) {
                    (true, _) => from_stdin()?,
                    (false, Some(file)) => read_passphrase_file(file)?,
                    (false, None) => ask("Passphrase of the backup: ")?,
                };
                Key::passphrase(&text).context("the passphrase is empty; give that of the backup")
            }
        }
    }
}

/// Prompts for a new passphrase twice, until both entries are equal.
pub fn ask_twice() -> anyhow::Result<Zeroizing<String>> {
    loop {
        let first = ask("Passphrase of the backup, without which it cannot be restored: ")?;
        if first.chars().count() < MIN_PASSPHRASE_CHARACTERS {
            note!("-- a passphrase has at least {MIN_PASSPHRASE_CHARACTERS} characters");
            continue;
        }
        if first == ask("Again: ")? {
            return Ok(first);
        }
        note!("-- they differ");
    }
}

/// Reads a passphrase from the first line of standard input.
pub fn from_stdin() -> anyhow::Result<Zeroizing<String>> {
    access::line_from_stdin(MAX_PASSPHRASE_BYTES)
        .context("cannot read the passphrase from standard input; is there any?")
}

fn ask(prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    terminal::read_secret(prompt).map_err(|error| {
        anyhow!(
            "cannot ask for the passphrase ({error}): give it with --passphrase-stdin or --passphrase-file"
        )
    })
}
