//! Passwords: the rule for new ones, argon2id hashes, and the pool that computes them.
//!
//! A hash costs tens of milliseconds of a core and megabytes of memory, by design. So only a few are computed at a
//! time, on threads of their own that reuse their memory, and requests take turns.

mod hasher;
mod pool;
mod recent_passwords;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};
use zeroize::Zeroizing;

pub use hasher::{HashMemory, PasswordHasher};
pub use pool::{PasswordPool, Requester};

use crate::core::record::secret::PasswordHash;

/// A new password that follows the rule. Wiped when it is dropped, and hidden from `Debug`.
///
/// Passwords are compared in Unicode normal form C, so that the keyboard that typed them does not matter.
pub struct Password(Zeroizing<String>);

/// Rule that a text breaks as a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRule {
    /// The text has fewer than [`Password::MIN_CHARS`] characters.
    #[error("a password needs at least {} characters", Password::MIN_CHARS)]
    TooShort,
    /// The text has more than [`Password::MAX_BYTES`] bytes.
    #[error("a password may have at most {} bytes", Password::MAX_BYTES)]
    TooLong,
    /// The text has control characters: NUL ends it in SASL PLAIN, line ends end it elsewhere, and the others are
    /// invisible.
    #[error("a password may not contain control characters")]
    ControlCharacter,
}

/// Reason why a hash was not computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many requests wait.
    #[error("too many logins at once")]
    Busy,
    /// No memory or no random numbers are left.
    #[error("the machine is out of memory or of random numbers")]
    OutOfResources,
    /// The stored hash needs this many KiB, more than a check may take.
    #[error(
        "the stored hash needs {0} KiB of memory, more than a check may take: set a new password for the account"
    )]
    TooCostly(u32),
}

/// Result of checking a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password is wrong, or there is none.
    Wrong,
    /// The password is right. If the stored hash has other parameters than those configured now, holds a new hash to
    /// store instead.
    Right(Option<PasswordHash>),
}

impl Password {
    /// Minimum length, in characters. NIST SP 800-63B asks for eight, and for no rules about their kinds.
    pub const MIN_CHARS: usize = 8;
    /// Maximum length, in bytes, so that a password fits one line of the protocol and is cheap to carry.
    pub const MAX_BYTES: usize = 300;

    /// Checks a new password and takes it.
    pub fn new(text: &str) -> Result<Self, PasswordRule> {
        if text.len() > Self::MAX_BYTES {
            return Err(PasswordRule::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(PasswordRule::ControlCharacter);
        }
        let text = normalize(text);
        if text.chars().count() < Self::MIN_CHARS {
            return Err(PasswordRule::TooShort);
        }
        Ok(Self(text))
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

fn normalize(text: &str) -> Zeroizing<String> {
    if is_nfc(text) {
        return Zeroizing::new(text.to_owned());
    }
    // NFC grows a text by less than three times; with that capacity no reallocation leaves a copy behind.
    let mut out = Zeroizing::new(String::with_capacity(3 * text.len()));
    out.extend(text.nfc());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(text: &str) -> Password {
        Password::new(text).expect(text)
    }

    #[test]
    fn new_password_rules_are_enforced() {
        for good in ["secret12", "benchpass1", "correct horse battery staple", "пароль-1", &"x".repeat(300)]
        {
            assert!(Password::new(good).is_ok(), "{good}");
        }
        let rule = |text: &str| Password::new(text).expect_err(text);
        assert_eq!(rule(""), PasswordRule::TooShort);
        assert_eq!(rule("sevenn7"), PasswordRule::TooShort);
        assert_eq!(
            rule("e\u{301}e\u{301}e\u{301}e\u{301}"),
            PasswordRule::TooShort,
            "four letters with accents"
        );
        assert_eq!(rule(&"x".repeat(301)), PasswordRule::TooLong);
        assert_eq!(rule("secret\u{0}1234"), PasswordRule::ControlCharacter);
        assert_eq!(rule("secret1234\r"), PasswordRule::ControlCharacter);
        assert_eq!(format!("{:?}", new("secret12")), "Password(…)");
    }
}
