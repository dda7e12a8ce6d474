//! Execution of the commands of the plain chat.

use std::io::Write;

use super::PlainChat;
use crate::client::input::confirm::Confirmation;
use crate::client::input::execute::{Client, MessageAction, Outgoing, OwnChange, Show, channel_or_current};
use crate::client::input::help::help_lines;
use crate::client::input::ignore::IgnoreScope;
use crate::client::input::settings::SettingsClient;
use crate::client::input::waiting::{cancel_waiting, describe_cancelled};
use crate::client::input::{Navigation, ViewCommand};
use crate::client::model::{Conversation, MessageKind, Model};
use crate::client::plain::output::current_time;
use crate::client::settings::Settings;
use crate::client::settings::state::ConversationKey;
use crate::client::text::clean::clean;
use crate::client::text::emoji::find_reaction;
use crate::wire::Nick;

impl<T: Write, N: Write> SettingsClient for PlainChat<T, N> {
    fn settings(&self) -> &Settings {
        &self.settings.values
    }

    fn change_setting(&mut self, name: &str, value: &str) -> Result<(), String> {
        let changed = self.settings.change(name, value);
        self.apply_settings();
        self.settings.monitor_watched(&mut self.session.model, false);
        changed
    }

    fn list_settings(&mut self) {
        for line in self.settings.list() {
            self.output.write_note(&line);
        }
    }

    fn say(&mut self, text: &str) {
        self.output.write_note(&clean(text));
    }

    fn set_ignored(&mut self, account: &Nick, ignored: bool) -> Result<IgnoreScope, String> {
        self.settings.set_ignored(account, ignored)?;
        self.remembered.decide_ignored(account, ignored, &mut self.session.model, current_time())
    }

    fn ignored(&self) -> Vec<Nick> {
        self.settings.ignored()
    }

    fn refused_watches(&self) -> Vec<Nick> {
        self.settings.watched.refused()
    }

    fn own_nick(&self) -> Option<Nick> {
        self.session.model.me().cloned()
    }

    fn check_account(&mut self, account: &Nick, then: String) {
        self.session.model.check_account(account, then);
    }

    fn current_key(&self) -> Result<ConversationKey, String> {
        let server = self.settings.server.clone();
        Ok(ConversationKey { server, conversation: self.current_conversation()? })
    }
}

impl<T: Write, N: Write> Client for PlainChat<T, N> {
    const NO_CONVERSATION: &'static str = "no current conversation: /join #CHANNEL or /query NAME first";
    const NO_CHANNEL: &'static str = "no channel given, and none is the current conversation";

    fn model(&mut self) -> Result<&mut Model, String> {
        Ok(&mut self.session.model)
    }

    fn current(&self) -> Option<Conversation> {
        self.conversation.clone()
    }

    fn switch_to(&mut self, conversation: Conversation) {
        self.switch_to(conversation);
    }

    fn send(&mut self, message: Outgoing) -> Result<(), String> {
        self.check_waiting()?;
        match message {
            Outgoing::Here(kind, text) => {
                let target = self.current_conversation()?;
                self.session.model.send_message(&target, kind, &text);
            }
            Outgoing::To(target, text) => {
                self.session.model.send_message(&target, MessageKind::Text, &text);
            }
            Outgoing::File(path, text) => return self.upload(&path, text),
            Outgoing::Reply(text) => {
                let (target, to) = self.last_foreign_message()?;
                self.session.model.send_text(&target, &text, Some(&to));
            }
        }
        self.note_if_offline();
        Ok(())
    }

    fn act_on_message(&mut self, action: MessageAction) -> Result<(), String> {
        match action {
            MessageAction::React(name) => {
                let emoji = find_reaction(&name, None)?;
                let (target, to) = self.last_foreign_message()?;
                let sent = self.session.model.send_reaction(&target, &to, &emoji, false);
                sent.map_err(|offline| offline.to_string())
            }
            MessageAction::RedactLast(reason) => {
                let target = self.current_conversation()?;
                let own = self.recent.find_last(&target, true);
                let own = own.ok_or("no recent message of yours to take back here")?;
                let id = own.id.clone();
                self.redact(target, &id, reason)
            }
            MessageAction::CancelWaiting { all } if self.cancel_transfers(all) => Ok(()),
            MessageAction::CancelWaiting { all } => {
                let target = self.current_conversation()?;
                let cancelled = cancel_waiting(&mut self.session.model, &target, all)?;
                self.output.write_note(&describe_cancelled(&cancelled));
                Ok(())
            }
        }
    }

    fn show(&mut self, view: Show) -> Result<(), String> {
        match view {
            Show::Search(terms) => self.search(&terms)?,
            Show::Members(channel) => {
                let channel = channel_or_current(channel, self)?;
                self.session.model.query_names(&channel).map_err(|offline| offline.to_string())?;
            }
            Show::Topic(channel) => {
                self.session.model.query_topic(&channel).map_err(|offline| offline.to_string())?;
            }
            Show::Help(topic) => help_lines(topic).iter().for_each(|line| self.output.write_note(line)),
        }
        Ok(())
    }

    fn navigate(&mut self, command: Navigation) -> Result<(), String> {
        let model = &mut self.session.model;
        let found = self.finder.start(command, self.conversation.as_ref(), model, &self.recent)?;
        if let Some(found) = found {
            self.write_found(&found).map_err(|error| format!("cannot write the output: {error}"))?;
        }
        Ok(())
    }

    fn note_change(&mut self, change: OwnChange) {
        match change {
            // The server's reply says that it is done.
            OwnChange::Parted(_) => {}
            OwnChange::Away(message) => {
                self.output.write_note(OwnChange::away_words(&message));
                self.away = message;
            }
        }
    }

    fn confirm(&mut self, confirmation: Confirmation) {
        self.ask(confirmation);
    }

    fn undo_redaction(&mut self) -> Result<(), String> {
        self.keep_message()
    }

    fn execute_view_command(&mut self, command: ViewCommand) -> Result<(), String> {
        self.execute_view(command)
    }

    fn quit(&mut self, message: String) -> Result<(), String> {
        self.quit(message);
        Ok(())
    }
}
