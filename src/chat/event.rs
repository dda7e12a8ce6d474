//! What members see of each other, and how it looks on the wire.

use std::sync::Arc;

use super::record::{LINE_BREAK, LINE_JOIN, MessageKind};
use super::settings::SERVER_NAME;
use crate::wire::{Cap, CapSet, ChannelName, MessageId, Millis, Nick};

/// The capabilities that change how an event looks. Sessions that agree in these get the same bytes.
pub const RENDER_CAPS: CapSet = CapSet::of(&[
    Cap::MessageTags,
    Cap::ServerTime,
    Cap::AccountTag,
    Cap::EchoMessage,
    Cap::Batch,
    Cap::Multiline,
    Cap::ExtendedJoin,
    Cap::AwayNotify,
    Cap::Setname,
    Cap::InviteNotify,
    Cap::MessageRedaction,
    Cap::ChannelRename,
]);

/// Something that was said or done, by whom and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `nick!user@host` of who did it.
    pub source: Arc<str>,
    /// The account of who did it; none for the server's own doings.
    pub account: Option<Nick>,
    /// It did so as a bot ([bot mode](https://ircv3.net/specs/extensions/bot-mode)).
    pub bot: bool,
    /// When.
    pub time: Millis,
    /// The id of what the history has.
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
        /// The text; see [`MessageKind::Privmsg`] for that of a multiline message.
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
    /// JOIN, with the name of who joins for sessions with extended-join.
    Join(ChannelName, Arc<str>),
    /// PART, with a reason or without.
    Part(ChannelName, Option<Arc<str>>),
    /// QUIT
    Quit(Arc<str>),
    /// TOPIC; an empty text clears it.
    Topic(ChannelName, Arc<str>),
    /// KICK of a nick, with a reason.
    Kick(ChannelName, Nick, Arc<str>),
    /// MODE of a channel or a person: the letters with their values.
    Mode(Arc<str>, Arc<str>),
    /// INVITE of a nick, to itself or to sessions with invite-notify.
    Invite {
        /// Who is invited.
        nick: Nick,
        /// Whereto.
        channel: ChannelName,
        /// It goes to the channel and not to who is invited.
        notify: bool,
    },
    /// AWAY with the message, or back; for sessions with away-notify.
    Away(Option<Arc<str>>),
    /// SETNAME, for sessions with setname.
    Setname(Arc<str>),
    /// REDACT of a message, for sessions with message-redaction.
    Redact {
        /// The channel or nick.
        target: Arc<str>,
        /// Which message.
        message: MessageId,
        /// Why, where that was said.
        reason: Option<Arc<str>>,
    },
    /// RENAME of a channel, for sessions with channel-rename: others leave it and join another.
    Rename(ChannelName, ChannelName, Arc<str>),
    /// WALLOPS
    Wallops(Arc<str>),
}

/// Turns events into bytes. Remembers the last time it printed, for a batch has few different ones.
#[derive(Debug, Default)]
pub struct Renderer {
    time: Option<(Millis, String)>,
}

/// Which tags a line gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tagged {
    /// All of them.
    Whole,
    /// A further line of the same message: no id, no client's tags.
    Further,
}

impl Renderer {
    /// Appends the event's line with its end, as a session with these capabilities gets it, `tag` (`label=…`
    /// or `batch=…`) before the other tags. Appends nothing where such a session gets nothing, and several lines where
    /// it is a multiline message.
    pub fn render(&mut self, event: &Event, caps: CapSet, tag: Option<&str>, out: &mut Vec<u8>) {
        if !event.is_for(caps) {
            return;
        }
        if let EventKind::Message { kind, target, text, .. } = &event.kind
            && memchr::memchr2(LINE_BREAK as u8, LINE_JOIN as u8, text.as_bytes()).is_some()
        {
            if caps.has(Cap::Multiline) && caps.has(Cap::Batch) {
                self.multiline(event, (*kind, target, text), caps, tag, out);
            } else {
                self.lines(event, (*kind, target, text), caps, tag, out);
            }
            return;
        }
        self.head(event, caps, tag, Tagged::Whole, out);
        event.kind.write(event.account.as_ref(), caps, out);
        out.extend_from_slice(b"\r\n");
    }

    /// The tags and the source.
    fn head(&mut self, event: &Event, caps: CapSet, tag: Option<&str>, tagged: Tagged, out: &mut Vec<u8>) {
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
            if let Some(id) = event.id.filter(|_| tagged == Tagged::Whole) {
                put(out, "msgid=", id.digits().as_str());
            }
            if !event.tags.is_empty() && tagged == Tagged::Whole {
                put(out, &event.tags, "");
            }
            if event.bot {
                put(out, "bot", "");
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
    }

    /// A batch with the lines as they were sent ([multiline](https://ircv3.net/specs/extensions/multiline)). The
    /// message's id serves as the batch's reference: it is unique.
    fn multiline(
        &mut self,
        event: &Event,
        (kind, target, text): (MessageKind, &str, &str),
        caps: CapSet,
        tag: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        let reference = event.id.unwrap_or_default();
        let reference = reference.digits();
        let reference = reference.as_str();
        self.head(event, caps, tag, Tagged::Whole, out);
        put(out, &[" BATCH +", reference, " draft/multiline ", target, "\r\n"]);
        for (line, joined) in split_lines(text) {
            let concat = if joined { ";draft/multiline-concat" } else { "" };
            put(out, &["@batch=", reference, concat, " :", &event.source]);
            put(out, &[kind.command(), target, " :", line, "\r\n"]);
        }
        // The end of a batch inside another one says so too; a label stands at the beginning alone.
        match tag.filter(|tag| tag.starts_with("batch=")) {
            Some(tag) => put(out, &["@", tag, " :", &event.source, " BATCH -", reference, "\r\n"]),
            None => put(out, &[":", &event.source, " BATCH -", reference, "\r\n"]),
        }
    }

    /// One message for each line that is not blank, for sessions that do not know multiline.
    fn lines(
        &mut self,
        event: &Event,
        (kind, target, text): (MessageKind, &str, &str),
        caps: CapSet,
        tag: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        let mut tagged = Tagged::Whole;
        for (line, _) in split_lines(text).filter(|(line, _)| !line.is_empty()) {
            let tag = tag.filter(|tag| tagged == Tagged::Whole || tag.starts_with("batch="));
            self.head(event, caps, tag, tagged, out);
            put(out, &[kind.command(), target, " :", line, "\r\n"]);
            tagged = Tagged::Further;
        }
    }

    fn time(&mut self, time: Millis) -> &str {
        let stale = self.time.as_ref().is_none_or(|(last, _)| *last != time);
        if stale {
            self.time = Some((time, time.to_string()));
        }
        self.time.as_ref().map_or("", |(_, text)| text)
    }
}

fn put(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

/// The lines of a multiline message as they were sent, each with whether it goes on where the one before it was cut.
fn split_lines(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let joined = std::iter::once(false)
        .chain(text.chars().filter(|c| [LINE_BREAK, LINE_JOIN].contains(c)).map(|c| c == LINE_JOIN));
    text.split([LINE_BREAK, LINE_JOIN]).zip(joined)
}

impl Event {
    /// Does a session with these capabilities get to see it?
    pub fn is_for(&self, caps: CapSet) -> bool {
        match self.kind {
            EventKind::Tagmsg { own, .. } => {
                caps.has(Cap::MessageTags) && (!own || caps.has(Cap::EchoMessage))
            }
            EventKind::Message { own, .. } => !own || caps.has(Cap::EchoMessage),
            EventKind::Away(_) => caps.has(Cap::AwayNotify),
            EventKind::Setname(_) => caps.has(Cap::Setname),
            EventKind::Invite { notify, .. } => !notify || caps.has(Cap::InviteNotify),
            EventKind::Redact { .. } => caps.has(Cap::MessageRedaction),
            EventKind::Rename(..) => caps.has(Cap::ChannelRename),
            _ => true,
        }
    }

    /// Something that the server does.
    pub fn of_server(time: Millis, kind: EventKind) -> Self {
        let source = SERVER_NAME.into();
        Self { source, account: None, bot: false, time, id: None, tags: Arc::default(), kind }
    }
}

impl EventKind {
    fn write(&self, account: Option<&Nick>, caps: CapSet, out: &mut Vec<u8>) {
        let mut put = |parts: &[&str]| put(out, parts);
        match self {
            Self::Message { kind, target, text, .. } => put(&[kind.command(), target, " :", text]),
            Self::Tagmsg { target, .. } => put(&[" TAGMSG ", target]),
            Self::Join(channel, realname) if caps.has(Cap::ExtendedJoin) => {
                let account = account.map_or("*", Nick::as_str);
                put(&[" JOIN ", channel.as_str(), " ", account, " :", realname]);
            }
            Self::Join(channel, _) => put(&[" JOIN ", channel.as_str()]),
            Self::Part(channel, None) => put(&[" PART ", channel.as_str()]),
            Self::Part(channel, Some(reason)) => put(&[" PART ", channel.as_str(), " :", reason]),
            Self::Quit(reason) => put(&[" QUIT :", reason]),
            Self::Topic(channel, text) => put(&[" TOPIC ", channel.as_str(), " :", text]),
            Self::Kick(channel, nick, reason) => {
                put(&[" KICK ", channel.as_str(), " ", nick.as_str(), " :", reason]);
            }
            Self::Mode(target, change) => put(&[" MODE ", target, " ", change]),
            Self::Invite { nick, channel, .. } => put(&[" INVITE ", nick.as_str(), " ", channel.as_str()]),
            Self::Away(Some(text)) => put(&[" AWAY :", text]),
            Self::Away(None) => put(&[" AWAY"]),
            Self::Setname(name) => put(&[" SETNAME :", name]),
            Self::Redact { target, message, reason } => {
                put(&[" REDACT ", target, " ", message.digits().as_str()]);
                if let Some(reason) = reason {
                    put(&[" :", reason]);
                }
            }
            Self::Rename(old, new, reason) => {
                put(&[" RENAME ", old.as_str(), " ", new.as_str(), " :", reason]);
            }
            Self::Wallops(text) => put(&[" WALLOPS :", text]),
        }
    }
}

impl MessageKind {
    /// The command of something that is said, with a space on each side.
    fn command(self) -> &'static str {
        match self {
            Self::Notice => " NOTICE ",
            _ => " PRIVMSG ",
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
            bot: false,
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

    #[test]
    fn a_multiline_message_is_a_batch_or_several_lines() {
        let text: Arc<str> = "hello\n\nhow is \reveryone?".into();
        let kind = EventKind::Message { kind: MessageKind::Privmsg, target: "#c".into(), text, own: false };
        let event = Event { kind, ..event() };
        let caps = [Cap::MessageTags, Cap::Batch, Cap::Multiline];
        assert_eq!(
            render(&event, &caps, Some("batch=r")),
            "@batch=r;msgid=0000000000100000;+draft/react=x :al!al@parlour BATCH +0000000000100000 draft/multiline #c\r\n\
             @batch=0000000000100000 :al!al@parlour PRIVMSG #c :hello\r\n\
             @batch=0000000000100000 :al!al@parlour PRIVMSG #c :\r\n\
             @batch=0000000000100000 :al!al@parlour PRIVMSG #c :how is \r\n\
             @batch=0000000000100000;draft/multiline-concat :al!al@parlour PRIVMSG #c :everyone?\r\n\
             @batch=r :al!al@parlour BATCH -0000000000100000\r\n"
        );
        assert_eq!(
            render(&event, &[Cap::MessageTags, Cap::AccountTag], Some("label=7")),
            "@label=7;msgid=0000000000100000;+draft/react=x;account=al :al!al@parlour PRIVMSG #c :hello\r\n\
             @account=al :al!al@parlour PRIVMSG #c :how is \r\n\
             @account=al :al!al@parlour PRIVMSG #c :everyone?\r\n"
        );
    }

    #[test]
    fn who_knows_extended_join_learns_more() {
        let channel = ChannelName::parse("#c").expect("a channel");
        let join = Event { id: None, kind: EventKind::Join(channel, "Al B".into()), ..event() };
        assert_eq!(render(&join, &[], None), ":al!al@parlour JOIN #c\r\n");
        assert_eq!(render(&join, &[Cap::ExtendedJoin], None), ":al!al@parlour JOIN #c al :Al B\r\n");
    }
}
