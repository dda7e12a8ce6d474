//! Plain chat: lines in, lines out, for simple terminals, screen readers and pipes.

mod commands;

use std::future::Future;
use std::io::{self, Write};
use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::mpsc::Receiver;

use super::navigation::{Finder, Found};
use super::recent::RecentMessages;
use super::render;
use super::settings::PlainSettings;
use super::unread::UnreadMessages;
use crate::client::connect::session::{Session, SessionError, SessionUpdate};
use crate::client::input;
use crate::client::input::confirm::Confirmation;
use crate::client::input::execute::{Client, execute};
use crate::client::input::held_redactions::HeldRedactions;
use crate::client::input::query::SearchQuery;
use crate::client::input::settings::SettingsClient;
use crate::client::model::{ChatMessage, Conversation, Event, Ticket};
use crate::client::plain::output::{PlainOutput, current_time};
use crate::client::settings::state::ConversationKey;
use crate::client::settings::{BLOCKED_KEY, Settings};
use crate::client::text::clean::clean;
use crate::wire::{Cap, ChannelName, Nick};

/// Error that ends the plain chat.
#[derive(Debug, thiserror::Error)]
pub enum PlainError {
    /// The session has ended.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Standard input cannot be read.
    #[error("cannot read the input: {0}")]
    Input(io::Error),
    /// Standard output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// Some lines from a pipe failed; each failure was noted.
    #[error("{0} lines of input failed, see above")]
    Failed(usize),
    /// The plain chat was stopped while messages were unconfirmed.
    #[error("stopped with {0} messages unconfirmed; they may or may not have been delivered")]
    Unconfirmed(usize),
}

/// Limit of unconfirmed messages, above which no input is read. Enough to keep the connection busy, and bounds the
/// memory while it is down.
const MAX_UNCONFIRMED: usize = 64;

/// Limit of the results of a search.
const MAX_RESULTS: usize = 50;

/// Plain chat on one session.
pub struct PlainChat<T, N> {
    pub(super) session: Session,
    pub(super) output: PlainOutput<T, N>,
    /// The user types. Otherwise a program does, which cannot react and is done at the end of its input.
    pub(super) interactive: bool,
    conversation: Option<Conversation>,
    recent: RecentMessages,
    /// Messages that the server replays before the login is complete.
    unread: UnreadMessages,
    /// Date of the last line that was shown.
    last_date: Date,
    ready: bool,
    /// Quit message, once the user or the end of the input ends the plain chat.
    quit_message: Option<String>,
    final_barrier: FinalBarrier,
    pub(super) failures: usize,
    /// Question that the next line answers.
    pub(super) question: Option<Confirmation>,
    /// Redactions of own messages that can still be undone.
    pub(super) held: HeldRedactions,
    settings: PlainSettings,
    finder: Finder,
}

/// State of the barrier after the last line of a program, whose reply comes behind all others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FinalBarrier {
    NotSent,
    /// Barrier in flight.
    Sent(Ticket),
    Replied,
}

impl<T: Write, N: Write> PlainChat<T, N> {
    /// Creates a plain chat. `interactive` is set if the user types.
    pub fn new(session: Session, output: PlainOutput<T, N>, interactive: bool) -> Self {
        let last_date = Timestamp::now().to_zoned(output.zone.clone()).date();
        Self {
            session,
            output,
            interactive,
            conversation: None,
            recent: RecentMessages::default(),
            unread: UnreadMessages::default(),
            last_date,
            ready: false,
            quit_message: None,
            final_barrier: FinalBarrier::NotSent,
            failures: 0,
            question: None,
            held: HeldRedactions::default(),
            settings: PlainSettings::default(),
            finder: Finder::default(),
        }
    }

    /// Takes over settings. Changes are saved to their file.
    #[must_use]
    pub fn with_settings(mut self, settings: PlainSettings) -> Self {
        self.output.time_format = settings.values.time_format.clone();
        self.settings = settings;
        self
    }

    /// Runs until `/quit`, the end of the input or `stop`. Waits for the confirmation of all messages, except after
    /// `stop`.
    pub async fn run(
        mut self,
        mut input: Receiver<io::Result<String>>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), PlainError> {
        let mut stop = pin!(stop);
        let stopped = loop {
            if self.is_done() {
                break false;
            }
            let open = self.ready
                && self.quit_message.is_none()
                && self.session.model.unconfirmed_count() < MAX_UNCONFIRMED;
            // While there is no connection, its return is the next event.
            let due = self.held.next_due().filter(|_| self.session.model.is_online());
            let wait = due.map(|due| Duration::from_millis(due.0.saturating_sub(current_time().0)));
            tokio::select! {
                () = &mut stop => break true,
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => self.send_due_redactions(),
                update = self.session.next_update() => self.handle_update(update?)?,
                line = input.recv(), if open => match line {
                    Some(line) => self.handle_line(&line.map_err(PlainError::Input)?),
                    None => self.quit(String::new()),
                },
            }
        };
        self.send_held_redactions();
        let pending = self.session.model.unconfirmed_count();
        self.session.close(self.quit_message.as_deref().unwrap_or_default()).await;
        match (stopped && pending > 0, self.failures) {
            (true, _) => Err(PlainError::Unconfirmed(pending)),
            (false, failures) if failures > 0 && !self.interactive => Err(PlainError::Failed(failures)),
            _ => Ok(()),
        }
    }

    fn quit(&mut self, message: String) {
        self.drop_question();
        self.send_held_redactions();
        self.quit_message = Some(message);
        let pending = self.session.model.unconfirmed_count();
        if self.interactive && pending > 0 {
            self.output
                .write_note(&format!("waiting for the confirmation of {pending} messages; Ctrl-C quits now"));
        }
    }

    /// Returns whether all messages are confirmed and, for a program, all commands have their replies.
    fn is_done(&mut self) -> bool {
        if self.quit_message.is_none() || !self.session.model.is_idle() {
            return false;
        }
        if self.final_barrier == FinalBarrier::NotSent
            && let Ok(ticket) = self.session.model.send_barrier()
        {
            self.final_barrier = FinalBarrier::Sent(ticket);
        }
        self.interactive || self.final_barrier == FinalBarrier::Replied
    }

    fn handle_update(&mut self, update: SessionUpdate) -> io::Result<()> {
        self.output.note_connection(&update, self.session.model.unconfirmed_count());
        let event = match update {
            SessionUpdate::Event(event) => event,
            SessionUpdate::Disconnected { .. } => {
                self.finder.reset_connection();
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

    fn handle_event(&mut self, event: Event) -> io::Result<()> {
        if let Event::Ready { .. } = event {
            self.session.model.subscribe_metadata(&[BLOCKED_KEY]);
            self.settings.monitor_watched(&mut self.session.model, true);
        }
        if matches!(&event, Event::Message(message) if !message.mine && self.settings.ignores(&message.from))
        {
            return Ok(());
        }
        if let Some(day) = render::event_date(&event, &self.output.zone)
            .filter(|day| self.interactive && *day != self.last_date)
        {
            self.last_date = day;
            self.output.write_note(&day.strftime("%A, %-d %B %Y").to_string());
        }
        self.output.write_event(&event, &self.recent)?;
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
            Event::Presence { nick, online } => {
                if let Some(text) = self.settings.watched.handle_presence(&nick, online) {
                    self.output.write_note(&clean(&text));
                }
            }
            Event::Redacted { conversation, msgid, .. } => self.recent.remove(&conversation, &msgid),
            Event::SearchResults(_, found) => self.show_results(&found)?,
            Event::QueryFailed { reason, .. } => {
                self.failures += 1;
                self.output.write_note(&clean(&format!("the search failed: {reason}")));
            }
            Event::Metadata { target, key, value } if key == BLOCKED_KEY => {
                if let Ok(account) = Nick::parse_foreign(&target)
                    && let Err(error) = self.settings.handle_blocked(&account, value.as_deref())
                {
                    self.output.write_note(&clean(&error));
                }
            }
            Event::Ready { .. } if !self.ready => {
                self.ready = true;
                if self.interactive && self.conversation.is_none() {
                    self.output
                        .write_note("you have joined no channel: /join #lobby joins one, /query NAME opens a direct conversation");
                }
            }
            Event::Barrier(ticket) if self.final_barrier == FinalBarrier::Sent(ticket) => {
                self.final_barrier = FinalBarrier::Replied;
            }
            Event::Joined { channel, is_me: true, .. } if self.conversation.is_none() => {
                self.switch_to(Conversation::Channel(channel));
            }
            Event::Left { channel, is_me: true, .. } | Event::MembershipLost { channel } => {
                self.handle_channel_lost(&channel);
            }
            Event::JoinFailed { channel, .. } => {
                self.failures += 1;
                self.handle_channel_lost(&channel);
            }
            Event::Failed { .. } | Event::Error(_) => self.failures += 1,
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

    fn switch_to(&mut self, target: Conversation) {
        if self.interactive && self.conversation.as_ref() != Some(&target) {
            let preposition = if matches!(target, Conversation::Direct(_)) { "to" } else { "in" };
            self.output.write_note(&format!("now talking {preposition} {target}"));
        }
        self.conversation = Some(target);
    }

    fn handle_line(&mut self, line: &str) {
        if self.answer_question(line) {
            return;
        }
        if let Err(error) = input::parse_for_plain(line).and_then(|input| execute(input, self)) {
            self.failures += 1;
            self.output.write_note(&clean(&error));
        }
    }

    fn note_if_offline(&mut self) {
        if !self.session.model.is_online() {
            self.output.write_note("not connected: the message will be sent after the reconnect");
        }
    }

    /// Returns the current conversation.
    fn current_conversation(&self) -> Result<Conversation, &'static str> {
        self.conversation.clone().ok_or(Self::NO_CONVERSATION)
    }

    /// Returns the current conversation, and the id of the last message of another account there.
    fn last_foreign_message(&self) -> Result<(Conversation, String), &'static str> {
        let target = self.current_conversation()?;
        let last = self.recent.find_last(&target, false);
        let id = last.map(|brief| brief.id.clone()).ok_or("no recent message of others here")?;
        Ok((target, id))
    }

    fn search(&mut self, terms: &str) -> Result<(), String> {
        let model = &mut self.session.model;
        let SearchQuery { terms, conversation, from } = SearchQuery::parse(terms);
        if terms.is_empty() {
            return Err("/search needs search terms".to_owned());
        }
        if model.is_online() && !model.has_cap(Cap::Search) {
            return Err("this server does not support search".to_owned());
        }
        let ticket = model.query_search(&terms, conversation.as_ref(), from.as_deref(), MAX_RESULTS);
        ticket.map(drop).map_err(|offline| offline.to_string())
    }

    /// Shows the result of a command that finds something. Returns whether the event was one.
    fn show_found(&mut self, event: &Event) -> io::Result<bool> {
        let (is_result, found) = self.finder.take(event, &mut self.session.model, &self.output.zone);
        if let Some(found) = found {
            self.write_found(&found)?;
        }
        Ok(is_result)
    }

    fn write_found(&mut self, found: &Found) -> io::Result<()> {
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
            count => format!("{count} results"),
        });
        Ok(())
    }
}

impl<T: Write, N: Write> SettingsClient for PlainChat<T, N> {
    fn settings(&self) -> &Settings {
        &self.settings.values
    }

    fn change_setting(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.settings.change(name, value)?;
        self.output.time_format = self.settings.values.time_format.clone();
        self.settings.monitor_watched(&mut self.session.model, false);
        Ok(())
    }

    fn list_settings(&mut self) {
        for line in self.settings.list() {
            self.output.write_note(&line);
        }
    }

    fn say(&mut self, text: &str) {
        self.output.write_note(&clean(text));
    }

    fn set_ignored(&mut self, account: &Nick, ignored: bool) -> Result<bool, String> {
        self.settings.set_ignored(account, ignored)?;
        let model = &mut self.session.model;
        let value = Some(if ignored { "1" } else { "0" });
        let conversation = Conversation::Direct(account.clone());
        Ok(model.has_cap(Cap::Metadata) && model.set_metadata(&conversation, BLOCKED_KEY, value).is_ok())
    }

    fn ignored(&self) -> Vec<Nick> {
        self.settings.ignored()
    }

    fn own_nick(&self) -> Option<Nick> {
        self.session.model.me().cloned()
    }

    fn current_key(&self) -> Result<ConversationKey, String> {
        let server = self.settings.server.clone();
        Ok(ConversationKey { server, conversation: self.current_conversation()? })
    }
}
