//! Whom something is for.

use crate::wire::{ChannelName, Nick};

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Everybody in a channel.
    Channel(ChannelName),
    /// A person.
    Person(Nick),
    /// Nobody: it cannot be the name of either.
    Nobody(Box<str>),
}

impl Target {
    /// Reads a target; every text is one.
    pub fn parse(text: &str) -> Self {
        let known = if text.starts_with('#') {
            ChannelName::parse(text).map(Self::Channel)
        } else {
            Nick::parse(text).map(Self::Person)
        };
        known.unwrap_or_else(|_| Self::Nobody(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_told_apart() {
        assert!(matches!(Target::parse("#a"), Target::Channel(_)));
        assert!(matches!(Target::parse("al"), Target::Person(_)));
        assert_eq!(Target::parse("a!b@c"), Target::Nobody("a!b@c".into()));
        assert_eq!(Target::parse("#"), Target::Nobody("#".into()));
    }
}
