//! Commands about this account and others.

use super::arguments::{required, split_word};
use super::message::parse_msg;
use super::{Argument, Command, Group};
use crate::client::input::Input;
use crate::client::model::requests::ServerRequest;

pub(super) const GROUP: Group = Group {
    title: "People and your account",
    topic: "people",
    commands: &[
        Command {
            name: "whois",
            aliases: &[],
            usage: "NAME",
            description: "show a person's profile",
            arguments: &[Argument::Nick],
            parse: |args| Ok(Input::Request(ServerRequest::Profile(required(args, "whose?")?.to_owned()))),
        },
        Command {
            name: "who",
            aliases: &[],
            usage: "[NAME|#CHANNEL]",
            description: "list people who are online: all, those in a channel, or by a name with * for any letters",
            arguments: &[Argument::Nick],
            parse: |args| {
                let mask = if args.trim().is_empty() { "*" } else { args.trim() };
                Ok(Input::Request(ServerRequest::People(mask.to_owned())))
            },
        },
        Command {
            name: "setname",
            aliases: &[],
            usage: "TEXT",
            description: "set your full name: a line about who you are, which every IRC client shows in /whois; \
                          /display-name sets what stands beside your messages",
            arguments: &[],
            parse: |args| {
                Ok(Input::Request(ServerRequest::SetName(required(args, "which name?")?.to_owned())))
            },
        },
        Command {
            name: "devices",
            aliases: &[],
            usage: "[revoke NUMBER]",
            description: "list the devices that log in to your account, or end the access of one",
            arguments: &[Argument::OneOf(&["revoke"])],
            parse: |args| match split_word(args) {
                ("", _) => Ok(Input::Request(ServerRequest::Devices)),
                ("revoke", number) => number
                    .parse()
                    .map(Input::RevokeDevice)
                    .map_err(|_| "which number? /devices lists them".to_owned()),
                _ => Err("what to do?".to_owned()),
            },
        },
        Command {
            name: "away",
            aliases: &["back"],
            usage: "[MESSAGE]",
            description: "set an away message; without one you are back",
            arguments: &[],
            parse: |args| Ok(Input::Away(args.trim().to_owned())),
        },
        Command {
            name: "display-name",
            aliases: &[],
            usage: "[NAME|-]",
            description: "set the name beside your messages and in lists, or with - remove it, so that others see your \
                          nick; alone it shows the name; /setname sets the full name of your profile",
            arguments: &[],
            parse: |args| {
                Ok(match args.trim() {
                    "" => Input::ShowDisplayName,
                    "-" => Input::DisplayName(String::new()),
                    name => Input::DisplayName(name.to_owned()),
                })
            },
        },
        Command {
            name: "ns",
            aliases: &["nickserv"],
            usage: "COMMAND",
            description: "send a command to NickServ, with passwords hidden: /ns PASSWD OLD NEW",
            arguments: &[],
            parse: |args| {
                parse_msg(&format!("NickServ {args}"))
                    .map_err(|_| "which command? /ns HELP lists them".to_owned())
            },
        },
    ],
};
