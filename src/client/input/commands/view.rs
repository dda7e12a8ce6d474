//! Commands about the appearance and behaviour of this client.

use super::{Argument, Command, Group, find_or_suggest};
use crate::client::input::{Input, ScreenCommand};

pub(super) const GROUP: Group = Group {
    title: "This client",
    commands: &[
        Command {
            name: "help",
            aliases: &[],
            usage: "[COMMAND]",
            description: "list the commands, or explain one",
            arguments: &[Argument::Command],
            screen_only: false,
            parse: |args| match args.trim().trim_start_matches('/') {
                "" => Ok(Input::Help(None)),
                name => Ok(Input::Help(Some(find_or_suggest(name)?.name))),
            },
        },
        Command {
            name: "mute",
            aliases: &[],
            usage: "",
            description: "mute this conversation, on all your devices",
            arguments: &[],
            screen_only: true,
            parse: |_| Ok(Input::OnScreen(ScreenCommand::Mute(true))),
        },
        Command {
            name: "unmute",
            aliases: &[],
            usage: "",
            description: "end the muting of this conversation",
            arguments: &[],
            screen_only: true,
            parse: |_| Ok(Input::OnScreen(ScreenCommand::Mute(false))),
        },
        Command {
            name: "members",
            aliases: &[],
            usage: "",
            description: "show or hide the list of members",
            arguments: &[],
            screen_only: true,
            parse: |_| Ok(Input::OnScreen(ScreenCommand::Members)),
        },
        Command {
            name: "clear",
            aliases: &[],
            usage: "",
            description: "clear the screen of this conversation; scrolling up shows the messages again",
            arguments: &[],
            screen_only: true,
            parse: |_| Ok(Input::OnScreen(ScreenCommand::Clear)),
        },
        Command {
            name: "raw-text",
            aliases: &[],
            usage: "",
            description: "show messages as written, or *bold* and the like formatted again",
            arguments: &[],
            screen_only: true,
            parse: |_| Ok(Input::OnScreen(ScreenCommand::RawText)),
        },
    ],
};
