//! Parsers of arguments that several commands share. Errors are texts for the user.

use crate::client::model::Conversation;
use crate::wire::ChannelName;

/// Splits the arguments into an optional leading channel and the rest.
pub(super) fn split_channel(args: &str) -> Result<(Option<ChannelName>, &str), String> {
    if !args.starts_with('#') {
        return Ok((None, args.trim_end()));
    }
    let (name, rest) = split_word(args);
    Ok((Some(parse_channel(name)?), rest))
}

/// Splits the first word from the rest.
pub(super) fn split_word(args: &str) -> (&str, &str) {
    let (word, rest) = args.split_once(' ').unwrap_or((args, ""));
    (word, rest.trim())
}

/// Returns the arguments without surrounding spaces, or the question as an error where there are none.
pub(super) fn required<'a>(args: &'a str, question: &str) -> Result<&'a str, String> {
    let args = args.trim();
    if args.is_empty() { Err(question.to_owned()) } else { Ok(args) }
}

/// Parses the name of a channel.
pub(super) fn parse_channel(name: &str) -> Result<ChannelName, String> {
    match parse_conversation(name)? {
        Conversation::Channel(channel) => Ok(channel),
        Conversation::Direct(name) => Err(format!("{name} is not a channel: channels start with #")),
    }
}

/// Parses the name of a channel or an account.
pub(super) fn parse_conversation(name: &str) -> Result<Conversation, String> {
    Conversation::parse(name).map_err(|error| error.to_string())
}

/// Parses `on` or `off`; nothing stands for `on`.
pub(super) fn parse_switch(word: &str) -> Result<bool, String> {
    match word {
        "" | "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off?".to_owned()),
    }
}
