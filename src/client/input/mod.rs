//! Lines that a user types: parsing and execution.

pub mod commands;
pub mod confirm;
pub mod execute;
pub mod held_redactions;
pub mod help;
pub mod ignore;
mod navigation;
pub mod query;
pub mod settings;
pub mod transfers;
pub mod waiting;
pub mod watch;

use self::commands::{HelpTopic, find_or_suggest};
pub use self::navigation::Navigation;
use self::settings::SettingsCommand;
use super::model::Conversation;
use super::model::requests::{ChannelRequest, SecretText, ServerRequest};
use crate::client::settings::do_not_disturb::DoNotDisturbChange;
use crate::client::text::file_address::FileAddress;
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
    /// `/upload`: share the file at this path in the current conversation, with this text.
    Upload(String, String),
    /// `/query` and `/channel`: switch to another conversation.
    Switch(Conversation),
    /// `/join`: join these channels.
    Join(Vec<ChannelName>),
    /// `/join` with a channel key.
    JoinWithKey(ChannelName, SecretText),
    /// `/part`; no channel stands for the current one.
    Part(Option<ChannelName>, String),
    /// `/names`; no channel stands for the current one.
    Names(Option<ChannelName>),
    /// `/topic` without a text; no channel stands for the current one.
    Topic(Option<ChannelName>),
    /// `/away`; an empty message stands for being back.
    Away(String),
    /// `/display-name` with a name; an empty name removes it.
    DisplayName(String),
    /// `/display-name` alone: show the name.
    ShowDisplayName,
    /// A request to the server.
    Request(ServerRequest),
    /// A request about a channel; no channel stands for the current one.
    ChannelRequest(Option<ChannelName>, ChannelRequest),
    /// `/files`: list what messages of a conversation share; of the current one if there is none.
    Files(Option<Conversation>),
    /// `/devices revoke`: end the access of the device with this number in the list that was shown last.
    RevokeDevice(usize),
    /// `/undo`: keep the message that was taken back last, if the redaction is not sent yet.
    Undo,
    /// `/search`; without words the user is prompted for them.
    Search(String),
    /// `/react` to the selected message, or to the last one of another account.
    React(String),
    /// `/reply` to the selected message, or to the last one of another account.
    Reply(String),
    /// `/delete`: redact this account's last message in the current conversation.
    Delete(String),
    /// `/cancel`: do not send the last message of the current conversation that waits, or `all` of them.
    Cancel {
        /// Set for all of them.
        all: bool,
    },
    /// A command that finds channels, conversations or messages.
    Navigate(Navigation),
    /// A command about what this client shows and notifies.
    View(ViewCommand),
    /// A command about settings.
    Settings(SettingsCommand),
    /// `/quit`: end the client with this message.
    Quit(String),
    /// `/help`: explain a topic or a command.
    Help(HelpTopic),
    /// An empty line.
    Empty,
}

/// A command about what this client shows and notifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewCommand {
    /// `/mute` (`true`) and `/unmute` (`false`) for the current conversation.
    Mute(bool),
    /// `/close`: remove the current conversation from the list without leaving the channel.
    Close,
    /// `/members`: show or hide the list of members.
    Members,
    /// `/raw-text`: show messages as written, or formatted again.
    RawText,
    /// `/clear`: hide the messages of the current conversation until the user scrolls up.
    Clear,
    /// `/dnd`: begin or end a span without notifications.
    DoNotDisturb(DoNotDisturbChange),
    /// `/draft` and `/send-draft` for the current conversation.
    Draft(DraftCommand),
    /// `/save`: save the file at this address; `None` for those of the selected message or of the last one with files.
    SaveFiles(Option<FileAddress>),
}

/// A command about the draft of the current conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftCommand {
    /// `/draft`: show it.
    Show,
    /// `/draft TEXT`: keep this text, without sending it.
    Keep(String),
    /// `/draft -`: remove it.
    Remove,
    /// `/send-draft`: send it.
    Send,
}

/// Parses a line. A command starts with `/`; a text that starts with `/` is typed with `//`. The error is a line for the
/// user.
pub fn parse_line(line: &str) -> Result<Input, String> {
    let Some(rest) = line.strip_prefix('/') else {
        return Ok(if line.trim().is_empty() { Input::Empty } else { Input::Message(line.to_owned()) });
    };
    if rest.starts_with('/') {
        return Ok(Input::Message(rest.to_owned()));
    }
    let (name, args) = rest.split_once(' ').unwrap_or((rest, ""));
    let command = find_or_suggest(name)?;
    let input = (command.parse)(args.trim_start()).map_err(|error| match command.usage {
        "" => error,
        _ if error.ends_with('?') => format!("{error} Usage: {}", command.usage_line()),
        _ => format!("{error}; usage: {}", command.usage_line()),
    })?;
    // What is typed behind it is meant somehow, and dropping it would do something else.
    if command.usage.is_empty() && !args.trim().is_empty() {
        return Err(format!("/{0} has no arguments: type /{0} alone", command.name));
    }
    Ok(input)
}

/// Parses a text of the composer. One of several lines is a message even if it starts with a slash, because it may be a
/// pasted script; `/me` is the exception. The error is a line for the user.
pub fn parse_composed(text: &str) -> Result<Input, String> {
    let line = text.trim_end_matches('\n');
    if line.contains('\n') && !line.starts_with("/me ") {
        return Ok(Input::Message(text.to_owned()));
    }
    parse_line(line)
}

#[cfg(test)]
mod tests {
    use super::commands::{Argument, NO_EDIT, commands, find};
    use super::*;
    use proptest::prelude::*;

    fn lobby() -> ChannelName {
        ChannelName::parse("#lobby").expect("a channel")
    }

    fn bob() -> Conversation {
        Conversation::parse("bob").expect("a person")
    }

    fn in_channel(channel: Option<ChannelName>, request: ChannelRequest) -> Input {
        Input::ChannelRequest(channel, request)
    }

    fn change(channel: Option<ChannelName>, words: &[&str]) -> Input {
        in_channel(channel, ChannelRequest::Change(words.iter().map(|&word| word.to_owned()).collect()))
    }

    fn invite_link(words: &[&str]) -> Input {
        Input::Request(ServerRequest::CreateInvite(words.iter().map(|&word| word.to_owned()).collect()))
    }

    #[test]
    #[allow(clippy::too_many_lines)] // A table.
    fn parses_each_command() {
        for (line, expected) in [
            ("hi /all", Input::Message("hi /all".into())),
            (" indented", Input::Message(" indented".into())),
            ("//etc/passwd", Input::Message("/etc/passwd".into())),
            ("", Input::Empty),
            ("  ", Input::Empty),
            ("/join #lobby", Input::Join(vec![lobby()])),
            ("/J #LOBBY,#lobby  #lobby", Input::Join(vec![lobby(), lobby(), lobby()])),
            ("/join #lobby tea", Input::JoinWithKey(lobby(), SecretText::new("tea"))),
            ("/part", Input::Part(None, String::new())),
            ("/part see you", Input::Part(None, "see you".into())),
            ("/leave #lobby see you", Input::Part(Some(lobby()), "see you".into())),
            ("/msg bob  two spaces", Input::MessageTo(bob(), " two spaces".into())),
            ("/msg #lobby hi", Input::MessageTo(Conversation::Channel(lobby()), "hi".into())),
            ("/query bob", Input::Switch(bob())),
            ("/channel #lobby", Input::Switch(Conversation::Channel(lobby()))),
            ("/mode +o bob", change(None, &["+o", "bob"])),
            ("/mode #lobby +b carol!*@*", change(Some(lobby()), &["+b", "carol!*@*"])),
            ("/mode #lobby", in_channel(Some(lobby()), ChannelRequest::Modes)),
            (
                "/kick bob no more",
                in_channel(None, ChannelRequest::Kick { name: "bob".into(), reason: "no more".into() }),
            ),
            (
                "/kick #lobby bob",
                in_channel(Some(lobby()), ChannelRequest::Kick { name: "bob".into(), reason: String::new() }),
            ),
            ("/op bob carol", change(None, &["+oo", "bob", "carol"])),
            ("/deop #lobby bob", change(Some(lobby()), &["-o", "bob"])),
            ("/halfop bob", change(None, &["+h", "bob"])),
            ("/dehalfop bob", change(None, &["-h", "bob"])),
            ("/voice bob", change(None, &["+v", "bob"])),
            ("/devoice bob", change(None, &["-v", "bob"])),
            ("/ban bob", change(None, &["+b", "bob!*@*"])),
            ("/ban *!*@evil", change(None, &["+b", "*!*@evil"])),
            ("/unban #lobby a:bob", change(Some(lobby()), &["-b", "a:bob"])),
            ("/mute-user bob", change(None, &["+b", "m:bob!*@*"])),
            ("/unmute-user bob", change(None, &["-b", "m:bob!*@*"])),
            ("/bans", in_channel(None, ChannelRequest::Bans)),
            ("/invite-only", change(None, &["+i"])),
            ("/invite-only off", change(None, &["-i"])),
            ("/moderate #lobby on", change(Some(lobby()), &["+m"])),
            ("/secret off", change(None, &["-s"])),
            ("/limit 20", change(None, &["+l", "20"])),
            ("/limit off", change(None, &["-l"])),
            ("/key tea time", in_channel(None, ChannelRequest::Key(Some(SecretText::new("tea time"))))),
            ("/key off", in_channel(None, ChannelRequest::Key(None))),
            ("/topic #lobby -", in_channel(Some(lobby()), ChannelRequest::Topic(String::new()))),
            ("/rename #lobby", in_channel(None, ChannelRequest::Rename(lobby()))),
            ("/rename #lobby #lobby", in_channel(Some(lobby()), ChannelRequest::Rename(lobby()))),
            ("/invite bob", in_channel(None, ChannelRequest::Invite("bob".into()))),
            ("/knock #lobby please", in_channel(Some(lobby()), ChannelRequest::Knock("please".into()))),
            ("/whois bob", Input::Request(ServerRequest::Profile("bob".into()))),
            ("/who", Input::Request(ServerRequest::People("*".into()))),
            ("/who #lobby", Input::Request(ServerRequest::People("#lobby".into()))),
            ("/setname Alice B.", Input::Request(ServerRequest::SetName("Alice B.".into()))),
            ("/oper root a b", Input::Request(ServerRequest::Oper("root".into(), SecretText::new("a b")))),
            (
                "/kill bob spam",
                Input::Request(ServerRequest::Kill { name: "bob".into(), reason: "spam".into() }),
            ),
            ("/wallops hi all", Input::Request(ServerRequest::Wallops("hi all".into()))),
            ("/motd", Input::Request(ServerRequest::Motd)),
            ("/stats", Input::Request(ServerRequest::Statistics)),
            ("/audit", Input::Request(ServerRequest::Audit(50))),
            ("/audit 5", Input::Request(ServerRequest::Audit(5))),
            ("/rehash", Input::Request(ServerRequest::Rehash)),
            ("/devices", Input::Request(ServerRequest::Devices)),
            ("/files", Input::Files(None)),
            ("/files #lobby", Input::Files(Some(Conversation::Channel(lobby())))),
            ("/files own", Input::Request(ServerRequest::OwnFiles)),
            (
                "/files link https://chat.example:6697/f/k3sVnR0mQ2yq1r8uJ5wX7A/photo.jpg",
                Input::Request(ServerRequest::LinkFile("k3sVnR0mQ2yq1r8uJ5wX7A".into())),
            ),
            (
                "/files unlink k3sVnR0mQ2yq1r8uJ5wX7A",
                Input::Request(ServerRequest::UnlinkFile("k3sVnR0mQ2yq1r8uJ5wX7A".into())),
            ),
            ("/devices revoke 2", Input::RevokeDevice(2)),
            ("/invites", Input::Request(ServerRequest::Invites)),
            ("/invites revoke 3", Input::Request(ServerRequest::RevokeInvite(3))),
            ("/invite-link", invite_link(&["CREATE"])),
            ("/invite-link 5 7d #lobby", invite_link(&["CREATE", "5", "7d", "#lobby"])),
            ("/invite-link for bob", invite_link(&["FOR", "bob"])),
            ("/raw WHO #lobby", Input::Request(ServerRequest::Raw(SecretText::new("WHO #lobby")))),
            ("/undo", Input::Undo),
            ("/unmute", Input::View(ViewCommand::Mute(false))),
            ("/draft", Input::View(ViewCommand::Draft(DraftCommand::Show))),
            ("/draft see you", Input::View(ViewCommand::Draft(DraftCommand::Keep("see you".into())))),
            ("/draft -", Input::View(ViewCommand::Draft(DraftCommand::Remove))),
            ("/save", Input::View(ViewCommand::SaveFiles(None))),
            ("/send-draft", Input::View(ViewCommand::Draft(DraftCommand::Send))),
            ("/me waves", Input::Action("waves".into())),
            ("/names", Input::Names(None)),
            ("/names #lobby", Input::Names(Some(lobby()))),
            ("/react :tada:", Input::React(":tada:".into())),
            ("/+ tada", Input::React("tada".into())),
            ("/react ok!", Input::React("ok!".into())),
            ("/reply yes, I do", Input::Reply("yes, I do".into())),
            ("/topic", Input::Topic(None)),
            ("/topic #lobby", Input::Topic(Some(lobby()))),
            ("/topic all about it", in_channel(None, ChannelRequest::Topic("all about it".into()))),
            ("/topic #lobby about it", in_channel(Some(lobby()), ChannelRequest::Topic("about it".into()))),
            ("/quit", Input::Quit(String::new())),
            ("/help", Input::Help(HelpTopic::Overview)),
            ("/help Moderation", Input::Help(HelpTopic::Group("moderation"))),
            ("/help j", Input::Help(HelpTopic::Command("join"))),
            ("/help /join", Input::Help(HelpTopic::Command("join"))),
            (
                "/ns PASSWD a b",
                Input::MessageTo(Conversation::parse("NickServ").expect("a name"), "PASSWD a b".into()),
            ),
            ("/redact", Input::Delete(String::new())),
            ("/cancel", Input::Cancel { all: false }),
            ("/cancel all", Input::Cancel { all: true }),
            ("/list tea room", Input::Navigate(Navigation::Channels("tea room".into()))),
        ] {
            assert_eq!(parse_line(line), Ok(expected), "{line:?}");
        }
    }

    #[test]
    fn invalid_commands_return_usage_errors() {
        for (line, expected) in [
            ("/jion #a", "there is no /jion; did you mean /join?"),
            ("/leav", "there is no /leav; did you mean /leave?"),
            ("/xy", "there is no /xy; /help lists the commands, //xy sends it as text"),
            ("/help jion", "there is no /jion; did you mean /join? Usage: /help [TOPIC|COMMAND]"),
            (
                "/frobnicate",
                "there is no /frobnicate; /help lists the commands, //frobnicate sends it as text",
            ),
            ("/join", "which channel? Usage: /join #CHANNEL… [KEY]"),
            ("/join lobby", "lobby is not a channel: channels start with #; usage: /join #CHANNEL… [KEY]"),
            ("/msg bob", "to whom, and which text? Usage: /msg NAME TEXT"),
            ("/edit", NO_EDIT),
            ("/edit it was so", NO_EDIT),
            ("/op", "whom? Usage: /op [#CHANNEL] NAME…"),
            ("/limit 0", "a number above 0, or off; usage: /limit [#CHANNEL] NUMBER|off"),
            ("/secret maybe", "on or off? Usage: /secret [#CHANNEL] [on|off]"),
            (
                "/files link https://chat.example:6697/l/k3sVnR0mQ2yq1r8uJ5wX7A",
                "which file? /files own lists yours with their ids; usage: /files [NAME|own|link FILE|unlink FILE]",
            ),
            ("/devices revoke x", "which number? /devices lists them; usage: /devices [revoke NUMBER]"),
            ("/oper root", "which account and password? Usage: /oper ACCOUNT PASSWORD"),
            ("/kick #lobby", "whom? Usage: /kick [#CHANNEL] NAME [REASON]"),
            (
                "/ban bob too loud",
                "a ban is for one name and shows no reason; /kick bob REASON removes them and shows one; \
                 usage: /ban [#CHANNEL] NAME",
            ),
            ("/unban bob sorry", "one name at a time, and nothing behind it; usage: /unban [#CHANNEL] NAME"),
            ("/motd please", "/motd has no arguments: type /motd alone"),
            (
                "/mute bob",
                "/mute is for this conversation; /mute-user bob keeps a person from writing here, and /ignore bob hides \
                 their messages",
            ),
            (
                "/unmute bob",
                "/unmute is for this conversation; /unmute-user bob lets a person write again, and \
                 /unignore bob shows their messages",
            ),
            ("/bans bob", "\"bob\" is not a channel; usage: /bans [#CHANNEL]"),
            ("/cancel it", "all, or nothing for the last one; usage: /cancel [all]"),
            ("/names bob", "\"bob\" is not a channel; usage: /names [#CHANNEL]"),
        ] {
            assert_eq!(parse_line(line), Err(expected.to_owned()));
        }
        assert!(parse_line("/msg 1st x").is_err_and(|error| error.contains("it may not start with '1'")));
    }

    #[test]
    fn names_and_aliases_are_unique_and_completed_words_are_in_the_usage() {
        let mut known = std::collections::BTreeSet::new();
        for command in commands() {
            for name in [command.name].iter().chain(command.aliases) {
                assert!(known.insert(*name), "/{name} stands for two commands");
                assert_eq!(find(&name.to_uppercase()).map(|found| found.name), Some(command.name));
            }
            for kind in command.arguments {
                if let Argument::OneOf(words) = kind {
                    assert!(words.iter().all(|word| command.usage.contains(word)), "{command:?}");
                }
            }
            assert!(!command.description.is_empty() && !command.description.ends_with('.'), "{command:?}");
        }
    }

    proptest! {
        #[test]
        fn parse_never_panics(line in "/?[a-z]{0,6} ?\\PC{0,30}") {
            let _ = parse_line(&line);
        }
    }
}
