//! Sending of messages, and execution of commands.

use crate::client::input::{self, Input};
use crate::client::model::{Kind, Offline, Target, Ticket};
use crate::client::screen::entry::Outgoing;
use crate::client::screen::text::composer::Editor;
use crate::client::screen::text::sanitize::{tidy, tidy_line};
use crate::client::screen::view::theme::Ground;
use crate::client::screen::{App, Effect, Models, Overlay, State};
use crate::client::secret::{begins_in_line, hidden, hide};
use crate::wire::ChannelName;

impl App {
    /// Limit of the sent lines that are kept for recall with the arrow keys.
    const RECALLED: usize = 500;

    /// Handles Enter in the composer.
    pub(in crate::client::screen) fn entered(&mut self, models: Models<'_, '_>) {
        let text = self.editor().text().to_owned();
        if text.trim().is_empty() {
            return;
        }
        let secret = self.secret_written().is_some();
        // A text of several lines is a message even if it starts with a slash, because it may be a pasted script. `/me`
        // is the exception.
        let several = text.trim_end_matches('\n').contains('\n') && !text.starts_with("/me ");
        let input = if several {
            Ok(Input::Say(text.clone()))
        } else {
            input::parse_for_screen(text.trim_end_matches('\n'))
        };
        // Emptied first, because a command may switch to another conversation. None does so and then fails.
        let draft = self.editor().clone();
        self.editor_mut().take();
        if let Err(why) = input.and_then(|input| self.do_it(input, models)) {
            *self.editor_mut() = draft;
            return self.complain(&why);
        }
        self.recalled = None;
        self.told = None;
        // Lines with a password are not recalled.
        if !secret && self.sent.last() != Some(&text) {
            self.sent.push(text);
        }
        if self.sent.len() > Self::RECALLED {
            self.sent.remove(0);
        }
    }

    /// Returns the byte offset of a password in the composer, if it has one.
    pub fn secret_written(&self) -> Option<usize> {
        let here = self.here.as_ref().map_or("", |(_, place)| place.as_str());
        begins_in_line(self.editor().text(), here)
    }

    /// Recalls the sent line before or after the current one.
    pub(in crate::client::screen) fn recall(&mut self, before: bool) {
        let at = match (&self.recalled, before) {
            (None, true) => self.sent.len().checked_sub(1),
            (Some((at, _)), true) => Some(at.saturating_sub(1)),
            (Some((at, _)), false) => Some(at + 1),
            (None, false) => None,
        };
        let Some(at) = at else { return };
        let writing = match self.recalled.take() {
            Some((_, writing)) => writing,
            None => self.editor().text().to_owned(),
        };
        if let Some(text) = self.sent.get(at).cloned() {
            self.recalled = Some((at, writing));
            self.editor_mut().set(text);
        } else {
            self.editor_mut().set(writing);
        }
    }

    /// Lists the unconfirmed messages and the drafts: conversation, and text with passwords hidden.
    pub fn unsent(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (_, buffer) in self.spots() {
            let drafts = [buffer.draft.text()].into_iter().filter(|text| !text.trim().is_empty());
            let drafts = drafts.map(|text| match begins_in_line(text, buffer.place.as_str()) {
                Some(from) => hide(text, from),
                None => text.to_owned(),
            });
            let texts = buffer.outbox.iter().map(|out| out.text.clone()).chain(drafts);
            all.extend(texts.map(|text| (tidy_line(buffer.place.as_str(), 64), tidy(&text, Editor::MAX))));
        }
        all
    }

    /// Quits, with a quit message. With unconfirmed messages the first attempt fails with a warning, and so does the
    /// next one after a key for something else or a further message.
    pub(in crate::client::screen) fn leave(&mut self, words: &str) -> Result<(), String> {
        let pending = self.pending();
        if pending > 0 && !std::mem::replace(&mut self.insists, true) {
            return Err(format!("{pending} messages unconfirmed; quit again to leave anyway"));
        }
        self.leaving = Some(words.to_owned());
        Ok(())
    }

    /// Quits on a key; see [`App::leave`].
    pub(in crate::client::screen) fn leave_by_key(&mut self) {
        if let Err(why) = self.leave("") {
            self.complain(&why);
        }
    }

    #[allow(clippy::too_many_lines)] // A table.
    fn do_it(&mut self, input: Input, models: Models<'_, '_>) -> Result<(), String> {
        let offline = |error: Offline| error.to_string();
        let nowhere = "no conversation open: /join #CHANNEL or /query NAME first";
        let server = self.here.as_ref().map_or(0, |(server, _)| *server);
        // The pending reply belongs to this conversation, and a command may switch to another one.
        let reply = self.buffer().and_then(|buffer| buffer.reply.clone());
        if let Input::Say(_) | Input::Act(_) | Input::Reply(_) = input {
            let buffer = self.buffer().ok_or(nowhere)?;
            if buffer.left {
                return Err(format!("you have left {}: /join {} rejoins", buffer.place, buffer.place));
            }
        }
        if let Input::Say(_) | Input::Act(_) | Input::Reply(_) | Input::Tell(..) = input
            && matches!(self.servers.get(server).map(|server| &server.state), Some(State::Ended(_)))
        {
            return Err("this server was given up; restart parlour to reconnect".to_owned());
        }
        let here = self.here.clone();
        self.check(&input, here.as_ref().map(|(_, place)| place))?;
        let Some(model) = models.get_mut(server) else { return Err(nowhere.to_owned()) };
        match input {
            Input::Nothing => {}
            Input::Say(text) => {
                let (server, place) = here.ok_or(nowhere)?;
                if let Some(buffer) = self.buffer_mut() {
                    buffer.reply = None;
                }
                self.say(server, &place, &text, reply.as_deref(), models);
                self.go_to_latest();
            }
            Input::Act(text) => {
                let (server, place) = here.ok_or(nowhere)?;
                self.act_out(server, &place, &text, models);
                self.go_to_latest();
            }
            Input::Tell(target, text) => {
                self.go((server, target.clone()));
                self.say(server, &target, &text, None, models);
            }
            Input::Switch(target) => {
                if let Target::Channel(channel) = &target
                    && !model.is_in(channel)
                {
                    return Err(format!("you are not in {channel}: /join {channel}"));
                }
                self.go((server, target));
            }
            Input::Join(channels) => {
                for channel in channels {
                    model.join(&channel);
                    self.go((server, Target::Channel(channel)));
                }
            }
            Input::Part(channel, words) => {
                let channel = channel_meant(channel, here.as_ref().map(|(_, place)| place))?;
                model.part(&channel, &words).map_err(offline)?;
                self.close(&(server, Target::Channel(channel)));
            }
            Input::Names(_) | Input::Members => {
                self.parts.members = Some(!crate::client::screen::view::Layout::of(self).has_members());
            }
            Input::Topic(channel, text) => {
                let channel = channel_meant(channel, here.as_ref().map(|(_, place)| place))?;
                if let Some(text) = text {
                    model.set_topic(&channel, &text).map_err(offline)?;
                } else {
                    let known = model.channels().find(|(name, _)| **name == channel);
                    let topic =
                        known.map(|(_, channel)| channel.topic.clone()).filter(|topic| !topic.is_empty());
                    self.hint(topic.as_deref().unwrap_or("no topic is set"));
                }
            }
            Input::Away(words) => {
                model.set_away(&words).map_err(offline)?;
                self.hint(if words.is_empty() {
                    "you are back"
                } else {
                    "you are away; /away alone brings you back"
                });
                self.servers[server].away = (!words.is_empty()).then_some(words);
            }
            Input::Whois(name) => model.command("WHOIS", &[&name], None).map_err(offline)?,
            Input::Invite(name, channel) => {
                let channel = channel_meant(channel, here.as_ref().map(|(_, place)| place))?;
                model.command("INVITE", &[&name, channel.as_str()], None).map_err(offline)?;
            }
            Input::Kick(channel, name, words) => {
                let channel = channel_meant(channel, here.as_ref().map(|(_, place)| place))?;
                let words = Some(words.as_str()).filter(|words| !words.is_empty());
                model.command("KICK", &[channel.as_str(), &name], words).map_err(offline)?;
            }
            Input::Mode(channel, change) => {
                let channel = channel_meant(channel, here.as_ref().map(|(_, place)| place))?;
                let args: Vec<&str> =
                    [channel.as_str()].into_iter().chain(change.split_whitespace()).collect();
                model.command("MODE", &args, None).map_err(offline)?;
            }
            Input::Search(words) => self.search(&words, models),
            Input::React(emoji) => self.react_with(&emoji, models)?,
            Input::Reply(text) => self.reply_with(&text, models),
            Input::Delete(why) => self.delete_last(&why, models)?,
            Input::Mute(on) => {
                let (_, place) = here.ok_or(nowhere)?;
                model.note(&place, "soju.im/muted", Some(if on { "1" } else { "0" })).map_err(offline)?;
                if let Some(buffer) = self.buffer_mut() {
                    buffer.muted = on;
                }
                self.hint(if on { "muted on all your devices" } else { "unmuted" });
            }
            Input::Theme(name) => {
                self.theme.ground = if name == "light" { Ground::Light } else { Ground::Dark };
            }
            Input::Close => {
                let spot = here.ok_or(nowhere)?;
                self.close(&spot);
            }
            Input::Quit(words) => self.leave(&words)?,
            Input::Help => self.overlay = Overlay::Help(0),
        }
        Ok(())
    }

    /// Checks a command for errors that are known beforehand.
    fn check(&self, input: &Input, here: Option<&Target>) -> Result<(), String> {
        match input {
            Input::Part(channel, _)
            | Input::Topic(channel, _)
            | Input::Invite(_, channel)
            | Input::Kick(channel, ..)
            | Input::Mode(channel, _) => channel_meant(channel.clone(), here).map(drop),
            Input::Close
                if !matches!(here, Some(Target::Person(_))) && !self.buffer().is_some_and(|b| b.left) =>
            {
                Err("you are in this channel; /part leaves it".to_owned())
            }
            Input::Theme(name) if name != "dark" && name != "light" => {
                Err("/theme dark, or /theme light".to_owned())
            }
            Input::Reply(_) if self.meant().is_none_or(|(_, entry, _)| entry.id.is_none()) => {
                Err("there is no message to reply to".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Sends a message, and shows it as unconfirmed.
    pub(in crate::client::screen) fn say(
        &mut self,
        server: usize,
        place: &Target,
        text: &str,
        reply: Option<&str>,
        models: Models<'_, '_>,
    ) {
        let Some(model) = models.get_mut(server) else { return };
        let sent = model.compose(place, text, reply);
        self.on_its_way(server, place, Kind::Text, reply, sent);
    }

    /// Sends a CTCP ACTION (`/me`), and shows it as unconfirmed.
    pub(in crate::client::screen) fn act_out(
        &mut self,
        server: usize,
        place: &Target,
        text: &str,
        models: Models<'_, '_>,
    ) {
        let Some(model) = models.get_mut(server) else { return };
        let tickets = model.say(place, Kind::Action, text);
        let sent = tickets.into_iter().map(|ticket| (ticket, text.to_owned())).collect();
        self.on_its_way(server, place, Kind::Action, None, sent);
    }

    fn on_its_way(
        &mut self,
        server: usize,
        place: &Target,
        kind: Kind,
        reply: Option<&str>,
        sent: Vec<(Ticket, String)>,
    ) {
        self.insists = false;
        if !self.servers.get(server).is_some_and(|server| server.state == State::Online) {
            self.effects.push(Effect::Hurry);
        }
        if let Some(buffer) = self.place(server, place) {
            let reply = reply.map(str::to_owned);
            buffer.outbox.extend(sent.into_iter().map(|(ticket, text)| Outgoing {
                ticket,
                kind,
                secret: hidden(place.as_str(), &text).is_some(),
                text: hidden(place.as_str(), &text).unwrap_or(text),
                reply: reply.clone(),
                failed: None,
            }));
        }
    }
}

fn channel_meant(channel: Option<ChannelName>, here: Option<&Target>) -> Result<ChannelName, String> {
    match (channel, here) {
        (Some(channel), _) => Ok(channel),
        (None, Some(Target::Channel(channel))) => Ok(channel.clone()),
        _ => Err("no channel given, and none is open".to_owned()),
    }
}
