//! Parsing of lines into events, both for live lines and for those of the history.

use super::event::{ChatMessage, Conversation, Event, MessageKind, TypingStatus};
use crate::wire::{ChannelName, Message, Nick, Timestamp};

/// Returns the line's time stamp ([server-time](https://ircv3.net/specs/extensions/server-time)), or `now` if it has
/// none.
pub(super) fn line_time(line: &Message<'_>, now: Timestamp) -> Timestamp {
    line.tags.get("time").and_then(|time| Timestamp::parse(&time)).unwrap_or(now)
}

/// Parses a message. Its text is separate, because a multiline message has it in several lines.
pub(super) fn parse_message(
    line: &Message<'_>,
    text: String,
    me: Option<&Nick>,
    now: Timestamp,
) -> Option<ChatMessage> {
    let from = Nick::parse_foreign(line.nick()?).ok()?;
    let mine = me == Some(&from);
    // The start of a multiline batch has its target after the type.
    let target = if line.command.eq_ignore_ascii_case("BATCH") { line.param(2) } else { line.param(0) };
    let conversation = resolve_conversation(target?, &from, mine)?;
    let action = text.strip_prefix("\u{1}ACTION ").map(|text| text.strip_suffix('\u{1}').unwrap_or(text));
    let kind = match line.command.eq_ignore_ascii_case("NOTICE") {
        true => MessageKind::Notice,
        false if action.is_some() => MessageKind::Action,
        false => MessageKind::Text,
    };
    let text = match action.filter(|_| kind == MessageKind::Action) {
        Some(action) => action.to_owned(),
        None => text,
    };
    let tag = |key: &str| line.tags.get(key).map(std::borrow::Cow::into_owned);
    let reply = tag("+draft/reply").or_else(|| tag("+reply")).filter(|id| !id.is_empty());
    let time = line_time(line, now);
    Some(ChatMessage {
        conversation,
        from,
        mine,
        kind,
        text,
        time,
        msgid: tag("msgid"),
        reply_to: reply,
        ticket: None,
    })
}

/// Returns the conversation that a line to `target` belongs to.
fn resolve_conversation(target: &str, from: &Nick, mine: bool) -> Option<Conversation> {
    Some(match Conversation::from_server(target.trim_start_matches(['~', '&', '@', '%', '+'])).ok()? {
        Conversation::Direct(to) if mine => Conversation::Direct(to),
        Conversation::Direct(_) => Conversation::Direct(from.clone()),
        channel @ Conversation::Channel(_) => channel,
    })
}

/// Parses any line that the history can contain, and those that affect nothing but messages.
pub(super) fn parse_event(line: &Message<'_>, me: Option<&Nick>, now: Timestamp) -> Option<Event> {
    let time = line_time(line, now);
    let nick = Nick::parse_foreign(line.nick()?).ok()?;
    let mine = me == Some(&nick);
    let channel = || ChannelName::parse_foreign(line.param(0)?).ok();
    let param = |index: usize| line.param(index).unwrap_or_default().to_owned();
    Some(match line.command.to_ascii_uppercase().as_str() {
        "PRIVMSG" | "NOTICE" => Event::Message(parse_message(line, param(1), me, now)?),
        "TAGMSG" => {
            let conversation = resolve_conversation(line.param(0)?, &nick, mine)?;
            let tag = |key: &str| line.tags.get(key).map(std::borrow::Cow::into_owned);
            if let Some(typing) = tag("+typing") {
                let status = match typing.as_str() {
                    "active" => TypingStatus::Active,
                    "paused" => TypingStatus::Paused,
                    _ => TypingStatus::Done,
                };
                return (!mine).then_some(Event::Typing { conversation, nick, status });
            }
            let (emoji, off) = match (tag("+draft/react"), tag("+draft/unreact")) {
                (Some(emoji), _) => (emoji, false),
                (None, unreact) => (unreact?, true),
            };
            let msgid = tag("+draft/reply").or_else(|| tag("+reply"))?;
            Event::Reaction { conversation, msgid, from: nick, mine, emoji, removed: off }
        }
        "REDACT" => {
            let conversation = resolve_conversation(line.param(0)?, &nick, mine)?;
            Event::Redacted {
                conversation,
                msgid: line.param(1)?.to_owned(),
                by: nick.to_string(),
                reason: param(2),
            }
        }
        "JOIN" => Event::Joined { channel: channel()?, nick, is_me: mine, time },
        "PART" => Event::Left { channel: channel()?, nick, is_me: mine, by: None, reason: param(1), time },
        "KICK" => {
            let (by, nick) = (Some(nick.to_string()), Nick::parse_foreign(line.param(1)?).ok()?);
            let me = me == Some(&nick);
            Event::Left { channel: channel()?, nick, is_me: me, by, reason: param(2), time }
        }
        "TOPIC" => Event::Topic { channel: channel()?, by: Some(nick.to_string()), text: param(1), time },
        "MODE" => {
            let text = line.params().get(1..)?.join(" ");
            Event::Mode { channel: channel()?, by: nick.to_string(), text, time }
        }
        "RENAME" => {
            let to = ChannelName::parse_foreign(line.param(1)?).ok()?;
            Event::ChannelRenamed { from: channel()?, to, by: nick.to_string(), time }
        }
        _ => return None,
    })
}
