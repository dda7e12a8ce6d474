//! Texts of a list of messages: its title, its footer, and what stands in place of messages.

use super::{Listed, MessageList};
use crate::client::keys::Action;
use crate::client::keys::keymap::KeyMap;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::Workspace;

impl MessageList {
    pub(super) fn title(&self, keys: &KeyMap) -> String {
        let opens = |removes| [(Action::Enter, "opens"), (Action::Delete, removes)];
        match &self.listed {
            Listed::Mentions => keys.title("Mentions and answers", &[(Action::Enter, "opens")]),
            Listed::Pins((_, conversation)) => {
                let name = sanitize_line(conversation.as_str(), 64);
                keys.title(&format!("Pinned in {name}"), &opens("unpins"))
            }
            Listed::Bookmarks => keys.title("Bookmarks", &opens("removes")),
        }
    }

    /// Says which servers were not asked, and what that means for the list. `None` if all were.
    fn describe_not_asked(&self, workspace: &Workspace) -> Option<String> {
        let offline = workspace.describe_offline(&self.not_asked)?;
        Some(match &self.listed {
            Listed::Mentions => format!("{offline}, so the history there was not searched"),
            Listed::Pins(_) => format!("{offline}, so the pinned messages were not fetched"),
            Listed::Bookmarks => format!("{offline}, so the bookmarks there were not fetched"),
        })
    }

    /// Describes how complete the list is.
    pub(super) fn footer(&self, workspace: &Workspace) -> String {
        let (count, keys) = (self.items.len(), workspace.keys());
        if !self.queries.is_empty() || self.older.is_loading() {
            return format!("{count}, loading …");
        }
        match (self.older.may_have_more(), self.older.error()) {
            (true, _) => {
                let key = keys.clauses(&[(Action::PageDown, "at the end looks further back")]);
                let key = if key.is_empty() { key } else { format!(": {key}") };
                format!("{count}; there may be older ones{key}")
            }
            (false, Some(error)) => format!("{count}; {error}"),
            (false, None) => match self.describe_not_asked(workspace) {
                Some(reason) => format!("{count}; {reason}"),
                None => count.to_string(),
            },
        }
    }

    pub(super) fn empty_text(&self, workspace: &Workspace) -> (String, Role) {
        let keys = workspace.keys();
        let marks = |mark, does: &str| match (keys.key_name(Action::SelectAbove), keys.key_name(mark)) {
            (Some(select), Some(key)) => format!("select a message with {select}, then {key} {does} it"),
            _ => format!("{} {does} the latest message", mark.command().unwrap_or_default()),
        };
        let words = match (&self.error, &self.listed) {
            (Some(error), _) => return (error.clone(), Role::Error),
            (None, _) if !self.queries.is_empty() || self.older.is_loading() => "loading …".to_owned(),
            (None, listed) if !self.not_asked.is_empty() => {
                let reason = self.describe_not_asked(workspace).unwrap_or_default();
                let known = match listed {
                    Listed::Mentions => "; in what has arrived here nobody mentions or answers you",
                    Listed::Pins(_) | Listed::Bookmarks => "",
                };
                return (format!("{reason}{known}"), Role::Error);
            }
            (None, Listed::Mentions) if self.older.may_have_more() => {
                let looks = keys.clauses(&[(Action::PageDown, "looks further back")]);
                format!("nobody has mentioned or answered you lately; {looks}")
                    .trim_end_matches("; ")
                    .to_owned()
            }
            (None, Listed::Mentions) => "nobody has mentioned or answered you yet".to_owned(),
            (None, Listed::Pins(_)) => {
                format!("nothing is pinned here; {} (operators may)", marks(Action::Pin, "pins"))
            }
            (None, Listed::Bookmarks) => {
                format!("no bookmarks yet; {}", marks(Action::Bookmark, "bookmarks"))
            }
        };
        (words, Role::Dim)
    }
}
