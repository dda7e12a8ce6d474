//! Commands that send messages, or act on one.

use super::arguments::{parse_conversation, required, split_word};
use super::{Argument, Command, Group, command};
use crate::client::input::{DraftCommand, Input, ViewCommand};
use crate::client::model::requests::ServerRequest;
use crate::client::text::file_address::FileAddress;
use crate::client::text::paths::{LeadingPath, leading_path};

/// Error text of `/edit`, which does not exist.
pub(in crate::client::input) const NO_EDIT: &str =
    "sent messages cannot be edited: /delete takes your last one back, then send it again";

pub(super) const GROUP: Group = Group {
    title: "Messages",
    topic: "messages",
    commands: &[
        Command {
            name: "msg",
            aliases: &["w"],
            usage: "NAME TEXT",
            description: "send a message to a person or another channel",
            arguments: &[Argument::Nick, Argument::Text],
            parse: parse_msg,
        },
        Command {
            name: "me",
            aliases: &[],
            usage: "TEXT",
            description: "send an action: /me waves",
            arguments: &[],
            parse: |args| required(args, "which action?").map(|_| Input::Action(args.to_owned())),
        },
        command(
            "upload",
            "PATH [TEXT]",
            "share a file here, with a text; a path with blanks is in quotes",
            &[Argument::Path, Argument::Text],
            parse_upload,
        ),
        command(
            "save",
            "[ADDRESS]",
            "save the files of the selected message, or of the last one with files, or the file at an address",
            &[],
            parse_save,
        ),
        command(
            "files",
            "[NAME|own|link FILE|unlink FILE]",
            "list the files that messages share; NAME: in another conversation; own: yours; link: make an address of \
             one that needs no login; unlink: revoke it; FILE is its address or its id",
            &[Argument::OneOf(&["own", "link", "unlink"])],
            parse_files,
        ),
        Command {
            name: "reply",
            aliases: &["r"],
            usage: "TEXT",
            description: "reply to the selected message, or the last one of another person",
            arguments: &[],
            parse: |args| required(args, "which text?").map(|_| Input::Reply(args.to_owned())),
        },
        Command {
            name: "react",
            aliases: &["+"],
            usage: "EMOJI",
            description: "react to the selected message, or the last one of somebody else: /react :tada:",
            arguments: &[],
            parse: parse_react,
        },
        Command {
            name: "delete",
            aliases: &["redact", "unsend"],
            usage: "[REASON]",
            description: "take back your last message here; ten seconds are left for /undo",
            arguments: &[],
            parse: |args| Ok(Input::Delete(args.trim().to_owned())),
        },
        Command {
            name: "undo",
            aliases: &[],
            usage: "",
            description: "keep the message that you have just taken back",
            arguments: &[],
            parse: |_| Ok(Input::Undo),
        },
        command(
            "cancel",
            "[all]",
            "stop the upload here, or keep back your last message here that waits for a connection; all: all of them",
            &[Argument::OneOf(&["all"])],
            |args| match args.trim() {
                "" => Ok(Input::Cancel { all: false }),
                "all" => Ok(Input::Cancel { all: true }),
                _ => Err("all, or nothing for the last one".to_owned()),
            },
        ),
        command(
            "draft",
            "[TEXT]",
            "keep a text here without sending it, for later; without a text: show the draft; a dash removes it",
            &[Argument::Text],
            |args| {
                Ok(Input::View(ViewCommand::Draft(match args.trim() {
                    "" => DraftCommand::Show,
                    "-" => DraftCommand::Remove,
                    text => DraftCommand::Keep(text.to_owned()),
                })))
            },
        ),
        command("send-draft", "", "send the draft of this conversation", &[], |_| {
            Ok(Input::View(ViewCommand::Draft(DraftCommand::Send)))
        }),
        Command {
            name: "edit",
            aliases: &[],
            usage: "",
            description: "messages cannot be edited: take one back with /delete, then send it again",
            arguments: &[],
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

fn parse_upload(args: &str) -> Result<Input, String> {
    let LeadingPath { path, rest } = leading_path(args).ok_or("which file?")?;
    Ok(Input::Upload(path, rest.to_owned()))
}

fn parse_save(args: &str) -> Result<Input, String> {
    let address = match args.trim() {
        "" => None,
        text => Some(FileAddress::parse(text).map_err(|error| error.to_string())?),
    };
    Ok(Input::View(ViewCommand::SaveFiles(address)))
}

fn parse_files(args: &str) -> Result<Input, String> {
    let file = |text: &str| match FileAddress::parse(text) {
        Ok(FileAddress { id: Some(id), .. }) => Ok(id),
        Err(_) if FileAddress::is_id(text) => Ok(text.to_owned()),
        _ => Err("which file? /files own lists yours with their ids".to_owned()),
    };
    Ok(match split_word(args) {
        ("", _) => Input::Files(None),
        ("own", "") => Input::Request(ServerRequest::OwnFiles),
        ("link", text) => Input::Request(ServerRequest::LinkFile(file(text)?)),
        ("unlink", text) => Input::Request(ServerRequest::UnlinkFile(file(text)?)),
        (name, "") => Input::Files(Some(parse_conversation(name)?)),
        _ => return Err("one conversation, or own".to_owned()),
    })
}

fn parse_react(args: &str) -> Result<Input, String> {
    required(args, "which emoji?").map(|text| Input::React(text.to_owned()))
}
