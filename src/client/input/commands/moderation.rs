//! Commands of a channel's moderators.

use super::arguments::{parse_switch, required, split_channel, split_word};
use super::{Argument, Group, command};
use crate::client::input::Input;
use crate::client::model::requests::{ChannelRequest, SecretText};

/// Completion of a list of names.
const NAMES: &[Argument] = &[Argument::Nick];

/// Completion of a switch.
const SWITCH: &[Argument] = &[Argument::OneOf(&["on", "off"])];

pub(super) const GROUP: Group = Group {
    title: "Moderation",
    topic: "moderation",
    commands: &[
        command("kick", "[#CHANNEL] NAME [REASON]", "remove a member from the channel", NAMES, |args| {
            let (channel, rest) = split_channel(args)?;
            let (name, reason) = split_word(required(rest, "whom?")?);
            Ok(Input::ChannelRequest(
                channel,
                ChannelRequest::Kick { name: name.to_owned(), reason: reason.to_owned() },
            ))
        }),
        command(
            "ban",
            "[#CHANNEL] NAME",
            "keep a person from joining and writing; /kick removes them",
            NAMES,
            |args| change_list("+b", "", args),
        ),
        command("unban", "[#CHANNEL] NAME", "lift a ban", NAMES, |args| change_list("-b", "", args)),
        command("mute-user", "[#CHANNEL] NAME", "keep a person from writing in the channel", NAMES, |args| {
            change_list("+b", "m:", args)
        }),
        command("unmute-user", "[#CHANNEL] NAME", "let them write again", NAMES, |args| {
            change_list("-b", "m:", args)
        }),
        command("bans", "[#CHANNEL]", "list bans, mutes and exceptions", &[Argument::Channel], |args| {
            match split_channel(args)? {
                (channel, "") => Ok(Input::ChannelRequest(channel, ChannelRequest::Bans)),
                (_, surplus) => Err(format!("\"{surplus}\" is not a channel")),
            }
        }),
        command("op", "[#CHANNEL] NAME…", "make members operators of the channel", NAMES, |args| {
            change_status('+', 'o', args)
        }),
        command("deop", "[#CHANNEL] NAME…", "take that status from them", NAMES, |args| {
            change_status('-', 'o', args)
        }),
        command("halfop", "[#CHANNEL] NAME…", "make members half-operators: they moderate", NAMES, |args| {
            change_status('+', 'h', args)
        }),
        command("dehalfop", "[#CHANNEL] NAME…", "take that status from them", NAMES, |args| {
            change_status('-', 'h', args)
        }),
        command("voice", "[#CHANNEL] NAME…", "let members write in a moderated channel", NAMES, |args| {
            change_status('+', 'v', args)
        }),
        command("devoice", "[#CHANNEL] NAME…", "take voice from them", NAMES, |args| {
            change_status('-', 'v', args)
        }),
        command("moderate", "[#CHANNEL] [on|off]", "only members with voice may write", SWITCH, |args| {
            change_flag('m', args)
        }),
        command("invite-only", "[#CHANNEL] [on|off]", "joining needs an invitation", SWITCH, |args| {
            change_flag('i', args)
        }),
        command("secret", "[#CHANNEL] [on|off]", "hide the channel from people outside", SWITCH, |args| {
            change_flag('s', args)
        }),
        command(
            "key",
            "[#CHANNEL] KEY|off",
            "joining needs this key",
            &[Argument::OneOf(&["off"])],
            |args| {
                let (channel, key) = split_channel(args)?;
                let key = match required(key, "which key?")? {
                    "off" => None,
                    key => Some(SecretText::new(key)),
                };
                Ok(Input::ChannelRequest(channel, ChannelRequest::Key(key)))
            },
        ),
        command(
            "limit",
            "[#CHANNEL] NUMBER|off",
            "limit the number of members",
            &[Argument::OneOf(&["off"])],
            parse_limit,
        ),
    ],
};

/// Parses the names of members whose status changes.
fn change_status(sign: char, letter: char, args: &str) -> Result<Input, String> {
    let (channel, rest) = split_channel(args)?;
    let names: Vec<String> = required(rest, "whom?")?
        .split([' ', ','])
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let letters = format!("{sign}{}", letter.to_string().repeat(names.len()));
    let words = std::iter::once(letters).chain(names).collect();
    Ok(Input::ChannelRequest(channel, ChannelRequest::Change(words)))
}

/// Parses a name or mask for a list of the channel. `kind` stands before masks with a special effect. The lists have no
/// reasons, so one is refused rather than lost.
fn change_list(letters: &str, kind: &str, args: &str) -> Result<Input, String> {
    let (channel, rest) = split_channel(args)?;
    let (mask, surplus) = split_word(required(rest, "whom?")?);
    if !surplus.is_empty() {
        return Err(match (letters, kind) {
            ("+b", "") => {
                format!(
                    "a ban is for one name and shows no reason; /kick {mask} REASON removes them and shows one"
                )
            }
            ("+b", _) => "a mute is for one name and shows no reason; say it in the channel".to_owned(),
            _ => "one name at a time, and nothing behind it".to_owned(),
        });
    }
    let is_mask = mask.contains(['!', '@', '*', '?', ':', '$']);
    let mask = if is_mask { mask.to_owned() } else { format!("{mask}!*@*") };
    let words = vec![letters.to_owned(), format!("{kind}{mask}")];
    Ok(Input::ChannelRequest(channel, ChannelRequest::Change(words)))
}

/// Parses `on` or `off` for a mode; nothing stands for `on`.
fn change_flag(letter: char, args: &str) -> Result<Input, String> {
    let (channel, rest) = split_channel(args)?;
    let sign = if parse_switch(rest)? { '+' } else { '-' };
    Ok(Input::ChannelRequest(channel, ChannelRequest::Change(vec![format!("{sign}{letter}")])))
}

fn parse_limit(args: &str) -> Result<Input, String> {
    let (channel, rest) = split_channel(args)?;
    let words = match rest {
        "off" => vec!["-l".to_owned()],
        number => {
            let number = number.parse::<u32>().ok().filter(|number| *number > 0);
            vec!["+l".to_owned(), number.ok_or("a number above 0, or off")?.to_string()]
        }
    };
    Ok(Input::ChannelRequest(channel, ChannelRequest::Change(words)))
}
