//! Help in lines: an overview of the topics, the commands of one topic, or one command. Short lines without columns, because
//! a screen reader and a braille display have no use for the blanks between them.

use super::commands::{Command, GROUPS, Group, find, find_group, find_or_suggest};

/// What `/help` is to explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelpTopic {
    /// How to begin, and the topics.
    Overview,
    /// All commands.
    All,
    /// The commands of the group with this topic.
    Group(&'static str),
    /// The command with this name.
    Command(&'static str),
}

impl HelpTopic {
    /// Parses the arguments of `/help`. A word that is both a topic and a command is the topic; `/help /channels` names
    /// the command.
    pub(super) fn parse(args: &str) -> Result<Self, String> {
        let word = args.trim();
        match find_group(word) {
            _ if word.is_empty() => Ok(Self::Overview),
            _ if word.eq_ignore_ascii_case("all") => Ok(Self::All),
            Some(group) => Ok(Self::Group(group.topic)),
            None => Ok(Self::Command(find_or_suggest(word.trim_start_matches('/'))?.name)),
        }
    }

    /// Returns the lines of the help.
    pub fn lines(self) -> Vec<String> {
        match self {
            Self::Overview => overview(),
            Self::All => GROUPS.iter().flat_map(group_lines).collect(),
            Self::Group(topic) => find_group(topic).map(group_lines).unwrap_or_default(),
            Self::Command(name) => find(name).map(command_lines).unwrap_or_default(),
        }
    }
}

/// Longest line, in characters, so that it fits a terminal of the usual width behind `-- `.
const MAX_LINE: usize = 77;

fn overview() -> Vec<String> {
    let begin = [
        "A line that you type goes to the current conversation.",
        "A line that begins with / is a command. // sends a text that begins with /.",
        "/join #CHANNEL and /query NAME open a conversation, /quit ends.",
        "Topics:",
    ];
    let topic = |group: &Group| format!("/help {}: {}", group.topic, group.title);
    let end = ["/help COMMAND explains one command.", "/help all lists all commands."];
    let begin = begin.iter().map(|&line| line.to_owned());
    begin.chain(GROUPS.iter().map(topic)).chain(end.iter().map(|&line| line.to_owned())).collect()
}

fn group_lines(group: &Group) -> Vec<String> {
    std::iter::once(format!("{}:", group.title)).chain(group.commands.iter().map(brief_line)).collect()
}

/// Returns a command with the beginning of its description, which is enough to choose it.
fn brief_line(command: &Command) -> String {
    let description = command.description.split([';', ':']).next().unwrap_or_default();
    let line = format!("{}: {description}", command.usage_line());
    match line.split_once(", or ") {
        Some((first, _)) if line.chars().count() > MAX_LINE => first.to_owned(),
        _ => line,
    }
}

fn command_lines(command: &Command) -> Vec<String> {
    let description = command.full_description();
    let mut parts = description.split("; ").map(str::to_owned);
    let first = format!("{}: {}", command.usage_line(), parts.next().unwrap_or_default());
    std::iter::once(first).chain(parts).collect()
}

#[cfg(test)]
mod tests {
    use super::super::commands::commands;
    use super::*;

    fn lines(args: &str) -> Vec<String> {
        HelpTopic::parse(args).expect(args).lines()
    }

    #[test]
    fn each_command_is_found_by_its_topic_and_by_name() {
        let overview = lines("");
        for group in GROUPS {
            assert!(overview.contains(&format!("/help {}: {}", group.topic, group.title)));
            let listed = lines(&group.topic.to_uppercase());
            assert_eq!(listed.len(), 1 + group.commands.len());
        }
        let all = lines("all");
        for command in commands() {
            let start = format!("{}: ", command.usage_line());
            assert_eq!(all.iter().filter(|line| line.starts_with(&start)).count(), 1, "{command:?}");
            let own = lines(&format!("/{}", command.name));
            assert!(own.first().is_some_and(|line| line.starts_with(&start)), "{own:?}");
        }
        assert_eq!(lines("j"), ["/join #CHANNEL… [KEY]: join channels, or create them", "also /j"]);
        assert!(lines("channels").len() > 2, "the topic");
        assert!(lines("/channels").first().is_some_and(|line| line.starts_with("/list ")), "the command");
    }

    #[test]
    fn lines_are_short_and_few_at_a_time() {
        let topics = GROUPS.iter().map(|group| group.topic);
        for topic in topics.chain([""]) {
            let lines = lines(topic);
            assert!(lines.len() <= 20, "{topic} has {} lines", lines.len());
            for line in lines {
                assert!(line.chars().count() <= MAX_LINE, "{} {line}", line.chars().count());
                assert!(!line.contains("  ") && !line.contains(['│', '─']), "{line}");
            }
        }
    }
}
