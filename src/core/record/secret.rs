//! Secret texts, kept out of logs and errors.

use serde::{Deserialize, Serialize};
use std::fmt;

use zeroize::Zeroizing;

/// A password or an invite link in transit. `Debug` does not show it, and it is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct Secret(pub Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// An argon2id hash with its parameters and salt, as a PHC string. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a string that is known to be a PHC string.
    pub fn from_phc(phc: impl Into<String>) -> Self {
        Self(phc.into())
    }

    /// Takes a text from elsewhere that has the form of an argon2id hash: version, parameters, salt and hash.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('$');
        let is_hash = parts.next() == Some("")
            && parts.next() == Some("argon2id")
            && parts.next().is_some_and(|part| part.starts_with("v="))
            && parts.next().is_some_and(|part| part.starts_with("m="))
            && [parts.next(), parts.next()].iter().all(|part| part.is_some_and(|part| !part.is_empty()))
            && parts.next().is_none();
        is_hash.then(|| Self(text.to_owned()))
    }

    /// Returns the PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_only_complete_argon2id_hash() {
        let whole = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA";
        assert_eq!(PasswordHash::parse(whole).as_ref().map(PasswordHash::as_str), Some(whole));
        let more = format!("{whole}$x");
        for text in ["", "x", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ", "$2b$04$abc", &more] {
            assert_eq!(PasswordHash::parse(text), None, "{text}");
        }
    }
}
