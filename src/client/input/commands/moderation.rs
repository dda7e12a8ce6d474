//! Commands of a channel's moderators.

use super::arguments::{required, split_channel, split_word};
use super::{Argument, Command, Group};
use crate::client::input::Input;

pub(super) const GROUP: Group = Group {
    title: "Moderation",
    commands: &[Command {
        name: "kick",
        aliases: &[],
        usage: "[#CHANNEL] NAME [REASON]",
        description: "remove a member from the channel",
        arguments: &[Argument::Nick, Argument::Text],
        screen_only: false,
        parse: |args| {
            let (channel, rest) = split_channel(args)?;
            let (name, reason) = split_word(required(rest, "whom?")?);
            Ok(Input::Kick(channel, name.to_owned(), reason.to_owned()))
        },
    }],
};
