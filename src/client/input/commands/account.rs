//! Commands about this account and others.

use super::arguments::required;
use super::message::parse_msg;
use super::{Argument, Command, Group};
use crate::client::input::Input;

pub(super) const GROUP: Group = Group {
    title: "People and your account",
    commands: &[
        Command {
            name: "whois",
            aliases: &[],
            usage: "NAME",
            description: "show a person's profile",
            arguments: &[Argument::Nick],
            screen_only: false,
            parse: |args| Ok(Input::Whois(required(args, "whose?")?.to_owned())),
        },
        Command {
            name: "away",
            aliases: &["back"],
            usage: "[MESSAGE]",
            description: "set an away message; without one you are back",
            arguments: &[],
            screen_only: false,
            parse: |args| Ok(Input::Away(args.trim().to_owned())),
        },
        Command {
            name: "display-name",
            aliases: &[],
            usage: "[NAME]",
            description: "set the name that others see beside your nick; without one they see the nick",
            arguments: &[],
            screen_only: false,
            parse: |args| Ok(Input::DisplayName(args.trim().to_owned())),
        },
        Command {
            name: "ns",
            aliases: &["nickserv"],
            usage: "COMMAND",
            description: "send a command to NickServ, with passwords hidden: /ns PASSWD OLD NEW",
            arguments: &[],
            screen_only: false,
            parse: |args| {
                parse_msg(&format!("NickServ {args}"))
                    .map_err(|_| "which command? /ns HELP lists them".to_owned())
            },
        },
    ],
};
