//! Commands about the server and the connection.

use super::arguments::{required, split_word};
use super::{Argument, Command, Group, command};
use crate::client::input::Input;
use crate::client::model::requests::{SecretText, ServerRequest};

pub(super) const GROUP: Group = Group {
    title: "Server",
    topic: "server",
    commands: &[
        command("motd", "", "show the message of the day", &[], |_| Ok(Input::Request(ServerRequest::Motd))),
        command(
            "invite-link",
            "[for NAME] […]",
            "make a link that creates an account, or one that resets NAME's; options: a number of uses, 7d, #CHANNEL, \
             admin; admins only",
            &[Argument::Text],
            parse_invite_link,
        ),
        command(
            "invites",
            "[revoke NUMBER]",
            "list the open invite links, or revoke one; admins only",
            &[Argument::OneOf(&["revoke"])],
            |args| match split_word(args) {
                ("", _) => Ok(Input::Request(ServerRequest::Invites)),
                ("revoke", number) => number
                    .parse()
                    .map(|id| Input::Request(ServerRequest::RevokeInvite(id)))
                    .map_err(|_| "which number? /invites lists them".to_owned()),
                _ => Err("what to do?".to_owned()),
            },
        ),
        command(
            "oper",
            "ACCOUNT PASSWORD",
            "get the rights of an admin account for this session",
            &[],
            |args| match split_word(args) {
                (name, password) if !password.is_empty() => {
                    Ok(Input::Request(ServerRequest::Oper(name.to_owned(), SecretText::new(password))))
                }
                _ => Err("which account and password?".to_owned()),
            },
        ),
        command(
            "kill",
            "NAME [REASON]",
            "disconnect a person; admins only",
            &[Argument::Nick, Argument::Text],
            |args| {
                let (name, reason) = split_word(required(args, "whom?")?);
                Ok(Input::Request(ServerRequest::Kill { name: name.to_owned(), reason: reason.to_owned() }))
            },
        ),
        command("wallops", "TEXT", "send a message to everybody who is online; admins only", &[], |args| {
            Ok(Input::Request(ServerRequest::Wallops(required(args, "which text?")?.to_owned())))
        }),
        command("stats", "", "show uptime and counts of the server; admins only", &[], |_| {
            Ok(Input::Request(ServerRequest::Statistics))
        }),
        command(
            "audit",
            "[NUMBER]",
            "list the latest actions of admins and moderators: 50, or a number up to 500; `parlour audit` on the server's machine \
             filters by name, text and time; admins only",
            &[],
            |args| {
                let number = if args.trim().is_empty() { Ok(50) } else { args.trim().parse() };
                let number = number.ok().filter(|number| (1..=500).contains(number));
                number
                    .map(|number| Input::Request(ServerRequest::Audit(number)))
                    .ok_or_else(|| "a number between 1 and 500".to_owned())
            },
        ),
        command("rehash", "", "let the server read its configuration again; admins only", &[], |_| {
            Ok(Input::Request(ServerRequest::Rehash))
        }),
        Command {
            aliases: &["quote"],
            ..command(
                "raw",
                "LINE",
                "send a line of the protocol, and show what the server replies",
                &[],
                |args| {
                    Ok(Input::Request(ServerRequest::Raw(SecretText::new(required(args, "which line?")?))))
                },
            )
        },
        Command {
            aliases: &["exit"],
            ..command("quit", "[MESSAGE]", "quit, with a message for the others", &[], |text| {
                Ok(Input::Quit(text.to_owned()))
            })
        },
    ],
};

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn parse_invite_link(args: &str) -> Result<Input, String> {
    let mut words: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
    match words.first_mut() {
        Some(first) if first.eq_ignore_ascii_case("for") => "FOR".clone_into(first),
        _ => words.insert(0, "CREATE".to_owned()),
    }
    Ok(Input::Request(ServerRequest::CreateInvite(words)))
}
