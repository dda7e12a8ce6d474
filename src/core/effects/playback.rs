//! Playback: rendering of results of the history and the search for a session. Pure; the server calls it after reading
//! the history.

use std::fmt::Write as _;
use std::sync::Arc;

use super::event::{Event, EventKind, RENDER_CAPS, Renderer};
use super::history::HistoryMessage;
use super::tags::{files_tag, join_tags};
use crate::core::model::accounts::ECHO_ACCOUNT_ID;
use crate::core::record::{AccountId, LINE_BREAK, LINE_CONCAT, MessageKind};
use crate::core::settings::USER_HOST;
use crate::wire::ids::MessageTimes;
use crate::wire::{
    BatchRef, Cap, CapSet, ChannelName, Label, LineWriter, MessageId, Nick, Reply, ServerName, Tagging, Tags,
    Timestamp,
};

/// Maximum size of one result, in bytes: a quarter of the smallest usual `send_queue_bytes`, so that a result alone
/// never overflows a send queue. Clients request the rest in the next page.
pub const MAX_RESULT_BYTES: usize = 1024 * 1024;

/// Tag of a batch with no further messages after it
/// ([chathistory](https://ircv3.net/specs/extensions/chathistory#draftchathistory-end-tag)).
const END_TAG: &str = "draft/chathistory-end";

/// Tag of a message in addition to the requested ones
/// ([chathistory](https://ircv3.net/specs/extensions/chathistory#draftchathistory-context-tag)).
const CONTEXT_TAG: &str = "draft/chathistory-context";

/// The batch of a result.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Type of the batch.
    pub kind: &'a str,
    /// Parameter of the batch, if its type has one.
    pub param: Option<&'a str>,
    /// The history has no further messages in that direction.
    pub is_last: bool,
}

/// The session that reads.
#[derive(Clone, Debug)]
pub struct HistoryReader {
    /// Name of the server, the source of its own lines.
    pub server: ServerName,
    /// The account of the session.
    pub account: AccountId,
    /// The account's nick.
    pub nick: Nick,
    /// Capabilities of the session.
    pub caps: CapSet,
    /// Translation of message ids to times.
    pub times: MessageTimes,
}

impl HistoryReader {
    /// Returns a reader for another session of the same account.
    #[must_use]
    pub fn with_caps(self, caps: CapSet) -> Self {
        Self { caps, ..self }
    }

    /// Renders a batch of messages, each with the channel or nick it was sent to.
    pub fn render_batch(
        &self,
        batch: Batch<'_>,
        label: Option<&Label>,
        messages: impl IntoIterator<Item = (HistoryMessage, Arc<str>)>,
    ) -> String {
        self.wrap_in_batch(batch, label, |tagging, out| {
            let mut renderer = Renderer::new(&self.server);
            for (stored, target) in messages {
                if let Some(mut event) = self.message_event(&stored, target) {
                    if !stored.counts_towards_limit() {
                        event.tags = join_tags([CONTEXT_TAG, &event.tags]);
                    }
                    renderer.render(&event, self.caps.intersection(RENDER_CAPS), tagging, out);
                }
            }
        })
    }

    /// Renders the conversations with the times of their latest messages
    /// ([chathistory](https://ircv3.net/specs/extensions/chathistory#targets)).
    pub fn render_targets(
        &self,
        targets: &[(Arc<str>, MessageId)],
        label: Option<&Label>,
        is_last: bool,
    ) -> String {
        let batch = Batch { kind: "draft/chathistory-targets", param: None, is_last };
        self.wrap_in_batch(batch, label, |tagging, out| {
            for (name, latest) in targets {
                let time = self.times.time_of(*latest).to_string();
                let line = Reply::command("CHATHISTORY").arg("TARGETS").arg(name).arg(time);
                line.tagged(tagging.clone()).write(self.server.as_str(), self.nick.as_str(), out);
            }
        })
    }

    /// Renders missed messages as if they were sent now, but with their own times. Clients without server-time get the
    /// time in the text.
    pub fn render_replay(&self, messages: impl IntoIterator<Item = (HistoryMessage, Arc<str>)>) -> String {
        let mut out = String::new();
        let mut renderer = Renderer::new(&self.server);
        for (stored, target) in messages {
            let Some(mut event) =
                self.message_event(&stored, target).filter(|_| stored.message.kind.is_text_message())
            else {
                continue;
            };
            if let EventKind::Message { text, .. } = &mut event.kind {
                let Some(stripped) = without_ctcp_requests(text) else { continue };
                *text = if self.caps.has(Cap::ServerTime) {
                    stripped
                } else {
                    with_time_prefix(&stripped, event.time)
                };
            }
            renderer.render(&event, self.caps.intersection(RENDER_CAPS), &Tagging::None, &mut out);
        }
        out
    }

    fn message_event(&self, stored: &HistoryMessage, target: Arc<str>) -> Option<Event> {
        rebuild_event(stored, target)
            .map(|event| Event { time: self.times.time_of(stored.message.id), ..event })
    }

    /// Renders a reply.
    pub fn render_reply(&self, reply: &Reply) -> String {
        reply.render(self.server.as_str(), self.nick.as_str())
    }

    /// Renders a batch whose lines `fill` writes, or only these for a session without batches.
    fn wrap_in_batch(
        &self,
        Batch { kind, param, is_last }: Batch<'_>,
        label: Option<&Label>,
        fill: impl FnOnce(&Tagging, &mut String),
    ) -> String {
        let mut out = String::new();
        if !self.caps.has(Cap::Batch) {
            fill(&Tagging::None, &mut out);
            return out;
        }
        // Nothing else reaches the client before the result is complete.
        let reference = BatchRef::HISTORY;
        let mut open = LineWriter::new(&mut out);
        open.tagging(&Tagging::label(label));
        if is_last && self.caps.has(Cap::MessageTags) {
            open.flag(END_TAG);
        }
        open.source(self.server.as_str()).command("BATCH").param("+").more(reference.as_str()).param(kind);
        if let Some(param) = param {
            open.param(param);
        }
        open.end();
        fill(&Tagging::Batch(reference), &mut out);
        Reply::batch_end(reference).write(self.server.as_str(), self.nick.as_str(), &mut out);
        out
    }
}

/// Rebuilds the event of a stored message. Returns `None` if its text no longer parses.
fn rebuild_event(stored: &HistoryMessage, target: Arc<str>) -> Option<Event> {
    let message = &stored.message;
    let nick = &stored.from;
    let text = &message.text;
    let channel = || ChannelName::parse_foreign(&target).ok();
    let split_first_word = || text.split_once(' ').unwrap_or((text, ""));
    let reason = |text: &str| Some(text).filter(|text| !text.is_empty()).map(Into::into);
    let kind = match message.kind {
        MessageKind::Privmsg | MessageKind::Notice => {
            EventKind::Message { kind: message.kind, target, text: text.clone(), own_copy: false }
        }
        MessageKind::Tagmsg => EventKind::Tagmsg { target, own_copy: false },
        MessageKind::Join => EventKind::Join(channel()?, nick.shared()),
        MessageKind::Part => EventKind::Part(channel()?, reason(text)),
        MessageKind::Kick => {
            let (kicked, reason_text) = split_first_word();
            EventKind::Kick(channel()?, Nick::parse(kicked).ok()?, reason_text.into())
        }
        MessageKind::Topic => EventKind::Topic(channel()?, text.clone()),
        MessageKind::Mode => EventKind::Mode { target, changes: text.clone() },
        MessageKind::Rename => {
            let (old, rest) = split_first_word();
            let (new, reason_text) = rest.split_once(' ').unwrap_or((rest, ""));
            EventKind::Rename {
                old: ChannelName::parse_foreign(old).ok()?,
                new: ChannelName::parse_foreign(new).ok()?,
                reason: reason_text.into(),
            }
        }
        MessageKind::Redact => {
            let (id, reason_text) = split_first_word();
            EventKind::Redact { target, message: id.parse().ok()?, reason: reason(reason_text) }
        }
    };
    Some(Event {
        source: format!("{nick}!{nick}@{USER_HOST}").into(),
        account: Some(nick.clone()),
        bot: stored.is_bot || message.from == ECHO_ACCOUNT_ID,
        time: message.id.time(),
        id: Some(message.id),
        // Older versions kept tags with keys that are invalid.
        tags: match files_tag(&stored.files) {
            Some(files) => join_tags([&files, &Tags(&message.tags).client_only_tags()]),
            None if message.tags.is_empty() => Arc::default(),
            None => Tags(&message.tags).client_only_tags().into(),
        },
        kind,
    })
}

/// Returns the text without CTCP requests, which a client would answer or act on again. Returns `None` if nothing else
/// is left.
fn without_ctcp_requests(text: &Arc<str>) -> Option<Arc<str>> {
    if !text.contains('\u{1}') {
        return Some(text.clone());
    }
    let is_request = |line: &str| {
        let word = line.strip_prefix('\u{1}').map(|rest| rest.split([' ', '\u{1}']).next());
        word.is_some_and(|word| word.is_none_or(|word| word.trim_end() != "ACTION"))
    };
    let remaining: String =
        text.split_inclusive([LINE_BREAK, LINE_CONCAT]).filter(|line| !is_request(line)).collect();
    (!remaining.trim_matches([LINE_BREAK, LINE_CONCAT]).is_empty()).then(|| remaining.into())
}

/// Returns the text with the time before each of its lines, because such a client sees each as a message of its own. An
/// ACTION stays an ACTION, and a blank line blank.
fn with_time_prefix(text: &str, time: Timestamp) -> Arc<str> {
    let time = time.to_string();
    let time = time.get(..16).unwrap_or(&time).replace('T', " ");
    let mut out = String::with_capacity(text.len() + time.len() + 3);
    for line in text.split_inclusive([LINE_BREAK, LINE_CONCAT]) {
        let (action, rest) = match line.strip_prefix("\u{1}ACTION ") {
            Some(rest) => ("\u{1}ACTION ", rest),
            None => ("", line),
        };
        if line.trim_end_matches([LINE_BREAK, LINE_CONCAT]).is_empty() {
            out.push_str(line);
        } else {
            let _ = write!(out, "{action}[{time}] {rest}");
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::record::{ChannelId, Conversation, StoredMessage};

    fn history_message(kind: MessageKind, text: &str) -> HistoryMessage {
        let id = MessageId::first_at(Timestamp(1_700_000_000_007));
        let from = AccountId(16);
        let conversation = Conversation::Channel(ChannelId(1));
        let message =
            StoredMessage { id, conversation, from, kind, text: text.into(), tags: "".into(), send_id: None };
        HistoryMessage {
            message,
            from: Nick::parse("al").expect("a nick"),
            is_bot: false,
            is_context: false,
            files: Vec::new(),
        }
    }

    fn reader(caps: &[Cap]) -> HistoryReader {
        let (server, nick) = (ServerName::default(), Nick::parse("bo").expect("a nick"));
        let (account, caps, times) = (AccountId(17), CapSet::from_caps(caps), MessageTimes::default());
        HistoryReader { server, account, nick, caps, times }
    }

    fn page(caps: &[Cap], message: HistoryMessage) -> String {
        let batch = Batch { kind: "chathistory", param: Some("#c"), is_last: false };
        reader(caps).render_batch(batch, None, [(message, "#c".into())])
    }

    #[test]
    fn playback_renders_every_message_kind() {
        let lines = |kind, text| {
            let out =
                page(&[Cap::Batch, Cap::MessageTags, Cap::MessageRedaction], history_message(kind, text));
            let body = out.lines().nth(1).expect("a line");
            body.split_once(" :al!al@parlour ").map_or_else(|| body.to_owned(), |(_, rest)| rest.to_owned())
        };
        assert_eq!(lines(MessageKind::Privmsg, "hi"), "PRIVMSG #c :hi");
        assert_eq!(lines(MessageKind::Join, ""), "JOIN #c");
        assert_eq!(lines(MessageKind::Part, ""), "PART #c");
        assert_eq!(lines(MessageKind::Kick, "bo out with you"), "KICK #c bo :out with you");
        assert_eq!(lines(MessageKind::Mode, "+o bo"), "MODE #c +o bo");
        assert_eq!(lines(MessageKind::Topic, "tea"), "TOPIC #c :tea");
        assert_eq!(lines(MessageKind::Redact, "0000000000100000 oops"), "REDACT #c 0000000000100000 :oops");
        assert_eq!(lines(MessageKind::Tagmsg, ""), "TAGMSG #c");
    }

    #[test]
    fn playback_is_labelled_batch_or_plain_lines() {
        let message = history_message(MessageKind::Privmsg, "hi");
        let render = |caps: &[Cap], label: Option<&str>, is_last| {
            let label = label.and_then(|label| Label::in_tags(Tags(&format!("label={label}"))));
            let batch = Batch { kind: "chathistory", param: Some("#c"), is_last };
            reader(caps).render_batch(batch, label.as_ref(), [(message.clone(), "#c".into())])
        };
        assert_eq!(
            render(&[Cap::Batch], Some("7"), true),
            "@label=7 :chat.parlour BATCH +h chathistory #c\r\n@batch=h :al!al@parlour PRIVMSG #c :hi\r\n:chat.parlour BATCH -h\r\n"
        );
        let head = |caps: &[Cap], label, is_last| {
            render(caps, label, is_last).split_once(" :").map(|(tags, _)| tags.to_owned())
        };
        let caps = [Cap::Batch, Cap::MessageTags];
        assert_eq!(head(&caps, Some("7"), true).as_deref(), Some("@label=7;draft/chathistory-end"));
        assert_eq!(head(&caps, None, true).as_deref(), Some("@draft/chathistory-end"));
        assert_eq!(head(&caps, Some("7"), false).as_deref(), Some("@label=7"));
        assert_eq!(render(&[], None, true), ":al!al@parlour PRIVMSG #c :hi\r\n");
    }

    #[test]
    fn playback_has_bot_tag_and_no_invalid_tags() {
        let mut message = history_message(MessageKind::Privmsg, "hi");
        message.message.tags = "+a;+\u{1}=x;+a=1".into();
        message.is_bot = true;
        let caps = [Cap::Batch, Cap::MessageTags];
        let out = page(&caps, message);
        let tags = out.lines().nth(1).and_then(|line| line.split_once(' ')).expect("a line").0;
        assert_eq!(tags.split_once(";+").map(|(_, rest)| rest), Some("a=1;bot"), "{tags}");
    }

    #[test]
    fn ctcp_requests_are_not_replayed() {
        let replay = |text: &str| {
            let page = [(history_message(MessageKind::Privmsg, text), "#c".into())];
            reader(&[Cap::ServerTime]).render_replay(page).matches(" PRIVMSG ").count()
        };
        for text in [
            "\u{1}VERSION\u{1}",
            "\u{1}DCC SEND x 1 2 3\u{1}",
            "\u{1}",
            "\u{1}ACTIONS x\u{1}",
            "\u{1}PING\n\u{1}TIME",
        ] {
            assert_eq!(replay(text), 0, "{text:?}");
        }
        for text in [
            "\u{1}ACTION waves\u{1}",
            "a \u{1}VERSION\u{1}",
            "\u{1}ACTION\u{1}",
            "\u{1}VERSION\nand this",
            "\u{1}ACTION",
        ] {
            assert_eq!(replay(text), 1, "{text:?}");
        }
    }

    #[test]
    fn replay_without_server_time_has_time_in_text() {
        let replay = |text: &str| {
            reader(&[]).render_replay([(history_message(MessageKind::Privmsg, text), "#c".into())])
        };
        assert_eq!(replay("hi"), ":al!al@parlour PRIVMSG #c :[2023-11-14 22:13] hi\r\n");
        assert_eq!(
            replay("\u{1}ACTION waves\u{1}"),
            ":al!al@parlour PRIVMSG #c :\u{1}ACTION [2023-11-14 22:13] waves\u{1}\r\n"
        );
        assert_eq!(
            replay("\n\nhi\rho"),
            ":al!al@parlour PRIVMSG #c :[2023-11-14 22:13] hi\r\n:al!al@parlour PRIVMSG #c :[2023-11-14 22:13] ho\r\n"
        );
    }
}
