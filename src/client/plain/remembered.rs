//! State that the plain chat keeps between two runs, in the file that the full-screen chat uses too: drafts, the current
//! conversation, do-not-disturb.

use std::collections::BTreeMap;

use crate::client::files::state_file::{StateFile, StateFileError};
use crate::client::input::ignore::{IgnoreScope, RefusedIgnore, UnconfirmedIgnores};
use crate::client::message_secrets::may_hold_secret;
use crate::client::model::event::ServerEvent;
use crate::client::model::requests::ServerRequest;
use crate::client::model::{Conversation, KeptMessage, Model};
use crate::client::settings::do_not_disturb::DoNotDisturb;
use crate::client::settings::state::{ConversationKey, Draft, State, UnsentMessage};
use crate::wire::{Nick, Timestamp};

/// State of one server between two runs, and its file.
#[derive(Debug, Default)]
pub struct Remembered {
    server: String,
    /// `None` where nothing is kept, as for a program.
    file: Option<StateFile>,
    drafts: BTreeMap<Conversation, Draft>,
    /// Messages of the last run that were not confirmed, until they are sent again.
    unsent: Vec<KeptMessage>,
    /// Conversation that was the current one at the end of the last run.
    last: Option<Conversation>,
    do_not_disturb: Option<DoNotDisturb>,
    ignores: UnconfirmedIgnores,
}

impl Remembered {
    /// Reads what was kept for a server. The error is a text for the user; nothing is kept then, unless the file was moved
    /// aside.
    pub fn load(server: String, file: StateFile, now: Timestamp) -> (Self, Option<String>) {
        let (state, error) = match file.load(now) {
            Ok(state) => (state, None),
            Err(error) => (State::default(), Some(error)),
        };
        let keeps = matches!(error, None | Some(StateFileError::Damaged(..)));
        let is_here = |key: &ConversationKey| key.server == server;
        let drafts = state.drafts.into_iter().filter(|(key, _)| is_here(key));
        let drafts = drafts.map(|(key, draft)| (key.conversation, draft)).collect();
        let mut ignores = UnconfirmedIgnores::default();
        for (key, ignored) in state.ignores.into_iter().filter(|(key, _)| is_here(key)) {
            if let Conversation::Direct(account) = key.conversation {
                ignores.resume(account, ignored);
            }
        }
        let last = state.current.filter(is_here).map(|key| key.conversation);
        let do_not_disturb = state.do_not_disturb.map(DoNotDisturb::from_end);
        let unsent: Vec<UnsentMessage> =
            state.unsent.into_iter().filter(|one| one.server == server).collect();
        let file = keeps.then_some(file);
        let mut remembered = Self { drafts, unsent: Vec::new(), last, do_not_disturb, ignores, file, server };
        let mut error = error.map(|error| error.to_string());
        for unsent in unsent {
            if unsent.failed.is_none() {
                remembered.unsent.push(unsent.message);
            } else if let Err(problem) = remembered.keep_failed(unsent, now) {
                error.get_or_insert(problem);
            }
        }
        (remembered, error)
    }

    /// Returns whether there is a file that outlasts the run.
    pub fn is_kept(&self) -> bool {
        self.file.is_some()
    }

    /// Takes the messages of the last run that were not confirmed, to send them again.
    pub fn take_unsent(&mut self) -> Vec<KeptMessage> {
        std::mem::take(&mut self.unsent)
    }

    /// Saves the unconfirmed messages of this server for the next run, and removes those saved earlier. The error is a text
    /// for the user.
    pub fn keep_unsent(&mut self, messages: Vec<KeptMessage>, now: Timestamp) -> Result<(), String> {
        let server = self.server.clone();
        self.change(now, |state| {
            state.unsent.retain(|one| one.server != server);
            for message in messages {
                state.add_unsent(UnsentMessage { server: server.clone(), message, failed: None });
            }
        })
    }

    /// Makes a message that failed the draft of its conversation, behind the one that it has. The error is a text for the
    /// user.
    pub fn keep_failed(&mut self, failed: UnsentMessage, now: Timestamp) -> Result<(), String> {
        let conversation = failed.message.target.clone();
        let send_id = failed.message.send_id.clone();
        let mut draft = failed.into_draft();
        if let Some(before) = self.drafts.get(&conversation) {
            draft =
                Draft { text: format!("{}\n{}", before.text, draft.text), reply_to: before.reply_to.clone() };
        }
        self.keep_draft(&conversation, draft, now)?;
        self.change(now, |state| state.unsent.retain(|one| one.message.send_id != send_id))
    }

    /// Returns the span without notifications that was begun in an earlier run.
    pub fn do_not_disturb(&self) -> Option<DoNotDisturb> {
        self.do_not_disturb
    }

    /// Returns the conversation that was the current one at the end of the last run, once.
    pub fn take_last(&mut self) -> Option<Conversation> {
        self.last.take()
    }

    /// Returns the conversation that was the current one at the end of the last run, until it is taken.
    pub fn last(&self) -> Option<&Conversation> {
        self.last.as_ref()
    }

    /// Returns the draft of a conversation.
    pub fn draft(&self, conversation: &Conversation) -> Option<&Draft> {
        self.drafts.get(conversation)
    }

    /// Returns the conversations that have a draft.
    pub fn drafted(&self) -> impl Iterator<Item = &Conversation> {
        self.drafts.keys()
    }

    /// Keeps a text as the draft of a conversation, in place of an older one. The error is a text for the user.
    pub fn keep_draft(
        &mut self,
        conversation: &Conversation,
        draft: Draft,
        now: Timestamp,
    ) -> Result<(), String> {
        if may_hold_secret(&draft.text, conversation.as_str()) {
            return Err("not kept: this line may hold a password".to_owned());
        }
        self.drafts.insert(conversation.clone(), draft.clone());
        let key = self.key(conversation);
        self.change(now, |state| state.add_draft(key, draft))
    }

    /// Removes the draft of a conversation, and returns it. The error is a text for the user.
    pub fn take_draft(
        &mut self,
        conversation: &Conversation,
        now: Timestamp,
    ) -> Result<Option<Draft>, String> {
        let Some(draft) = self.drafts.remove(conversation) else { return Ok(None) };
        let key = self.key(conversation);
        self.change(now, |state| drop(state.drafts.remove(&key)))?;
        Ok(Some(draft))
    }

    /// Keeps a span without notifications. The error is a text for the user.
    pub fn keep_do_not_disturb(&mut self, span: Option<DoNotDisturb>, now: Timestamp) -> Result<(), String> {
        self.do_not_disturb = span;
        self.change(now, |state| state.do_not_disturb = span.map(DoNotDisturb::end))
    }

    /// Sends a decision about an ignored account, and keeps it until the server has confirmed it. The error is a text for
    /// the user.
    pub fn decide_ignored(
        &mut self,
        account: &Nick,
        ignored: bool,
        model: &mut Model,
        now: Timestamp,
    ) -> Result<IgnoreScope, String> {
        let scope = self.ignores.decide(account, ignored, model);
        if scope != IgnoreScope::ThisDevice {
            let key = self.key(&Conversation::Direct(account.clone()));
            self.change(now, |state| {
                state.ignores.insert(key, ignored);
            })?;
        }
        Ok(scope)
    }

    /// Sends the decisions about ignored accounts that the server has not confirmed.
    pub fn send_ignores(&mut self, model: &mut Model) {
        self.ignores.send_all(model);
    }

    /// Returns whether the server's value about an ignored account counts; see [`UnconfirmedIgnores::accepts`]. The error
    /// is a text for the user.
    pub fn accepts_ignored(
        &mut self,
        account: &Nick,
        value: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, String> {
        let before = self.ignores.iter().count();
        let accepts = self.ignores.accepts(account, value);
        if self.ignores.iter().count() < before {
            let key = self.key(&Conversation::Direct(account.clone()));
            self.change(now, |state| {
                state.ignores.remove(&key);
            })?;
        }
        Ok(accepts)
    }

    /// Ends the decisions about ignored accounts that the server refused, and returns them. The error is a text for the
    /// user.
    pub fn take_refused_ignores(
        &mut self,
        request: &ServerRequest,
        replies: &[ServerEvent],
        now: Timestamp,
    ) -> (Vec<RefusedIgnore>, Result<(), String>) {
        let refused = self.ignores.take_refused(request, replies);
        if refused.is_empty() {
            return (refused, Ok(()));
        }
        let key = |refused: &RefusedIgnore| self.key(&Conversation::Direct(refused.account.clone()));
        let keys: Vec<ConversationKey> = refused.iter().map(key).collect();
        let kept = self.change(now, |state| state.ignores.retain(|key, _| !keys.contains(key)));
        (refused, kept)
    }

    /// Keeps the current conversation at the end of a run. The error is a text for the user.
    pub fn keep_last(&mut self, current: Option<&Conversation>, now: Timestamp) -> Result<(), String> {
        let Some(current) = current else { return Ok(()) };
        let key = self.key(current);
        self.change(now, |state| state.current = Some(key))
    }

    fn key(&self, conversation: &Conversation) -> ConversationKey {
        ConversationKey { server: self.server.clone(), conversation: conversation.clone() }
    }

    fn change(&self, now: Timestamp, change: impl FnOnce(&mut State)) -> Result<(), String> {
        let changed = self.file.as_ref().map_or(Ok(()), |file| file.change(now, change));
        changed.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn lobby() -> Conversation {
        Conversation::parse("#lobby").expect("a channel")
    }

    fn draft(text: &str) -> Draft {
        Draft { text: text.to_owned(), reply_to: None }
    }

    #[test]
    fn drafts_conversation_and_do_not_disturb_outlast_a_run_and_others_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = StateFile::new(folder.path().join("state.toml"));
        let load = |server: &str| {
            let (remembered, error) = Remembered::load(server.to_owned(), file.clone(), NOW);
            assert_eq!(error, None);
            remembered
        };
        load("work").keep_draft(&lobby(), draft("of work"), NOW).expect("kept");
        let mut home = load("home");
        assert_eq!(home.draft(&lobby()), None);
        home.keep_draft(&lobby(), draft("see you"), NOW).expect("kept");
        home.keep_last(Some(&lobby()), NOW).expect("kept");
        home.keep_do_not_disturb(Some(DoNotDisturb::On), NOW).expect("kept");
        let mut home = load("home");
        assert_eq!(home.do_not_disturb(), Some(DoNotDisturb::On));
        assert_eq!((home.take_last(), home.take_last()), (Some(lobby()), None));
        assert_eq!(home.drafted().collect::<Vec<_>>(), [&lobby()]);
        assert_eq!(home.take_draft(&lobby(), NOW), Ok(Some(draft("see you"))));
        assert_eq!(home.take_draft(&lobby(), NOW), Ok(None));
        assert_eq!(load("home").draft(&lobby()), None);
        assert_eq!(load("work").draft(&lobby()), Some(&draft("of work")));
    }

    #[test]
    fn a_line_with_a_password_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.toml");
        let (mut home, _) = Remembered::load("home".to_owned(), StateFile::new(path.clone()), NOW);
        home.keep_draft(&lobby(), draft("/oper root hunter2"), NOW).expect_err("refused");
        assert!(home.draft(&lobby()).is_none() && !path.exists());
    }

    #[test]
    fn a_file_of_a_later_version_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.toml");
        std::fs::write(&path, "version = 99\n").expect("writes");
        let (mut home, error) = Remembered::load("home".to_owned(), StateFile::new(path.clone()), NOW);
        assert!(error.is_some_and(|error| error.contains("later version")));
        home.keep_draft(&lobby(), draft("see you"), NOW).expect("for this run");
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "version = 99\n");
    }
}
