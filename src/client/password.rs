//! A password on its way to the server.

use zeroize::Zeroizing;

/// A password that can be sent. Wiped from memory when dropped, and not shown by `Debug`.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a text cannot be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// Nothing at all.
    #[error("the password is empty")]
    Empty,
    /// More than [`Password::MAX`] bytes.
    #[error("the password is longer than {} bytes", Password::MAX)]
    TooLong,
    /// SASL PLAIN and the line protocol cannot carry it.
    #[error("a password may not contain control characters")]
    Control,
}

impl Password {
    /// Longest password, in bytes, so that it fits one line of the protocol (the account registration
    /// specification's advice).
    pub const MAX: usize = 300;

    /// Checks and takes a password.
    pub fn new(text: Zeroizing<String>) -> Result<Self, BadPassword> {
        match text.len() {
            0 => Err(BadPassword::Empty),
            _ if text.chars().any(char::is_control) => Err(BadPassword::Control),
            1..=Self::MAX => Ok(Self(text)),
            _ => Err(BadPassword::TooLong),
        }
    }

    /// The text, to be sent.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Password {
    /// For the two times that a new password is typed; both are one person's, so time tells nobody anything.
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
    fn passwords_are_checked_and_never_shown() {
        let parse = |text: &str| Password::new(Zeroizing::new(text.into()));
        assert_eq!(parse(""), Err(BadPassword::Empty));
        assert_eq!(parse("a\0b"), Err(BadPassword::Control));
        assert_eq!(parse(&"x".repeat(301)), Err(BadPassword::TooLong));
        assert_eq!(format!("{:?}", parse("hunter2")), "Ok(Password(…))");
    }
}
