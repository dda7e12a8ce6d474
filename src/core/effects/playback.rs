//! Playback: rendering of results of the history and the search for a session. Pure; the server calls it after reading
//! the history.

use std::fmt::Write as _;
use std::sync::Arc;

use super::event::{Event, EventKind, RENDER_CAPS, Renderer};
use super::history::Kept;
use crate::core::model::people::ECHO_ID;
use crate::core::record::{AccountId, LINE_BREAK, LINE_JOIN, MessageKind};
use crate::core::request::settings::USER_HOST;
use crate::wire::ids::Times;
use crate::wire::{Cap, CapSet, ChannelName, MessageId, Millis, Nick, Reply, ServerName, Tags};

/// Maximum size of one result, in bytes: a quarter of the smallest usual `send_queue_bytes`, so that a result alone
/// never overflows a send queue. Clients request the rest in the next page.
pub const ANSWER_BYTES: usize = 1024 * 1024;

/// Reference of the batch around a result. Nothing else reaches the client before the result is complete, so one
/// reference serves all.
const BATCH: &str = "h";

/// Tag of a batch with no further messages after it
/// ([chathistory](https://ircv3.net/specs/extensions/chathistory#draftchathistory-end-tag)).
const END: &str = "draft/chathistory-end";

/// Tag of a message in addition to the requested ones
/// ([chathistory](https://ircv3.net/specs/extensions/chathistory#draftchathistory-context-tag)).
const CONTEXT: &str = "draft/chathistory-context";

/// The session that reads.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Name of the server, the source of its own lines.
    pub server: ServerName,
    /// The account of the session.
    pub account: AccountId,
    /// The account's nick.
    pub nick: Nick,
    /// Capabilities of the session.
    pub caps: CapSet,
    /// Label of the reply.
    pub label: Option<Box<str>>,
    /// Translation of message ids to times.
    pub times: Times,
}

impl Reader {
    /// Returns a reader for another session of the same account.
    #[must_use]
    pub fn with_caps(self, caps: CapSet) -> Self {
        Self { caps, label: None, ..self }
    }

    /// Renders a batch of messages, each with the channel or nick it was sent to. `is_last` marks that there are no
    /// further messages.
    pub fn batch(
        &self,
        kind: &str,
        param: Option<&str>,
        is_last: bool,
        messages: impl IntoIterator<Item = (Kept, Arc<str>)>,
    ) -> Vec<u8> {
        self.wrap((kind, param), is_last, |tag, out| {
            let mut renderer = Renderer::new(&self.server);
            for (kept, target) in messages {
                if let Some(mut event) = self.event(&kept, target) {
                    if !kept.counts() {
                        let tags = [CONTEXT, &event.tags];
                        let tags = tags.iter().filter(|tags| !tags.is_empty()).copied();
                        event.tags = tags.collect::<Vec<_>>().join(";").into();
                    }
                    renderer.render(&event, self.caps.and(RENDER_CAPS), tag, out);
                }
            }
        })
    }

    /// Renders the conversations with the times of their latest messages
    /// ([chathistory](https://ircv3.net/specs/extensions/chathistory#targets)).
    pub fn targets(&self, targets: &[(Arc<str>, MessageId)], is_last: bool) -> Vec<u8> {
        self.wrap(("draft/chathistory-targets", None), is_last, |tag, out| {
            for (name, latest) in targets {
                let (server, time) = (&self.server, self.times.of(*latest));
                let line = format!(":{server} CHATHISTORY TARGETS {name} {time}\r\n");
                if let Some(tag) = tag {
                    out.extend_from_slice(format!("@{tag} ").as_bytes());
                }
                out.extend_from_slice(line.as_bytes());
            }
        })
    }

    /// Renders missed messages as if they were sent now, but with their own times. Clients without server-time get the
    /// time in the text.
    pub fn replay(&self, messages: impl IntoIterator<Item = (Kept, Arc<str>)>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut renderer = Renderer::new(&self.server);
        for (kept, target) in messages {
            let Some(mut event) = self.event(&kept, target).filter(|_| kept.message.kind.is_said()) else {
                continue;
            };
            if let EventKind::Message { text, .. } = &mut event.kind {
                let Some(said) = without_requests(text) else { continue };
                *text = if self.caps.has(Cap::ServerTime) { said } else { dated(&said, event.time) };
            }
            renderer.render(&event, self.caps.and(RENDER_CAPS), None, &mut out);
        }
        out
    }

    fn event(&self, kept: &Kept, target: Arc<str>) -> Option<Event> {
        event(kept, target).map(|event| Event { time: self.times.of(kept.message.id), ..event })
    }

    /// Renders a reply of a single line, with the label.
    pub fn line(&self, reply: &Reply) -> Vec<u8> {
        let line = reply.render(self.server.as_str(), self.nick.as_str());
        match &self.label {
            Some(label) => format!("@label={label} {line}").into_bytes(),
            None => line.into_bytes(),
        }
    }

    fn wrap(
        &self,
        (kind, param): (&str, Option<&str>),
        is_last: bool,
        fill: impl FnOnce(Option<&str>, &mut Vec<u8>),
    ) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.caps.has(Cap::Batch) {
            fill(None, &mut out);
            return out;
        }
        let label = self.label.as_ref().map(|label| format!("label={label}"));
        let end = (is_last && self.caps.has(Cap::MessageTags)).then(|| END.to_owned());
        let tags: Vec<String> = label.into_iter().chain(end).collect();
        let mut head = String::new();
        if !tags.is_empty() {
            let _ = write!(head, "@{} ", tags.join(";"));
        }
        let _ = write!(head, ":{} BATCH +{BATCH} {kind}", self.server);
        if let Some(param) = param {
            let _ = write!(head, " {param}");
        }
        head.push_str("\r\n");
        out.extend_from_slice(head.as_bytes());
        fill(Some(&format!("batch={BATCH}")), &mut out);
        out.extend_from_slice(format!(":{} BATCH -{BATCH}\r\n", self.server).as_bytes());
        out
    }
}

/// Rebuilds the event of a stored message. Returns `None` if its text no longer parses.
fn event(kept: &Kept, target: Arc<str>) -> Option<Event> {
    let message = &kept.message;
    let nick = &kept.from;
    let text = &message.text;
    let channel = || ChannelName::heard(&target).ok();
    let words = || text.split_once(' ').unwrap_or((text, ""));
    let reason = |text: &str| Some(text).filter(|text| !text.is_empty()).map(Into::into);
    let kind = match message.kind {
        MessageKind::Privmsg | MessageKind::Notice => {
            EventKind::Message { kind: message.kind, target, text: text.clone(), own: false }
        }
        MessageKind::Tagmsg => EventKind::Tagmsg { target, own: false },
        MessageKind::Join => EventKind::Join(channel()?, nick.shared()),
        MessageKind::Part => EventKind::Part(channel()?, reason(text)),
        MessageKind::Kick => {
            let (victim, why) = words();
            EventKind::Kick(channel()?, Nick::parse(victim).ok()?, why.into())
        }
        MessageKind::Topic => EventKind::Topic(channel()?, text.clone()),
        MessageKind::Mode => EventKind::Mode(target, text.clone()),
        MessageKind::Rename => {
            let (old, rest) = words();
            let (new, why) = rest.split_once(' ').unwrap_or((rest, ""));
            EventKind::Rename(ChannelName::heard(old).ok()?, ChannelName::heard(new).ok()?, why.into())
        }
        MessageKind::Redact => {
            let (id, why) = words();
            EventKind::Redact { target, message: id.parse().ok()?, reason: reason(why) }
        }
    };
    Some(Event {
        source: format!("{nick}!{nick}@{USER_HOST}").into(),
        account: Some(nick.clone()),
        bot: kept.is_bot || message.from == ECHO_ID,
        time: message.id.time(),
        id: Some(message.id),
        // Older versions kept tags with keys that are invalid.
        tags: if message.tags.is_empty() { Arc::default() } else { Tags(&message.tags).client_only().into() },
        kind,
    })
}

/// Returns the text without CTCP requests, which a client would answer or act on again. Returns `None` if nothing else
/// is left.
fn without_requests(text: &Arc<str>) -> Option<Arc<str>> {
    if !text.contains('\u{1}') {
        return Some(text.clone());
    }
    let is_request = |line: &str| {
        let word = line.strip_prefix('\u{1}').map(|rest| rest.split([' ', '\u{1}']).next());
        word.is_some_and(|word| word.is_none_or(|word| word.trim_end() != "ACTION"))
    };
    let kept: String =
        text.split_inclusive([LINE_BREAK, LINE_JOIN]).filter(|line| !is_request(line)).collect();
    (!kept.trim_matches([LINE_BREAK, LINE_JOIN]).is_empty()).then(|| kept.into())
}

/// Returns the text with the time before each of its lines, because such a client sees each as a message of its own. An
/// ACTION stays an ACTION, and a blank line blank.
fn dated(text: &str, time: Millis) -> Arc<str> {
    let time = time.to_string();
    let time = time.get(..16).unwrap_or(&time).replace('T', " ");
    let mut out = String::with_capacity(text.len() + time.len() + 3);
    for line in text.split_inclusive([LINE_BREAK, LINE_JOIN]) {
        let (action, rest) = match line.strip_prefix("\u{1}ACTION ") {
            Some(rest) => ("\u{1}ACTION ", rest),
            None => ("", line),
        };
        if line.trim_end_matches([LINE_BREAK, LINE_JOIN]).is_empty() {
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
    use crate::core::record::{ChannelId, Place, StoredMessage};

    fn kept(kind: MessageKind, text: &str) -> Kept {
        let id = MessageId::first_at(Millis(1_700_000_000_007));
        let from = AccountId(16);
        let place = Place::Channel(ChannelId(1));
        let message =
            StoredMessage { id, place, from, kind, text: text.into(), tags: "".into(), send_id: None };
        Kept { message, from: Nick::parse("al").expect("a nick"), is_bot: false, is_context: false }
    }

    fn reader(caps: &[Cap], label: Option<&str>) -> Reader {
        let nick = Nick::parse("bo").expect("a nick");
        let (server, label) = (ServerName::default(), label.map(Into::into));
        let (account, caps, times) = (AccountId(17), CapSet::of(caps), Times::default());
        Reader { server, account, nick, caps, label, times }
    }

    #[test]
    fn playback_renders_every_message_kind() {
        let lines = |kind, text| {
            let out = reader(&[Cap::Batch, Cap::MessageTags, Cap::MessageRedaction], None).batch(
                "chathistory",
                Some("#c"),
                false,
                [(kept(kind, text), "#c".into())],
            );
            let out = String::from_utf8(out).expect("utf-8");
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
        let message = kept(MessageKind::Privmsg, "hi");
        let ask = |caps: &[Cap], label, is_last| {
            let out = reader(caps, label).batch(
                "chathistory",
                Some("#c"),
                is_last,
                [(message.clone(), "#c".into())],
            );
            String::from_utf8(out).expect("utf-8")
        };
        assert_eq!(
            ask(&[Cap::Batch], Some("7"), true),
            "@label=7 :chat.parlour BATCH +h chathistory #c\r\n@batch=h :al!al@parlour PRIVMSG #c :hi\r\n:chat.parlour BATCH -h\r\n"
        );
        let head = |caps: &[Cap], label, is_last| {
            ask(caps, label, is_last).split_once(" :").map(|(tags, _)| tags.to_owned())
        };
        let caps = [Cap::Batch, Cap::MessageTags];
        assert_eq!(head(&caps, Some("7"), true).as_deref(), Some("@label=7;draft/chathistory-end"));
        assert_eq!(head(&caps, None, true).as_deref(), Some("@draft/chathistory-end"));
        assert_eq!(head(&caps, Some("7"), false).as_deref(), Some("@label=7"));
        assert_eq!(ask(&[], None, true), ":al!al@parlour PRIVMSG #c :hi\r\n");
    }

    #[test]
    fn playback_has_bot_tag_and_no_invalid_tags() {
        let mut message = kept(MessageKind::Privmsg, "hi");
        message.message.tags = "+a;+\u{1}=x;+a=1".into();
        message.is_bot = true;
        let caps = [Cap::Batch, Cap::MessageTags];
        let out = reader(&caps, None).batch("chathistory", Some("#c"), false, [(message, "#c".into())]);
        let out = String::from_utf8(out).expect("utf-8");
        let tags = out.lines().nth(1).and_then(|line| line.split_once(' ')).expect("a line").0;
        assert_eq!(tags.split_once(";+").map(|(_, rest)| rest), Some("a=1;bot"), "{tags}");
    }

    #[test]
    fn ctcp_requests_are_not_replayed() {
        let replay = |text: &str| {
            let page = [(kept(MessageKind::Privmsg, text), "#c".into())];
            let out = reader(&[Cap::ServerTime], None).replay(page);
            String::from_utf8(out).expect("utf-8").matches(" PRIVMSG ").count()
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
            let out = reader(&[], None).replay([(kept(MessageKind::Privmsg, text), "#c".into())]);
            String::from_utf8(out).expect("utf-8")
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
