//! Commands that open and close conversations.

use super::arguments::{parse_channel, parse_conversation, required, split_channel};
use super::{Argument, Command, Group};
use crate::client::input::{Input, ViewCommand};
use crate::client::model::requests::SecretText;

pub(super) const GROUP: Group = Group {
    title: "Conversations",
    topic: "conversations",
    commands: &[
        Command {
            name: "join",
            aliases: &["j"],
            usage: "#CHANNEL… [KEY]",
            description: "join channels, or create them",
            arguments: &[Argument::Channel],
            parse: parse_join,
        },
        Command {
            name: "part",
            aliases: &["leave"],
            usage: "[#CHANNEL] [REASON]",
            description: "leave a channel, on all your devices",
            arguments: &[],
            parse: |args| {
                let (channel, reason) = split_channel(args)?;
                Ok(Input::Part(channel, reason.to_owned()))
            },
        },
        Command {
            name: "query",
            aliases: &["q", "channel"],
            usage: "NAME",
            description: "switch to the conversation with a person, or to a channel",
            arguments: &[Argument::Nick],
            parse: |args| Ok(Input::Switch(parse_conversation(required(args, "which person or channel?")?)?)),
        },
        Command {
            name: "close",
            aliases: &[],
            usage: "",
            description: "remove a direct conversation from the list; its messages stay",
            arguments: &[],
            parse: |_| Ok(Input::View(ViewCommand::Close)),
        },
        Command {
            name: "search",
            aliases: &["find"],
            usage: "[WORDS]",
            description: "search the history; filters: in:#channel from:name",
            arguments: &[],
            parse: |args| Ok(Input::Search(args.trim().to_owned())),
        },
    ],
};

fn parse_join(args: &str) -> Result<Input, String> {
    if let Some((channel, key)) = args.trim().split_once(' ')
        && !key.contains([' ', ',', '#'])
    {
        return Ok(Input::JoinWithKey(parse_channel(channel)?, SecretText::new(key)));
    }
    let channels: Vec<_> = args
        .split([' ', ','])
        .filter(|name| !name.is_empty())
        .map(parse_channel)
        .collect::<Result<_, _>>()?;
    if channels.is_empty() { Err("which channel?".to_owned()) } else { Ok(Input::Join(channels)) }
}
