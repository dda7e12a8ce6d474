//! Commands that find channels, conversations and messages.

use super::{Argument, Command, Group};
use crate::client::input::{Input, Navigation};
use crate::client::model::marks::Mark;

pub(super) const GROUP: Group = Group {
    title: "Finding",
    topic: "finding",
    commands: &[
        Command {
            name: "list",
            aliases: &["channels"],
            usage: "[WORDS]",
            description: "list all channels, filtered by words of the name or topic",
            arguments: &[],
            parse: |args| Ok(Input::Navigate(Navigation::Channels(args.trim().to_owned()))),
        },
        Command {
            name: "mentions",
            aliases: &[],
            usage: "[more]",
            description: "list the messages that mention you or answer you; more: fetches further ones in the plain chat",
            arguments: &[Argument::OneOf(&["more"])],
            parse: |args| Ok(Input::Navigate(Navigation::Mentions { more: parse_more(args)? })),
        },
        Command {
            name: "thread",
            aliases: &[],
            usage: "[more]",
            description: "show a message with its answers; more: fetches further ones in the plain chat",
            arguments: &[Argument::OneOf(&["more"])],
            parse: |args| Ok(Input::Navigate(Navigation::Thread { more: parse_more(args)? })),
        },
        Command {
            name: "pins",
            aliases: &["pinned"],
            usage: "",
            description: "list the pinned messages of the channel",
            arguments: &[],
            parse: |_| Ok(Input::Navigate(Navigation::Marked(Mark::Pin))),
        },
        Command {
            name: "pin",
            aliases: &[],
            usage: "",
            description: "pin the selected or latest message of the channel; operators may",
            arguments: &[],
            parse: |_| Ok(Input::Navigate(Navigation::Mark(Mark::Pin))),
        },
        Command {
            name: "unpin",
            aliases: &[],
            usage: "[NUMBER]",
            description: "unpin the message with this number in /pins, or the selected one",
            arguments: &[],
            parse: |args| parse_unmark(Mark::Pin, args),
        },
        Command {
            name: "bookmarks",
            aliases: &[],
            usage: "",
            description: "list your bookmarks, which all your devices share",
            arguments: &[],
            parse: |_| Ok(Input::Navigate(Navigation::Marked(Mark::Bookmark))),
        },
        Command {
            name: "bookmark",
            aliases: &[],
            usage: "",
            description: "bookmark the selected or latest message, for yourself",
            arguments: &[],
            parse: |_| Ok(Input::Navigate(Navigation::Mark(Mark::Bookmark))),
        },
        Command {
            name: "unbookmark",
            aliases: &[],
            usage: "[NUMBER]",
            description: "remove the bookmark with this number in /bookmarks, or of the selected message",
            arguments: &[],
            parse: |args| parse_unmark(Mark::Bookmark, args),
        },
    ],
};

fn parse_more(args: &str) -> Result<bool, String> {
    match args.trim() {
        "" => Ok(false),
        "more" => Ok(true),
        _ => Err("more, or nothing for the list".to_owned()),
    }
}

fn parse_unmark(mark: Mark, args: &str) -> Result<Input, String> {
    let number = match args.trim() {
        "" => None,
        text => Some(text.parse().map_err(|_| format!("{text:?} is not a number of the list"))?),
    };
    Ok(Input::Navigate(Navigation::Unmark(mark, number)))
}
