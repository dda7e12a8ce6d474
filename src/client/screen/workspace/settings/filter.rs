//! Filter of messages: those of ignored accounts are hidden, and those with a word of the user's count as a mention.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::client::input::ignore::{IgnoreScope, RefusedIgnore};
use crate::client::model::Model;
use crate::client::model::event::ServerEvent;
use crate::client::model::requests::ServerRequest;
use crate::client::screen::workspace::entry::{Entry, EntryContent};
use crate::client::screen::workspace::{ScreenEffect, Workspace};
use crate::client::settings::IgnoredAccount;
use crate::client::settings::highlights::Highlights;
use crate::wire::Nick;

/// Limit of the accounts that a server reports as ignored.
const MAX_BLOCKED: usize = 4_096;

/// Filter of the messages of one server.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MessageFilter {
    highlights: Highlights,
    ignored: BTreeSet<Nick>,
}

impl MessageFilter {
    /// Returns whether messages of the account are hidden.
    pub fn ignores(&self, account: &Nick) -> bool {
        self.ignored.contains(account)
    }

    /// Marks an entry that is hidden, and one that counts as a mention.
    pub fn judge(&self, entry: &mut Entry) {
        if let EntryContent::Message(message) = &mut entry.content
            && !message.mine
        {
            entry.hidden = self.ignores(&message.from);
            message.mention |= self.highlights.matches(&message.text);
        }
    }
}

impl Workspace {
    /// Returns the filter of a server's messages.
    pub fn message_filter(&self, server: usize) -> Rc<MessageFilter> {
        self.servers.get(server).map(|state| state.filter.clone()).unwrap_or_default()
    }

    /// Brings the filter of each server up to date with the settings and with what the servers report.
    pub(in crate::client::screen::workspace) fn update_filters(&mut self) {
        let highlights = Highlights::new(&self.settings.highlights);
        for state in &mut self.servers {
            let settings = self.settings.ignored.iter().filter(|ignored| ignored.is_on(&state.key));
            let ignored =
                settings.map(|ignored| ignored.account.clone()).chain(state.blocked.iter().cloned());
            let filter = MessageFilter { highlights: highlights.clone(), ignored: ignored.collect() };
            if filter.ignored != state.filter.ignored {
                for buffer in state.buffers.values_mut() {
                    buffer.hide_messages(|nick| filter.ignores(nick));
                }
            }
            state.filter = Rc::new(filter);
        }
    }

    /// Records whether the server lists an account as ignored.
    pub(in crate::client::screen::workspace) fn handle_blocked(
        &mut self,
        server: usize,
        account: &Nick,
        value: Option<&str>,
    ) {
        let Some(state) = self.servers.get_mut(server) else { return };
        if !state.ignores.accepts(account, value) {
            return;
        }
        if value == Some("1") {
            if state.blocked.len() < MAX_BLOCKED {
                state.blocked.insert(account.clone());
            }
        } else {
            state.blocked.remove(account);
        }
        // Without a value nobody has decided yet, so what this device knows stands.
        if value == Some("0") {
            self.forget_ignored(server, account);
        }
        self.update_filters();
    }

    /// Hides the messages of an account on a server from now on, or shows them again. The server tells the user's other
    /// devices, if it can.
    pub fn set_ignored(
        &mut self,
        server: usize,
        account: &Nick,
        ignored: bool,
        model: &mut Model,
    ) -> IgnoreScope {
        let Some(state) = self.servers.get_mut(server) else { return IgnoreScope::ThisDevice };
        let scope = state.ignores.decide(account, ignored, model);
        if ignored {
            let entry = IgnoredAccount { server: Some(state.key.clone()), account: account.clone() };
            if !self.settings.ignored.contains(&entry) {
                self.settings.ignored.push(entry);
                self.effects.push(ScreenEffect::SaveSetting("ignored".to_owned()));
            }
        } else {
            state.blocked.remove(account);
            self.forget_ignored(server, account);
        }
        self.update_filters();
        scope
    }

    /// Ends the decisions about ignored accounts that the server refused, and tells the user.
    pub(in crate::client::screen::workspace) fn handle_refused_ignores(
        &mut self,
        server: usize,
        request: &ServerRequest,
        replies: &[ServerEvent],
    ) {
        let Some(state) = self.servers.get_mut(server) else { return };
        let refused = state.ignores.take_refused(request, replies);
        for RefusedIgnore { account, is_missing, notice } in refused {
            if is_missing {
                self.forget_ignored(server, &account);
            }
            self.show_error(&notice);
        }
        self.update_filters();
    }

    /// Returns the ignored accounts of a server.
    pub fn ignored_accounts(&self, server: usize) -> Vec<Nick> {
        self.message_filter(server).ignored.iter().cloned().collect()
    }

    /// Takes an account out of the settings.
    fn forget_ignored(&mut self, server: usize, account: &Nick) {
        let Some(state) = self.servers.get(server) else { return };
        let before = self.settings.ignored.len();
        self.settings.ignored.retain(|ignored| !ignored.matches(&state.key, account));
        if self.settings.ignored.len() != before {
            self.effects.push(ScreenEffect::SaveSetting("ignored".to_owned()));
        }
    }
}
