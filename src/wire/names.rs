//! Nicks and channel names: parsed once at the edge, compared without regard to case.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::chars;

/// The name of an account, which is also its nick, in the case its owner chose.
///
/// 1 to [`Nick::MAX`] ASCII characters: a letter or one of ``[]\`_^{|}`` first, then also digits and `-`
/// ([RFC 2812, section 2.3.1](https://www.rfc-editor.org/rfc/rfc2812#section-2.3.1)). Two nicks that differ in
/// ASCII case only are equal (`CASEMAPPING=ascii`). Cloning is cheap.
#[derive(Clone)]
pub struct Nick(Arc<str>);

/// The name of a channel: `#` and at most [`ChannelName::MAX`] bytes in all, in any script.
///
/// Kept in Unicode normal form C, so that the same name typed on two keyboards is the same channel. It holds no spaces,
/// commas or characters that [`chars::find_refused_char`] refuses. Two names with the same [`chars::fold_name`] are equal:
/// case makes no difference in any script. Clients still see `CASEMAPPING=ascii`, because no value of it describes
/// that; replies to a client that uses another spelling carry the channel's own name.
#[derive(Clone)]
pub struct ChannelName {
    name: Arc<str>,
    /// The form that is compared. Shares its memory with `name` where both are the same.
    folded: Arc<str>,
}

/// Reason for which a text is not a nick or a channel name. The text of the error may be shown to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name is empty.
    #[error("it is empty")]
    Empty,
    /// The name is longer than this number of characters (nick) or bytes (channel).
    #[error("it is longer than {0}")]
    TooLong(usize),
    /// The first character may not start the name. A nick starts with a letter or one of ``[]\`_^{|}``, a channel name
    /// with `#`.
    #[error("it may not start with {0:?}")]
    Start(char),
    /// The text holds a character that the name may not hold.
    #[error("it may not contain {0:?}")]
    Character(char),
}

impl Nick {
    /// Limit of a nick, in characters (`NICKLEN`).
    pub const MAX: usize = 24;

    /// Limit of a nick of another server, in bytes.
    const MAX_FOREIGN: usize = 64;

    /// Parses the nick of an account.
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

    /// Parses a nick as other servers may have it: also with letters of any script, a leading digit, other signs, and
    /// longer. Serves names in lines of a server, which must not be lost; never the name of an account here.
    pub fn parse_foreign(text: &str) -> Result<Self, NameError> {
        let known =
            |c: char| c.is_ascii_graphic() && !",!@*?".contains(c) || !c.is_ascii() && c.is_alphanumeric();
        let unseen = |c: &char| chars::is_invisible(*c);
        let first = text.chars().next().ok_or(NameError::Empty)?;
        // A channel, a trailing parameter, a server mask or a member status prefix begins with one of these.
        if "#:$~&%+".contains(first) {
            return Err(NameError::Start(first));
        }
        if let Some(bad) = text.chars().find(|&c| !known(c)).or_else(|| text.chars().find(unseen)) {
            return Err(NameError::Character(bad));
        }
        if text.len() > Self::MAX_FOREIGN {
            return Err(NameError::TooLong(Self::MAX_FOREIGN));
        }
        Ok(Self(text.into()))
    }

    /// Returns the name in the case its owner chose.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name without copying it.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl ChannelName {
    /// Limit of a channel name, in bytes with its `#` (`CHANNELLEN`).
    pub const MAX: usize = 64;

    /// Parses a channel name and brings it into normal form C.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let rest = Self::strip_hash(text)?;
        let separator = rest.chars().find(|&c| c == ',' || c == ' ');
        if let Some(bad) = separator.or_else(|| chars::find_refused_char(rest)) {
            return Err(NameError::Character(bad));
        }
        let name: Arc<str> = if is_nfc(text) { text.into() } else { text.nfc().collect::<String>().into() };
        if name.len() > Self::MAX {
            return Err(NameError::TooLong(Self::MAX));
        }
        let folded = match &*chars::fold_name(&name) {
            folded if *folded == *name => name.clone(),
            folded => folded.into(),
        };
        Ok(Self { name, folded })
    }

    /// Parses a channel name from another server or from an older version of this one: characters that are refused
    /// today are accepted, so that the channel is not lost. Such a name equals no valid name, even one that looks the
    /// same.
    pub fn parse_foreign(text: &str) -> Result<Self, NameError> {
        if let Ok(name) = Self::parse(text) {
            return Ok(name);
        }
        let rest = Self::strip_hash(text)?;
        if let Some(bad) = rest.chars().find(|&c| c == ',' || c == ' ' || c.is_control()) {
            return Err(NameError::Character(bad));
        }
        if text.len() > Self::MAX_FOREIGN {
            return Err(NameError::TooLong(Self::MAX_FOREIGN));
        }
        Ok(Self { name: text.into(), folded: text.to_ascii_lowercase().into() })
    }

    /// Limit of a channel name of another server, in bytes.
    const MAX_FOREIGN: usize = 256;

    fn strip_hash(text: &str) -> Result<&str, NameError> {
        match text.chars().next() {
            None => Err(NameError::Empty),
            Some('#') if text.len() == 1 => Err(NameError::Empty),
            Some('#') => Ok(&text[1..]),
            Some(other) => Err(NameError::Start(other)),
        }
    }

    /// Returns the name as its creator wrote it.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Returns the form by which names are compared.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Returns the name without copying it.
    pub fn shared(&self) -> Arc<str> {
        self.name.clone()
    }
}

/// Serializes a name as its text, and reads it as leniently as a stored one.
macro_rules! impl_serde_as_text {
    ($($name:ident)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::parse_foreign(&String::deserialize(from)?).map_err(D::Error::custom)
            }
        }
    )*};
}

impl_serde_as_text! { Nick ChannelName }

impl PartialEq for Nick {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Hash for Nick {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // One write of the whole name: hashers are slow with single bytes, and every message looks names up.
        let mut lower = [0xff; Self::MAX_FOREIGN + 1];
        for (to, from) in lower.iter_mut().zip(self.0.bytes()) {
            *to = from.to_ascii_lowercase();
        }
        state.write(lower.get(..=self.0.len()).unwrap_or(&lower));
    }
}

impl Ord for Nick {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let lower = |byte: u8| byte.to_ascii_lowercase();
        self.0.bytes().map(lower).cmp(other.0.bytes().map(lower))
    }
}

impl PartialEq for ChannelName {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Hash for ChannelName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl Ord for ChannelName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded.cmp(&other.folded)
    }
}

macro_rules! impl_text_traits {
    ($name:ident) => {
        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

impl_text_traits!(Nick);
impl_text_traits!(ChannelName);

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
    fn bad_nicks_return_the_reason() {
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
    fn foreign_nicks_are_parsed() {
        for name in ["zoë", "001AAAAAB", "alice/libera", "a.b|c", &"x".repeat(64)] {
            let nick = Nick::parse_foreign(name).expect(name);
            assert!(Nick::parse(name).is_err(), "{name}");
            assert!(
                std::collections::HashSet::from([nick]).contains(&Nick::parse_foreign(name).expect(name))
            );
        }
        assert_eq!(Nick::parse_foreign("Alice"), Nick::parse("aLICE"));
        for bad in ["", "#a", "@a", "a b", "a!b", "a\u{3164}b", "a\u{202e}b", "a\u{1b}", "*", &"x".repeat(65)]
        {
            assert!(Nick::parse_foreign(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn channels_accept_any_script_in_normal_form() {
        let channel = |s| ChannelName::parse(s).expect(s);
        assert_eq!(channel("#e\u{301}t\u{e9}"), channel("#\u{e9}te\u{301}"));
        assert_eq!(channel("#Lobby"), channel("#lobby"));
        assert_eq!(channel("#日本語").as_str(), "#日本語");
        for bad in ["", "#", "lobby", "#a b", "#a,b", "#a\u{7}", "#a\u{202e}b", "#\u{200b}"] {
            assert!(ChannelName::parse(bad).is_err(), "{bad:?}");
        }
        assert!(ChannelName::parse(&format!("#{}", "x".repeat(64))).is_err());
    }

    #[test]
    fn lookalike_channel_names_are_equal_or_refused() {
        let channel = |s: &str| ChannelName::parse(s).expect(s);
        for (a, b) in
            [("#ÉTÉ", "#été"), ("#ΣΊΣΥΦΟΣ", "#σίσυφος"), ("#Straße", "#STRASSE"), ("#❤\u{fe0f}", "#❤")]
        {
            assert_eq!(channel(a), channel(b));
            let set = std::collections::HashSet::from([channel(a)]);
            assert!(set.contains(&channel(b)), "{a}");
        }
        for c in "\u{3164}\u{fe0f}\u{180e}\u{34f}\u{115f}\u{2800}\u{61c}\u{e0041}\u{e000}".chars() {
            let name = format!("#lobby{c}");
            assert_eq!(ChannelName::parse(&name), Err(NameError::Character(c)));
            let foreign = ChannelName::parse_foreign(&name).expect("was allowed once");
            assert_ne!(foreign, channel("#lobby"));
            assert_eq!(foreign, ChannelName::parse_foreign(&format!("#LOBBY{c}")).expect("the same"));
        }
        assert_eq!(ChannelName::parse_foreign("#É"), ChannelName::parse("#é"));
        for bad in ["", "#", "lobby", "#a b", "#a,b", "#a\u{7}"] {
            assert!(ChannelName::parse_foreign(bad).is_err(), "{bad:?}");
        }
    }
}
