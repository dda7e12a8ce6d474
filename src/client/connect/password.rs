//! A password to send to the server.

use zeroize::Zeroizing;

/// A valid password. It is wiped from memory when dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// The error of a text that is not a valid password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// The text is empty.
    #[error("the password is empty")]
    Empty,
    /// The text is longer than [`Password::MAX_BYTES`].
    #[error("the password is longer than {} bytes", Password::MAX_BYTES)]
    TooLong,
    /// The text has control characters, which SASL PLAIN and the line protocol cannot carry.
    #[error("a password may not contain control characters")]
    ControlCharacter,
}

impl Password {
    /// Limit of a password, in bytes, so that it fits one line (advice of the account registration specification).
    pub const MAX_BYTES: usize = 300;

    /// Validates a password.
    pub fn new(text: Zeroizing<String>) -> Result<Self, InvalidPassword> {
        match text.len() {
            0 => Err(InvalidPassword::Empty),
            _ if text.chars().any(char::is_control) => Err(InvalidPassword::ControlCharacter),
            1..=Self::MAX_BYTES => Ok(Self(text)),
            _ => Err(InvalidPassword::TooLong),
        }
    }

    /// Returns the text to send.
    pub(in crate::client) fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Password {
    /// Compares the two entries of a new password. Constant time is not needed, because the same user types both.
    fn eq(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validates_passwords_and_hides_them_from_debug() {
        let parse = |text: &str| Password::new(Zeroizing::new(text.into()));
        assert_eq!(parse(""), Err(InvalidPassword::Empty));
        assert_eq!(parse("a\0b"), Err(InvalidPassword::ControlCharacter));
        assert_eq!(parse(&"x".repeat(301)), Err(InvalidPassword::TooLong));
        assert_eq!(format!("{:?}", parse("hunter2")), "Ok(Password(…))");
    }
}
