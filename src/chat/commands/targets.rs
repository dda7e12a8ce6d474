//! Lists of targets, as JOIN, PRIVMSG and others take them.

use crate::chat::settings::Settings;
use crate::wire::numeric::{ERR_NOSUCHCHANNEL, ERR_NOSUCHNICK, ERR_TOOMANYTARGETS};
use crate::wire::{ChannelName, Nick, Reply};

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

/// The words of a comma-separated list, each once, at most [`Settings::TARGETS`].
pub fn split(list: &str) -> Result<Vec<&str>, Reply> {
    let mut words: Vec<&str> = Vec::new();
    for word in list.split(',').filter(|word| !word.is_empty()) {
        if words.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            continue;
        }
        if words.len() == Settings::TARGETS {
            let text = format!("Too many targets, at most {} at once", Settings::TARGETS);
            return Err(Reply::numeric(ERR_TOOMANYTARGETS).arg(word).text(text));
        }
        words.push(word);
    }
    Ok(words)
}

/// `ERR_NOSUCHCHANNEL`
pub fn no_such_channel(name: &str) -> Reply {
    Reply::numeric(ERR_NOSUCHCHANNEL).arg(name).text("No such channel")
}

/// `ERR_NOSUCHNICK`
pub fn no_such_nick(name: &str) -> Reply {
    Reply::numeric(ERR_NOSUCHNICK).arg(name).text("No such nick/channel")
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

    #[test]
    fn lists_hold_each_target_once_and_are_bounded() {
        assert_eq!(split("#a,,#b,#A").expect("few"), ["#a", "#b"]);
        let many = (0..17).map(|i| format!("#{i}")).collect::<Vec<_>>().join(",");
        assert!(split(&many).is_err());
    }
}
