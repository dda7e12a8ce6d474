//! Rendering of events as lines of text, safe for any terminal.

use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::recent::RecentMessages;
use crate::client::answers::format_failed_join;
use crate::client::answers::modes::{describe_change, name_or_you};
use crate::client::message_secrets::display_text;
use crate::client::model::event::shared_files::shared_in;
use crate::client::model::{ChatMessage, Event, MessageKind};
use crate::client::settings::time_format::TimeFormat;
use crate::client::text::clean::clean;
use crate::wire::{Nick, Timestamp};

/// Rendered line, with its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendered {
    /// Line of a conversation, for standard output.
    Message(String),
    /// A message of several lines, for standard output: the first, with time and sender, and the others.
    Lines(String, Vec<String>),
    /// Note of the program, for standard error.
    Note(String),
}

/// Person who reads an event.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader<'a> {
    /// Their account, which is called `you`.
    pub me: Option<&'a Nick>,
    /// Set if the event is a message that mentions them.
    pub is_mentioned: bool,
}

/// Renders an event as a line without its end, or a message of several lines as these; `None` for one that is not shown. A reply or reaction quotes the message
/// that it refers to, as far as `recent` has it. A mention is marked in a word, because a screen reader speaks it.
pub fn render_event(
    event: &Event,
    recent: &RecentMessages,
    zone: &TimeZone,
    format: &TimeFormat,
    reader: Reader<'_>,
) -> Option<Rendered> {
    let me = reader.me;
    let message_line = |time: Timestamp, conversation: &str, text: String| {
        Some(Rendered::Message(clean(&format!(
            "[{}] {conversation} {text}",
            format.format(&to_local_time(time, zone))
        ))))
    };
    // These events have no time stamp.
    let plainly = |conversation: &str, text: &str| {
        Some(Rendered::Message(clean(&format!("        {conversation} -- {text}"))))
    };
    let note = |text: String| Some(Rendered::Note(clean(&text)));
    match event {
        Event::Message(message) => {
            let reply = message.reply_to.as_deref().map(|id| recent.excerpt(&message.conversation, id));
            let mark = if reader.is_mentioned { "(mention) " } else { "" };
            let text = format!("{mark}{}{}", render_message(message, reply), describe_files(message));
            let mut lines = text.split('\n');
            let first = lines.next().unwrap_or_default().to_owned();
            let others: Vec<String> = lines.map(clean).collect();
            match message_line(message.time, message.conversation.as_str(), first) {
                Some(Rendered::Message(first)) if !others.is_empty() => Some(Rendered::Lines(first, others)),
                line => line,
            }
        }
        Event::Reaction { conversation, msgid, from, emoji, removed: off, .. } => {
            let excerpt = recent.excerpt(conversation, msgid);
            let text = if *off {
                format!("{from} removes the reaction {emoji} from {excerpt}")
            } else {
                format!("{from} reacts with {emoji} to {excerpt}")
            };
            plainly(conversation.as_str(), &text)
        }
        Event::Redacted { conversation, msgid, by, reason } => {
            let excerpt = recent.excerpt(conversation, msgid);
            plainly(conversation.as_str(), &format!("{by} took back {excerpt}{}", bracketed_reason(reason)))
        }
        Event::Joined { channel, nick, is_me: me, time } => {
            let nick = if *me { "you" } else { nick.as_str() };
            message_line(*time, channel.as_str(), format!("-- {nick} joined"))
        }
        Event::Left { channel, nick, is_me, by, reason, time } => {
            let did = match (is_me, by) {
                (true, None) => "you left".to_owned(),
                (true, Some(by)) => format!("you were kicked by {}", name_or_you(by, me)),
                (false, None) => format!("{nick} left"),
                (false, Some(by)) => format!("{nick} was kicked by {}", name_or_you(by, me)),
            };
            message_line(*time, channel.as_str(), format!("-- {did}{}", bracketed_reason(reason)))
        }
        Event::Quit { nick, reason, time, .. } => {
            message_line(*time, "--", format!("{nick} quit{}", bracketed_reason(reason)))
        }
        Event::Topic { channel, by, text, time } => message_line(
            *time,
            channel.as_str(),
            match (by, text.as_str()) {
                (Some(by), "") => format!("-- {} cleared the topic", name_or_you(by, me)),
                (Some(by), text) => format!("-- {} set the topic: {text}", name_or_you(by, me)),
                (None, "") => "-- no topic is set".to_owned(),
                (None, text) => format!("-- topic: {text}"),
            },
        ),
        Event::Names { channel, names } => {
            plainly(channel.as_str(), &format!("{} here: {}", names.len(), names.join(" ")))
        }
        Event::MembershipLost { channel } => note(format!("you left {channel} from another session")),
        Event::Failed { target, reason, .. } => note(format!("not delivered to {target}: {reason}")),
        Event::JoinFailed { channel, reason } => note(format_failed_join(channel, reason)),
        Event::Info(text) | Event::Error(text) => note(text.clone()),
        Event::ChannelRenamed { from, to, by, time } => message_line(
            *time,
            from.as_str(),
            format!("-- {} renamed the channel to {to}", name_or_you(by, me)),
        ),
        Event::Mode { channel, by, text, time } => {
            message_line(*time, channel.as_str(), format!("-- {}", describe_change(by, text, me)))
        }
        Event::Invited { channel, by } => note(format!("{by} invites you to {channel}: /join {channel}")),
        // The other events are for the full-screen client.
        _ => None,
    }
}

/// Returns the date of an event that is rendered with its time; `None` for other events.
pub fn event_date(event: &Event, zone: &TimeZone) -> Option<Date> {
    let (Event::Joined { time, .. }
    | Event::Left { time, .. }
    | Event::Quit { time, .. }
    | Event::Topic { time, by: Some(_), .. }
    | Event::ChannelRenamed { time, .. }
    | Event::Mode { time, .. }
    | Event::Message(ChatMessage { time, .. })) = event
    else {
        return None;
    };
    Some(to_local_time(*time, zone).date())
}

/// Renders a search result, with its date.
pub fn render_result(message: &ChatMessage, zone: &TimeZone) -> String {
    let time = to_local_time(message.time, zone).strftime("%Y-%m-%d %H:%M");
    clean(&format!("[{time}] {} {}", message.conversation, render_message(message, None)))
}

/// Renders sender and text, with a quote for a reply.
fn render_message(message: &ChatMessage, reply: Option<&str>) -> String {
    let (from, text) = (&message.from, display_text(message));
    let reply = reply.map(|to| format!("(to {to}) ")).unwrap_or_default();
    match message.kind {
        MessageKind::Text => format!("<{from}> {reply}{text}"),
        MessageKind::Notice => format!("-{from}- {reply}{text}"),
        MessageKind::Action => format!("* {from} {reply}{text}"),
    }
}

fn bracketed_reason(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" ({reason})") }
}

pub(super) fn to_local_time(time: Timestamp, zone: &TimeZone) -> Zoned {
    let time = i64::try_from(time.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.unwrap_or_default().to_zoned(zone.clone())
}

/// Describes the files that a message shares, behind its text.
fn describe_files(message: &ChatMessage) -> String {
    let shared = shared_in(&message.text, &message.files);
    let described: Vec<String> = shared.map(|(address, file)| file.describe(&address)).collect();
    described.iter().flat_map(|file| [" [", file, "]"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::model::{ChatMessage, Conversation, Ticket};
    use crate::client::text::clean::is_terminal_control;
    use crate::wire::ChannelName;
    use proptest::prelude::*;

    const TIME: Timestamp = Timestamp(1_700_000_000_007);

    fn nick(name: &str) -> Nick {
        Nick::parse(name).expect(name)
    }

    fn lobby_channel() -> ChannelName {
        ChannelName::parse("#lobby").expect("a channel")
    }

    fn message_event(kind: MessageKind, text: &str) -> Event {
        let (conversation, from) = (Conversation::Channel(lobby_channel()), nick("bob"));
        let msgid = Some("0a".to_owned());
        Event::Message(ChatMessage {
            conversation,
            from,
            mine: false,
            kind,
            text: text.into(),
            time: TIME,
            msgid,
            reply_to: None,
            files: Vec::new(),
            ticket: None,
        })
    }

    fn reply_event(to: &str) -> Event {
        let Event::Message(mut message) = message_event(MessageKind::Text, "yes") else {
            panic!("it is one")
        };
        message.reply_to = Some(to.to_owned());
        Event::Message(message)
    }

    fn reaction_event(off: bool) -> Event {
        let (msgid, emoji) = ("0a".to_owned(), "👍".to_owned());
        Event::Reaction {
            conversation: Conversation::Channel(lobby_channel()),
            msgid,
            from: nick("bob"),
            mine: false,
            emoji,
            removed: off,
            time: TIME,
        }
    }

    fn redaction_event(reason: &str) -> Event {
        let (msgid, by, reason) = ("0a".to_owned(), "bob".to_owned(), reason.to_owned());
        Event::Redacted { conversation: Conversation::Channel(lobby_channel()), msgid, by, reason }
    }

    fn quit_event(reason: &str) -> Event {
        Event::Quit { nick: nick("bob"), channels: vec![lobby_channel()], reason: reason.into(), time: TIME }
    }

    fn left_event(by: Option<&str>, reason: &str) -> Event {
        let by = by.map(str::to_owned);
        Event::Left {
            channel: lobby_channel(),
            nick: nick("bob"),
            is_me: false,
            by,
            reason: reason.into(),
            time: TIME,
        }
    }

    fn topic_event(by: Option<&str>, text: &str) -> Event {
        Event::Topic { channel: lobby_channel(), by: by.map(str::to_owned), text: text.into(), time: TIME }
    }

    #[test]
    fn a_mention_is_marked_before_its_sender() {
        let (recent, format) = (RecentMessages::default(), TimeFormat::default());
        let event = message_event(MessageKind::Text, "alice?");
        let line = |is_mentioned| {
            let reader = Reader { is_mentioned, ..Reader::default() };
            render_event(&event, &recent, &TimeZone::UTC, &format, reader)
        };
        let expected = |text: &str| Some(Rendered::Message(format!("[22:13] #lobby {text}")));
        assert_eq!(line(true), expected("(mention) <bob> alice?"));
        assert_eq!(line(false), expected("<bob> alice?"));
    }

    #[test]
    fn a_message_of_several_lines_keeps_them() {
        let (recent, format) = (RecentMessages::default(), TimeFormat::default());
        let event = message_event(MessageKind::Text, "one\n\n  two");
        let lines = render_event(&event, &recent, &TimeZone::UTC, &format, Reader::default());
        let others = ["", "  two"].map(str::to_owned).to_vec();
        assert_eq!(lines, Some(Rendered::Lines("[22:13] #lobby <bob> one".to_owned(), others)));
    }

    #[test]
    fn the_reader_is_called_you() {
        let (recent, format, me) = (RecentMessages::default(), TimeFormat::default(), nick("bob"));
        let reader = Reader { me: Some(&me), ..Reader::default() };
        let mode = |by: &str, text: &str| Event::Mode {
            channel: lobby_channel(),
            by: by.to_owned(),
            text: text.to_owned(),
            time: TIME,
        };
        for (event, expected) in [
            (mode("alice", "+b bob!*@*"), "alice banned you"),
            (mode("Bob", "+o alice"), "you made alice an operator"),
            (topic_event(Some("bob"), "x"), "you set the topic: x"),
        ] {
            let line = render_event(&event, &recent, &TimeZone::UTC, &format, reader);
            assert_eq!(line, Some(Rendered::Message(format!("[22:13] #lobby -- {expected}"))));
        }
    }

    #[test]
    fn masks_passwords_to_services() {
        let to = |conversation: &str| {
            let conversation = Conversation::parse(conversation).expect("a conversation");
            let (text_, time) = ("PASSWD old new".to_owned(), TIME);
            let message = ChatMessage {
                conversation,
                from: nick("bob"),
                mine: true,
                kind: MessageKind::Text,
                text: text_,
                time,
                msgid: None,
                reply_to: None,
                files: Vec::new(),
                ticket: None,
            };
            render_event(
                &Event::Message(message),
                &RecentMessages::default(),
                &TimeZone::UTC,
                &TimeFormat::default(),
                Reader::default(),
            )
        };
        let line = |text: &str| Some(Rendered::Message(format!("[22:13] {text}")));
        assert_eq!(to("NickServ"), line("NickServ <bob> PASSWD •••• ••••"));
        assert_eq!(to("#lobby"), line("#lobby <bob> PASSWD old new"));
    }

    #[test]
    fn renders_each_event() {
        let mut recent = RecentMessages::default();
        let Event::Message(first) = message_event(MessageKind::Text, "shall we?") else {
            panic!("it is one")
        };
        recent.add(&first);
        let talk = |event: Event| match render_event(
            &event,
            &recent,
            &TimeZone::UTC,
            &TimeFormat::default(),
            Reader::default(),
        ) {
            Some(Rendered::Message(line)) => line,
            other => panic!("{other:?}"),
        };
        let joined =
            |me| Event::Joined { channel: lobby_channel(), nick: nick("bob"), is_me: me, time: TIME };
        for (event, expected) in [
            (message_event(MessageKind::Text, "hi\u{1b}[2J you"), "[22:13] #lobby <bob> hi you"),
            (message_event(MessageKind::Notice, "hi"), "[22:13] #lobby -bob- hi"),
            (message_event(MessageKind::Action, "waves"), "[22:13] #lobby * bob waves"),
            (reply_event("0a"), "[22:13] #lobby <bob> (to bob: “shall we?”) yes"),
            (reply_event("0b"), "[22:13] #lobby <bob> (to an earlier message) yes"),
            (reaction_event(false), "        #lobby -- bob reacts with 👍 to bob: “shall we?”"),
            (reaction_event(true), "        #lobby -- bob removes the reaction 👍 from bob: “shall we?”"),
            (redaction_event("oops"), "        #lobby -- bob took back bob: “shall we?” (oops)"),
            (joined(false), "[22:13] #lobby -- bob joined"),
            (joined(true), "[22:13] #lobby -- you joined"),
            (left_event(None, "lunch"), "[22:13] #lobby -- bob left (lunch)"),
            (left_event(Some("carol"), ""), "[22:13] #lobby -- bob was kicked by carol"),
            (quit_event("gone"), "[22:13] -- bob quit (gone)"),
            (topic_event(Some("bob"), "x"), "[22:13] #lobby -- bob set the topic: x"),
            (topic_event(Some("bob"), ""), "[22:13] #lobby -- bob cleared the topic"),
            (topic_event(None, "x"), "[22:13] #lobby -- topic: x"),
            (topic_event(None, ""), "[22:13] #lobby -- no topic is set"),
            (
                Event::Names { channel: lobby_channel(), names: vec!["@al".into(), "bob".into()] },
                "        #lobby -- 2 here: @al bob",
            ),
        ] {
            assert_eq!(talk(event), expected);
        }
        let tokyo = TimeZone::fixed(jiff::tz::offset(9));
        assert!(
            matches!(render_event(&message_event(MessageKind::Text, "x"), &recent, &tokyo, &TimeFormat::Hours12, Reader::default()), Some(Rendered::Message(line)) if line.starts_with("[07:13 AM]"))
        );
        let date = jiff::civil::date;
        assert_eq!(event_date(&message_event(MessageKind::Text, "x"), &tokyo), Some(date(2023, 11, 15)));
        assert_eq!(event_date(&quit_event("x"), &TimeZone::UTC), Some(date(2023, 11, 14)));
        assert_eq!(event_date(&topic_event(None, "of long ago"), &TimeZone::UTC), None);
        assert_eq!(render_result(&first, &tokyo), "[2023-11-15 07:13] #lobby <bob> shall we?");
    }

    proptest! {
        #[test]
        fn rendered_text_has_no_terminal_control(foreign in "(\u{1b}[\\[\\]P]?|\u{9b}|[\0-\u{ff}]|\u{202e}|\\PC){0,40}") {
            let mut recent = RecentMessages::default();
            if let Event::Message(message) = message_event(MessageKind::Text, &foreign) {
                recent.add(&message);
                prop_assert!(!render_result(&message, &TimeZone::UTC).chars().any(is_terminal_control));
            }
            for event in [
                message_event(MessageKind::Text, &foreign), message_event(MessageKind::Notice, &foreign), message_event(MessageKind::Action, &foreign),
                left_event(Some(&foreign), &foreign), quit_event(&foreign),
                topic_event(Some(&foreign), &foreign), topic_event(None, &foreign),
                Event::Names { channel: lobby_channel(), names: vec![foreign.clone()] },
                Event::Failed { ticket: Ticket(1), target: Conversation::Channel(lobby_channel()), text: foreign.clone(), reason: foreign.clone() },
                Event::JoinFailed { channel: lobby_channel(), reason: foreign.clone() },
                Event::Info(foreign.clone()), Event::Error(foreign.clone()),
                reply_event("0a"), redaction_event(&foreign),
            ] {
                let rendered = render_event(&event, &recent, &TimeZone::UTC, &TimeFormat::default(), Reader::default());
                let lines = match rendered {
                    Some(Rendered::Message(line) | Rendered::Note(line)) => vec![line],
                    Some(Rendered::Lines(first, others)) => [vec![first], others].concat(),
                    None => panic!("nothing shown"),
                };
                for line in lines {
                    prop_assert!(!line.chars().any(is_terminal_control), "{line:?}");
                }
            }
        }
    }
}
