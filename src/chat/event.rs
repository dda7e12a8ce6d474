//! What members see of each other, and how it looks on the wire.

use std::sync::Arc;

use super::record::MessageKind;
use crate::wire::{Cap, CapSet, ChannelName, MessageId, Millis, Nick};

/// The capabilities that change how an event looks. Sessions that agree in these get the same bytes.
pub const RENDER_CAPS: CapSet =
    CapSet::of(&[Cap::MessageTags, Cap::ServerTime, Cap::AccountTag, Cap::EchoMessage]);

/// Something that was said or done, by whom and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `nick!user@host` of who did it.
    pub source: Arc<str>,
    /// The account of who did it; none for the server's own doings.
    pub account: Option<Nick>,
    /// When.
    pub time: Millis,
    /// The id of a message.
    pub id: Option<MessageId>,
    /// Client-only tags as they go on the wire, empty for none.
    pub tags: Arc<str>,
    /// What.
    pub kind: EventKind,
}

/// What was said or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// PRIVMSG or NOTICE.
    Message {
        /// Which of the two.
        kind: MessageKind,
        /// The channel or nick it was sent to, as that is written.
        target: Arc<str>,
        /// The text.
        text: Arc<str>,
        /// The copy for the other sessions of the sender of a direct message. A client without
        /// echo-message takes a message from its own nick for one from somebody else, so it gets none.
        own: bool,
    },
    /// TAGMSG. Sessions without message-tags do not get it.
    Tagmsg {
        /// The channel or nick.
        target: Arc<str>,
        /// As in a message.
        own: bool,
    },
    /// JOIN
    Join(ChannelName),
    /// PART, with a reason or without.
    Part(ChannelName, Option<Arc<str>>),
    /// QUIT
    Quit(Arc<str>),
    /// TOPIC; an empty text clears it.
    Topic(ChannelName, Arc<str>),
}

/// Turns events into bytes. Remembers the last time it printed, for a batch has few different ones.
#[derive(Debug, Default)]
pub struct Renderer {
    time: Option<(Millis, String)>,
}

impl Renderer {
    /// Appends the event's line with its end, as a session with these capabilities gets it, `tag` (`label=…`
    /// or `batch=…`) before the other tags. Appends nothing where such a session gets nothing.
    pub fn render(&mut self, event: &Event, caps: CapSet, tag: Option<&str>, out: &mut Vec<u8>) {
        if !event.is_for(caps) {
            return;
        }
        let mut mark = b'@';
        let mut put = |out: &mut Vec<u8>, key: &str, value: &str| {
            out.push(mark);
            mark = b';';
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(value.as_bytes());
        };
        if let Some(tag) = tag {
            put(out, tag, "");
        }
        if caps.has(Cap::ServerTime) {
            put(out, "time=", self.time(event.time));
        }
        if caps.has(Cap::MessageTags) {
            if let Some(id) = event.id {
                put(out, "msgid=", id.digits().as_str());
            }
            if !event.tags.is_empty() {
                put(out, &event.tags, "");
            }
        }
        if caps.has(Cap::AccountTag)
            && let Some(account) = &event.account
        {
            put(out, "account=", account.as_str());
        }
        if mark == b';' {
            out.push(b' ');
        }
        out.push(b':');
        out.extend_from_slice(event.source.as_bytes());
        event.kind.write(out);
        out.extend_from_slice(b"\r\n");
    }

    fn time(&mut self, time: Millis) -> &str {
        let stale = self.time.as_ref().is_none_or(|(last, _)| *last != time);
        if stale {
            self.time = Some((time, time.to_string()));
        }
        self.time.as_ref().map_or("", |(_, text)| text)
    }
}

impl Event {
    /// Does a session with these capabilities get to see it?
    pub fn is_for(&self, caps: CapSet) -> bool {
        match self.kind {
            EventKind::Tagmsg { own, .. } => {
                caps.has(Cap::MessageTags) && (!own || caps.has(Cap::EchoMessage))
            }
            EventKind::Message { own, .. } => !own || caps.has(Cap::EchoMessage),
            _ => true,
        }
    }
}

impl EventKind {
    fn write(&self, out: &mut Vec<u8>) {
        let mut put = |parts: &[&str]| {
            for part in parts {
                out.extend_from_slice(part.as_bytes());
            }
        };
        match self {
            Self::Message { kind, target, text, .. } => put(&[kind.command(), target, " :", text]),
            Self::Tagmsg { target, .. } => put(&[" TAGMSG ", target]),
            Self::Join(channel) => put(&[" JOIN ", channel.as_str()]),
            Self::Part(channel, None) => put(&[" PART ", channel.as_str()]),
            Self::Part(channel, Some(reason)) => put(&[" PART ", channel.as_str(), " :", reason]),
            Self::Quit(reason) => put(&[" QUIT :", reason]),
            Self::Topic(channel, text) => put(&[" TOPIC ", channel.as_str(), " :", text]),
        }
    }
}

impl MessageKind {
    fn command(self) -> &'static str {
        match self {
            Self::Privmsg => " PRIVMSG ",
            Self::Notice => " NOTICE ",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            source: "al!al@parlour".into(),
            account: Nick::parse("al").ok(),
            time: Millis(1_700_000_000_007),
            id: Some(MessageId::first_at(Millis(1))),
            tags: "+draft/react=x".into(),
            kind: EventKind::Message {
                kind: MessageKind::Privmsg,
                target: "#c".into(),
                text: "hi there".into(),
                own: false,
            },
        }
    }

    fn render(event: &Event, caps: &[Cap], tag: Option<&str>) -> String {
        let mut out = Vec::new();
        Renderer::default().render(event, CapSet::of(caps), tag, &mut out);
        String::from_utf8(out).expect("utf-8")
    }

    #[test]
    fn each_capability_adds_its_tag() {
        let line = ":al!al@parlour PRIVMSG #c :hi there\r\n";
        assert_eq!(render(&event(), &[], None), line);
        assert_eq!(
            render(&event(), &[Cap::ServerTime], None),
            format!("@time=2023-11-14T22:13:20.007Z {line}")
        );
        assert_eq!(
            render(&event(), &[Cap::MessageTags, Cap::AccountTag], Some("label=7")),
            format!("@label=7;msgid=0000000000100000;+draft/react=x;account=al {line}")
        );
    }

    #[test]
    fn some_events_are_not_for_everybody() {
        let own = Event { kind: EventKind::Tagmsg { target: "bob".into(), own: true }, ..event() };
        assert_eq!(render(&own, &[Cap::MessageTags], None), "");
        assert_eq!(render(&own, &[Cap::EchoMessage], None), "");
        assert!(render(&own, &[Cap::EchoMessage, Cap::MessageTags], None).ends_with("TAGMSG bob\r\n"));
    }
}
