//! Parsing of lines into events, both for live lines and for those of the history.

use super::event::{Event, Kind, Said, Target, Typing};
use crate::wire::{ChannelName, Message, Millis, Nick};

/// Returns the line's time stamp ([server-time](https://ircv3.net/specs/extensions/server-time)), or `now` if it has
/// none.
pub(super) fn time(line: &Message<'_>, now: Millis) -> Millis {
    line.tags.get("time").and_then(|time| Millis::parse(&time)).unwrap_or(now)
}

/// Parses a message. Its text is separate, because a multiline message has it in several lines.
pub(super) fn said(line: &Message<'_>, text: String, me: Option<&Nick>, now: Millis) -> Option<Said> {
    let from = Nick::heard(line.nick()?).ok()?;
    let mine = me == Some(&from);
    // The start of a multiline batch has its target after the type.
    let target = if line.command.eq_ignore_ascii_case("BATCH") { line.param(2) } else { line.param(0) };
    let place = place(target?, &from, mine)?;
    let action = text.strip_prefix("\u{1}ACTION ").map(|text| text.strip_suffix('\u{1}').unwrap_or(text));
    let kind = match line.command.eq_ignore_ascii_case("NOTICE") {
        true => Kind::Notice,
        false if action.is_some() => Kind::Action,
        false => Kind::Text,
    };
    let text = match action.filter(|_| kind == Kind::Action) {
        Some(action) => action.to_owned(),
        None => text,
    };
    let tag = |key: &str| line.tags.get(key).map(std::borrow::Cow::into_owned);
    let reply = tag("+draft/reply").or_else(|| tag("+reply")).filter(|id| !id.is_empty());
    let time = time(line, now);
    Some(Said { place, from, mine, kind, text, time, msgid: tag("msgid"), reply, ticket: None })
}

/// Returns the conversation that a line to `target` belongs to.
fn place(target: &str, from: &Nick, mine: bool) -> Option<Target> {
    Some(match Target::heard(target.trim_start_matches(['~', '&', '@', '%', '+'])).ok()? {
        Target::Person(to) if mine => Target::Person(to),
        Target::Person(_) => Target::Person(from.clone()),
        channel @ Target::Channel(_) => channel,
    })
}

/// Parses any line that the history can contain, and those that affect nothing but messages.
pub(super) fn event(line: &Message<'_>, me: Option<&Nick>, now: Millis) -> Option<Event> {
    let time = time(line, now);
    let who = Nick::heard(line.nick()?).ok()?;
    let mine = me == Some(&who);
    let channel = || ChannelName::heard(line.param(0)?).ok();
    let words = |index: usize| line.param(index).unwrap_or_default().to_owned();
    Some(match line.command.to_ascii_uppercase().as_str() {
        "PRIVMSG" | "NOTICE" => Event::Said(said(line, words(1), me, now)?),
        "TAGMSG" => {
            let place = place(line.param(0)?, &who, mine)?;
            let tag = |key: &str| line.tags.get(key).map(std::borrow::Cow::into_owned);
            if let Some(typing) = tag("+typing") {
                let what = match typing.as_str() {
                    "active" => Typing::Active,
                    "paused" => Typing::Paused,
                    _ => Typing::Done,
                };
                return (!mine).then_some(Event::Typing { place, who, what });
            }
            let (emoji, off) = match (tag("+draft/react"), tag("+draft/unreact")) {
                (Some(emoji), _) => (emoji, false),
                (None, unreact) => (unreact?, true),
            };
            let msgid = tag("+draft/reply").or_else(|| tag("+reply"))?;
            Event::Reaction { place, msgid, from: who, mine, emoji, off }
        }
        "REDACT" => {
            let place = place(line.param(0)?, &who, mine)?;
            Event::Redacted { place, msgid: line.param(1)?.to_owned(), by: who.to_string(), reason: words(2) }
        }
        "JOIN" => Event::Joined { channel: channel()?, who, me: mine, time },
        "PART" => Event::Left { channel: channel()?, who, me: mine, by: None, reason: words(1), time },
        "KICK" => {
            let (by, who) = (Some(who.to_string()), Nick::heard(line.param(1)?).ok()?);
            let me = me == Some(&who);
            Event::Left { channel: channel()?, who, me, by, reason: words(2), time }
        }
        "TOPIC" => Event::Topic { channel: channel()?, by: Some(who.to_string()), text: words(1), time },
        "MODE" => {
            let text = line.params().get(1..)?.join(" ");
            Event::Mode { channel: channel()?, by: who.to_string(), text, time }
        }
        "RENAME" => {
            let to = ChannelName::heard(line.param(1)?).ok()?;
            Event::Renamed { from: channel()?, to, by: who.to_string(), time }
        }
        _ => return None,
    })
}
