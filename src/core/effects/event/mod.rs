//! Events that an audience sees, and their rendering to IRC lines.

use std::sync::Arc;

use crate::core::record::{LINE_BREAK, LINE_CONCAT, MessageKind};
use crate::wire::splitting::{MAX_LINE_BYTES, split_point, split_text};
use crate::wire::{
    BatchRef, Cap, CapSet, ChannelName, LineWriter, MessageId, Nick, Reply, ServerName, Tagging, Timestamp,
};

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
    /// The server's [tag of files](super::tags::files_tag) and client-only tags as they are sent; empty if there are none.
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
    /// A MODE change.
    Mode {
        /// The channel or nick.
        target: Arc<str>,
        /// The letters with their values.
        changes: Arc<str>,
    },
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
    /// A RENAME of a channel. For sessions with channel-rename; others see a PART and a JOIN.
    Rename {
        /// Name of the channel until now.
        old: ChannelName,
        /// Name of the channel from now on.
        new: ChannelName,
        /// Reason; empty if the client gave none.
        reason: Arc<str>,
    },
    /// A WALLOPS with its text.
    Wallops(Arc<str>),
}

/// Renders events and replies to lines. Caches the last time stamp it printed, because a batch of events has few
/// different ones.
#[derive(Debug, Default)]
pub struct Renderer {
    server: ServerName,
    time: Option<(Timestamp, String)>,
}

/// The text of a PRIVMSG or NOTICE, with its command and target.
#[derive(Clone, Copy)]
struct Body<'a> {
    command: &'static str,
    target: &'a str,
    text: &'a str,
}

/// Selection of the tags of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineTags {
    /// All tags that the session takes.
    All,
    /// The tags of a further line of the same message: no msgid, which only the first line has.
    Further,
}

impl Renderer {
    /// Creates a renderer with `server` as the source of replies.
    pub fn new(server: &ServerName) -> Self {
        Self { server: server.clone(), time: None }
    }

    /// Appends a reply to the client known as `nick`.
    pub fn reply(&self, reply: &Reply, nick: &str, out: &mut String) {
        reply.write(self.server.as_str(), nick, out);
    }

    /// Appends the event as a session with these capabilities gets it, with line ends and with the tag of `tagging`
    /// first. Appends nothing if such a session does not get the event, and several lines for a multiline message.
    pub fn render(&mut self, event: &Event, caps: CapSet, tagging: &Tagging, out: &mut String) {
        if !event.is_visible_to(caps) {
            return;
        }
        if let EventKind::Message { kind, target, text, .. } = &event.kind {
            let has_lines = memchr::memchr2(LINE_BREAK as u8, LINE_CONCAT as u8, text.as_bytes()).is_some();
            let message = Body { command: kind.command_name(), target, text };
            if has_lines && caps.has(Cap::Multiline) && caps.has(Cap::Batch) {
                return self.write_multiline(event, message, caps, tagging, out);
            }
            if has_lines || (text.len() > max_text_bytes(event, message) && !caps.allows_long_lines()) {
                return self.write_separate_lines(event, message, caps, tagging, out);
            }
        }
        let mut line = self.write_head(event, caps, tagging, LineTags::All, out);
        event.kind.write(event.account.as_ref(), caps, &mut line);
        if caps.allows_long_lines() {
            line.end();
        } else {
            line.end_within(MAX_LINE_BYTES);
        }
    }

    /// Begins a line with its tags and its source.
    fn write_head<'a>(
        &mut self,
        event: &Event,
        caps: CapSet,
        tagging: &Tagging,
        tags: LineTags,
        out: &'a mut String,
    ) -> LineWriter<'a> {
        let mut line = LineWriter::new(out);
        line.tagging(tagging);
        if caps.has(Cap::ServerTime) {
            line.tag("time", self.format_time(event.time));
        }
        if caps.has(Cap::MessageTags) {
            if let Some(id) = event.id.filter(|_| tags == LineTags::All) {
                line.tag("msgid", id.to_hex().as_str());
            }
            if !event.tags.is_empty() {
                line.flag(&event.tags);
            }
            if event.bot {
                line.flag("bot");
            }
        }
        if caps.has(Cap::AccountTag)
            && let Some(account) = &event.account
        {
            line.tag("account", account.as_str());
        }
        line.source(&event.source);
        line
    }

    /// Appends a batch with the lines as they were sent ([multiline](https://ircv3.net/specs/extensions/multiline)).
    /// The message id serves as the batch's reference, because it is unique.
    fn write_multiline(
        &mut self,
        event: &Event,
        Body { command, target, text }: Body<'_>,
        caps: CapSet,
        tagging: &Tagging,
        out: &mut String,
    ) {
        let reference = event.id.unwrap_or_default().to_hex();
        let reference = reference.as_str();
        let mut open = self.write_head(event, caps, tagging, LineTags::All, out);
        open.command("BATCH").param("+").more(reference).param("draft/multiline").param(target).end();
        for (text, joined) in split_lines(text) {
            let mut line = LineWriter::new(out);
            line.tag("batch", reference);
            if joined {
                line.flag("draft/multiline-concat");
            }
            line.source(&event.source).command(command).param(target).text(text).end();
        }
        // The end of a batch inside another one has the outer batch's tag; a label is on the first line only.
        let mut end = LineWriter::new(out);
        if let Tagging::Batch(_) = tagging {
            end.tagging(tagging);
        }
        end.source(&event.source).command("BATCH").param("-").more(reference).end();
    }

    /// Appends one message for each line that is not blank, for sessions without multiline, and one for each piece that
    /// fits, for sessions without long lines. The first has the msgid. Several messages that reply to a labelled
    /// command go in a batch.
    fn write_separate_lines(
        &mut self,
        event: &Event,
        message: Body<'_>,
        caps: CapSet,
        tagging: &Tagging,
        out: &mut String,
    ) {
        let Body { command, target, text } = message;
        let room = if caps.allows_long_lines() { usize::MAX } else { max_text_bytes(event, message) };
        let pieces: Vec<TextPiece<'_>> =
            split_lines(text).flat_map(|(line, _)| TextPiece::split(line, room)).collect();
        let response = match tagging {
            Tagging::Label(label) if pieces.len() > 1 && caps.has(Cap::Batch) => Some(label),
            _ => None,
        };
        let inner = response.map_or_else(|| tagging.clone(), |_| Tagging::Batch(BatchRef::RESPONSE));
        if let Some(label) = response {
            self.reply(&Reply::response_start(label), "*", out);
        }
        let mut tags = LineTags::All;
        for TextPiece { start, text, end } in pieces {
            let tagging = match &inner {
                Tagging::Label(_) if tags == LineTags::Further => &Tagging::None,
                other => other,
            };
            let mut line = self.write_head(event, caps, tagging, tags, out);
            line.command(command).param(target).text(start).more(text).more(end).end();
            tags = LineTags::Further;
        }
        if response.is_some() {
            self.reply(&Reply::batch_end(BatchRef::RESPONSE), "*", out);
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

/// Returns the number of bytes of text that fit a line of 512 bytes.
fn max_text_bytes(event: &Event, Body { command, target, .. }: Body<'_>) -> usize {
    let head = ":  ".len() + event.source.len() + command.len() + target.len() + " :".len();
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
            EventKind::Rename { .. } => caps.has(Cap::ChannelRename),
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
            | EventKind::Rename { reason: text, .. }
            | EventKind::Mode { changes: text, .. }
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
    /// Writes the command and its parameters.
    fn write(&self, account: Option<&Nick>, caps: CapSet, line: &mut LineWriter<'_>) {
        match self {
            Self::Message { kind, target, text, .. } => {
                line.command(kind.command_name()).param(target).text(text)
            }
            Self::Tagmsg { target, .. } => line.command("TAGMSG").param(target),
            Self::Join(channel, realname) if caps.has(Cap::ExtendedJoin) => {
                let account = account.map_or("*", Nick::as_str);
                line.command("JOIN").param(channel.as_str()).param(account).text(realname)
            }
            Self::Join(channel, _) => line.command("JOIN").param(channel.as_str()),
            Self::Part(channel, None) => line.command("PART").param(channel.as_str()),
            Self::Part(channel, Some(reason)) => line.command("PART").param(channel.as_str()).text(reason),
            Self::Quit(reason) => line.command("QUIT").text(reason),
            Self::Topic(channel, text) => line.command("TOPIC").param(channel.as_str()).text(text),
            Self::Kick(channel, nick, reason) => {
                line.command("KICK").param(channel.as_str()).param(nick.as_str()).text(reason)
            }
            // The letters and their values are several parameters.
            Self::Mode { target, changes } => line.command("MODE").param(target).param(changes),
            Self::Invite { nick, channel, .. } => {
                line.command("INVITE").param(nick.as_str()).param(channel.as_str())
            }
            Self::Away(Some(text)) => line.command("AWAY").text(text),
            Self::Away(None) => line.command("AWAY"),
            Self::Setname(name) => line.command("SETNAME").text(name),
            Self::Redact { target, message, reason } => {
                line.command("REDACT").param(target).param(message.to_hex().as_str());
                match reason {
                    Some(reason) => line.text(reason),
                    None => line,
                }
            }
            Self::Rename { old, new, reason } => {
                line.command("RENAME").param(old.as_str()).param(new.as_str()).text(reason)
            }
            Self::Wallops(text) => line.command("WALLOPS").text(text),
        };
    }
}

#[cfg(test)]
mod tests;
