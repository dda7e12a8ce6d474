//! Notifications: the level of each conversation, do-not-disturb, the bell and the desktop.

use crate::client::input::watch::PresenceNote;
use crate::client::model::Conversation;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::workspace::buffer::Buffer;
use crate::client::screen::workspace::{BufferKey, Hint, Models, ScreenEffect, Workspace};
use crate::client::settings::NotifyLevel;
use crate::client::settings::do_not_disturb::{DoNotDisturb, DoNotDisturbChange, describe_change};
use crate::wire::Nick;

impl Workspace {
    /// Returns the span without notifications, if it is not over.
    pub fn do_not_disturb(&self) -> Option<DoNotDisturb> {
        self.do_not_disturb.filter(|span| !span.is_over(self.now))
    }

    /// Begins or ends a span without notifications. Returns a line about it.
    pub fn change_do_not_disturb(&mut self, change: DoNotDisturbChange) -> String {
        self.do_not_disturb = DoNotDisturb::begin(change, self.now);
        describe_change(self.do_not_disturb, |end| self.format_time(end))
    }

    /// Returns the text for the status line, after two spaces; empty where notifications are on.
    pub fn do_not_disturb_text(&self) -> String {
        let span = self.do_not_disturb();
        span.map(|span| format!("  {}", span.describe(|end| self.format_time(end)))).unwrap_or_default()
    }

    /// Returns whether a message is notified, by the level of its conversation.
    pub(in crate::client::screen::workspace) fn is_notified(&self, key: &BufferKey, mention: bool) -> bool {
        match self.notify_level(key) {
            NotifyLevel::All => true,
            NotifyLevel::Mentions => mention,
            NotifyLevel::Nothing => false,
        }
    }

    /// Returns whether a conversation is one that the user wants to hear nothing of.
    pub fn is_silent(&self, key: &BufferKey, buffer: &Buffer) -> bool {
        buffer.muted || self.notify_level(key) == NotifyLevel::Nothing
    }

    fn notify_level(&self, key: &BufferKey) -> NotifyLevel {
        let notify = &self.settings.notify;
        if notify.conversations.is_empty() {
            return match key.1 {
                Conversation::Channel(_) => notify.channels,
                Conversation::Direct(_) => notify.direct,
            };
        }
        self.conversation_key(key).map_or(NotifyLevel::All, |key| notify.level(&key))
    }

    /// Monitors the accounts that the user watches. Those with a conversation stay monitored when that ends.
    pub(in crate::client::screen::workspace) fn monitor_watched(&mut self, models: Models<'_, '_>) {
        for (state, model) in self.servers.iter_mut().zip(models.iter_mut()).filter(|(state, _)| state.ready)
        {
            let buffers = &state.buffers;
            state.watched.update(&self.settings.watched, &state.key, model, |nick| {
                buffers.contains_key(&Conversation::Direct(nick.clone()))
            });
        }
    }

    /// Takes note of the presence of an account, and tells the user if they watch it.
    pub(in crate::client::screen::workspace) fn handle_presence(
        &mut self,
        server: usize,
        nick: &Nick,
        online: bool,
    ) {
        if let Some(buffer) = self.find_buffer(server, &Conversation::Direct(nick.clone())) {
            buffer.set_peer_online(online);
        }
        let news = self.servers.get_mut(server).and_then(|state| state.watched.handle_presence(nick, online));
        let Some(PresenceNote { text, is_news }) = news else { return };
        if is_news {
            // The answer to /watch says the same, if it is still there.
            let is_repeated = |hint: &mut Hint| hint.text.starts_with(&format!("{nick} is online"));
            self.hint.take_if(is_repeated);
            self.show_server_text(server, &text);
            self.notify(nick.as_str(), "is online");
        } else {
            self.show_hint(&text);
        }
    }

    /// Rings the bell and notifies the desktop, unless the user does not want it now.
    pub(in crate::client::screen::workspace) fn notify(&mut self, title: &str, body: &str) {
        self.ring();
        if self.do_not_disturb().is_none() {
            let (title, body) = (sanitize_line(title, 100), sanitize_line(body, 300));
            self.effects.push(ScreenEffect::Notify { title, body });
        }
    }

    /// Rings the bell, unless the user does not want it now.
    pub(in crate::client::screen::workspace) fn ring(&mut self) {
        if self.settings.bell && self.do_not_disturb().is_none() {
            self.effects.push(ScreenEffect::Bell);
        }
    }
}
