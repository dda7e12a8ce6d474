//! Conversion of events to entries.

use super::{Entry, EntryContent, MembershipChange, MembershipKind, Message};
use crate::client::answers::modes::{describe_change, name_or_you};
use crate::client::message_secrets::display_text;
use crate::client::model::{ChatMessage, Event};
use crate::client::screen::text::markup::{Segment, describe_files, parse_markup, plain_line};
use crate::client::screen::text::sanitize::{sanitize_formatted, sanitize_line};
use crate::client::text::words::find_word;
use crate::wire::{Nick, Timestamp};

/// Limit of one message on the screen, in bytes.
const MAX_TEXT_BYTES: usize = 16 * 1024;

/// Formats the account that redacted a message, and the reason.
pub fn format_redaction(by: &str, reason: &str) -> Box<str> {
    let reason = sanitize_line(reason, 200);
    let by = sanitize_line(by, 64);
    if reason.is_empty() { by.into() } else { format!("{by}: {reason}").into() }
}

/// Converts the text of an own message to one that is safe to draw, and its parts with their formats.
pub fn format_text(text: &str) -> (Box<str>, Box<[Segment]>) {
    let (text, formats) = sanitize_formatted(text, MAX_TEXT_BYTES);
    let markup = parse_markup(&text, &formats, Vec::new());
    (text.into(), markup)
}

/// Converts a message to an entry that is safe to draw.
pub fn message_entry(received: &ChatMessage, me: Option<&Nick>) -> Entry {
    let (text, formats) = sanitize_formatted(&display_text(received), MAX_TEXT_BYTES);
    let me = me.filter(|_| !received.mine);
    let mentions: Vec<_> = me.into_iter().flat_map(|me| find_word(&text, me.as_str())).collect();
    let mention = !mentions.is_empty();
    let mut markup = parse_markup(&text, &formats, mentions);
    describe_files(&mut markup, &received.files);
    let message = Message {
        from: received.from.clone(),
        mine: received.mine,
        kind: received.kind,
        markup,
        text: text.into(),
        reply_to: received.reply_to.as_deref().map(Into::into),
        mention,
        redacted: None,
        reactions: Vec::new(),
        reaction_times: Vec::new(),
    };
    Entry::new(
        received.time,
        received.msgid.as_deref().map(Into::into),
        EntryContent::Message(Box::new(message)),
    )
}

/// Converts an event of a channel to an entry; `None` for events that are not shown there. The account `me` is `you`.
pub fn event_entry(event: &Event, me: Option<&Nick>) -> Option<Entry> {
    let format_reason = |reason: &str| if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let (time, text) = match event {
        Event::Joined { is_me: true, time, .. } => (*time, "→ you joined".to_owned()),
        Event::Joined { nick, time, .. } => {
            return Some(membership_entry(*time, nick, MembershipKind::Joined, ""));
        }
        Event::Left { nick, is_me: false, by: None, reason, time, .. } => {
            return Some(membership_entry(*time, nick, MembershipKind::Left, reason));
        }
        Event::Quit { nick, reason, time, .. } => {
            return Some(membership_entry(*time, nick, MembershipKind::Quit, reason));
        }
        Event::Left { nick, is_me, by, reason, time, .. } => {
            let change = match (is_me, by) {
                (_, None) => "← you left".to_owned(),
                (true, Some(by)) => format!("← {} kicked you", name_or_you(by, me)),
                (false, Some(by)) => format!("← {} kicked {nick}", name_or_you(by, me)),
            };
            (*time, change + &format_reason(reason))
        }
        Event::Topic { by: Some(by), text, time, .. } => {
            let by = name_or_you(by, me);
            let change = if text.is_empty() {
                format!("{by} cleared the topic")
            } else {
                format!("{by} set the topic: {}", plain_line(text, 1000))
            };
            (*time, change)
        }
        Event::Mode { by, text, time, .. } => (*time, describe_change(by, text, me)),
        Event::ChannelRenamed { from, to, by, time } => {
            (*time, format!("{} renamed {from} to {to}", name_or_you(by, me)))
        }
        _ => return None,
    };
    Some(Entry::new(time, None, EntryContent::Note(sanitize_line(&text, 1000).into())))
}

fn membership_entry(time: Timestamp, nick: &Nick, kind: MembershipKind, reason: &str) -> Entry {
    let words = sanitize_line(reason, 400).into();
    Entry::new(
        time,
        None,
        EntryContent::Membership(MembershipChange { nick: nick.clone(), kind, reason: words }),
    )
}
