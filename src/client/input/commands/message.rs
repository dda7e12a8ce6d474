//! Commands that send messages, or act on one.

use super::arguments::{parse_conversation, required};
use super::{Argument, Command, Group};
use crate::client::input::Input;

/// Error text of `/edit`, which does not exist.
pub(in crate::client::input) const NO_EDIT: &str =
    "sent messages cannot be edited: /delete takes your last one back, then send it again";

pub(super) const GROUP: Group = Group {
    title: "Messages",
    commands: &[
        Command {
            name: "msg",
            aliases: &["w"],
            usage: "NAME TEXT",
            description: "send a message to a person or another channel",
            arguments: &[Argument::Nick, Argument::Text],
            screen_only: false,
            parse: parse_msg,
        },
        Command {
            name: "me",
            aliases: &[],
            usage: "TEXT",
            description: "send an action: /me waves",
            arguments: &[],
            screen_only: false,
            parse: |args| required(args, "which action?").map(|_| Input::Action(args.to_owned())),
        },
        Command {
            name: "reply",
            aliases: &["r"],
            usage: "TEXT",
            description: "reply to the selected message, or the last one of another person",
            arguments: &[],
            screen_only: false,
            parse: |args| required(args, "which text?").map(|_| Input::Reply(args.to_owned())),
        },
        Command {
            name: "react",
            aliases: &["+"],
            usage: "EMOJI",
            description: "react to the selected message, or the last one of another person: /react :tada:",
            arguments: &[],
            screen_only: false,
            parse: parse_react,
        },
        Command {
            name: "delete",
            aliases: &["redact", "unsend"],
            usage: "[REASON]",
            description: "take back your last message here; ten seconds are left for /undo",
            arguments: &[],
            screen_only: false,
            parse: |args| Ok(Input::Delete(args.trim().to_owned())),
        },
        Command {
            name: "undo",
            aliases: &[],
            usage: "",
            description: "keep the message that you have just taken back",
            arguments: &[],
            screen_only: false,
            parse: |_| Ok(Input::Undo),
        },
        Command {
            name: "edit",
            aliases: &[],
            usage: "",
            description: "does not exist: take a message back with /delete, then send it again",
            arguments: &[],
            screen_only: false,
            parse: |_| Err(NO_EDIT.to_owned()),
        },
    ],
};

pub(super) fn parse_msg(args: &str) -> Result<Input, String> {
    match args.split_once(' ') {
        Some((to, text)) if !text.trim().is_empty() => {
            Ok(Input::MessageTo(parse_conversation(to)?, text.to_owned()))
        }
        _ => Err("to whom, and which text?".to_owned()),
    }
}

fn parse_react(args: &str) -> Result<Input, String> {
    let text = required(args, "which emoji?")?;
    let emoji = emojis::get_by_shortcode(text.trim_matches(':'));
    Ok(Input::React(emoji.map_or(text, |emoji| emoji.as_str()).to_owned()))
}
