//! Topics of `/help`.

use super::{find_group, find_or_suggest};

/// Subject of `/help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelpTopic {
    /// First steps, and the list of topics.
    Overview,
    /// All commands, each with its usage.
    All,
    /// The commands of the group with this topic.
    Group(&'static str),
    /// The command with this name.
    Command(&'static str),
}

impl HelpTopic {
    /// Parses the arguments of `/help`. A word that is both a topic and a command is the topic; `/help /channels` names
    /// the command.
    pub(in crate::client::input) fn parse(args: &str) -> Result<Self, String> {
        let word = args.trim();
        match find_group(word) {
            _ if word.is_empty() => Ok(Self::Overview),
            _ if word.eq_ignore_ascii_case("all") => Ok(Self::All),
            Some(group) => Ok(Self::Group(group.topic)),
            None => Ok(Self::Command(find_or_suggest(word.trim_start_matches('/'))?.name)),
        }
    }
}
