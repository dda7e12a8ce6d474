//! The table of commands that the parser, `/help`, `?`, the completion and docs/chat.md use: a file for each group.
//!
//! To add a command, add an entry to the file of its group, with a variant of [`Input`] that it becomes, and the line
//! of `docs/chat.md` that a test asks for.

mod account;
mod arguments;
mod channel;
mod conversation;
mod message;
mod moderation;
mod navigation;
mod server;
mod settings;
mod topic;
mod view;

use super::Input;
#[cfg(test)]
pub(super) use message::NO_EDIT;
pub use topic::HelpTopic;

/// A command of the chat.
#[derive(Debug)]
pub struct Command {
    /// Name without the slash, in small letters.
    pub name: &'static str,
    /// Other names of the command.
    pub aliases: &'static [&'static str],
    /// Arguments: capitals stand for what the user fills in, brackets for what may be left out.
    pub usage: &'static str,
    /// One sentence without a full stop.
    pub description: &'static str,
    /// Completion of the arguments, in their order. The last kind holds for all that follow. A leading `#channel` does
    /// not count, because each word that starts with `#` is completed to a channel.
    pub arguments: &'static [Argument],
    /// Parser of the arguments.
    pub parse: fn(&str) -> Result<Input, String>,
}

/// Creates a command that has no other names.
const fn command(
    name: &'static str,
    usage: &'static str,
    description: &'static str,
    arguments: &'static [Argument],
    parse: fn(&str) -> Result<Input, String>,
) -> Command {
    Command { name, aliases: &[], usage, description, arguments, parse }
}

/// Kind of an argument, by which it is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Free text: names are completed in it.
    Text,
    /// A channel, which the account may not be in.
    Channel,
    /// Nick of any account.
    Nick,
    /// The path of a file on this machine.
    Path,
    /// The name of a command.
    Command,
    /// The name of a setting.
    Setting,
    /// The value of the setting that is named before.
    SettingValue,
    /// A value of this setting.
    ValueOf(&'static str),
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// Commands that belong together.
#[derive(Debug)]
pub struct Group {
    /// Heading in the help.
    pub title: &'static str,
    /// Word for the group: `/help TOPIC`.
    pub topic: &'static str,
    /// Commands, in the order of the help.
    pub commands: &'static [Command],
}

/// All commands, in the order of the help.
pub const GROUPS: &[Group] = &[
    conversation::GROUP,
    message::GROUP,
    channel::GROUP,
    navigation::GROUP,
    moderation::GROUP,
    account::GROUP,
    server::GROUP,
    settings::GROUP,
    view::GROUP,
];

impl Command {
    /// Returns the command with its arguments, such as `/join #CHANNEL…`.
    pub fn usage_line(&self) -> String {
        format!("/{} {}", self.name, self.usage).trim_end().to_owned()
    }

    /// Returns the description, followed by the other names of the command.
    pub fn full_description(&self) -> String {
        let aliases: Vec<String> = self.aliases.iter().map(|alias| format!("/{alias}")).collect();
        if aliases.is_empty() {
            self.description.to_owned()
        } else {
            format!("{}; also {}", self.description, aliases.join(", "))
        }
    }

    /// Returns the kind of the argument with this index, not counting a leading `#channel`.
    pub fn argument(&self, index: usize) -> Argument {
        self.arguments.get(index).or(self.arguments.last()).copied().unwrap_or(Argument::Text)
    }
}

/// Iterates over all commands, in the order of the help.
pub fn commands() -> impl Iterator<Item = &'static Command> {
    GROUPS.iter().flat_map(|group| group.commands)
}

/// Returns the group with this topic. Case does not matter.
pub fn find_group(topic: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.topic.eq_ignore_ascii_case(topic))
}

/// Returns the command with this name or alias. Case does not matter.
pub fn find(name: &str) -> Option<&'static Command> {
    commands().find(|command| {
        [command.name].iter().chain(command.aliases).any(|known| known.eq_ignore_ascii_case(name))
    })
}

/// Returns the command with this name or alias, or an error that suggests the nearest one.
pub fn find_or_suggest(name: &str) -> Result<&'static Command, String> {
    /// Largest count of wrong letters for which a name is suggested.
    const MAX_DISTANCE: usize = 2;
    if let Some(command) = find(name) {
        return Ok(command);
    }
    let lower = name.to_ascii_lowercase();
    let nearest = commands()
        .flat_map(|command| [command.name].into_iter().chain(command.aliases.iter().copied()))
        .map(|known| (strsim::osa_distance(&lower, known), known))
        // Of two letters one may be wrong, or every command would be near.
        .filter(|(distance, known)| *distance <= MAX_DISTANCE && *distance < known.len().min(lower.len()))
        .min();
    Err(match nearest {
        Some((_, known)) => format!("there is no /{name}; did you mean /{known}?"),
        None => format!("there is no /{name}; /help lists the commands, //{name} sends it as text"),
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// Lines of docs/chat.md around the list of commands.
    const MARKS: (&str, &str) = ("<!-- commands -->\n", "<!-- end of the commands -->");

    fn markdown() -> String {
        let mut text = String::new();
        for group in GROUPS {
            let _ = write!(text, "\n**{}**\n\n| | |\n| --- | --- |\n", group.title);
            for command in group.commands {
                let usage = command.usage_line().replace('|', "\\|");
                let _ = writeln!(text, "| `{usage}` | {} |", command.full_description());
            }
        }
        text + "\n"
    }

    /// With `UPDATE_DOCS` in the environment the test writes the list instead.
    #[test]
    fn the_documentation_lists_the_commands_of_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/chat.md");
        let document = std::fs::read_to_string(path).expect("docs/chat.md");
        let (before, rest) = document.split_once(MARKS.0).expect("the mark before the list");
        let (listed, after) = rest.split_once(MARKS.1).expect("the mark behind the list");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let written = [before, MARKS.0, &markdown(), MARKS.1, after].concat();
            return std::fs::write(path, written).expect("docs/chat.md can be written");
        }
        assert_eq!(listed, markdown(), "UPDATE_DOCS=1 cargo test --lib client::input writes the list anew");
    }
}
