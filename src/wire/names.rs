//! Nicks and channel names: parsed once at the edge, compared without regard to ASCII case.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// The name of an account, which is also its nick, in the case its owner chose.
///
/// 1 to [`Nick::MAX`] ASCII characters: a letter or one of ``[]\`_^{|}`` first, then also digits and `-`
/// ([RFC 2812, section 2.3.1](https://www.rfc-editor.org/rfc/rfc2812#section-2.3.1)). Two nicks that differ in
/// ASCII case only are equal (`CASEMAPPING=ascii`). Cloning is cheap.
#[derive(Clone)]
pub struct Nick(Arc<str>);

/// The name of a channel: `#` and at most [`ChannelName::MAX`] bytes in all, in any script.
///
/// Kept in Unicode normal form C, so that the same name typed on two keyboards is the same channel.
/// No spaces, commas or control characters. Two names that differ in ASCII case only are equal.
#[derive(Clone)]
pub struct ChannelName(Arc<str>);

/// Why a text is not a nick or a channel name. The text is fit to be shown to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// More than the given number of characters (nick) or bytes (channel).
    #[error("it is longer than {0}")]
    TooLong(usize),
    /// A nick starts with a letter or one of ``[]\`_^{|}``.
    #[error("it may not start with {0:?}")]
    Start(char),
    /// A character that the name may not hold.
    #[error("it may not contain {0:?}")]
    Character(char),
}

impl Nick {
    /// Longest nick, in characters (`NICKLEN`).
    pub const MAX: usize = 24;

    /// Longest that other servers' nicks are taken for, in bytes.
    const MAX_HEARD: usize = 64;

    /// Checks and takes a nick.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let special = |c: char| "[]\\`_^{|}".contains(c);
        let first = text.chars().next().ok_or(NameError::Empty)?;
        if !first.is_ascii_alphabetic() && !special(first) {
            return Err(NameError::Start(first));
        }
        if let Some(bad) = text.chars().find(|&c| !c.is_ascii_alphanumeric() && !special(c) && c != '-') {
            return Err(NameError::Character(bad));
        }
        if text.len() > Self::MAX {
            return Err(NameError::TooLong(Self::MAX));
        }
        Ok(Self(text.into()))
    }

    /// Takes a nick as other servers may have it: also with letters of any script, digits first, other signs, and longer.
    /// For names that a server says, which must not be lost; never for that of an account here.
    pub fn heard(text: &str) -> Result<Self, NameError> {
        let known =
            |c: char| c.is_ascii_graphic() && !",!@*?".contains(c) || !c.is_ascii() && c.is_alphanumeric();
        let first = text.chars().next().ok_or(NameError::Empty)?;
        // What would be a channel, the end of a line, a server's mask, or a rank.
        if "#:$~&%+".contains(first) {
            return Err(NameError::Start(first));
        }
        if let Some(bad) = text.chars().find(|&c| !known(c)) {
            return Err(NameError::Character(bad));
        }
        if text.len() > Self::MAX_HEARD {
            return Err(NameError::TooLong(Self::MAX_HEARD));
        }
        Ok(Self(text.into()))
    }

    /// The name as its owner writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, shared and not copied.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl ChannelName {
    /// Longest channel name, in bytes with its `#` (`CHANNELLEN`).
    pub const MAX: usize = 64;

    /// Checks and takes a channel name, bringing it into normal form C.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let rest = match text.chars().next() {
            None => return Err(NameError::Empty),
            Some('#') => &text[1..],
            Some(other) => return Err(NameError::Start(other)),
        };
        if rest.is_empty() {
            return Err(NameError::Empty);
        }
        if let Some(bad) =
            rest.chars().find(|&c| c == ',' || c.is_control() || c.is_whitespace() || invisible(c))
        {
            return Err(NameError::Character(bad));
        }
        let name: Arc<str> = if is_nfc(text) { text.into() } else { text.nfc().collect::<String>().into() };
        if name.len() > Self::MAX {
            return Err(NameError::TooLong(Self::MAX));
        }
        Ok(Self(name))
    }

    /// The name as its creator wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, shared and not copied.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

/// Characters that change how other text is shown (byte order mark, zero-width, bidirectional
/// controls) and so let one name pass for another.
fn invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
}

macro_rules! ascii_case_insensitive {
    ($name:ident) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.eq_ignore_ascii_case(&other.0)
            }
        }

        impl Eq for $name {}

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                // In one piece: hashers are slow with single bytes, and every message looks names up.
                let mut lower = [0xff; Self::MAX + 1];
                for (to, from) in lower.iter_mut().zip(self.0.bytes()) {
                    *to = from.to_ascii_lowercase();
                }
                state.write(lower.get(..=self.0.len()).unwrap_or(&lower));
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                let lower = |s: &Self| s.0.to_ascii_lowercase();
                lower(self).cmp(&lower(other))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

ascii_case_insensitive!(Nick);
ascii_case_insensitive!(ChannelName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicks_compare_without_ascii_case() {
        let nick = |s| Nick::parse(s).expect(s);
        assert_eq!(nick("Alice"), nick("aLICE"));
        assert_ne!(nick("alice"), nick("alice_"));
        // CASEMAPPING=ascii: the rfc1459 pairs are different characters.
        assert_ne!(nick("a[b"), nick("a{b"));
        let set: std::collections::HashSet<Nick> = [nick("Bob"), nick("bOb")].into();
        assert_eq!(set.len(), 1);
    }

    #[test]
    fn bad_nicks_say_why() {
        let error = |s: &str| Nick::parse(s).expect_err(s);
        assert_eq!(error(""), NameError::Empty);
        assert_eq!(error("1st"), NameError::Start('1'));
        assert_eq!(error("-x"), NameError::Start('-'));
        assert_eq!(error("a b"), NameError::Character(' '));
        assert_eq!(error("zoë"), NameError::Character('ë'));
        assert_eq!(error(&"x".repeat(25)), NameError::TooLong(24));
        assert!(Nick::parse(&"x".repeat(24)).is_ok());
    }

    #[test]
    fn nicks_of_other_servers_are_heard() {
        for name in ["zoë", "001AAAAAB", "alice/libera", "a.b|c", &"x".repeat(64)] {
            let nick = Nick::heard(name).expect(name);
            assert!(Nick::parse(name).is_err(), "{name}");
            assert!(std::collections::HashSet::from([nick]).contains(&Nick::heard(name).expect(name)));
        }
        assert_eq!(Nick::heard("Alice"), Nick::parse("aLICE"));
        for bad in ["", "#a", "@a", "a b", "a!b", "a\u{202e}b", "a\u{1b}", "*", &"x".repeat(65)] {
            assert!(Nick::heard(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn channels_take_any_script_in_one_normal_form() {
        let channel = |s| ChannelName::parse(s).expect(s);
        assert_eq!(channel("#e\u{301}t\u{e9}"), channel("#\u{e9}te\u{301}"));
        assert_eq!(channel("#Lobby"), channel("#lobby"));
        assert_eq!(channel("#日本語").as_str(), "#日本語");
        for bad in ["", "#", "lobby", "#a b", "#a,b", "#a\u{7}", "#a\u{202e}b", "#\u{200b}"] {
            assert!(ChannelName::parse(bad).is_err(), "{bad:?}");
        }
        assert!(ChannelName::parse(&format!("#{}", "x".repeat(64))).is_err());
    }
}
