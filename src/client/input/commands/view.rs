//! Commands about the appearance and behaviour of this client.

use super::{Argument, Command, Group, HelpTopic};
use crate::client::input::{Input, ViewCommand};

pub(super) const GROUP: Group = Group {
    title: "This client",
    topic: "client",
    commands: &[
        Command {
            name: "help",
            aliases: &[],
            usage: "[TOPIC|COMMAND]",
            description: "explain a topic or a command; without one, list the topics",
            arguments: &[Argument::Command],
            parse: |args| HelpTopic::parse(args).map(Input::Help),
        },
        Command {
            name: "mute",
            aliases: &[],
            usage: "",
            description: "mute this conversation, on all your devices",
            arguments: &[],
            parse: |args| match args.trim() {
                "" => Ok(Input::View(ViewCommand::Mute(true))),
                name => Err(format!(
                    "/mute is for this conversation; /mute-user {name} keeps a person from writing here, and \
                     /ignore {name} hides their messages"
                )),
            },
        },
        Command {
            name: "unmute",
            aliases: &[],
            usage: "",
            description: "end the muting of this conversation",
            arguments: &[],
            parse: |args| match args.trim() {
                "" => Ok(Input::View(ViewCommand::Mute(false))),
                name => Err(format!(
                    "/unmute is for this conversation; /unmute-user {name} lets a person write again, and \
                     /unignore {name} shows their messages"
                )),
            },
        },
        Command {
            name: "members",
            aliases: &[],
            usage: "",
            description: "show or hide the list of members",
            arguments: &[],
            parse: |_| Ok(Input::View(ViewCommand::Members)),
        },
        Command {
            name: "clear",
            aliases: &[],
            usage: "",
            description: "clear the screen of this conversation; scrolling up shows the messages again",
            arguments: &[],
            parse: |_| Ok(Input::View(ViewCommand::Clear)),
        },
        Command {
            name: "raw-text",
            aliases: &[],
            usage: "",
            description: "show messages as written, or *bold* and the like formatted again",
            arguments: &[],
            parse: |_| Ok(Input::View(ViewCommand::RawText)),
        },
    ],
};
