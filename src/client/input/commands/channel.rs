//! Commands about a channel and its settings.

use super::arguments::{parse_channel, required, split_channel, split_word};
use super::{Argument, Command, Group};
use crate::client::input::Input;
use crate::client::model::requests::ChannelRequest;

pub(super) const GROUP: Group = Group {
    title: "Channels",
    topic: "channels",
    commands: &[
        Command {
            name: "names",
            aliases: &[],
            usage: "[#CHANNEL]",
            description: "show the members of the channel",
            arguments: &[Argument::Channel],
            parse: |args| match split_channel(args)? {
                (channel, "") => Ok(Input::Names(channel)),
                (_, other) => Err(format!("{other:?} is not a channel")),
            },
        },
        Command {
            name: "topic",
            aliases: &[],
            usage: "[#CHANNEL] [TEXT]",
            description: "show or set the channel's topic; a dash removes it",
            arguments: &[],
            parse: |args| {
                let (channel, text) = split_channel(args)?;
                Ok(match text {
                    "" => Input::Topic(channel),
                    "-" => Input::ChannelRequest(channel, ChannelRequest::Topic(String::new())),
                    text => Input::ChannelRequest(channel, ChannelRequest::Topic(text.to_owned())),
                })
            },
        },
        Command {
            name: "invite",
            aliases: &[],
            usage: "NAME [#CHANNEL]",
            description: "invite a person to the channel",
            arguments: &[Argument::Nick, Argument::Channel],
            parse: |args| {
                let (name, rest) = split_word(required(args, "whom?")?);
                let channel = if rest.is_empty() { None } else { Some(parse_channel(rest)?) };
                Ok(Input::ChannelRequest(channel, ChannelRequest::Invite(name.to_owned())))
            },
        },
        Command {
            name: "mode",
            aliases: &[],
            usage: "[#CHANNEL] [MODES]",
            description: "show the channel's modes, or change them by their letters: /mode +m, /mode +o bob",
            arguments: &[Argument::Text, Argument::Nick],
            parse: |args| {
                let (channel, modes) = split_channel(args)?;
                let words: Vec<String> = modes.split_whitespace().map(str::to_owned).collect();
                let request =
                    if words.is_empty() { ChannelRequest::Modes } else { ChannelRequest::Change(words) };
                Ok(Input::ChannelRequest(channel, request))
            },
        },
        Command {
            name: "rename",
            aliases: &[],
            usage: "[#CHANNEL] #NEW",
            description: "rename the channel; its founder and admins may",
            arguments: &[],
            parse: |args| {
                let (first, rest) = split_word(required(args, "which name?")?);
                let first = parse_channel(first)?;
                Ok(if rest.is_empty() {
                    Input::ChannelRequest(None, ChannelRequest::Rename(first))
                } else {
                    Input::ChannelRequest(Some(first), ChannelRequest::Rename(parse_channel(rest)?))
                })
            },
        },
        Command {
            name: "knock",
            aliases: &[],
            usage: "#CHANNEL [TEXT]",
            description: "ask the operators of a channel for an invitation",
            arguments: &[Argument::Channel, Argument::Text],
            parse: |args| {
                let (channel, text) = split_channel(args)?;
                let channel = Some(channel.ok_or("which channel?")?);
                Ok(Input::ChannelRequest(channel, ChannelRequest::Knock(text.to_owned())))
            },
        },
    ],
};
