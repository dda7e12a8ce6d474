//! New passwords: typed, or read from standard input.

use anyhow::anyhow;
use rand::RngExt as _;
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

/// Makes a password that can be read aloud: syllables without letters that are taken for others, and a number, such as
/// `bako-rimu-sefa-47`. It has 41 bits of chance, which is enough against guessing at the rate that the server allows.
pub fn generate_password() -> Zeroizing<String> {
    loop {
        let password = spell(|most| rand::rng().random_range(0..most));
        if UNWANTED.iter().all(|unwanted| !password.replace('-', "").contains(unwanted)) {
            return password;
        }
    }
}

/// Letters that sound alike in most languages of Europe, and look like no others.
const CONSONANTS: &[u8] = b"bdfgklmnprst";
const VOWELS: &[u8] = b"aeiou";

/// Words that nobody wants to hand to a child.
const UNWANTED: &[&str] = &[
    "fuk", "fik", "kaka", "kaki", "pipi", "popo", "pupu", "puta", "puto", "tit", "nega", "nego", "negr",
    "gede", "mist", "sau",
];

fn spell(mut random: impl FnMut(usize) -> usize) -> Zeroizing<String> {
    let mut password = Zeroizing::new(String::with_capacity(17));
    for word in 0..3 {
        if word > 0 {
            password.push('-');
        }
        for _ in 0..2 {
            for letters in [CONSONANTS, VOWELS] {
                password.extend(letters.get(random(letters.len())).map(|&letter| char::from(letter)));
            }
        }
    }
    password.push('-');
    // 0 and 1 look like letters.
    for _ in 0..2 {
        password.extend(char::from_digit(u32::try_from(2 + random(8)).unwrap_or(2), 10));
    }
    password
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_passwords_can_be_read_aloud() {
        assert_eq!(*spell(|most| most - 1), "tutu-tutu-tutu-99");
        assert_eq!(*spell(|_| 0), "baba-baba-baba-22");
        for _ in 0..1000 {
            let password = generate_password();
            assert_eq!(password.len(), 17);
            assert!(Password::new(&password).is_ok());
        }
    }
}
