//! Sending of messages, and execution of commands.

use crate::client::input::execute::{Client, execute};
use crate::client::input::{self, Input, ScreenCommand};
use crate::client::message_secrets::{mask_from, mask_message, secret_start_in_line};
use crate::client::model::{Conversation, MessageKind, Model, Ticket};
use crate::client::screen::entry::OutgoingMessage;
use crate::client::screen::text::sanitize::{sanitize, sanitize_line};
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::view::theme::Background;
use crate::client::screen::{App, ConnectionState, Models, Overlay, ScreenEffect};
use crate::wire::ChannelName;

impl App {
    /// Limit of the sent lines that are kept for recall with the arrow keys.
    const MAX_RECALLED: usize = 500;

    /// Handles Enter in the composer.
    pub(in crate::client::screen) fn handle_enter(&mut self, models: Models<'_, '_>) {
        let text = self.composer().text().to_owned();
        if text.trim().is_empty() {
            return;
        }
        let secret = self.composer_secret_start().is_some();
        // A text of several lines is a message even if it starts with a slash, because it may be a pasted script. `/me`
        // is the exception.
        let several = text.trim_end_matches('\n').contains('\n') && !text.starts_with("/me ");
        let input = if several {
            Ok(Input::Message(text.clone()))
        } else {
            input::parse_for_screen(text.trim_end_matches('\n'))
        };
        // Emptied first, because a command may switch to another conversation. None does so and then fails.
        let draft = self.composer().clone();
        self.composer_mut().take();
        if let Err(error) = input.and_then(|input| self.execute(input, models)) {
            *self.composer_mut() = draft;
            return self.show_error(&error);
        }
        self.recalled = None;
        self.last_typing_sent = None;
        // Lines with a password are not recalled.
        if !secret && self.sent_lines.last() != Some(&text) {
            self.sent_lines.push(text);
        }
        if self.sent_lines.len() > Self::MAX_RECALLED {
            self.sent_lines.remove(0);
        }
    }

    /// Returns the byte offset of a password in the composer, if it has one.
    pub fn composer_secret_start(&self) -> Option<usize> {
        let current = self.current.as_ref().map_or("", |(_, conversation)| conversation.as_str());
        secret_start_in_line(self.composer().text(), current)
    }

    /// Recalls the sent line before or after the current one.
    pub(in crate::client::screen) fn recall_sent_line(&mut self, older: bool) {
        let at = match (&self.recalled, older) {
            (None, true) => self.sent_lines.len().checked_sub(1),
            (Some((at, _)), true) => Some(at.saturating_sub(1)),
            (Some((at, _)), false) => Some(at + 1),
            (None, false) => None,
        };
        let Some(at) = at else { return };
        let writing = match self.recalled.take() {
            Some((_, writing)) => writing,
            None => self.composer().text().to_owned(),
        };
        if let Some(text) = self.sent_lines.get(at).cloned() {
            self.recalled = Some((at, writing));
            self.composer_mut().set(text);
        } else {
            self.composer_mut().set(writing);
        }
    }

    /// Lists the unconfirmed messages and the drafts: conversation, and text with passwords hidden.
    pub fn unsent_texts(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (_, buffer) in self.buffers() {
            let drafts = [buffer.draft.text()].into_iter().filter(|text| !text.trim().is_empty());
            let drafts = drafts.map(|text| match secret_start_in_line(text, buffer.conversation.as_str()) {
                Some(from) => mask_from(text, from),
                None => text.to_owned(),
            });
            let texts = buffer.outgoing.iter().map(|out| out.text.clone()).chain(drafts);
            all.extend(texts.map(|text| {
                (sanitize_line(buffer.conversation.as_str(), 64), sanitize(&text, TextField::MAX_BYTES))
            }));
        }
        all
    }

    /// Quits, with a quit message. With unconfirmed messages the first attempt fails with a warning, and so does the
    /// next one after a key for something else or a further message.
    pub(in crate::client::screen) fn request_quit(&mut self, message: &str) -> Result<(), String> {
        let pending = self.unconfirmed_count();
        if pending > 0 && !std::mem::replace(&mut self.quit_warned, true) {
            return Err(format!("{pending} messages unconfirmed; quit again to leave anyway"));
        }
        self.quit_message = Some(message.to_owned());
        Ok(())
    }

    /// Quits on a key; see [`App::leave`].
    pub(in crate::client::screen) fn request_quit_by_key(&mut self) {
        if let Err(error) = self.request_quit("") {
            self.show_error(&error);
        }
    }

    /// Executes a typed line. The error is a text for the user.
    fn execute(&mut self, input: Input, models: Models<'_, '_>) -> Result<(), String> {
        let server = self.current.as_ref().map_or(0, |(server, _)| *server);
        if let Input::Message(_) | Input::Action(_) | Input::Reply(_) = input {
            let buffer = self.current_buffer().ok_or(Commands::NO_CONVERSATION)?;
            if buffer.left {
                return Err(format!(
                    "you have left {}: /join {} rejoins",
                    buffer.conversation, buffer.conversation
                ));
            }
        }
        if let Input::Message(_) | Input::Action(_) | Input::Reply(_) | Input::MessageTo(..) = input
            && matches!(self.servers.get(server).map(|server| &server.state), Some(ConnectionState::Ended(_)))
        {
            return Err("this server was given up; restart parlour to reconnect".to_owned());
        }
        self.check_command(&input)?;
        execute(input, &mut Commands { app: self, models, server })
    }

    /// Checks a command for errors that are known beforehand.
    fn check_command(&self, input: &Input) -> Result<(), String> {
        let current = self.current.as_ref().map(|(_, conversation)| conversation);
        match input {
            Input::OnScreen(ScreenCommand::Close)
                if !matches!(current, Some(Conversation::Direct(_)))
                    && !self.current_buffer().is_some_and(|b| b.left) =>
            {
                Err("you are in this channel; /part leaves it".to_owned())
            }
            Input::OnScreen(ScreenCommand::Theme(name)) if name != "dark" && name != "light" => {
                Err("/theme dark, or /theme light".to_owned())
            }
            Input::Reply(_)
                if self.selected_or_last_message().is_none_or(|(_, entry, _)| entry.id.is_none()) =>
            {
                Err("there is no message to reply to".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Sends a message, and shows it as unconfirmed.
    pub(in crate::client::screen) fn send_message(
        &mut self,
        server: usize,
        conversation: &Conversation,
        text: &str,
        reply: Option<&str>,
        models: Models<'_, '_>,
    ) {
        let Some(model) = models.get_mut(server) else { return };
        let sent = model.send_text(conversation, text, reply);
        self.show_outgoing(server, conversation, MessageKind::Text, reply, sent);
    }

    /// Sends a CTCP ACTION (`/me`), and shows it as unconfirmed.
    pub(in crate::client::screen) fn send_action(
        &mut self,
        server: usize,
        conversation: &Conversation,
        text: &str,
        models: Models<'_, '_>,
    ) {
        let Some(model) = models.get_mut(server) else { return };
        let tickets = model.send_message(conversation, MessageKind::Action, text);
        let sent = tickets.into_iter().map(|ticket| (ticket, text.to_owned())).collect();
        self.show_outgoing(server, conversation, MessageKind::Action, None, sent);
    }

    fn show_outgoing(
        &mut self,
        server: usize,
        conversation: &Conversation,
        kind: MessageKind,
        reply: Option<&str>,
        sent: Vec<(Ticket, String)>,
    ) {
        self.quit_warned = false;
        if !self.servers.get(server).is_some_and(|server| server.state == ConnectionState::Online) {
            self.effects.push(ScreenEffect::RetryNow);
        }
        if let Some(buffer) = self.open_buffer(server, conversation) {
            let reply = reply.map(str::to_owned);
            buffer.outgoing.extend(sent.into_iter().map(|(ticket, text)| OutgoingMessage {
                ticket,
                kind,
                secret: mask_message(conversation.as_str(), &text).is_some(),
                text: mask_message(conversation.as_str(), &text).unwrap_or(text),
                reply_to: reply.clone(),
                failed: None,
            }));
        }
    }
}

/// The full-screen client during the execution of a command.
struct Commands<'a, 'b, 'c> {
    app: &'a mut App,
    models: Models<'b, 'c>,
    /// Server of the conversation on the screen.
    server: usize,
}

impl Client for Commands<'_, '_, '_> {
    const NO_CONVERSATION: &'static str = "no conversation open: /join #CHANNEL or /query NAME first";
    const NO_CHANNEL: &'static str = "no channel given, and none is open";

    fn model(&mut self) -> Result<&mut Model, String> {
        let model = self.models.get_mut(self.server);
        model.map(|model| &mut **model).ok_or_else(|| Self::NO_CONVERSATION.to_owned())
    }

    fn current(&self) -> Option<Conversation> {
        self.app.current.as_ref().map(|(_, conversation)| conversation.clone())
    }

    fn switch_to(&mut self, conversation: Conversation) {
        self.app.switch_to((self.server, conversation));
    }

    fn send(&mut self, kind: MessageKind, text: &str) -> Result<(), String> {
        let (server, conversation) = self.app.current.clone().ok_or(Self::NO_CONVERSATION)?;
        if kind == MessageKind::Action {
            self.app.send_action(server, &conversation, text, self.models);
        } else {
            let reply = self.app.current_buffer_mut().and_then(|buffer| buffer.reply_to.take());
            self.app.send_message(server, &conversation, text, reply.as_deref(), self.models);
        }
        self.app.scroll_to_latest();
        Ok(())
    }

    fn send_to(&mut self, conversation: Conversation, text: &str) -> Result<(), String> {
        self.app.switch_to((self.server, conversation.clone()));
        self.app.send_message(self.server, &conversation, text, None, self.models);
        Ok(())
    }

    fn reply(&mut self, text: &str) -> Result<(), String> {
        self.app.send_reply(text, self.models);
        Ok(())
    }

    fn react(&mut self, emoji: &str) -> Result<(), String> {
        self.app.react_to_selected(emoji, self.models)
    }

    fn redact_last(&mut self, reason: &str) -> Result<(), String> {
        self.app.redact_last(reason, self.models)
    }

    fn search(&mut self, terms: &str) -> Result<(), String> {
        self.app.open_search(terms, self.models);
        Ok(())
    }

    fn show_members(&mut self, _: Option<ChannelName>) -> Result<(), String> {
        self.app.panels.members =
            Some(!crate::client::screen::view::Layout::from_app(self.app).shows_members());
        Ok(())
    }

    fn show_topic(&mut self, channel: &ChannelName) -> Result<(), String> {
        let known = self.model()?.channels().find(|(name, _)| *name == channel);
        let topic = known.map(|(_, channel)| channel.topic.clone()).filter(|topic| !topic.is_empty());
        self.app.show_hint(topic.as_deref().unwrap_or("no topic is set"));
        Ok(())
    }

    fn parted(&mut self, channel: ChannelName) {
        self.app.close_buffer(&(self.server, Conversation::Channel(channel)));
    }

    fn away_set(&mut self, message: String) {
        self.app.show_hint(if message.is_empty() {
            "you are back"
        } else {
            "you are away; /away alone brings you back"
        });
        if let Some(server) = self.app.servers.get_mut(self.server) {
            server.away_message = (!message.is_empty()).then_some(message);
        }
    }

    fn execute_on_screen(&mut self, command: ScreenCommand) -> Result<(), String> {
        match command {
            ScreenCommand::Members => self.show_members(None)?,
            ScreenCommand::Mute(on) => {
                let conversation = self.current().ok_or(Self::NO_CONVERSATION)?;
                let noted = self.model()?.set_metadata(
                    &conversation,
                    "soju.im/muted",
                    Some(if on { "1" } else { "0" }),
                );
                noted.map_err(|offline| offline.to_string())?;
                if let Some(buffer) = self.app.current_buffer_mut() {
                    buffer.muted = on;
                }
                self.app.show_hint(if on { "muted on all your devices" } else { "unmuted" });
            }
            ScreenCommand::Theme(name) => {
                self.app.theme.background =
                    if name == "light" { Background::Light } else { Background::Dark };
            }
            ScreenCommand::Close => {
                let key = self.app.current.clone().ok_or(Self::NO_CONVERSATION)?;
                self.app.close_buffer(&key);
            }
        }
        Ok(())
    }

    fn quit(&mut self, message: String) -> Result<(), String> {
        self.app.request_quit(&message)
    }

    fn show_help(&mut self) {
        self.app.overlay = Overlay::Help(0);
    }
}
