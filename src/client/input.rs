//! What a typed line means.

use super::model::Target;
use crate::wire::ChannelName;

/// A typed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Say it where one talks just now.
    Say(String),
    /// `/me`
    Act(String),
    /// `/msg`
    Tell(Target, String),
    /// `/query` and `/channel`: talk there from now on.
    Switch(Target),
    /// `/join`
    Join(Vec<ChannelName>),
    /// `/part`; no channel for the one where one talks.
    Part(Option<ChannelName>, String),
    /// `/names`
    Names(Option<ChannelName>),
    /// `/topic`; no text for a question.
    Topic(Option<ChannelName>, Option<String>),
    /// `/away`; no words for being back.
    Away(String),
    /// `/invite`; no channel for the one where one talks.
    Invite(String, Option<ChannelName>),
    /// `/kick` out of the channel where one talks.
    Kick(String, String),
    /// `/mode` of the channel where one talks.
    Mode(String),
    /// `/whois`
    Whois(String),
    /// `/search`; no words for asking which.
    Search(String),
    /// `/react` to the message that is chosen, or to the last of another.
    React(String),
    /// `/reply` to the same.
    Reply(String),
    /// `/mute` and `/unmute` the place where one talks.
    Mute(bool),
    /// `/theme`
    Theme(String),
    /// `/delete` one's last message in the place where one talks.
    Delete(String),
    /// `/close` the place where one talks, without leaving it for good.
    Close,
    /// `/members`
    Members,
    /// `/quit`
    Quit(String),
    /// `/help`
    Help,
    /// An empty line.
    Nothing,
}

/// A command as `/help` lists it.
struct Command {
    name: &'static str,
    usage: &'static str,
    does: &'static str,
    /// Needs the full-screen chat.
    screen: bool,
    parse: fn(&str) -> Result<Input, String>,
}

/// What those hear who look for what is not there.
const NO_EDIT: &str =
    "what was sent cannot be edited: /delete takes your last message back, then say it anew";

/// All commands, in the order of `/help`.
const COMMANDS: &[Command] = &[
    Command {
        name: "join",
        usage: "#CHANNEL…",
        does: "join channels, or make them",
        screen: false,
        parse: join,
    },
    Command {
        name: "part",
        usage: "[#CHANNEL] [WORDS]",
        does: "leave a channel, for good",
        screen: false,
        parse: part,
    },
    Command {
        name: "msg",
        usage: "NAME TEXT",
        does: "say something to somebody, or in another channel",
        screen: false,
        parse: msg,
    },
    Command {
        name: "query",
        usage: "NAME",
        does: "talk to somebody, or in another channel, from now on",
        screen: false,
        parse: switch,
    },
    Command {
        name: "ns",
        usage: "WORDS",
        does: "say something to NickServ, without your password on the screen: /ns PASSWD OLD NEW",
        screen: false,
        parse: |words| {
            msg(&format!("NickServ {words}")).map_err(|_| "say what? /ns HELP lists what it knows".to_owned())
        },
    },
    Command { name: "me", usage: "TEXT", does: "do something: /me waves", screen: false, parse: act },
    Command {
        name: "names",
        usage: "[#CHANNEL]",
        does: "who is in the channel",
        screen: false,
        parse: names,
    },
    Command {
        name: "topic",
        usage: "[#CHANNEL] [TEXT]",
        does: "show the channel's topic, or set it",
        screen: false,
        parse: topic,
    },
    Command {
        name: "away",
        usage: "[WORDS]",
        does: "say that you are away; without words: that you are back",
        screen: false,
        parse: |words| Ok(Input::Away(words.trim().to_owned())),
    },
    Command { name: "whois", usage: "NAME", does: "what is known of somebody", screen: false, parse: whois },
    Command {
        name: "invite",
        usage: "NAME [#CHANNEL]",
        does: "invite somebody to the channel",
        screen: false,
        parse: invite,
    },
    Command {
        name: "kick",
        usage: "NAME [WORDS]",
        does: "throw somebody out of the channel",
        screen: false,
        parse: kick,
    },
    Command {
        name: "mode",
        usage: "[MODES]",
        does: "show or change the channel's modes: /mode +m, /mode +o bob",
        screen: false,
        parse: |modes| Ok(Input::Mode(modes.trim().to_owned())),
    },
    Command {
        name: "search",
        usage: "[WORDS]",
        does: "search what was said; in:#channel and from:name narrow it down",
        screen: false,
        parse: |words| Ok(Input::Search(words.trim().to_owned())),
    },
    Command {
        name: "reply",
        usage: "TEXT",
        does: "answer the chosen message, or the last of somebody else",
        screen: false,
        parse: reply,
    },
    Command {
        name: "react",
        usage: "EMOJI",
        does: "react to the same: /react :tada:",
        screen: false,
        parse: react,
    },
    Command {
        name: "delete",
        usage: "[WORDS]",
        does: "take back your last message here, and say why",
        screen: false,
        parse: |words| Ok(Input::Delete(words.trim().to_owned())),
    },
    Command {
        name: "edit",
        usage: "",
        does: "there is none, what was sent cannot be edited: /delete takes it back, then say it anew",
        screen: false,
        parse: |_| Err(NO_EDIT.to_owned()),
    },
    Command {
        name: "mute",
        usage: "",
        does: "no noise from here any more, on all your devices",
        screen: true,
        parse: |_| Ok(Input::Mute(true)),
    },
    Command {
        name: "unmute",
        usage: "",
        does: "noise again",
        screen: true,
        parse: |_| Ok(Input::Mute(false)),
    },
    Command {
        name: "members",
        usage: "",
        does: "show or hide who is here",
        screen: true,
        parse: |_| Ok(Input::Members),
    },
    Command {
        name: "theme",
        usage: "dark|light",
        does: "colours for a dark or a light terminal",
        screen: true,
        parse: |name| Ok(Input::Theme(name.trim().to_owned())),
    },
    Command {
        name: "close",
        usage: "",
        does: "take a talk out of the list; nothing is lost",
        screen: true,
        parse: |_| Ok(Input::Close),
    },
    Command {
        name: "quit",
        usage: "[WORDS]",
        does: "end the chat",
        screen: false,
        parse: |text| Ok(Input::Quit(text.to_owned())),
    },
    Command { name: "help", usage: "", does: "show this", screen: false, parse: |_| Ok(Input::Help) },
];

/// Other names of commands.
const ALIASES: &[(&str, &str)] = &[
    ("channel", "query"),
    ("j", "join"),
    ("leave", "part"),
    ("q", "query"),
    ("exit", "quit"),
    ("w", "msg"),
    ("back", "away"),
    ("find", "search"),
    ("+", "react"),
    ("nickserv", "ns"),
    ("who", "names"),
    ("r", "reply"),
    ("redact", "delete"),
    ("unsend", "delete"),
];

/// Reads a line of the plain chat. A command starts with `/`; a text that starts with `/` is written with `//`. The error
/// is a line for the user.
pub fn parse(line: &str) -> Result<Input, String> {
    read(line, false)
}

/// The same for the full-screen chat, which knows more commands.
pub fn parse_for_screen(line: &str) -> Result<Input, String> {
    read(line, true)
}

fn read(line: &str, screen: bool) -> Result<Input, String> {
    let Some(rest) = line.strip_prefix('/') else {
        return Ok(if line.trim().is_empty() { Input::Nothing } else { Input::Say(line.to_owned()) });
    };
    if rest.starts_with('/') {
        return Ok(Input::Say(rest.to_owned()));
    }
    let (name, args) = rest.split_once(' ').unwrap_or((rest, ""));
    let lower = name.to_ascii_lowercase();
    let lower = ALIASES.iter().find(|(alias, _)| *alias == lower).map_or(lower.as_str(), |(_, name)| name);
    let command = COMMANDS.iter().find(|command| command.name == lower).ok_or_else(|| unknown(name))?;
    if command.screen && !screen {
        return Err(format!("/{} needs the full-screen chat: `parlour chat` in a terminal", command.name));
    }
    (command.parse)(args.trim_start()).map_err(|why| match command.usage {
        "" => why,
        usage => format!("{why}; usage: /{} {usage}", command.name),
    })
}

/// The lines that `/help` of the plain chat shows.
pub fn help() -> impl Iterator<Item = String> {
    let lines = || COMMANDS.iter().filter(|command| !command.screen);
    let usage = |command: &Command| format!("/{} {}", command.name, command.usage);
    let width = lines().map(|command| usage(command).chars().count()).max().unwrap_or(0);
    let lines = lines().map(move |command| format!("  {:width$}  {}", usage(command), command.does));
    lines.chain(["  //TEXT says a text that starts with a slash".to_owned()])
}

/// All commands: how each is written, and what it does.
pub fn table() -> impl Iterator<Item = (String, &'static str)> {
    let usage = |command: &Command| format!("/{} {}", command.name, command.usage).trim_end().to_owned();
    COMMANDS.iter().map(move |command| (usage(command), command.does))
}

/// The names of all commands.
pub fn names_of_commands() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|command| command.name)
}

fn unknown(name: &str) -> String {
    let like = COMMANDS.iter().map(|command| (strsim::osa_distance(name, command.name), command.name)).min();
    match like {
        Some((distance, like)) if distance <= 2 => format!("there is no /{name}; did you mean /{like}?"),
        _ => format!("there is no /{name}; /help lists the commands, //{name} says it as text"),
    }
}

fn join(args: &str) -> Result<Input, String> {
    let channels: Vec<_> =
        args.split([' ', ',']).filter(|name| !name.is_empty()).map(channel).collect::<Result<_, _>>()?;
    if channels.is_empty() { Err("which channel?".to_owned()) } else { Ok(Input::Join(channels)) }
}

fn part(args: &str) -> Result<Input, String> {
    let (channel, reason) = channel_first(args)?;
    Ok(Input::Part(channel, reason.to_owned()))
}

fn msg(args: &str) -> Result<Input, String> {
    match args.split_once(' ') {
        Some((to, text)) if !text.trim().is_empty() => Ok(Input::Tell(target(to)?, text.to_owned())),
        _ => Err("to whom, and what?".to_owned()),
    }
}

fn switch(args: &str) -> Result<Input, String> {
    if args.trim().is_empty() {
        Err("to whom, or where?".to_owned())
    } else {
        Ok(Input::Switch(target(args.trim())?))
    }
}

fn act(args: &str) -> Result<Input, String> {
    if args.trim().is_empty() { Err("do what?".to_owned()) } else { Ok(Input::Act(args.to_owned())) }
}

fn names(args: &str) -> Result<Input, String> {
    match channel_first(args)? {
        (channel, "") => Ok(Input::Names(channel)),
        (_, other) => Err(format!("{other:?} is not a channel")),
    }
}

fn topic(args: &str) -> Result<Input, String> {
    let (channel, text) = channel_first(args)?;
    Ok(Input::Topic(channel, (!text.is_empty()).then(|| text.to_owned())))
}

fn whois(args: &str) -> Result<Input, String> {
    if args.trim().is_empty() { Err("whom?".to_owned()) } else { Ok(Input::Whois(args.trim().to_owned())) }
}

fn invite(args: &str) -> Result<Input, String> {
    let (name, rest) = args.split_once(' ').unwrap_or((args, ""));
    if name.is_empty() {
        return Err("whom?".to_owned());
    }
    let place = if rest.trim().is_empty() { None } else { Some(channel(rest.trim())?) };
    Ok(Input::Invite(name.to_owned(), place))
}

fn kick(args: &str) -> Result<Input, String> {
    let (name, words) = args.split_once(' ').unwrap_or((args, ""));
    if name.is_empty() {
        Err("whom?".to_owned())
    } else {
        Ok(Input::Kick(name.to_owned(), words.trim().to_owned()))
    }
}

fn react(args: &str) -> Result<Input, String> {
    if args.trim().is_empty() {
        Err("with what?".to_owned())
    } else {
        let text = args.trim();
        let emoji = emojis::get_by_shortcode(text.trim_matches(':'));
        Ok(Input::React(emoji.map_or(text, |emoji| emoji.as_str()).to_owned()))
    }
}

fn reply(args: &str) -> Result<Input, String> {
    if args.trim().is_empty() { Err("what?".to_owned()) } else { Ok(Input::Reply(args.to_owned())) }
}

/// The channel that the arguments may start with, and the rest.
fn channel_first(args: &str) -> Result<(Option<ChannelName>, &str), String> {
    if !args.starts_with('#') {
        return Ok((None, args.trim_end()));
    }
    let (name, rest) = args.split_once(' ').unwrap_or((args, ""));
    Ok((Some(channel(name)?), rest.trim()))
}

fn channel(name: &str) -> Result<ChannelName, String> {
    match target(name)? {
        Target::Channel(channel) => Ok(channel),
        Target::Person(name) => Err(format!("{name} is not a channel: channels start with #")),
    }
}

fn target(name: &str) -> Result<Target, String> {
    Target::parse(name).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lobby() -> ChannelName {
        ChannelName::parse("#lobby").expect("a channel")
    }

    fn bob() -> Target {
        Target::parse("bob").expect("a person")
    }

    #[test]
    fn lines_mean_what_they_say() {
        for (line, expected) in [
            ("hi /all", Input::Say("hi /all".into())),
            (" indented", Input::Say(" indented".into())),
            ("//etc/passwd", Input::Say("/etc/passwd".into())),
            ("", Input::Nothing),
            ("  ", Input::Nothing),
            ("/join #lobby", Input::Join(vec![lobby()])),
            ("/J #LOBBY,#lobby  #lobby", Input::Join(vec![lobby(), lobby(), lobby()])),
            ("/part", Input::Part(None, String::new())),
            ("/part see you", Input::Part(None, "see you".into())),
            ("/leave #lobby see you", Input::Part(Some(lobby()), "see you".into())),
            ("/msg bob  two spaces", Input::Tell(bob(), " two spaces".into())),
            ("/msg #lobby hi", Input::Tell(Target::Channel(lobby()), "hi".into())),
            ("/query bob", Input::Switch(bob())),
            ("/channel #lobby", Input::Switch(Target::Channel(lobby()))),
            ("/me waves", Input::Act("waves".into())),
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
            ("/ns PASSWD a b", Input::Tell(Target::parse("NickServ").expect("a name"), "PASSWD a b".into())),
            ("/redact", Input::Delete(String::new())),
        ] {
            assert_eq!(parse(line), Ok(expected), "{line:?}");
        }
    }

    #[test]
    fn mistakes_are_explained() {
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
            ("/names bob", "\"bob\" is not a channel; usage: /names [#CHANNEL]"),
        ] {
            assert_eq!(parse(line), Err(expected.to_owned()));
        }
        assert!(parse("/msg 1st x").is_err_and(|why| why.contains("it may not start with '1'")));
        assert_eq!(help().count(), COMMANDS.iter().filter(|command| !command.screen).count() + 1);
        assert!(parse("/mute").is_err_and(|why| why.contains("full-screen")));
        assert_eq!(parse_for_screen("/unmute"), Ok(Input::Mute(false)));
    }

    #[test]
    fn aliases_lead_somewhere() {
        for (alias, name) in ALIASES {
            assert!(COMMANDS.iter().any(|command| command.name == *name), "{alias}");
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_it(line in "/?[a-z]{0,6} ?\\PC{0,30}") {
            let _ = parse(&line);
        }
    }
}
