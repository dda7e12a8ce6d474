//! Events that an audience sees, and their rendering to IRC lines.

use std::sync::Arc;

use crate::core::record::{LINE_BREAK, LINE_CONCAT, MessageKind};
use crate::wire::splitting::{MAX_LINE_BYTES, split_point, split_text};
use crate::wire::{Cap, CapSet, ChannelName, MessageId, Nick, ServerName, Timestamp};

/// The capabilities that change an event's rendering. Sessions that agree in these get the same bytes.
pub const RENDER_CAPS: CapSet = CapSet::from_caps(&[
    Cap::MessageTags,
    Cap::ServerTime,
    Cap::AccountTag,
    Cap::EchoMessage,
    Cap::Batch,
    Cap::Multiline,
    Cap::SendId,
    Cap::ExtendedJoin,
    Cap::AwayNotify,
    Cap::Setname,
    Cap::InviteNotify,
    Cap::MessageRedaction,
    Cap::ChannelRename,
]);

/// An event, with its source and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `nick!user@host` of the account that caused it, or the server's name.
    pub source: Arc<str>,
    /// The account that caused it; `None` for events of the server itself.
    pub account: Option<Nick>,
    /// The account is marked as a bot ([bot mode](https://ircv3.net/specs/extensions/bot-mode)).
    pub bot: bool,
    /// The server's time.
    pub time: Timestamp,
    /// Its message id, if the history keeps it.
    pub id: Option<MessageId>,
    /// Client-only tags as they are sent; empty if there are none.
    pub tags: Arc<str>,
    /// Kind of the event, with its parameters.
    pub kind: EventKind,
}

/// The kinds of event, each with the parameters of its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A PRIVMSG or NOTICE.
    Message {
        /// PRIVMSG or NOTICE.
        kind: MessageKind,
        /// The channel or nick it was sent to, in its own spelling.
        target: Arc<str>,
        /// The text; see [`MessageKind::Privmsg`] for that of a multiline message.
        text: Arc<str>,
        /// Marks the copy for the other sessions of the sender of a direct message. Only sessions with echo-message get
        /// it: other clients take a message from their own nick for one from another account.
        own_copy: bool,
    },
    /// A TAGMSG, for sessions with message-tags.
    Tagmsg {
        /// The channel or nick it was sent to.
        target: Arc<str>,
        /// Marks the copy for the sender's other sessions, as for a message.
        own_copy: bool,
    },
    /// A JOIN, with the account's real name for sessions with extended-join.
    Join(ChannelName, Arc<str>),
    /// A PART, with or without a reason.
    Part(ChannelName, Option<Arc<str>>),
    /// A QUIT with its reason.
    Quit(Arc<str>),
    /// A TOPIC change. An empty text clears the topic.
    Topic(ChannelName, Arc<str>),
    /// A KICK: channel, target, reason.
    Kick(ChannelName, Nick, Arc<str>),
    /// A MODE change: the channel or nick, and the letters with their values.
    Mode(Arc<str>, Arc<str>),
    /// An INVITE, to the invited account or to sessions with invite-notify.
    Invite {
        /// The invited account.
        nick: Nick,
        /// Channel of the invite.
        channel: ChannelName,
        /// Marks the copy for the members of the channel (invite-notify).
        notify_copy: bool,
    },
    /// An AWAY with the message, or without one on return; for sessions with away-notify.
    Away(Option<Arc<str>>),
    /// A SETNAME with the new real name, for sessions with setname.
    Setname(Arc<str>),
    /// A REDACT of a message, for sessions with message-redaction.
    Redact {
        /// The channel or nick of the conversation.
        target: Arc<str>,
        /// The redacted message.
        message: MessageId,
        /// Reason, if the client gave one.
        reason: Option<Arc<str>>,
    },
    /// A RENAME of a channel: old name, new name, reason. For sessions with channel-rename; others see a PART and a
    /// JOIN.
    Rename(ChannelName, ChannelName, Arc<str>),
    /// A WALLOPS with its text.
    Wallops(Arc<str>),
}

/// Renders events to bytes. Caches the last time stamp it printed, because a batch of events has few different ones.
#[derive(Debug, Default)]
pub struct Renderer {
    server: ServerName,
    time: Option<(Timestamp, String)>,
}

/// Selection of the tags of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TagSelection {
    /// All tags that the session takes.
    AllTags,
    /// The tags of a further line of the same message: no msgid, which only the first line has.
    ContinuationTags,
}

impl Renderer {
    /// Creates a renderer with `server` as the source of batches.
    pub fn new(server: &ServerName) -> Self {
        Self { server: server.clone(), time: None }
    }

    /// Appends the event as a session with these capabilities gets it, with line ends and with `tag` (`label=…` or
    /// `batch=…`) as the first tag. Appends nothing if such a session does not get the event, and several lines for a
    /// multiline message.
    pub fn render(&mut self, event: &Event, caps: CapSet, tag: Option<&str>, out: &mut Vec<u8>) {
        if !event.is_visible_to(caps) {
            return;
        }
        if let EventKind::Message { kind, target, text, .. } = &event.kind {
            let has_lines = memchr::memchr2(LINE_BREAK as u8, LINE_CONCAT as u8, text.as_bytes()).is_some();
            if has_lines && caps.has(Cap::Multiline) && caps.has(Cap::Batch) {
                return self.write_multiline(event, (*kind, target, text), caps, tag, out);
            }
            if has_lines || (text.len() > max_text_bytes(event, *kind, target) && !caps.allows_long_lines()) {
                return self.write_separate_lines(event, (*kind, target, text), caps, tag, out);
            }
        }
        let body = self.write_head(event, caps, tag, TagSelection::AllTags, out);
        event.kind.write(event.account.as_ref(), caps, out);
        if out.len() - body + 2 > MAX_LINE_BYTES && !caps.allows_long_lines() {
            let line = String::from_utf8_lossy(out.get(body..).unwrap_or_default());
            let length = split_point(&line, MAX_LINE_BYTES - 2);
            out.truncate(body + length);
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Appends the tags and the source. Returns the length of `out` after the tags.
    fn write_head(
        &mut self,
        event: &Event,
        caps: CapSet,
        tag: Option<&str>,
        selection: TagSelection,
        out: &mut Vec<u8>,
    ) -> usize {
        let mut separator = b'@';
        let mut put = |out: &mut Vec<u8>, key: &str, value: &str| {
            out.push(separator);
            separator = b';';
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(value.as_bytes());
        };
        if let Some(tag) = tag {
            put(out, tag, "");
        }
        if caps.has(Cap::ServerTime) {
            put(out, "time=", self.format_time(event.time));
        }
        if caps.has(Cap::MessageTags) {
            if let Some(id) = event.id.filter(|_| selection == TagSelection::AllTags) {
                put(out, "msgid=", id.to_hex().as_str());
            }
            if !event.tags.is_empty() {
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
        if separator == b';' {
            out.push(b' ');
        }
        let body = out.len();
        out.push(b':');
        out.extend_from_slice(event.source.as_bytes());
        body
    }

    /// Appends a batch with the lines as they were sent ([multiline](https://ircv3.net/specs/extensions/multiline)).
    /// The message id serves as the batch's reference, because it is unique.
    fn write_multiline(
        &mut self,
        event: &Event,
        (kind, target, text): (MessageKind, &str, &str),
        caps: CapSet,
        tag: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        let reference = event.id.unwrap_or_default();
        let reference = reference.to_hex();
        let reference = reference.as_str();
        self.write_head(event, caps, tag, TagSelection::AllTags, out);
        append(out, &[" BATCH +", reference, " draft/multiline ", target, "\r\n"]);
        for (line, joined) in split_lines(text) {
            let concat = if joined { ";draft/multiline-concat" } else { "" };
            append(out, &["@batch=", reference, concat, " :", &event.source]);
            append(out, &[kind.spaced_command(), target, " :", line, "\r\n"]);
        }
        // The end of a batch inside another one has the outer batch's tag; a label is on the first line only.
        match tag.filter(|tag| tag.starts_with("batch=")) {
            Some(tag) => append(out, &["@", tag, " :", &event.source, " BATCH -", reference, "\r\n"]),
            None => append(out, &[":", &event.source, " BATCH -", reference, "\r\n"]),
        }
    }

    /// Appends one message for each line that is not blank, for sessions without multiline, and one for each piece that
    /// fits, for sessions without long lines. The first has the msgid. Several messages that reply to a labelled
    /// command go in a batch.
    fn write_separate_lines(
        &mut self,
        event: &Event,
        (kind, target, text): (MessageKind, &str, &str),
        caps: CapSet,
        tag: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        let room = if caps.allows_long_lines() { usize::MAX } else { max_text_bytes(event, kind, target) };
        let pieces: Vec<TextPiece<'_>> =
            split_lines(text).flat_map(|(line, _)| TextPiece::split(line, room)).collect();
        let label = tag.filter(|tag| pieces.len() > 1 && caps.has(Cap::Batch) && tag.starts_with("label="));
        if let Some(label) = label {
            append(out, &["@", label, " :", self.server.as_str(), " BATCH +r labeled-response\r\n"]);
        }
        let tag = if label.is_some() { Some("batch=r") } else { tag };
        let mut selection = TagSelection::AllTags;
        for TextPiece { start, text, end } in pieces {
            let tag = tag.filter(|tag| selection == TagSelection::AllTags || tag.starts_with("batch="));
            self.write_head(event, caps, tag, selection, out);
            append(out, &[kind.spaced_command(), target, " :", start, text, end, "\r\n"]);
            selection = TagSelection::ContinuationTags;
        }
        if label.is_some() {
            append(out, &[":", self.server.as_str(), " BATCH -r\r\n"]);
        }
    }

    fn format_time(&mut self, time: Timestamp) -> &str {
        let stale = self.time.as_ref().is_none_or(|(last, _)| *last != time);
        if stale {
            self.time = Some((time, time.to_string()));
        }
        self.time.as_ref().map_or("", |(_, text)| text)
    }
}

fn append(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Returns the number of bytes of text that fit a line of 512 bytes.
fn max_text_bytes(event: &Event, kind: MessageKind, target: &str) -> usize {
    let head = ":".len() + event.source.len() + kind.spaced_command().len() + target.len() + " :".len();
    // Names are short enough that the remainder is always well over this minimum.
    MAX_LINE_BYTES.saturating_sub(head + "\r\n".len()).max(64)
}

/// A piece of text with the CTCP marks around it.
struct TextPiece<'a> {
    start: &'static str,
    text: &'a str,
    end: &'static str,
}

impl<'a> TextPiece<'a> {
    /// Cuts a line into pieces that fit. An ACTION becomes several ACTIONs. Another CTCP message is truncated, because
    /// its second half would be taken for ordinary text.
    fn split(line: &'a str, room: usize) -> Vec<Self> {
        const ACTION: &str = "\u{1}ACTION ";
        let plain = |text| Self { start: "", text, end: "" };
        if line.is_empty() {
            return Vec::new();
        }
        if line.len() <= room {
            return vec![plain(line)];
        }
        if let Some(action) = line.strip_prefix(ACTION) {
            let action = action.strip_suffix('\u{1}').unwrap_or(action);
            let action = split_text(action, room - ACTION.len() - 1);
            return action.map(|text| Self { start: ACTION, text, end: "\u{1}" }).collect();
        }
        if line.starts_with('\u{1}') {
            let text = line.get(..split_point(line, room - 1)).unwrap_or_default();
            return vec![Self { start: "", text, end: "\u{1}" }];
        }
        split_text(line, room).map(plain).collect()
    }
}

/// Returns the lines of a multiline message as they were sent, each with a flag that is true if it continues the line
/// before it (`multiline-concat`).
fn split_lines(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let joined = std::iter::once(false)
        .chain(text.chars().filter(|c| [LINE_BREAK, LINE_CONCAT].contains(c)).map(|c| c == LINE_CONCAT));
    text.split([LINE_BREAK, LINE_CONCAT]).zip(joined)
}

impl Event {
    /// Returns whether a session with these capabilities gets the event.
    pub fn is_visible_to(&self, caps: CapSet) -> bool {
        match self.kind {
            EventKind::Tagmsg { own_copy: own, .. } => {
                caps.has(Cap::MessageTags) && (!own || caps.has(Cap::EchoMessage))
            }
            EventKind::Message { own_copy: own, .. } => !own || caps.has(Cap::EchoMessage),
            EventKind::Away(_) => caps.has(Cap::AwayNotify),
            EventKind::Setname(_) => caps.has(Cap::Setname),
            EventKind::Invite { notify_copy: notify, .. } => !notify || caps.has(Cap::InviteNotify),
            EventKind::Redact { .. } => caps.has(Cap::MessageRedaction),
            EventKind::Rename(..) => caps.has(Cap::ChannelRename),
            _ => true,
        }
    }

    /// Returns the approximate size of the rendered line, in bytes with its tags.
    pub fn approximate_size(&self) -> usize {
        let text = match &self.kind {
            EventKind::Message { text, .. }
            | EventKind::Quit(text)
            | EventKind::Topic(_, text)
            | EventKind::Kick(_, _, text)
            | EventKind::Setname(text)
            | EventKind::Rename(_, _, text)
            | EventKind::Mode(_, text)
            | EventKind::Wallops(text) => text.len(),
            EventKind::Part(_, text) | EventKind::Away(text) | EventKind::Redact { reason: text, .. } => {
                text.as_ref().map_or(0, |text| text.len())
            }
            EventKind::Tagmsg { .. } | EventKind::Join(..) | EventKind::Invite { .. } => 0,
        };
        128 + self.tags.len() + text
    }

    /// Creates an event whose source is the server itself.
    pub fn from_server(server: &ServerName, time: Timestamp, kind: EventKind) -> Self {
        let source = server.shared();
        Self { source, account: None, bot: false, time, id: None, tags: Arc::default(), kind }
    }
}

impl EventKind {
    fn write(&self, account: Option<&Nick>, caps: CapSet, out: &mut Vec<u8>) {
        let mut put = |parts: &[&str]| append(out, parts);
        match self {
            Self::Message { kind, target, text, .. } => put(&[kind.spaced_command(), target, " :", text]),
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
                put(&[" REDACT ", target, " ", message.to_hex().as_str()]);
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
    /// Returns the command of a message, with a space on each side.
    fn spaced_command(self) -> &'static str {
        match self {
            Self::Notice => " NOTICE ",
            _ => " PRIVMSG ",
        }
    }
}

#[cfg(test)]
mod tests;
