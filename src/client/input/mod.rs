//! Lines that a user types: parsing and execution.

mod commands;
pub mod execute;
pub mod query;

use self::commands::{ALIASES, COMMANDS, Command};
use super::model::Conversation;
use crate::wire::ChannelName;

/// A parsed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Text for the current conversation.
    Message(String),
    /// `/me`: an action in the current conversation.
    Action(String),
    /// `/msg`: a message to another conversation.
    MessageTo(Conversation, String),
    /// `/query` and `/channel`: switch to another conversation.
    Switch(Conversation),
    /// `/join`: join these channels.
    Join(Vec<ChannelName>),
    /// `/part`; no channel stands for the current one.
    Part(Option<ChannelName>, String),
    /// `/names`; no channel stands for the current one.
    Names(Option<ChannelName>),
    /// `/topic`; no channel stands for the current one, no text for a query.
    Topic(Option<ChannelName>, Option<String>),
    /// `/away`; an empty message stands for being back.
    Away(String),
    /// `/invite`; no channel stands for the current one.
    Invite(String, Option<ChannelName>),
    /// `/kick`; no channel stands for the current one.
    Kick(Option<ChannelName>, String, String),
    /// `/mode`; no channel stands for the current one.
    Mode(Option<ChannelName>, String),
    /// `/whois`: query an account's details.
    Whois(String),
    /// `/search`; without words the user is prompted for them.
    Search(String),
    /// `/react` to the selected message, or to the last one of another account.
    React(String),
    /// `/reply` to the selected message, or to the last one of another account.
    Reply(String),
    /// `/delete`: redact this account's last message in the current conversation.
    Delete(String),
    /// A command of the full-screen client.
    OnScreen(ScreenCommand),
    /// `/quit`: end the client with this message.
    Quit(String),
    /// `/help`: list the commands.
    Help,
    /// An empty line.
    Empty,
}

/// A command that only the full-screen client has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScreenCommand {
    /// `/mute` (`true`) and `/unmute` (`false`) for the current conversation.
    Mute(bool),
    /// `/theme`: switch to the colours with this name.
    Theme(String),
    /// `/close`: remove the current conversation from the list without leaving the channel.
    Close,
    /// `/members`: show or hide the list of members.
    Members,
}

/// Parses a line of the plain chat. A command starts with `/`; a text that starts with `/` is typed with `//`. The
/// error is a line for the user.
pub fn parse_for_plain(line: &str) -> Result<Input, String> {
    parse_line(line, false)
}

/// Parses a line of the full-screen client, which has more commands.
pub fn parse_for_screen(line: &str) -> Result<Input, String> {
    parse_line(line, true)
}

fn parse_line(line: &str, screen: bool) -> Result<Input, String> {
    let Some(rest) = line.strip_prefix('/') else {
        return Ok(if line.trim().is_empty() { Input::Empty } else { Input::Message(line.to_owned()) });
    };
    if rest.starts_with('/') {
        return Ok(Input::Message(rest.to_owned()));
    }
    let (name, args) = rest.split_once(' ').unwrap_or((rest, ""));
    let lower = name.to_ascii_lowercase();
    let lower = ALIASES.iter().find(|(alias, _)| *alias == lower).map_or(lower.as_str(), |(_, name)| name);
    let command =
        COMMANDS.iter().find(|command| command.name == lower).ok_or_else(|| unknown_command(name))?;
    if command.screen_only && !screen {
        return Err(format!("/{} needs the full-screen chat: `parlour chat` in a terminal", command.name));
    }
    (command.parse)(args.trim_start()).map_err(|error| match command.usage {
        "" => error,
        usage => format!("{error}; usage: /{} {usage}", command.name),
    })
}

/// Returns the lines of `/help` in the plain chat.
pub fn help_lines() -> impl Iterator<Item = String> {
    let lines = || COMMANDS.iter().filter(|command| !command.screen_only);
    let usage = |command: &Command| format!("/{} {}", command.name, command.usage);
    let width = lines().map(|command| usage(command).chars().count()).max().unwrap_or(0);
    let lines = lines().map(move |command| format!("  {:width$}  {}", usage(command), command.description));
    lines.chain(["  //TEXT send a message that starts with a slash".to_owned()])
}

/// Returns usage and description of all commands.
pub fn command_table() -> impl Iterator<Item = (String, &'static str)> {
    let usage = |command: &Command| format!("/{} {}", command.name, command.usage).trim_end().to_owned();
    COMMANDS.iter().map(move |command| (usage(command), command.description))
}

/// Returns the names of all commands.
pub fn command_names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|command| command.name)
}

fn unknown_command(name: &str) -> String {
    let like = COMMANDS.iter().map(|command| (strsim::osa_distance(name, command.name), command.name)).min();
    match like {
        Some((distance, like)) if distance <= 2 => format!("there is no /{name}; did you mean /{like}?"),
        _ => format!("there is no /{name}; /help lists the commands, //{name} says it as text"),
    }
}

#[cfg(test)]
mod tests {
    use super::commands::NO_EDIT;
    use super::*;
    use proptest::prelude::*;

    fn lobby() -> ChannelName {
        ChannelName::parse("#lobby").expect("a channel")
    }

    fn bob() -> Conversation {
        Conversation::parse("bob").expect("a person")
    }

    #[test]
    fn parses_each_command() {
        for (line, expected) in [
            ("hi /all", Input::Message("hi /all".into())),
            (" indented", Input::Message(" indented".into())),
            ("//etc/passwd", Input::Message("/etc/passwd".into())),
            ("", Input::Empty),
            ("  ", Input::Empty),
            ("/join #lobby", Input::Join(vec![lobby()])),
            ("/J #LOBBY,#lobby  #lobby", Input::Join(vec![lobby(), lobby(), lobby()])),
            ("/part", Input::Part(None, String::new())),
            ("/part see you", Input::Part(None, "see you".into())),
            ("/leave #lobby see you", Input::Part(Some(lobby()), "see you".into())),
            ("/msg bob  two spaces", Input::MessageTo(bob(), " two spaces".into())),
            ("/msg #lobby hi", Input::MessageTo(Conversation::Channel(lobby()), "hi".into())),
            ("/query bob", Input::Switch(bob())),
            ("/channel #lobby", Input::Switch(Conversation::Channel(lobby()))),
            ("/mode +o bob", Input::Mode(None, "+o bob".into())),
            ("/mode #lobby +b carol!*@*", Input::Mode(Some(lobby()), "+b carol!*@*".into())),
            ("/mode #lobby", Input::Mode(Some(lobby()), String::new())),
            ("/kick bob no more", Input::Kick(None, "bob".into(), "no more".into())),
            ("/kick #lobby bob", Input::Kick(Some(lobby()), "bob".into(), String::new())),
            ("/me waves", Input::Action("waves".into())),
            ("/names", Input::Names(None)),
            ("/names #lobby", Input::Names(Some(lobby()))),
            ("/who #lobby", Input::Names(Some(lobby()))),
            ("/react :tada:", Input::React("🎉".into())),
            ("/+ tada", Input::React("🎉".into())),
            ("/react ok!", Input::React("ok!".into())),
            ("/reply yes, I do", Input::Reply("yes, I do".into())),
            ("/topic", Input::Topic(None, None)),
            ("/topic #lobby", Input::Topic(Some(lobby()), None)),
            ("/topic all about it", Input::Topic(None, Some("all about it".into()))),
            ("/topic #lobby about it", Input::Topic(Some(lobby()), Some("about it".into()))),
            ("/quit", Input::Quit(String::new())),
            ("/help me", Input::Help),
            (
                "/ns PASSWD a b",
                Input::MessageTo(Conversation::parse("NickServ").expect("a name"), "PASSWD a b".into()),
            ),
            ("/redact", Input::Delete(String::new())),
        ] {
            assert_eq!(parse_for_plain(line), Ok(expected), "{line:?}");
        }
    }

    #[test]
    fn invalid_commands_return_usage_errors() {
        for (line, expected) in [
            ("/jion #a", "there is no /jion; did you mean /join?"),
            (
                "/frobnicate",
                "there is no /frobnicate; /help lists the commands, //frobnicate says it as text",
            ),
            ("/join", "which channel?; usage: /join #CHANNEL…"),
            ("/join lobby", "lobby is not a channel: channels start with #; usage: /join #CHANNEL…"),
            ("/msg bob", "to whom, and what?; usage: /msg NAME TEXT"),
            ("/edit", NO_EDIT),
            ("/edit it was so", NO_EDIT),
            ("/kick #lobby", "whom?; usage: /kick [#CHANNEL] NAME [WORDS]"),
            ("/names bob", "\"bob\" is not a channel; usage: /names [#CHANNEL]"),
        ] {
            assert_eq!(parse_for_plain(line), Err(expected.to_owned()));
        }
        assert!(
            parse_for_plain("/msg 1st x").is_err_and(|error| error.contains("it may not start with '1'"))
        );
        assert_eq!(help_lines().count(), COMMANDS.iter().filter(|command| !command.screen_only).count() + 1);
        assert!(parse_for_plain("/mute").is_err_and(|error| error.contains("full-screen")));
        assert_eq!(parse_for_screen("/unmute"), Ok(Input::OnScreen(ScreenCommand::Mute(false))));
    }

    #[test]
    fn aliases_name_existing_commands() {
        for (alias, name) in ALIASES {
            assert!(COMMANDS.iter().any(|command| command.name == *name), "{alias}");
        }
    }

    proptest! {
        #[test]
        fn parse_never_panics(line in "/?[a-z]{0,6} ?\\PC{0,30}") {
            let _ = parse_for_plain(&line);
        }
    }
}
