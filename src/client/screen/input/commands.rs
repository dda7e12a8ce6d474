//! Sending of messages, and execution of commands.

use crate::client::input::{self, Input};
use crate::client::message_secrets::{mask_from, mask_message, secret_start_in_line};
use crate::client::model::{Conversation, MessageKind, NotConnected, Ticket};
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

    #[allow(clippy::too_many_lines)] // A table.
    fn execute(&mut self, input: Input, models: Models<'_, '_>) -> Result<(), String> {
        let offline = |error: NotConnected| error.to_string();
        let nowhere = "no conversation open: /join #CHANNEL or /query NAME first";
        let server = self.current.as_ref().map_or(0, |(server, _)| *server);
        // The pending reply belongs to this conversation, and a command may switch to another one.
        let reply = self.current_buffer().and_then(|buffer| buffer.reply_to.clone());
        if let Input::Message(_) | Input::Action(_) | Input::Reply(_) = input {
            let buffer = self.current_buffer().ok_or(nowhere)?;
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
        let current = self.current.clone();
        self.check_command(&input, current.as_ref().map(|(_, conversation)| conversation))?;
        let Some(model) = models.get_mut(server) else { return Err(nowhere.to_owned()) };
        match input {
            Input::Empty => {}
            Input::Message(text) => {
                let (server, conversation) = current.ok_or(nowhere)?;
                if let Some(buffer) = self.current_buffer_mut() {
                    buffer.reply_to = None;
                }
                self.send_message(server, &conversation, &text, reply.as_deref(), models);
                self.scroll_to_latest();
            }
            Input::Action(text) => {
                let (server, conversation) = current.ok_or(nowhere)?;
                self.send_action(server, &conversation, &text, models);
                self.scroll_to_latest();
            }
            Input::MessageTo(target, text) => {
                self.switch_to((server, target.clone()));
                self.send_message(server, &target, &text, None, models);
            }
            Input::Switch(target) => {
                if let Conversation::Channel(channel) = &target
                    && !model.is_in(channel)
                {
                    return Err(format!("you are not in {channel}: /join {channel}"));
                }
                self.switch_to((server, target));
            }
            Input::Join(channels) => {
                for channel in channels {
                    model.join(&channel);
                    self.switch_to((server, Conversation::Channel(channel)));
                }
            }
            Input::Part(channel, reason) => {
                let channel =
                    channel_or_current(channel, current.as_ref().map(|(_, conversation)| conversation))?;
                model.part(&channel, &reason).map_err(offline)?;
                self.close_buffer(&(server, Conversation::Channel(channel)));
            }
            Input::Names(_) | Input::Members => {
                self.panels.members =
                    Some(!crate::client::screen::view::Layout::from_app(self).shows_members());
            }
            Input::Topic(channel, text) => {
                let channel =
                    channel_or_current(channel, current.as_ref().map(|(_, conversation)| conversation))?;
                if let Some(text) = text {
                    model.set_topic(&channel, &text).map_err(offline)?;
                } else {
                    let known = model.channels().find(|(name, _)| **name == channel);
                    let topic =
                        known.map(|(_, channel)| channel.topic.clone()).filter(|topic| !topic.is_empty());
                    self.show_hint(topic.as_deref().unwrap_or("no topic is set"));
                }
            }
            Input::Away(message) => {
                model.set_away(&message).map_err(offline)?;
                self.show_hint(if message.is_empty() {
                    "you are back"
                } else {
                    "you are away; /away alone brings you back"
                });
                self.servers[server].away_message = (!message.is_empty()).then_some(message);
            }
            Input::Whois(name) => model.send_command("WHOIS", &[&name], None).map_err(offline)?,
            Input::Invite(name, channel) => {
                let channel =
                    channel_or_current(channel, current.as_ref().map(|(_, conversation)| conversation))?;
                model.send_command("INVITE", &[&name, channel.as_str()], None).map_err(offline)?;
            }
            Input::Kick(channel, name, reason) => {
                let channel =
                    channel_or_current(channel, current.as_ref().map(|(_, conversation)| conversation))?;
                let reason = Some(reason.as_str()).filter(|words| !words.is_empty());
                model.send_command("KICK", &[channel.as_str(), &name], reason).map_err(offline)?;
            }
            Input::Mode(channel, change) => {
                let channel =
                    channel_or_current(channel, current.as_ref().map(|(_, conversation)| conversation))?;
                let args: Vec<&str> =
                    [channel.as_str()].into_iter().chain(change.split_whitespace()).collect();
                model.send_command("MODE", &args, None).map_err(offline)?;
            }
            Input::Search(terms) => self.open_search(&terms, models),
            Input::React(emoji) => self.react_to_selected(&emoji, models)?,
            Input::Reply(text) => self.send_reply(&text, models),
            Input::Delete(reason) => self.redact_last(&reason, models)?,
            Input::Mute(on) => {
                let (_, conversation) = current.ok_or(nowhere)?;
                model
                    .set_metadata(&conversation, "soju.im/muted", Some(if on { "1" } else { "0" }))
                    .map_err(offline)?;
                if let Some(buffer) = self.current_buffer_mut() {
                    buffer.muted = on;
                }
                self.show_hint(if on { "muted on all your devices" } else { "unmuted" });
            }
            Input::Theme(name) => {
                self.theme.background = if name == "light" { Background::Light } else { Background::Dark };
            }
            Input::Close => {
                let key = current.ok_or(nowhere)?;
                self.close_buffer(&key);
            }
            Input::Quit(message) => self.request_quit(&message)?,
            Input::Help => self.overlay = Overlay::Help(0),
        }
        Ok(())
    }

    /// Checks a command for errors that are known beforehand.
    fn check_command(&self, input: &Input, current: Option<&Conversation>) -> Result<(), String> {
        match input {
            Input::Part(channel, _)
            | Input::Topic(channel, _)
            | Input::Invite(_, channel)
            | Input::Kick(channel, ..)
            | Input::Mode(channel, _) => channel_or_current(channel.clone(), current).map(drop),
            Input::Close
                if !matches!(current, Some(Conversation::Direct(_)))
                    && !self.current_buffer().is_some_and(|b| b.left) =>
            {
                Err("you are in this channel; /part leaves it".to_owned())
            }
            Input::Theme(name) if name != "dark" && name != "light" => {
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

fn channel_or_current(
    channel: Option<ChannelName>,
    current: Option<&Conversation>,
) -> Result<ChannelName, String> {
    match (channel, current) {
        (Some(channel), _) => Ok(channel),
        (None, Some(Conversation::Channel(channel))) => Ok(channel.clone()),
        _ => Err("no channel given, and none is open".to_owned()),
    }
}
