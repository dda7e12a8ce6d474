//! State that the client keeps between two runs, and its text in `state.toml`.
//!
//! The text comes from a file, so all of it is bounded again when it is read.

mod key;
mod thread_drafts;
mod unsent;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::key::{ConversationKey, ParseKeyError};
use self::thread_drafts::ThreadDraftForm;
pub use self::thread_drafts::ThreadDrafts;
use self::unsent::UnsentForm;
pub use self::unsent::{Draft, UnsentMessage};
use super::uses::Uses;
use crate::client::message_secrets::may_hold_secret;
use crate::client::model::KeptMessage;
use crate::wire::Timestamp;

/// Limit of the drafts that are kept.
const MAX_DRAFTS: usize = 200;

/// Limit of all drafts together, in bytes.
const MAX_DRAFT_BYTES: usize = 512 * 1024;

/// Limit of the id of a message that a draft replies to, in bytes.
const MAX_ID_BYTES: usize = 200;

/// Limit of the messages that were not confirmed.
const MAX_UNSENT: usize = 1_000;

/// Limit of the reason of a failure, in bytes.
const MAX_FAILURE_BYTES: usize = 2_048;

/// Limit of the redactions that are kept.
const MAX_REDACTIONS: usize = 100;

/// Limit of the decisions about ignored accounts that are kept.
const MAX_IGNORES: usize = 1_000;

/// Limit of the servers whose names are recorded.
const MAX_SERVERS: usize = 1_000;

/// Limit of the reason of a redaction, in bytes: a line of IRC has no room for more.
const MAX_REASON_BYTES: usize = 512;

/// Version of the format. A file of a later one is neither used nor replaced.
const VERSION: u32 = 1;

/// Text for a span without an end.
const FOREVER: &str = "forever";

/// Redaction that waits for a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsentRedaction {
    /// Conversation of the message.
    pub key: ConversationKey,
    /// Id of the message.
    pub msgid: String,
    /// Reason; may be empty.
    pub reason: String,
}

/// Name that a server had in `servers.toml`, with what tells it from others there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedServer {
    /// Name of the server.
    pub name: String,
    /// Name of the account.
    pub account: String,
    /// Pins by which the client verified the server.
    pub pins: Vec<String>,
}

/// State between two runs of the client.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Conversation that was on the screen.
    pub current: Option<ConversationKey>,
    /// List of conversations shown or hidden by a key; `None` for neither.
    pub sidebar: Option<bool>,
    /// List of members shown or hidden by a key; `None` for neither.
    pub members: Option<bool>,
    /// Time stamp until which nothing is notified, in milliseconds; `u64::MAX` until the user ends it.
    pub do_not_disturb: Option<u64>,
    /// Drafts by conversation.
    pub drafts: BTreeMap<ConversationKey, Draft>,
    /// Answers that were typed in threads.
    pub thread_drafts: ThreadDrafts,
    /// Messages that were not confirmed, in their order.
    pub unsent: Vec<UnsentMessage>,
    /// Redactions that were not sent, the oldest first.
    pub redactions: Vec<UnsentRedaction>,
    /// Decisions about ignored accounts that the server has not confirmed, by direct conversation.
    pub ignores: BTreeMap<ConversationKey, bool>,
    /// Uses of conversations and commands.
    pub uses: Uses,
    /// Names of the servers; see [`server_renames`](crate::client::files::server_renames).
    pub servers: Vec<RecordedServer>,
}

/// Error of a text that is no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The text is not valid.
    #[error("{0}")]
    Damaged(String),
    /// The text is of a later version of the program.
    #[error("it was written by a later version of parlour")]
    Newer,
}

#[derive(Serialize, Deserialize)]
struct Form {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sidebar: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<bool>,
    /// `forever`, or a time stamp in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    do_not_disturb: Option<String>,
    #[serde(default, rename = "draft")]
    drafts: Vec<DraftForm>,
    #[serde(default, rename = "thread_draft", skip_serializing_if = "Vec::is_empty")]
    thread_drafts: Vec<ThreadDraftForm>,
    #[serde(default, rename = "unsent", skip_serializing_if = "Vec::is_empty")]
    unsent: Vec<UnsentForm>,
    #[serde(default, rename = "redaction", skip_serializing_if = "Vec::is_empty")]
    redactions: Vec<RedactionForm>,
    #[serde(default, rename = "ignore", skip_serializing_if = "Vec::is_empty")]
    ignores: Vec<IgnoreForm>,
    #[serde(default, rename = "server", skip_serializing_if = "Vec::is_empty")]
    servers: Vec<RecordedServer>,
    #[serde(default)]
    uses: Uses,
}

#[derive(Serialize, Deserialize)]
struct IgnoreForm {
    account: String,
    ignored: bool,
}

#[derive(Serialize, Deserialize)]
struct DraftForm {
    conversation: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct RedactionForm {
    conversation: String,
    msgid: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reason: String,
}

#[derive(Deserialize)]
struct VersionForm {
    version: u32,
}

impl State {
    /// Parses the text of the file. Entries that name no conversation are left out.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, StateError> {
        let damaged = |error: toml::de::Error| StateError::Damaged(error.message().to_owned());
        let VersionForm { version } = toml::from_str(text).map_err(damaged)?;
        if version > VERSION {
            return Err(StateError::Newer);
        }
        let form: Form = toml::from_str(text).map_err(damaged)?;
        let mut state = Self {
            current: form.current.and_then(|key| key.parse().ok()),
            sidebar: form.sidebar,
            members: form.members,
            do_not_disturb: form.do_not_disturb.and_then(|end| match end.as_str() {
                FOREVER => Some(u64::MAX),
                end => end.parse().ok(),
            }),
            ..Self::default()
        };
        for draft in form.drafts {
            if let Ok(key) = draft.conversation.parse() {
                state.drafts.insert(key, Draft { text: draft.text, reply_to: draft.reply_to });
            }
        }
        state.limit_drafts();
        state.thread_drafts = ThreadDrafts::from_forms(form.thread_drafts);
        form.unsent
            .into_iter()
            .filter_map(UnsentForm::into_message)
            .for_each(|unsent| state.add_unsent(unsent));
        for RedactionForm { conversation, msgid, reason } in form.redactions {
            if let Ok(key) = conversation.parse() {
                state.add_redaction(UnsentRedaction { key, msgid, reason });
            }
        }
        for IgnoreForm { account, ignored } in form.ignores.into_iter().take(MAX_IGNORES) {
            state.ignores.extend(account.parse().ok().map(|key| (key, ignored)));
        }
        state.servers = form.servers;
        state.servers.truncate(MAX_SERVERS);
        state.uses.merge(form.uses, now);
        Ok(state)
    }

    /// Formats the state as the text of the file.
    pub fn to_text(&self) -> Result<String, StateError> {
        let draft = |(key, draft): (&ConversationKey, &Draft)| DraftForm {
            conversation: key.to_string(),
            text: draft.text.clone(),
            reply_to: draft.reply_to.clone(),
        };
        let redaction = |one: &UnsentRedaction| RedactionForm {
            conversation: one.key.to_string(),
            msgid: one.msgid.clone(),
            reason: one.reason.clone(),
        };
        let ignore = |(key, ignored): (&ConversationKey, &bool)| IgnoreForm {
            account: key.to_string(),
            ignored: *ignored,
        };
        let form = Form {
            version: VERSION,
            current: self.current.as_ref().map(ToString::to_string),
            sidebar: self.sidebar,
            members: self.members,
            do_not_disturb: self.do_not_disturb.map(|end| match end {
                u64::MAX => FOREVER.to_owned(),
                end => end.to_string(),
            }),
            drafts: self.drafts.iter().map(draft).collect(),
            thread_drafts: self.thread_drafts.to_forms(),
            unsent: self.unsent.iter().cloned().map(UnsentForm::from).collect(),
            redactions: self.redactions.iter().map(redaction).collect(),
            ignores: self.ignores.iter().take(MAX_IGNORES).map(ignore).collect(),
            servers: self.servers.iter().take(MAX_SERVERS).cloned().collect(),
            uses: self.uses.clone(),
        };
        let body = toml::to_string(&form).map_err(|error| StateError::Damaged(error.to_string()))?;
        Ok(format!("# Written by `parlour chat`: drafts, and which conversations you use.\n{body}"))
    }

    /// Adds what an older state has about servers other than these, which this client did not open.
    pub fn keep_others(&mut self, older: Self, servers: &[String], now: Timestamp) {
        let foreign = older.drafts.into_iter().filter(|(key, _)| !servers.contains(&key.server));
        self.drafts.extend(foreign);
        self.limit_drafts();
        for (key, root, text) in older.thread_drafts.into_parts() {
            if !servers.contains(&key.server) {
                self.thread_drafts.add(key, root, text);
            }
        }
        older
            .unsent
            .into_iter()
            .filter(|one| !servers.contains(&one.server))
            .for_each(|one| self.add_unsent(one));
        for redaction in older.redactions.into_iter().filter(|one| !servers.contains(&one.key.server)) {
            self.add_redaction(redaction);
        }
        self.ignores.extend(older.ignores.into_iter().filter(|(key, _)| !servers.contains(&key.server)));
        if self.servers.is_empty() {
            self.servers = older.servers;
        }
        self.uses.merge(older.uses, now);
        if self.current.is_none() {
            self.current = older.current;
        }
    }

    /// Moves what there is of servers to their new names.
    pub fn rename_servers(&mut self, renames: &BTreeMap<String, String>, now: Timestamp) {
        let rename = |mut key: ConversationKey| {
            if let Some(name) = renames.get(&key.server) {
                key.server.clone_from(name);
            }
            key
        };
        self.current = self.current.take().map(rename);
        self.drafts =
            std::mem::take(&mut self.drafts).into_iter().map(|(key, it)| (rename(key), it)).collect();
        self.thread_drafts.rename(rename);
        self.ignores =
            std::mem::take(&mut self.ignores).into_iter().map(|(key, it)| (rename(key), it)).collect();
        for unsent in &mut self.unsent {
            if let Some(name) = renames.get(&unsent.server) {
                unsent.server.clone_from(name);
            }
        }
        for redaction in &mut self.redactions {
            redaction.key = rename(redaction.key.clone());
        }
        self.uses.rename(
            |name| {
                let key =
                    name.parse::<ConversationKey>().ok().filter(|key| renames.contains_key(&key.server))?;
                Some(rename(key).to_string())
            },
            now,
        );
    }

    /// Drops empty drafts, those that may hold a password, and the last ones past the limits.
    fn limit_drafts(&mut self) {
        let (mut count, mut bytes) = (0, 0);
        self.drafts.retain(|key, draft| {
            let (text, target) = (&draft.text, key.conversation.as_str());
            draft.reply_to.take_if(|id| id.len() > MAX_ID_BYTES);
            if text.trim().is_empty() || may_hold_secret(text, target) {
                return false;
            }
            count += 1;
            bytes += text.len();
            count <= MAX_DRAFTS && bytes <= MAX_DRAFT_BYTES
        });
    }

    /// Adds a message that was not confirmed, unless it may hold a password, is empty, or there are too many.
    pub fn add_unsent(&mut self, unsent: UnsentMessage) {
        let KeptMessage { target, text, reply_to, send_id, .. } = &unsent.message;
        let has_short_ids = send_id.len() <= MAX_ID_BYTES
            && !send_id.is_empty()
            && reply_to.as_ref().is_none_or(|id| id.len() <= MAX_ID_BYTES)
            && unsent.failed.as_ref().is_none_or(|reason| reason.len() <= MAX_FAILURE_BYTES);
        let bytes: usize = self.unsent.iter().map(|one| one.message.text.len()).sum();
        let fits = self.unsent.len() < MAX_UNSENT && bytes + text.len() <= MAX_DRAFT_BYTES;
        if fits && has_short_ids && !text.trim().is_empty() && !may_hold_secret(text, target.as_str()) {
            self.unsent.push(unsent);
        }
    }

    /// Adds a redaction, unless there are too many or it is too long.
    pub fn add_redaction(&mut self, redaction: UnsentRedaction) {
        let fits = redaction.msgid.len() <= MAX_ID_BYTES && redaction.reason.len() <= MAX_REASON_BYTES;
        if fits && self.redactions.len() < MAX_REDACTIONS {
            self.redactions.push(redaction);
        }
    }

    /// Adds a draft, unless it is empty or may hold a password.
    pub fn add_draft(&mut self, key: ConversationKey, draft: Draft) {
        self.drafts.insert(key, draft);
        self.limit_drafts();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::client::model::MessageKind;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn key(text: &str) -> ConversationKey {
        text.parse().expect(text)
    }

    fn draft(text: &str) -> Draft {
        Draft { text: text.to_owned(), reply_to: None }
    }

    #[test]
    fn state_is_the_same_after_writing_and_reading() {
        let mut state = State {
            current: Some(key("home/#lobby")),
            sidebar: Some(false),
            members: None,
            do_not_disturb: Some(u64::MAX),
            ..State::default()
        };
        state.add_draft(key("home/#lobby"), draft("two\nlines, \"quoted\" ünd 🎉"));
        state.add_draft(
            key("alice@work/bob"),
            Draft { text: "yes".to_owned(), reply_to: Some("0a".to_owned()) },
        );
        state.thread_drafts.add(key("home/#lobby"), "0c".to_owned(), "about \"that\"".to_owned());
        state.servers.push(RecordedServer {
            name: "a/b, c".to_owned(),
            account: "alice".to_owned(),
            pins: vec!["0a".to_owned()],
        });
        for (kind, failed) in [(MessageKind::Text, None), (MessageKind::Action, Some("moderated".to_owned()))]
        {
            let message = KeptMessage {
                target: key("home/#lobby").conversation,
                kind,
                text: "on its\nway".to_owned(),
                reply_to: failed.clone(),
                send_id: "run-7".to_owned(),
                was_sent: failed.is_none(),
            };
            state.add_unsent(UnsentMessage { server: "home".to_owned(), message, failed });
        }
        assert_eq!(state.unsent.len(), 2);
        state.ignores.insert(key("home/bob"), true);
        state.ignores.insert(key("home/zoe"), false);
        state.add_redaction(UnsentRedaction {
            key: key("home/#lobby"),
            msgid: "0b".to_owned(),
            reason: "oops".to_owned(),
        });
        state.uses.record("home/#lobby", NOW);
        let text = state.to_text().expect("text");
        assert_eq!(State::parse(&text, NOW), Ok(state), "{text}");
        assert_eq!(State::parse("version = 1", NOW), Ok(State::default()));
    }

    #[test]
    fn drafts_with_passwords_are_neither_written_nor_read() {
        let mut state = State::default();
        for (to, text) in [
            ("home/#lobby", "/ns IDENTIFY hunter2"),
            ("home/#lobby", "/msg NickServ hello"),
            ("home/#lobby", "/oper root hunter2"),
            ("home/#lobby", "hello\n/oper root hunter2"),
            ("home/NickServ", "anything"),
        ] {
            state.add_draft(key(to), draft(text));
            assert!(state.drafts.is_empty(), "{text}");
        }
        state.add_draft(key("home/#lobby"), draft("what is the password?"));
        assert_eq!(state.drafts.len(), 1);
        let text = state.to_text().expect("text").replace("what is the password?", "/oper root hunter2");
        assert!(State::parse(&text, NOW).expect("a state").drafts.is_empty());
    }

    #[test]
    fn drafts_are_limited_in_number_and_size() {
        let mut state = State::default();
        for n in 0..MAX_DRAFTS + 5 {
            state.add_draft(key(&format!("home/#{n}")), draft("x"));
        }
        assert_eq!(state.drafts.len(), MAX_DRAFTS);
        let mut state = State::default();
        for n in 0..10 {
            state.add_draft(key(&format!("home/#{n}")), draft(&"x".repeat(64 * 1024)));
        }
        assert_eq!(state.drafts.len(), 8);
    }

    #[test]
    fn drafts_of_servers_that_were_not_opened_are_kept() {
        let (mut new, mut old) = (State::default(), State::default());
        old.add_draft(key("work/#a"), draft("kept"));
        old.add_draft(key("home/#a"), draft("sent since"));
        new.add_draft(key("home/#b"), draft("new"));
        for server in ["work", "home"] {
            old.thread_drafts.add(key(&format!("{server}/#a")), "0a".to_owned(), server.to_owned());
        }
        let redaction = |text| UnsentRedaction { key: key(text), msgid: "0b".into(), reason: String::new() };
        old.redactions = vec![redaction("work/#a"), redaction("home/#a")];
        new.keep_others(old, &["home".to_owned()], NOW);
        assert_eq!(new.redactions, [redaction("work/#a")]);
        assert_eq!(new.drafts.keys().map(ToString::to_string).collect::<Vec<_>>(), ["home/#b", "work/#a"]);
        let of_threads = new.thread_drafts.clone().into_parts().map(|(_, _, text)| text);
        assert_eq!(of_threads.collect::<Vec<_>>(), ["work"]);
    }

    #[test]
    fn a_text_of_another_version_or_form_is_refused() {
        assert_eq!(State::parse("version = 2", NOW), Err(StateError::Newer));
        for text in ["", "version = 1\ndraft = 3", "{", "version = 1\n[uses]\na = 1"] {
            assert!(matches!(State::parse(text, NOW), Err(StateError::Damaged(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(version = 1\n)?(current|uses|draft)?\\PC{0,60}") {
            let _ = State::parse(&text, NOW);
        }
    }
}
