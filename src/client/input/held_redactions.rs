//! Redactions of own messages that are held back for a while, so that they can be undone: the server erases the text.

use crate::client::model::Conversation;
use crate::client::model::requests::ServerRequest;
use crate::wire::Timestamp;

/// A redaction that was not sent yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRedaction {
    /// Index of the server.
    pub server: usize,
    /// Conversation of the message.
    pub conversation: Conversation,
    /// Id of the message.
    pub msgid: String,
    /// Reason; may be empty.
    pub reason: String,
    /// Time at which it is sent.
    due: Timestamp,
}

/// The redactions that are held back, the latest last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldRedactions(Vec<HeldRedaction>);

impl HeldRedactions {
    /// Time for which a redaction can be undone, in milliseconds.
    pub const HOLD: u64 = 10_000;

    /// Holds a redaction back. One of the same message that is held already stays as it is.
    pub fn hold(
        &mut self,
        now: Timestamp,
        server: usize,
        conversation: Conversation,
        msgid: &str,
        reason: &str,
    ) {
        if self.is_held(server, &conversation, msgid) {
            return;
        }
        let due = Timestamp(now.0 + Self::HOLD);
        let (msgid, reason) = (msgid.to_owned(), reason.to_owned());
        self.0.push(HeldRedaction { server, conversation, msgid, reason, due });
    }

    /// Returns whether the redaction of this message is held back.
    pub fn is_held(&self, server: usize, conversation: &Conversation, msgid: &str) -> bool {
        self.0
            .iter()
            .any(|held| held.server == server && held.conversation == *conversation && held.msgid == msgid)
    }

    /// Returns whether none is held back.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether the redaction of this message is the latest one.
    pub fn is_latest(&self, msgid: &str) -> bool {
        self.0.last().is_some_and(|held| held.msgid == msgid)
    }

    /// Returns the time at which the latest one is sent.
    pub fn latest_due(&self) -> Option<Timestamp> {
        self.0.last().map(|held| held.due)
    }

    /// Iterates over all, the latest last.
    pub fn iter(&self) -> impl Iterator<Item = &HeldRedaction> {
        self.0.iter()
    }

    /// Takes over one that the last run of the client held back: it is due.
    pub fn resume(&mut self, server: usize, conversation: Conversation, msgid: &str, reason: &str) {
        let (msgid, reason) = (msgid.to_owned(), reason.to_owned());
        self.0.push(HeldRedaction { server, conversation, msgid, reason, due: Timestamp(0) });
    }

    /// Removes the latest one, which is not sent then. Returns whether there was one.
    pub fn undo(&mut self) -> bool {
        self.0.pop().is_some()
    }

    /// Removes the one of this message. Returns whether there was one.
    pub fn undo_of(&mut self, server: usize, conversation: &Conversation, msgid: &str) -> bool {
        let is_it = |held: &mut HeldRedaction| {
            held.server == server && held.conversation == *conversation && held.msgid == msgid
        };
        self.0.extract_if(.., is_it).count() > 0
    }

    /// Takes those whose time has come, except for those of servers that are not connected.
    pub fn take_due(&mut self, now: Timestamp, is_online: impl Fn(usize) -> bool) -> Vec<HeldRedaction> {
        self.0.extract_if(.., |held| held.due <= now && is_online(held.server)).collect()
    }

    /// Takes all of servers that are connected, because the client ends. The others stay.
    pub fn take_at_exit(&mut self, is_online: impl Fn(usize) -> bool) -> Vec<HeldRedaction> {
        self.take_due(Timestamp(u64::MAX), is_online)
    }

    /// Returns the time at which the next one is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.0.iter().map(|held| held.due).min()
    }

    /// Returns the time of the next change of [`notice`](Self::notice) or of the next redaction that is due; `None` if
    /// time changes nothing.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let waiting = self.0.iter().map(|held| held.due).filter(|due| *due > now);
        // The seconds count down.
        waiting.map(|due| Timestamp(now.0 + (due.0 - now.0 - 1) % 1000 + 1)).min()
    }

    /// Returns the notice of the latest one, where `undo` is the key or command that undoes it.
    pub fn notice(&self, now: Timestamp, undo: &str) -> Option<String> {
        let latest = self.0.last()?;
        let left = latest.due.0.saturating_sub(now.0).div_ceil(1000);
        let others = match self.0.len() - 1 {
            0 => String::new(),
            others => format!(" ({others} more)"),
        };
        let when = match left {
            0 => "once there is a connection".to_owned(),
            left => format!("in {left} s"),
        };
        Some(format!("taken back {when}{others} — {undo} undoes"))
    }
}

impl HeldRedaction {
    /// Returns the request that sends it.
    pub fn into_request(self) -> ServerRequest {
        ServerRequest::Redact { conversation: self.conversation, msgid: self.msgid, reason: self.reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_000_000;

    fn at(ms: u64) -> Timestamp {
        Timestamp(START + ms)
    }

    fn lobby() -> Conversation {
        Conversation::parse("#lobby").expect("a channel")
    }

    #[test]
    fn counts_down_and_is_due_after_ten_seconds() {
        let mut held = HeldRedactions::default();
        held.hold(at(0), 0, lobby(), "a1", "");
        held.hold(at(500), 0, lobby(), "a1", "twice");
        assert_eq!(held.notice(at(0), "u").as_deref(), Some("taken back in 10 s — u undoes"));
        assert_eq!(held.next_change(at(0)), Some(at(1000)));
        assert_eq!(held.notice(at(1000), "u").as_deref(), Some("taken back in 9 s — u undoes"));
        assert_eq!(held.next_change(at(9_700)), Some(at(10_000)));
        assert!(held.take_due(at(9_999), |_| true).is_empty());
        assert!(held.take_due(at(10_000), |_| false).is_empty(), "not connected");
        assert_eq!(held.next_change(at(10_000)), None, "the connection wakes the client");
        let notice = held.notice(at(10_000), "u");
        assert_eq!(notice.as_deref(), Some("taken back once there is a connection — u undoes"));
        let due = held.take_due(at(10_000), |_| true);
        assert_eq!(due.len(), 1, "the second one was the same");
        let expected =
            ServerRequest::Redact { conversation: lobby(), msgid: "a1".into(), reason: String::new() };
        assert_eq!(due[0].clone().into_request(), expected);
        assert!(held.is_empty());
    }

    #[test]
    fn undo_removes_the_latest_one() {
        let mut held = HeldRedactions::default();
        assert!(!held.undo());
        held.hold(at(0), 0, lobby(), "a1", "");
        held.hold(at(1), 0, lobby(), "a2", "");
        assert_eq!(
            held.notice(at(1), "/undo").as_deref(),
            Some("taken back in 10 s (1 more) — /undo undoes")
        );
        assert!(held.undo());
        assert!(held.is_held(0, &lobby(), "a1") && !held.is_held(0, &lobby(), "a2"));
        held.hold(at(2), 0, lobby(), "a3", "");
        assert!(held.is_latest("a3") && !held.undo_of(0, &lobby(), "a2") && held.undo_of(0, &lobby(), "a1"));
        assert!(held.take_at_exit(|_| false).is_empty(), "not connected");
        assert_eq!(held.take_at_exit(|_| true).len(), 1);
        assert!(held.is_empty());
    }
}
