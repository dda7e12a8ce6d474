//! The table of commands that `/help`, `?`, completion and the parser use.

use super::Input;
use crate::client::model::Target;
use crate::wire::ChannelName;

/// An entry of the command table.
pub(super) struct Command {
    pub name: &'static str,
    pub usage: &'static str,
    pub does: &'static str,
    /// Set if the command needs the full-screen client.
    pub screen: bool,
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
        usage: "[#CHANNEL] NAME [WORDS]",
        does: "throw somebody out of the channel",
        screen: false,
        parse: kick,
    },
    Command {
        name: "mode",
        usage: "[#CHANNEL] [MODES]",
        does: "show or change the channel's modes: /mode +m, /mode +o bob",
        screen: false,
        parse: mode,
    },
    Command {
        name: "search",
        usage: "[WORDS]",
        does: "search the history; filters: in:#channel from:name",
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
        does: "mute this conversation, on all your devices",
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
        does: "quit",
        screen: false,
        parse: |text| Ok(Input::Quit(text.to_owned())),
    },
    Command { name: "help", usage: "", does: "show this", screen: false, parse: |_| Ok(Input::Help) },
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
    let (channel, rest) = channel_first(args)?;
    let (name, words) = rest.split_once(' ').unwrap_or((rest, ""));
    if name.is_empty() {
        Err("whom?".to_owned())
    } else {
        Ok(Input::Kick(channel, name.to_owned(), words.trim().to_owned()))
    }
}

fn mode(args: &str) -> Result<Input, String> {
    let (channel, modes) = channel_first(args)?;
    Ok(Input::Mode(channel, modes.to_owned()))
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

/// Splits the arguments into an optional leading channel and the rest.
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
