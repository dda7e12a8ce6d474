//! Events of the server: what the plain chat shows of them, and what rings the bell.

use std::io::{self, Write};

use super::{FinalBarrier, MAX_RESULTS, PlainChat};
use crate::client::connect::session::SessionUpdate;
use crate::client::input::ignore::RefusedIgnore;
use crate::client::input::query::INCOMPLETE_SEARCH;
use crate::client::model::event::ServerEvent;
use crate::client::model::requests::ServerRequest;
use crate::client::model::{ChatMessage, Conversation, DISPLAY_NAME_KEY, Event, MUTED_KEY};
use crate::client::plain::navigation::Found;
use crate::client::plain::output::current_time;
use crate::client::plain::render::{self, Reader};
use crate::client::settings::BLOCKED_KEY;
use crate::client::settings::state::ConversationKey;
use crate::client::text::clean::clean;
use crate::client::text::count::counted;
use crate::wire::{ChannelName, Nick};

impl<T: Write, N: Write> PlainChat<T, N> {
    pub(super) fn handle_update(&mut self, update: SessionUpdate) -> io::Result<()> {
        if self.interactive && !self.ready {
            self.output.note_first_connection(&update);
        } else {
            self.output.note_connection(&update, self.session.model.unconfirmed_count());
        }
        let event = match update {
            SessionUpdate::Event(event) => event,
            SessionUpdate::Disconnected { .. } => {
                if let Some(failed) = self.finder.reset_connection() {
                    self.write_found(&failed)?;
                }
                if self.final_barrier != FinalBarrier::Replied {
                    self.final_barrier = FinalBarrier::NotSent;
                }
                return Ok(());
            }
            SessionUpdate::Connected => return Ok(()),
        };
        match event {
            Event::Message(message) if !self.ready => match self.unread.hold(message) {
                Some(message) => self.handle_event(Event::Message(message)),
                None => Ok(()),
            },
            Event::ReadMarker { conversation, time: Some(time) } if !self.ready => {
                self.unread.mark_read(conversation, time);
                Ok(())
            }
            Event::Ready { .. } if !self.ready => {
                self.show_unread()?;
                self.handle_event(event)
            }
            event => self.handle_event(event),
        }
    }

    /// Shows the unread messages that were replayed, one conversation after the other.
    fn show_unread(&mut self) -> io::Result<()> {
        let unread = self.unread.take();
        if unread.is_empty() && self.interactive {
            self.output.write_note("no unread messages");
        }
        for conversation in unread {
            if self.interactive {
                let heading = conversation.heading(&self.output.zone);
                self.output.write_note(&heading);
            }
            for message in conversation.messages {
                self.handle_event(Event::Message(message))?;
            }
        }
        Ok(())
    }

    pub(super) fn handle_event(&mut self, event: Event) -> io::Result<()> {
        if let Event::Ready { .. } = event {
            self.handle_ready();
        }
        if self.is_ignored(&event) {
            return Ok(());
        }
        let is_mention = matches!(&event, Event::Message(message) if self.is_mention(message));
        if let Some(day) = render::event_date(&event, &self.output.zone)
            .filter(|day| self.interactive && *day != self.last_date)
        {
            self.last_date = day;
            self.output.write_note(&day.strftime("%A, %-d %B %Y").to_string());
        }
        let is_mentioned = is_mention && self.interactive;
        let reader = Reader { me: self.session.model.me(), is_mentioned };
        self.output.write_event(&event, &self.recent, reader)?;
        if self.rings(&event, is_mention) {
            self.output.ring();
        }
        if self.show_found(&event)? {
            return Ok(());
        }
        match event {
            Event::Message(message) => {
                self.recent.add(&message);
                // A user who writes in a conversation has read it.
                let sends_marks = self.settings.values.send_read_marks;
                if self.interactive && message.ticket.is_some() && sends_marks {
                    self.session.model.set_read_marker(&message.conversation, message.time);
                }
            }
            Event::MonitorFull { nicks } => self.note_refused_watches(&nicks),
            Event::Presence { nick, online } => {
                if let Some(note) = self.settings.watched.handle_presence(&nick, online) {
                    self.output.write_note(&clean(&note.text));
                }
            }
            Event::Redacted { conversation, msgid, .. } => self.recent.remove(&conversation, &msgid),
            Event::SearchIncomplete(_) => self.output.write_note(INCOMPLETE_SEARCH),
            Event::SearchResults(_, found) => self.show_results(&found)?,
            Event::QueryFailed { reason, .. } => {
                self.failures += 1;
                self.output.write_note(&clean(&format!("the search failed: {reason}")));
            }
            Event::Metadata { target, key, value } if key == BLOCKED_KEY => {
                if let Ok(account) = Nick::parse_foreign(&target)
                    && let Err(error) = self.handle_blocked(&account, value.as_deref())
                {
                    self.output.write_note(&clean(&error));
                }
            }
            Event::Metadata { target, key, value } if key == MUTED_KEY => {
                if let Ok(conversation) = Conversation::parse(&target) {
                    self.attention.set_muted(conversation, value.as_deref() == Some("1"));
                }
            }
            Event::Ready { .. } if !self.ready => self.begin(),
            Event::Barrier(ticket) if self.final_barrier == FinalBarrier::Sent(ticket) => {
                self.final_barrier = FinalBarrier::Replied;
            }
            Event::Joined { channel, is_me: true, .. } if self.conversation.is_none() => {
                self.switch_to(Conversation::Channel(channel));
            }
            Event::Left { channel, is_me: true, .. } | Event::MembershipLost { channel } => {
                self.handle_channel_lost(&channel);
            }
            Event::NickChanged { old, new } => {
                let (from, to) = (Conversation::Direct(old), Conversation::Direct(new));
                if self.rename_conversation(&from, &to) {
                    self.conversation = Some(to);
                }
            }
            Event::ChannelRenamed { from, to, .. } => {
                let (from, to) = (Conversation::Channel(from), Conversation::Channel(to));
                if self.rename_conversation(&from, &to) {
                    self.switch_to(to);
                }
            }
            Event::JoinFailed { channel, .. } => {
                self.failures += 1;
                self.handle_channel_lost(&channel);
            }
            Event::Failed { target, text, .. } => self.handle_failed(&target, text),
            Event::Error(_) => self.failures += 1,
            Event::Motd(lines) if self.interactive => {
                self.output.write_note("message of the day:");
                for line in lines {
                    self.output.write_note(&format!("  {}", clean(&line)));
                }
            }
            Event::Answered { request, replies } => self.show_answer(&request, &replies)?,
            _ => {}
        }
        Ok(())
    }

    /// Begins the conversation, because the first login is complete.
    fn begin(&mut self) {
        self.ready = true;
        self.return_to_last_conversation();
        if self.interactive && self.conversation.is_none() {
            self.output.write_note(
                "you have joined no channel: /join #lobby joins one, /query NAME opens a direct conversation",
            );
        }
        self.handle_early_lines();
    }

    /// Keeps what is known about a conversation under its new name. Returns whether it is the current one.
    fn rename_conversation(&mut self, from: &Conversation, to: &Conversation) -> bool {
        self.attention.rename(from, to.clone());
        self.conversation.as_ref() == Some(from)
    }

    /// Handles the loss of a channel. If it was the current conversation, another joined channel becomes it.
    fn handle_channel_lost(&mut self, channel: &ChannelName) {
        if !matches!(&self.conversation, Some(Conversation::Channel(target)) if target == channel) {
            return;
        }
        self.conversation = None;
        let another =
            self.session.model.channels().map(|(name, _)| name.clone()).find(|name| name != channel);
        match another {
            Some(another) => self.switch_to(Conversation::Channel(another)),
            None if self.interactive => {
                self.output.write_note("no current conversation: /join #CHANNEL or /query NAME");
            }
            None => {}
        }
    }

    /// Keeps the text of a message that was not delivered, where the user can send it again.
    fn handle_failed(&mut self, target: &Conversation, text: String) {
        self.failures += 1;
        if !self.interactive {
            return;
        }
        if self.add_to_draft(target, text) {
            let next = if self.conversation.as_ref() == Some(target) {
                "/send-draft sends it".to_owned()
            } else {
                format!("/query {target} shows it")
            };
            self.output.write_note(&clean(&format!("its text is the draft of {target} now; {next}")));
        }
    }

    /// Tells the user of watched accounts that the server has no room for.
    fn note_refused_watches(&mut self, nicks: &[Nick]) {
        if let Some(text) = self.settings.watched.handle_refused(nicks) {
            self.failures += 1;
            self.output.write_note(&clean(&text));
        }
    }

    /// Takes note of whether the server lists an account as ignored. The error is a text for the user.
    fn handle_blocked(&mut self, account: &Nick, value: Option<&str>) -> Result<(), String> {
        if self.remembered.accepts_ignored(account, value, current_time())? {
            self.settings.handle_blocked(account, value)?;
        }
        Ok(())
    }

    /// Ends the decisions about ignored accounts that the server refused, and tells the user.
    pub(in crate::client::plain) fn handle_refused_ignores(
        &mut self,
        request: &ServerRequest,
        replies: &[ServerEvent],
    ) {
        let (refused, kept) = self.remembered.take_refused_ignores(request, replies, current_time());
        let mut notes: Vec<String> = kept.err().into_iter().collect();
        for RefusedIgnore { account, is_missing, notice } in refused {
            let forgotten = if is_missing { self.settings.set_ignored(&account, false) } else { Ok(()) };
            notes.extend(forgotten.err());
            notes.push(notice);
        }
        self.failures += notes.len();
        for note in notes {
            self.output.write_note(&clean(&note));
        }
    }

    /// Tells the server what the user has decided without a connection, and asks it for what they have set on other
    /// devices.
    fn handle_ready(&mut self) {
        self.remembered.send_ignores(&mut self.session.model);
        self.session.model.subscribe_metadata(&[BLOCKED_KEY, MUTED_KEY, DISPLAY_NAME_KEY]);
        self.settings.monitor_watched(&mut self.session.model, true);
        if !self.away.is_empty() {
            // AWAY belongs to a session, so a new one has to send it again.
            let _ = self.session.model.set_away(&self.away);
        }
        // It may have been renamed in case while there was no connection.
        if let Some(Conversation::Channel(current)) = &mut self.conversation
            && let Some((name, _)) = self.session.model.channels().find(|(name, _)| *name == current)
        {
            current.clone_from(name);
        }
        if self.interactive {
            let channels: Vec<ChannelName> =
                self.session.model.channels().map(|(name, _)| name.clone()).collect();
            for channel in channels {
                self.session.model.query_metadata(&Conversation::Channel(channel), MUTED_KEY);
            }
            if let Some(me) = self.session.model.me().cloned() {
                self.session.model.query_metadata(&Conversation::Direct(me), DISPLAY_NAME_KEY);
            }
        }
    }

    /// Returns to the conversation of the last run, and tells of drafts.
    fn return_to_last_conversation(&mut self) {
        let before = self.conversation.clone();
        match self.remembered.take_last() {
            Some(Conversation::Channel(channel)) if !self.session.model.is_in(&channel) => {}
            Some(last) => self.switch_to(last),
            None => {}
        }
        if let Some(current) = self.conversation.clone().filter(|_| self.conversation == before) {
            self.note_draft(&current);
        }
        let others = self.remembered.drafted().filter(|drafted| Some(*drafted) != self.conversation.as_ref());
        let others: Vec<&str> = others.map(Conversation::as_str).collect();
        if !others.is_empty() {
            let text = format!("you have drafts in {}; /query NAME opens one", others.join(", "));
            self.output.write_note(&clean(&text));
        }
    }

    /// Returns whether an event is of an account that the user ignores.
    fn is_ignored(&self, event: &Event) -> bool {
        match event {
            Event::Message(message) => !message.mine && self.settings.ignores(&message.from),
            Event::Reaction { from, mine, .. } => !mine && self.settings.ignores(from),
            Event::Invited { by, .. } => Nick::parse_foreign(by).is_ok_and(|by| self.settings.ignores(&by)),
            _ => false,
        }
    }

    fn is_mention(&self, message: &ChatMessage) -> bool {
        let answered = message.reply_to.as_deref();
        let answers_user = answered.is_some_and(|id| self.recent.is_own(&message.conversation, id));
        self.attention.is_mention(message, self.session.model.me(), answers_user)
    }

    /// Returns whether a new event rings the bell.
    fn rings(&self, event: &Event, is_mention: bool) -> bool {
        let settings = &self.settings.values;
        let rings = match event {
            Event::Message(message) => {
                let (server, conversation) = (self.settings.server.clone(), message.conversation.clone());
                let key = ConversationKey { server, conversation };
                self.attention.rings(message, &key, is_mention, settings, current_time())
            }
            Event::Invited { .. } => self.attention.is_bell_on(settings, current_time()),
            _ => false,
        };
        rings && self.ready && self.interactive
    }

    /// Shows the result of a command that finds something. Returns whether the event was one.
    fn show_found(&mut self, event: &Event) -> io::Result<bool> {
        let (is_result, found) = self.finder.take(event, &mut self.session.model, &self.output.zone);
        if let Some(found) = found {
            self.write_found(&found)?;
        }
        Ok(is_result)
    }

    pub(super) fn write_found(&mut self, found: &Found) -> io::Result<()> {
        for line in &found.lines {
            self.output.write_message(line)?;
        }
        self.output.write_note(&found.note);
        self.failures += usize::from(found.failed);
        Ok(())
    }

    fn show_results(&mut self, found: &[ChatMessage]) -> io::Result<()> {
        for message in found {
            let line = render::render_result(message, &self.output.zone);
            self.output.write_message(&line)?;
        }
        self.output.write_note(&match found.len() {
            0 => "no results".to_owned(),
            MAX_RESULTS => format!("showing the latest {MAX_RESULTS} results"),
            count => counted(count, "result"),
        });
        Ok(())
    }
}
