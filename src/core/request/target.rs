//! Targets of commands: the names that clients give to conversations.

use crate::wire::{ChannelName, Nick};

/// Target of a command, by the form of its text. It need not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Name of a channel.
    Channel(ChannelName),
    /// Nick of an account.
    Nick(Nick),
    /// Text that is neither a valid channel name nor a valid nick.
    Invalid(Box<str>),
}

impl Target {
    /// Parses a target. Every text is one.
    pub fn parse(text: &str) -> Self {
        let known = if text.starts_with('#') {
            ChannelName::parse(text).map(Self::Channel)
        } else {
            Nick::parse(text).map(Self::Nick)
        };
        known.unwrap_or_else(|_| Self::Invalid(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_channel_nick_and_invalid_targets() {
        assert!(matches!(Target::parse("#a"), Target::Channel(_)));
        assert!(matches!(Target::parse("al"), Target::Nick(_)));
        assert_eq!(Target::parse("a!b@c"), Target::Invalid("a!b@c".into()));
        assert_eq!(Target::parse("#"), Target::Invalid("#".into()));
    }
}
