//! Help in lines: an overview of the topics, the commands of one topic, or one command. Short lines without columns, because
//! a screen reader and a braille display have no use for the blanks between them.

use super::commands::{Command, GROUPS, Group, HelpTopic, find, find_group};

/// Returns the lines of the help about a topic.
pub fn help_lines(topic: HelpTopic) -> Vec<String> {
    match topic {
        HelpTopic::Overview => overview(),
        HelpTopic::All => GROUPS.iter().flat_map(group_lines).collect(),
        HelpTopic::Group(topic) => find_group(topic).map(group_lines).unwrap_or_default(),
        HelpTopic::Command(name) => find(name).map(command_lines).unwrap_or_default(),
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
        help_lines(HelpTopic::parse(args).expect(args))
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
