//! New passwords: typed, or read from standard input.

use anyhow::anyhow;
use zeroize::Zeroizing;

use crate::cli::access;
use crate::cli::folders::Folders;
use crate::core::record::secret::PasswordHash;
use crate::server::auth::passwords::{Password, PasswordHasher};
use crate::wire::Nick;

/// The option for the source of a new password.
#[derive(clap::Args)]
pub struct Secret {
    /// Read the password from the first line of standard input instead of prompting for it.
    #[arg(long)]
    password_stdin: bool,
}

impl Secret {
    /// Returns the hash of the new password of `name`.
    pub fn read_password_hash(&self, folders: &Folders, name: &Nick) -> anyhow::Result<PasswordHash> {
        let hasher = PasswordHasher::new(folders.config()?.passwords);
        let password = if self.password_stdin {
            parse_password(&access::secret_from_stdin()?)?
        } else {
            ask_password_twice(name)?
        };
        Ok(hasher.hash(&password)?)
    }
}

fn parse_password(text: &Zeroizing<String>) -> anyhow::Result<Password> {
    Password::new(text).map_err(|rule| anyhow!("{rule}; choose another"))
}

/// Prompts for a password twice, until both entries are equal and valid.
fn ask_password_twice(name: &Nick) -> anyhow::Result<Password> {
    loop {
        let first = access::ask_secret(&format!("New password of {name}: "))?;
        let password = match Password::new(&first) {
            Ok(password) => password,
            Err(rule) => {
                note!("-- {rule}");
                continue;
            }
        };
        if first == access::ask_secret("Again: ")? {
            return Ok(password);
        }
        note!("-- they differ");
    }
}
