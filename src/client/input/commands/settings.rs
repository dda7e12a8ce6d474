//! Commands about the settings of this client, and about what notifies its user.

use super::{Argument, Command, Group};
use crate::client::input::settings::{
    parse_do_not_disturb, parse_ignore, parse_notify, parse_set, parse_watch,
};
use crate::client::input::{Input, ViewCommand};

pub(super) const GROUP: Group = Group {
    title: "Settings",
    topic: "settings",
    commands: &[
        Command {
            name: "set",
            aliases: &[],
            usage: "[KEY [VALUE]]",
            description: "list the settings, show one, or change it for good; the value default resets it",
            arguments: &[Argument::Setting, Argument::SettingValue],
            parse: |args| Ok(Input::Settings(parse_set(args))),
        },
        Command {
            name: "theme",
            aliases: &[],
            usage: "[NAME]",
            description: "choose the colours: dark, light, high-contrast or auto",
            arguments: &[Argument::ValueOf("theme")],
            parse: |name| Ok(Input::Settings(parse_set(&format!("theme {name}")))),
        },
        Command {
            name: "notify",
            aliases: &[],
            usage: "[LEVEL]",
            description: "choose what notifies you here, on this device: all, mentions, nothing or default",
            arguments: &[Argument::ValueOf("notify.channels")],
            parse: |args| parse_notify(args).map(Input::Settings),
        },
        Command {
            name: "watch",
            aliases: &[],
            usage: "[NAME]",
            description: "tell you when a person comes online; without a name: list whom you watch",
            arguments: &[Argument::Nick],
            parse: |args| parse_watch(args, true).map(Input::Settings),
        },
        Command {
            name: "unwatch",
            aliases: &[],
            usage: "NAME",
            description: "no longer tell you when they come online",
            arguments: &[Argument::Nick],
            parse: |args| parse_watch(args, false).map(Input::Settings),
        },
        Command {
            name: "dnd",
            aliases: &[],
            usage: "[DURATION|off]",
            description: "do not disturb: no bell and no notifications, for a while or until /dnd off",
            arguments: &[Argument::OneOf(&["off"])],
            parse: |args| Ok(Input::View(ViewCommand::DoNotDisturb(parse_do_not_disturb(args)?))),
        },
        Command {
            name: "ignore",
            aliases: &[],
            usage: "[NAME]",
            description: "hide the messages of a person, on all your devices; without a name: list whom you ignore",
            arguments: &[Argument::Nick],
            parse: |args| parse_ignore(args, true).map(Input::Settings),
        },
        Command {
            name: "unignore",
            aliases: &[],
            usage: "NAME",
            description: "show the messages of a person again",
            arguments: &[Argument::Nick],
            parse: |args| parse_ignore(args, false).map(Input::Settings),
        },
    ],
};
