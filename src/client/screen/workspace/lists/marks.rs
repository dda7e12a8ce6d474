//! Pinned messages and bookmarks of the servers' conversations.

use std::collections::BTreeMap;

use crate::client::model::marks::{Mark, MarkError, change_marks, parse_marks};
use crate::client::model::{Conversation, Ticket};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::workspace::buffer::Selection;
use crate::client::screen::workspace::{BufferKey, Models, Workspace};

/// Limit of conversations with marks, for each server.
const MAX_CONVERSATIONS: usize = 4_096;

/// Marked messages of a server.
#[derive(Debug, Default)]
pub struct MarkedMessages {
    /// Ids by conversation and kind, the latest mark first.
    ids: BTreeMap<(Mark, Conversation), Vec<String>>,
    /// Change in progress.
    change: Option<Change>,
    /// Number of changes.
    pub revision: u64,
}

/// Change of the marks of a conversation: the present ones are queried, then changed and set.
#[derive(Debug)]
struct Change {
    mark: Mark,
    conversation: Conversation,
    msgid: String,
    add: bool,
    /// Query in flight, or the new marks.
    ticket: Ticket,
    is_set: bool,
}

impl MarkedMessages {
    /// Returns the marked messages of a conversation, the latest mark first.
    pub fn of(&self, mark: Mark, conversation: &Conversation) -> &[String] {
        self.ids.get(&(mark, conversation.clone())).map_or(&[], Vec::as_slice)
    }

    /// Iterates over the conversations with marks of this kind.
    pub fn all(&self, mark: Mark) -> impl Iterator<Item = (&Conversation, &[String])> {
        let of_kind = self.ids.iter().filter(move |((kind, _), _)| *kind == mark);
        of_kind.map(|((_, conversation), ids)| (conversation, ids.as_slice()))
    }

    /// Forgets the change of a connection that ended.
    pub(in crate::client::screen::workspace) fn reset_connection(&mut self) {
        self.change = None;
    }

    fn set(&mut self, mark: Mark, conversation: Conversation, ids: Vec<String>) {
        let key = (mark, conversation);
        let room = self.ids.len() < MAX_CONVERSATIONS || self.ids.contains_key(&key);
        self.revision += 1;
        if ids.is_empty() {
            self.ids.remove(&key);
        } else if room {
            self.ids.insert(key, ids);
        }
    }
}

impl Workspace {
    /// Returns the selected message, or the latest one of the conversation where none is selected, with its id.
    fn selected_or_latest(&self) -> Option<(BufferKey, String)> {
        let key = self.current.clone()?;
        let buffer = self.current_buffer()?;
        let entry = match self.selection() {
            Some(Selection::Entry(number)) => {
                buffer.entry(number).filter(|entry| entry.message().is_some())?
            }
            Some(Selection::Outgoing(_)) => return None,
            None => {
                let mut messages = buffer.newest_first().map(|(_, entry)| entry);
                messages.find(|entry| entry.message().is_some_and(|message| message.redacted.is_none()))?
            }
        };
        Some((key, entry.id.as_deref()?.to_owned()))
    }

    /// Marks a message, or takes the mark away: the one with this number in the list of marks, or the selected one, or
    /// the latest one. The error is a text for the user.
    pub fn change_mark(
        &mut self,
        mark: Mark,
        add: bool,
        number: Option<usize>,
        models: Models<'_, '_>,
    ) -> Result<(), String> {
        let (key, msgid) = match number {
            Some(number) => {
                let key = self.current.clone().ok_or("no conversation is open")?;
                let ids =
                    self.servers.get(key.0).map(|server| server.marks.of(mark, &key.1)).unwrap_or_default();
                let id = number.checked_sub(1).and_then(|index| ids.get(index)).cloned();
                (key, id.ok_or_else(|| format!("there is no number {number} in the list"))?)
            }
            None => self.selected_or_latest().ok_or("there is no message to mark here")?,
        };
        self.deselect();
        self.change_mark_of(mark, add, key, msgid, models)
    }

    /// Marks the selected message, or takes its mark away.
    pub fn toggle_mark(&mut self, mark: Mark, models: Models<'_, '_>) {
        let Some((key, msgid)) = self.selected_or_latest() else { return };
        let ids = self.servers.get(key.0).map(|server| server.marks.of(mark, &key.1)).unwrap_or_default();
        let add = !ids.contains(&msgid);
        self.deselect();
        if let Err(error) = self.change_mark_of(mark, add, key, msgid, models) {
            self.show_error(&error);
        }
    }

    /// Marks a message, or takes its mark away. The error is a text for the user.
    pub fn change_mark_of(
        &mut self,
        mark: Mark,
        add: bool,
        (server, conversation): BufferKey,
        msgid: String,
        models: Models<'_, '_>,
    ) -> Result<(), String> {
        let (Some(state), Some(model)) = (self.servers.get_mut(server), models.get_mut(server)) else {
            return Ok(());
        };
        if mark == Mark::Pin && matches!(conversation, Conversation::Direct(_)) {
            return Err("only messages of channels can be pinned; /bookmark is for yourself".to_owned());
        }
        if model.is_online() && !model.supports_marks(mark) {
            return Err(format!("this server keeps no {}", plural(mark)));
        }
        // What another device or operator has set meanwhile must not be lost.
        let ticket = model.query_marks(&conversation, mark).map_err(|offline| offline.to_string())?;
        state.marks.change = Some(Change { mark, conversation, msgid, add, ticket, is_set: false });
        Ok(())
    }

    /// Handles the marks of a conversation, and goes on with a change that waits for them.
    pub(in crate::client::screen::workspace) fn handle_marks(
        &mut self,
        server: usize,
        (target, mark): (&str, Mark),
        value: Option<&str>,
        models: Models<'_, '_>,
    ) {
        let Ok(conversation) = Conversation::from_server(target) else { return };
        let (Some(state), Some(model)) = (self.servers.get_mut(server), models.get_mut(server)) else {
            return;
        };
        let ids = parse_marks(value);
        let waits = |change: &mut Change| change.mark == mark && change.conversation == conversation;
        let change = state.marks.change.take_if(waits);
        state.marks.set(mark, conversation.clone(), ids.clone());
        let Some(change) = change else { return };
        if change.is_set {
            return self.show_hint(&describe(&change));
        }
        match change_marks(&ids, &change.msgid, change.add) {
            Ok(ids) => {
                if let Ok(ticket) = model.set_marks(&conversation, mark, &ids) {
                    state.marks.change = Some(Change { ticket, is_set: true, ..change });
                }
            }
            Err(error @ (MarkError::Present | MarkError::Absent)) => {
                self.show_hint(&error.explain(change.mark));
            }
            Err(error @ MarkError::Full(_)) => {
                let command = if mark == Mark::Pin { "/unpin" } else { "/unbookmark" };
                self.show_error(&format!("{error}: {command} takes one away"));
            }
        }
    }

    /// Handles the failure of a change. Returns whether it was one.
    pub(in crate::client::screen::workspace) fn handle_mark_failed(
        &mut self,
        server: usize,
        ticket: Ticket,
        reason: &str,
    ) -> bool {
        let Some(state) = self.servers.get_mut(server) else { return false };
        let Some(change) = state.marks.change.take_if(|change| change.ticket == ticket) else { return false };
        let name = sanitize_line(change.conversation.as_str(), 64);
        self.show_error(&match change.mark {
            Mark::Pin if change.is_set && change.add => {
                format!("not pinned: {reason}; /bookmark marks a message for yourself")
            }
            Mark::Pin if change.is_set => format!("still pinned: {reason}"),
            mark => format!("the {} of {name} could not be changed: {reason}", plural(mark)),
        });
        true
    }
}

fn plural(mark: Mark) -> &'static str {
    match mark {
        Mark::Pin => "pinned messages",
        Mark::Bookmark => "bookmarks",
    }
}

fn describe(change: &Change) -> String {
    let name = &change.conversation;
    match (change.mark, change.add) {
        (Mark::Pin, true) => format!("pinned in {name} for everybody; /pins lists the pinned messages"),
        (Mark::Pin, false) => format!("no longer pinned in {name}"),
        (Mark::Bookmark, true) => "bookmarked, on all your devices; /bookmarks lists them".to_owned(),
        (Mark::Bookmark, false) => "no longer bookmarked".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    fn change(fixture: &mut Fixture, mark: Mark, add: bool) -> Result<(), String> {
        fixture.with(|context| context.workspace.change_mark(mark, add, None, context.models))
    }

    /// Takes the METADATA line, and returns its label and the rest.
    fn sent(fixture: &mut Fixture) -> (String, String) {
        let sent = fixture.output();
        let line = sent.lines().find(|line| line.contains("METADATA")).expect("a METADATA").to_owned();
        let (label, rest) =
            line.strip_prefix("@label=").and_then(|rest| rest.split_once(' ')).expect("a label");
        (label.to_owned(), rest.to_owned())
    }

    fn hint(fixture: &Fixture) -> (String, bool) {
        let hint = fixture.workspace.hint.clone().expect("a hint");
        (hint.text, hint.is_error)
    }

    #[test]
    fn a_pin_is_added_to_those_that_are_set() {
        let mut fixture = Fixture::new();
        fixture.lines(&["@msgid=a1 :bob!u@p PRIVMSG #lobby :the rules"]);
        change(&mut fixture, Mark::Pin, true).expect("a change");
        let (label, line) = sent(&mut fixture);
        assert_eq!(line, "METADATA #lobby GET parlour/pinned-messages");
        fixture.lines(&[&format!("@label={label} :s 761 alice #lobby parlour/pinned-messages * :z9")]);
        let (label, line) = sent(&mut fixture);
        assert_eq!(line, "METADATA #lobby SET parlour/pinned-messages :a1,z9");
        fixture.lines(&[&format!("@label={label} :s 761 alice #lobby parlour/pinned-messages * :a1,z9")]);
        assert_eq!(
            hint(&fixture),
            ("pinned in #lobby for everybody; /pins lists the pinned messages".into(), false)
        );
        let lobby = Fixture::key("#lobby").1;
        assert_eq!(fixture.workspace.servers[0].marks.of(Mark::Pin, &lobby), ["a1", "z9"]);
        // Another operator unpins all.
        fixture.lines(&[":bob!u@p METADATA #lobby parlour/pinned-messages * :"]);
        assert_eq!(fixture.workspace.servers[0].marks.of(Mark::Pin, &lobby).len(), 0);
    }

    #[test]
    fn a_message_that_is_pinned_already_is_not_announced_as_pinned() {
        let mut fixture = Fixture::new();
        fixture.lines(&["@msgid=a1 :bob!u@p PRIVMSG #lobby :the rules"]);
        for (add, ids, expected) in
            [(true, "a1", "this message is pinned already"), (false, "z9", "this message is not pinned")]
        {
            change(&mut fixture, Mark::Pin, add).expect("a change");
            let (label, _) = sent(&mut fixture);
            fixture.lines(&[&format!("@label={label} :s 761 alice #lobby parlour/pinned-messages * :{ids}")]);
            assert_eq!(hint(&fixture), (expected.into(), false));
        }
    }

    #[test]
    fn a_refusal_names_who_may_pin() {
        let mut fixture = Fixture::new();
        fixture.lines(&["@msgid=a1 :bob!u@p PRIVMSG #lobby :the rules"]);
        change(&mut fixture, Mark::Pin, true).expect("a change");
        let (label, _) = sent(&mut fixture);
        fixture.lines(&[&format!("@label={label} :s 766 alice #lobby parlour/pinned-messages :not set")]);
        let (label, line) = sent(&mut fixture);
        assert_eq!(line, "METADATA #lobby SET parlour/pinned-messages :a1");
        fixture.lines(&[&format!("@label={label} FAIL METADATA KEY_NO_PERMISSION #lobby x :You may not")]);
        let (text, is_error) = hint(&fixture);
        assert!(is_error && text.starts_with("not pinned: "), "{text}");
    }

    #[test]
    fn a_bookmark_is_taken_away_and_direct_messages_are_not_pinned() {
        let mut fixture = Fixture::new();
        fixture.lines(&["@msgid=b1 :bob!u@p PRIVMSG alice :psst"]);
        fixture.workspace.switch_to(Fixture::key("bob"));
        assert!(change(&mut fixture, Mark::Pin, true).is_err_and(|error| error.contains("/bookmark")));
        fixture.output();
        change(&mut fixture, Mark::Bookmark, false).expect("a change");
        let (label, _) = sent(&mut fixture);
        fixture.lines(&[&format!("@label={label} :s 761 alice bob parlour/bookmarks private :b1")]);
        let (_, line) = sent(&mut fixture);
        assert_eq!(line, "METADATA bob SET parlour/bookmarks");
    }
}
