//! Commands about a channel and its settings.

use super::arguments::{parse_channel, required, split_channel, split_word};
use super::{Argument, Command, Group};
use crate::client::input::Input;

pub(super) const GROUP: Group = Group {
    title: "Channels",
    commands: &[
        Command {
            name: "names",
            aliases: &["who"],
            usage: "[#CHANNEL]",
            description: "show the members of the channel",
            arguments: &[Argument::Channel],
            screen_only: false,
            parse: |args| match split_channel(args)? {
                (channel, "") => Ok(Input::Names(channel)),
                (_, other) => Err(format!("{other:?} is not a channel")),
            },
        },
        Command {
            name: "topic",
            aliases: &[],
            usage: "[#CHANNEL] [TEXT]",
            description: "show or set the channel's topic",
            arguments: &[],
            screen_only: false,
            parse: |args| {
                let (channel, text) = split_channel(args)?;
                Ok(Input::Topic(channel, (!text.is_empty()).then(|| text.to_owned())))
            },
        },
        Command {
            name: "invite",
            aliases: &[],
            usage: "NAME [#CHANNEL]",
            description: "invite a person to the channel",
            arguments: &[Argument::Nick, Argument::Channel],
            screen_only: false,
            parse: |args| {
                let (name, rest) = split_word(required(args, "whom?")?);
                let channel = if rest.is_empty() { None } else { Some(parse_channel(rest)?) };
                Ok(Input::Invite(name.to_owned(), channel))
            },
        },
        Command {
            name: "mode",
            aliases: &[],
            usage: "[#CHANNEL] [MODES]",
            description: "show or change the channel's modes: /mode +m, /mode +o bob",
            arguments: &[Argument::Text, Argument::Nick],
            screen_only: false,
            parse: |args| {
                let (channel, modes) = split_channel(args)?;
                Ok(Input::Mode(channel, modes.to_owned()))
            },
        },
    ],
};
