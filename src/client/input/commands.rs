//! The table of commands that `/help`, `?`, completion and the parser use.

use super::{Input, ScreenCommand};
use crate::client::model::Conversation;
use crate::wire::ChannelName;

/// An entry of the command table.
pub(super) struct Command {
    pub name: &'static str,
    pub usage: &'static str,
    pub description: &'static str,
    /// Set if the command needs the full-screen client.
    pub screen_only: bool,
    pub parse: fn(&str) -> Result<Input, String>,
}

/// Error text of `/edit`, which does not exist.
pub(super) const NO_EDIT: &str =
    "what was sent cannot be edited: /delete takes your last message back, then say it anew";

/// All commands, in the order of `/help`.
pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "join",
        usage: "#CHANNEL…",
        description: "join channels, or make them",
        screen_only: false,
        parse: parse_join,
    },
    Command {
        name: "part",
        usage: "[#CHANNEL] [WORDS]",
        description: "leave a channel, for good",
        screen_only: false,
        parse: parse_part,
    },
    Command {
        name: "msg",
        usage: "NAME TEXT",
        description: "say something to somebody, or in another channel",
        screen_only: false,
        parse: parse_msg,
    },
    Command {
        name: "query",
        usage: "NAME",
        description: "talk to somebody, or in another channel, from now on",
        screen_only: false,
        parse: parse_query,
    },
    Command {
        name: "ns",
        usage: "WORDS",
        description: "say something to NickServ, without your password on the screen: /ns PASSWD OLD NEW",
        screen_only: false,
        parse: |args| {
            parse_msg(&format!("NickServ {args}"))
                .map_err(|_| "say what? /ns HELP lists what it knows".to_owned())
        },
    },
    Command {
        name: "me",
        usage: "TEXT",
        description: "do something: /me waves",
        screen_only: false,
        parse: parse_me,
    },
    Command {
        name: "names",
        usage: "[#CHANNEL]",
        description: "who is in the channel",
        screen_only: false,
        parse: parse_names,
    },
    Command {
        name: "topic",
        usage: "[#CHANNEL] [TEXT]",
        description: "show the channel's topic, or set it",
        screen_only: false,
        parse: parse_topic,
    },
    Command {
        name: "away",
        usage: "[WORDS]",
        description: "say that you are away; without words: that you are back",
        screen_only: false,
        parse: |args| Ok(Input::Away(args.trim().to_owned())),
    },
    Command {
        name: "whois",
        usage: "NAME",
        description: "what is known of somebody",
        screen_only: false,
        parse: parse_whois,
    },
    Command {
        name: "invite",
        usage: "NAME [#CHANNEL]",
        description: "invite somebody to the channel",
        screen_only: false,
        parse: parse_invite,
    },
    Command {
        name: "kick",
        usage: "[#CHANNEL] NAME [WORDS]",
        description: "throw somebody out of the channel",
        screen_only: false,
        parse: parse_kick,
    },
    Command {
        name: "mode",
        usage: "[#CHANNEL] [MODES]",
        description: "show or change the channel's modes: /mode +m, /mode +o bob",
        screen_only: false,
        parse: parse_mode,
    },
    Command {
        name: "search",
        usage: "[WORDS]",
        description: "search the history; filters: in:#channel from:name",
        screen_only: false,
        parse: |args| Ok(Input::Search(args.trim().to_owned())),
    },
    Command {
        name: "reply",
        usage: "TEXT",
        description: "answer the chosen message, or the last of somebody else",
        screen_only: false,
        parse: parse_reply,
    },
    Command {
        name: "react",
        usage: "EMOJI",
        description: "react to the same: /react :tada:",
        screen_only: false,
        parse: parse_react,
    },
    Command {
        name: "delete",
        usage: "[WORDS]",
        description: "take back your last message here, and say why",
        screen_only: false,
        parse: |args| Ok(Input::Delete(args.trim().to_owned())),
    },
    Command {
        name: "edit",
        usage: "",
        description: "there is none, what was sent cannot be edited: /delete takes it back, then say it anew",
        screen_only: false,
        parse: |_| Err(NO_EDIT.to_owned()),
    },
    Command {
        name: "mute",
        usage: "",
        description: "mute this conversation, on all your devices",
        screen_only: true,
        parse: |_| Ok(Input::OnScreen(ScreenCommand::Mute(true))),
    },
    Command {
        name: "unmute",
        usage: "",
        description: "noise again",
        screen_only: true,
        parse: |_| Ok(Input::OnScreen(ScreenCommand::Mute(false))),
    },
    Command {
        name: "members",
        usage: "",
        description: "show or hide who is here",
        screen_only: true,
        parse: |_| Ok(Input::OnScreen(ScreenCommand::Members)),
    },
    Command {
        name: "theme",
        usage: "dark|light",
        description: "colours for a dark or a light terminal",
        screen_only: true,
        parse: |name| Ok(Input::OnScreen(ScreenCommand::Theme(name.trim().to_owned()))),
    },
    Command {
        name: "close",
        usage: "",
        description: "take a talk out of the list; nothing is lost",
        screen_only: true,
        parse: |_| Ok(Input::OnScreen(ScreenCommand::Close)),
    },
    Command {
        name: "quit",
        usage: "[WORDS]",
        description: "quit",
        screen_only: false,
        parse: |text| Ok(Input::Quit(text.to_owned())),
    },
    Command {
        name: "help",
        usage: "",
        description: "show this",
        screen_only: false,
        parse: |_| Ok(Input::Help),
    },
];

/// Alternative names of commands.
pub(super) const ALIASES: &[(&str, &str)] = &[
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

fn parse_join(args: &str) -> Result<Input, String> {
    let channels: Vec<_> = args
        .split([' ', ','])
        .filter(|name| !name.is_empty())
        .map(parse_channel)
        .collect::<Result<_, _>>()?;
    if channels.is_empty() { Err("which channel?".to_owned()) } else { Ok(Input::Join(channels)) }
}

fn parse_part(args: &str) -> Result<Input, String> {
    let (channel, reason) = split_channel(args)?;
    Ok(Input::Part(channel, reason.to_owned()))
}

fn parse_msg(args: &str) -> Result<Input, String> {
    match args.split_once(' ') {
        Some((to, text)) if !text.trim().is_empty() => {
            Ok(Input::MessageTo(parse_conversation(to)?, text.to_owned()))
        }
        _ => Err("to whom, and what?".to_owned()),
    }
}

fn parse_query(args: &str) -> Result<Input, String> {
    if args.trim().is_empty() {
        Err("to whom, or where?".to_owned())
    } else {
        Ok(Input::Switch(parse_conversation(args.trim())?))
    }
}

fn parse_me(args: &str) -> Result<Input, String> {
    if args.trim().is_empty() { Err("do what?".to_owned()) } else { Ok(Input::Action(args.to_owned())) }
}

fn parse_names(args: &str) -> Result<Input, String> {
    match split_channel(args)? {
        (channel, "") => Ok(Input::Names(channel)),
        (_, other) => Err(format!("{other:?} is not a channel")),
    }
}

fn parse_topic(args: &str) -> Result<Input, String> {
    let (channel, text) = split_channel(args)?;
    Ok(Input::Topic(channel, (!text.is_empty()).then(|| text.to_owned())))
}

fn parse_whois(args: &str) -> Result<Input, String> {
    if args.trim().is_empty() { Err("whom?".to_owned()) } else { Ok(Input::Whois(args.trim().to_owned())) }
}

fn parse_invite(args: &str) -> Result<Input, String> {
    let (name, rest) = args.split_once(' ').unwrap_or((args, ""));
    if name.is_empty() {
        return Err("whom?".to_owned());
    }
    let channel_arg = if rest.trim().is_empty() { None } else { Some(parse_channel(rest.trim())?) };
    Ok(Input::Invite(name.to_owned(), channel_arg))
}

fn parse_kick(args: &str) -> Result<Input, String> {
    let (channel, rest) = split_channel(args)?;
    let (name, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    if name.is_empty() {
        Err("whom?".to_owned())
    } else {
        Ok(Input::Kick(channel, name.to_owned(), reason.trim().to_owned()))
    }
}

fn parse_mode(args: &str) -> Result<Input, String> {
    let (channel, modes) = split_channel(args)?;
    Ok(Input::Mode(channel, modes.to_owned()))
}

fn parse_react(args: &str) -> Result<Input, String> {
    if args.trim().is_empty() {
        Err("with what?".to_owned())
    } else {
        let text = args.trim();
        let emoji = emojis::get_by_shortcode(text.trim_matches(':'));
        Ok(Input::React(emoji.map_or(text, |emoji| emoji.as_str()).to_owned()))
    }
}

fn parse_reply(args: &str) -> Result<Input, String> {
    if args.trim().is_empty() { Err("what?".to_owned()) } else { Ok(Input::Reply(args.to_owned())) }
}

/// Splits the arguments into an optional leading channel and the rest.
fn split_channel(args: &str) -> Result<(Option<ChannelName>, &str), String> {
    if !args.starts_with('#') {
        return Ok((None, args.trim_end()));
    }
    let (name, rest) = args.split_once(' ').unwrap_or((args, ""));
    Ok((Some(parse_channel(name)?), rest.trim()))
}

fn parse_channel(name: &str) -> Result<ChannelName, String> {
    match parse_conversation(name)? {
        Conversation::Channel(channel) => Ok(channel),
        Conversation::Direct(name) => Err(format!("{name} is not a channel: channels start with #")),
    }
}

fn parse_conversation(name: &str) -> Result<Conversation, String> {
    Conversation::parse(name).map_err(|error| error.to_string())
}
