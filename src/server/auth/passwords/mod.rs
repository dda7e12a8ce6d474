//! Passwords: the rule for new ones, argon2id hashes, and the pool that computes them.
//!
//! A hash costs tens of milliseconds of a core and megabytes of memory, by design. So only a few are computed at a
//! time, on threads of their own that reuse their memory, and requests take turns.

mod hasher;
mod pool;
mod recent;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};
use zeroize::Zeroizing;

pub use hasher::{Hasher, Memory};
pub use pool::{Passwords, Requester};

use crate::core::record::secret::PasswordHash;

/// A new password that follows the rule. Wiped when it is dropped, and hidden from `Debug`.
///
/// Passwords are compared in Unicode normal form C, so that the keyboard that typed them does not matter.
pub struct Password(Zeroizing<String>);

/// Rule that a text breaks as a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRule {
    /// The text has fewer than [`Password::LEAST`] characters.
    #[error("a password needs at least {} characters", Password::LEAST)]
    Short,
    /// The text has more than [`Password::MOST`] bytes.
    #[error("a password may have at most {} bytes", Password::MOST)]
    Long,
    /// The text has control characters: NUL ends it in SASL PLAIN, line ends end it elsewhere, and the others are
    /// invisible.
    #[error("a password may not contain control characters")]
    Control,
}

/// Reason why a hash was not computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many requests wait.
    #[error("too many logins at once")]
    Busy,
    /// No memory or no random numbers are left.
    #[error("the machine is out of memory or of random numbers")]
    Resources,
    /// The stored hash needs this many KiB, more than a check may take.
    #[error(
        "the stored hash needs {0} KiB of memory, more than a check may take: set a new password for the account"
    )]
    Costly(u32),
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
    pub const LEAST: usize = 8;
    /// Maximum length, in bytes, so that a password fits one line of the protocol and is cheap to carry.
    pub const MOST: usize = 300;

    /// Checks a new password and takes it.
    pub fn new(text: &str) -> Result<Self, PasswordRule> {
        if text.len() > Self::MOST {
            return Err(PasswordRule::Long);
        }
        if text.chars().any(char::is_control) {
            return Err(PasswordRule::Control);
        }
        let text = normal(text);
        if text.chars().count() < Self::LEAST {
            return Err(PasswordRule::Short);
        }
        Ok(Self(text))
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

fn normal(text: &str) -> Zeroizing<String> {
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
        assert_eq!(rule(""), PasswordRule::Short);
        assert_eq!(rule("sevenn7"), PasswordRule::Short);
        assert_eq!(
            rule("e\u{301}e\u{301}e\u{301}e\u{301}"),
            PasswordRule::Short,
            "four letters with accents"
        );
        assert_eq!(rule(&"x".repeat(301)), PasswordRule::Long);
        assert_eq!(rule("secret\u{0}1234"), PasswordRule::Control);
        assert_eq!(rule("secret1234\r"), PasswordRule::Control);
        assert_eq!(format!("{:?}", new("secret12")), "Password(…)");
    }
}
