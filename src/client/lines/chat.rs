//! Plain chat: lines in, lines out, for simple terminals, screen readers and pipes.

use std::future::Future;
use std::io::{self, Write};
use std::pin::pin;

use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::mpsc::Receiver;

use super::recent::Recent;
use super::render;
use crate::client::clean::clean;
use crate::client::connect::session::{Session, SessionError, Update};
use crate::client::input::query::Query;
use crate::client::input::{self, Input};
use crate::client::lines::output::Screen;
use crate::client::model::{Event, Kind, Offline, Said, Target, Ticket};
use crate::wire::{Cap, ChannelName};

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
    /// The chat was stopped while messages were unconfirmed.
    #[error("stopped with {0} messages unconfirmed; they may or may not have been delivered")]
    Unconfirmed(usize),
}

/// Limit of unconfirmed messages, above which no input is read. Enough to keep the connection busy, and bounds the
/// memory while it is down.
const WINDOW: usize = 64;

/// Limit of the results of a search.
const FOUND: usize = 50;

/// Plain chat on one session.
pub struct Plain<T, N> {
    session: Session,
    screen: Screen<T, N>,
    /// A person types. Otherwise a program does, which cannot react and is done at the end of its input.
    interactive: bool,
    target: Option<Target>,
    recent: Recent,
    /// Date of the last line that was shown.
    day: Date,
    ready: bool,
    /// Quit message, once the user or the end of the input ends the chat.
    leaving: Option<String>,
    last: Last,
    failures: usize,
}

/// State of the barrier after the last line of a program, whose reply comes behind all others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Unasked,
    /// Barrier in flight.
    Asked(Ticket),
    Answered,
}

impl<T: Write, N: Write> Plain<T, N> {
    /// Creates a plain chat. `interactive` is set if a person types.
    pub fn new(session: Session, screen: Screen<T, N>, interactive: bool) -> Self {
        let day = Timestamp::now().to_zoned(screen.zone.clone()).date();
        Self {
            session,
            screen,
            interactive,
            target: None,
            recent: Recent::default(),
            day,
            ready: false,
            leaving: None,
            last: Last::Unasked,
            failures: 0,
        }
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
            let open = self.ready && self.leaving.is_none() && self.session.model.pending() < WINDOW;
            tokio::select! {
                () = &mut stop => break true,
                update = self.session.next() => self.update(update?)?,
                line = input.recv(), if open => match line {
                    Some(line) => self.line(&line.map_err(PlainError::Input)?),
                    None => self.leave(String::new()),
                },
            }
        };
        let pending = self.session.model.pending();
        self.session.close(self.leaving.as_deref().unwrap_or_default()).await;
        match (stopped && pending > 0, self.failures) {
            (true, _) => Err(PlainError::Unconfirmed(pending)),
            (false, failures) if failures > 0 && !self.interactive => Err(PlainError::Failed(failures)),
            _ => Ok(()),
        }
    }

    fn leave(&mut self, words: String) {
        self.leaving = Some(words);
        let pending = self.session.model.pending();
        if self.interactive && pending > 0 {
            self.screen
                .note(&format!("waiting for the confirmation of {pending} messages; Ctrl-C quits now"));
        }
    }

    /// Returns whether all messages are confirmed and, for a program, all commands have their replies.
    fn is_done(&mut self) -> bool {
        if self.leaving.is_none() || !self.session.model.is_settled() {
            return false;
        }
        if self.last == Last::Unasked
            && let Ok(ticket) = self.session.model.barrier()
        {
            self.last = Last::Asked(ticket);
        }
        self.interactive || self.last == Last::Answered
    }

    fn update(&mut self, update: Update) -> io::Result<()> {
        self.screen.connection(&update, self.session.model.pending());
        let event = match update {
            Update::Event(event) => event,
            Update::Down { .. } => {
                if self.last != Last::Answered {
                    self.last = Last::Unasked;
                }
                return Ok(());
            }
            Update::Up => return Ok(()),
        };
        if let Some(day) =
            render::day(&event, &self.screen.zone).filter(|day| self.interactive && *day != self.day)
        {
            self.day = day;
            self.screen.note(&day.strftime("%A, %-d %B %Y").to_string());
        }
        self.screen.show(&event, &self.recent)?;
        match event {
            Event::Said(said) => {
                self.recent.add(&said);
                // A user who writes in a conversation has read it.
                if self.interactive && said.ticket.is_some() {
                    self.session.model.mark_read(&said.place, said.time);
                }
            }
            Event::Redacted { place, msgid, .. } => self.recent.remove(&place, &msgid),
            Event::Found(_, found) => self.found(&found)?,
            Event::NoHistory { reason, .. } => {
                self.failures += 1;
                self.screen.note(&clean(&format!("the search failed: {reason}")));
            }
            Event::Ready { .. } if !self.ready => {
                self.ready = true;
                if self.interactive && self.target.is_none() {
                    self.screen
                        .note("you have joined no channel: /join #lobby joins one, /query NAME opens a direct conversation");
                }
            }
            Event::Barrier(ticket) if self.last == Last::Asked(ticket) => self.last = Last::Answered,
            Event::Joined { channel, me: true, .. } if self.target.is_none() => {
                self.talk_in(Target::Channel(channel));
            }
            Event::Left { channel, me: true, .. } | Event::Dropped { channel } => self.lost(&channel),
            Event::JoinFailed { channel, .. } => {
                self.failures += 1;
                self.lost(&channel);
            }
            Event::Failed { .. } | Event::Error(_) => self.failures += 1,
            _ => {}
        }
        Ok(())
    }

    /// Handles the loss of a channel. If it was the current conversation, another joined channel becomes it.
    fn lost(&mut self, channel: &ChannelName) {
        if !matches!(&self.target, Some(Target::Channel(target)) if target == channel) {
            return;
        }
        self.target = None;
        let another =
            self.session.model.channels().map(|(name, _)| name.clone()).find(|name| name != channel);
        match another {
            Some(another) => self.talk_in(Target::Channel(another)),
            None if self.interactive => {
                self.screen.note("no current conversation: /join #CHANNEL or /query NAME");
            }
            None => {}
        }
    }

    fn talk_in(&mut self, target: Target) {
        if self.interactive && self.target.as_ref() != Some(&target) {
            let how = if matches!(target, Target::Person(_)) { "to" } else { "in" };
            self.screen.note(&format!("now talking {how} {target}"));
        }
        self.target = Some(target);
    }

    fn line(&mut self, line: &str) {
        if let Err(why) = input::parse(line).and_then(|input| self.act(input)) {
            self.failures += 1;
            self.screen.note(&clean(&why));
        }
    }

    /// Executes a line of input. The error is a text for the user.
    fn act(&mut self, input: Input) -> Result<(), String> {
        let offline = |error: Offline| error.to_string();
        let model = &mut self.session.model;
        match input {
            // The parser rejects the commands among these that belong to the full-screen client.
            Input::Nothing | Input::Mute(_) | Input::Theme(_) | Input::Close | Input::Members => {}
            Input::Say(text) => self.say(None, Kind::Text, &text)?,
            Input::Reply(text) => {
                let (target, to) = self.other()?;
                self.session.model.compose(&target, &text, Some(&to));
                self.note_if_offline();
            }
            Input::React(emoji) => {
                let (target, to) = self.other()?;
                self.session.model.react(&target, &to, &emoji, false).map_err(offline)?;
            }
            Input::Delete(why) => {
                let target = self.talk()?;
                let own = self.recent.last(&target, true);
                let own = own.ok_or("no recent message of yours to take back here")?;
                self.session.model.redact(&target, &own.id, &why).map_err(offline)?;
            }
            Input::Search(words) => self.search(&words)?,
            Input::Act(text) => self.say(None, Kind::Action, &text)?,
            Input::Tell(target, text) => self.say(Some(target), Kind::Text, &text)?,
            Input::Switch(Target::Channel(channel)) if !model.is_in(&channel) => {
                return Err(format!("you are not in {channel}: /join {channel}"));
            }
            Input::Switch(target) => self.talk_in(target),
            Input::Join(channels) => {
                for channel in channels {
                    self.session.model.join(&channel);
                    self.talk_in(Target::Channel(channel));
                }
            }
            Input::Part(channel, words) => {
                let channel = self.meant(channel)?;
                self.session.model.part(&channel, &words).map_err(offline)?;
            }
            Input::Names(channel) => {
                let channel = self.meant(channel)?;
                self.session.model.names(&channel).map_err(offline)?;
            }
            Input::Topic(channel, text) => {
                let channel = self.meant(channel)?;
                let model = &mut self.session.model;
                match text {
                    Some(text) => model.set_topic(&channel, &text).map_err(offline)?,
                    None => model.topic(&channel).map_err(offline)?,
                }
            }
            Input::Away(words) => model.set_away(&words).map_err(offline)?,
            Input::Whois(name) => model.command("WHOIS", &[&name], None).map_err(offline)?,
            Input::Invite(name, channel) => {
                let channel = self.meant(channel)?;
                let args = [name.as_str(), channel.as_str()];
                self.session.model.command("INVITE", &args, None).map_err(offline)?;
            }
            Input::Kick(channel, name, words) => {
                let channel = self.meant(channel)?;
                let args = [channel.as_str(), name.as_str()];
                let words = Some(words.as_str()).filter(|words| !words.is_empty());
                self.session.model.command("KICK", &args, words).map_err(offline)?;
            }
            Input::Mode(channel, change) => {
                let channel = self.meant(channel)?;
                let args: Vec<&str> =
                    [channel.as_str()].into_iter().chain(change.split_whitespace()).collect();
                self.session.model.command("MODE", &args, None).map_err(offline)?;
            }
            Input::Quit(words) => self.leave(words),
            Input::Help => input::help().for_each(|line| self.screen.note(&line)),
        }
        Ok(())
    }

    fn say(&mut self, target: Option<Target>, kind: Kind, text: &str) -> Result<(), String> {
        let target = target.map_or_else(|| self.talk(), Ok)?;
        self.session.model.say(&target, kind, text);
        self.note_if_offline();
        Ok(())
    }

    fn note_if_offline(&mut self) {
        if !self.session.model.is_online() {
            self.screen.note("not connected: the message will be sent after the reconnect");
        }
    }

    /// Returns the current conversation.
    fn talk(&self) -> Result<Target, &'static str> {
        self.target.clone().ok_or("no current conversation: /join #CHANNEL or /query NAME first")
    }

    /// Returns the current conversation, and the id of the last message of another account there.
    fn other(&self) -> Result<(Target, String), &'static str> {
        let target = self.talk()?;
        let last = self.recent.last(&target, false);
        let id = last.map(|brief| brief.id.clone()).ok_or("no recent message of others here")?;
        Ok((target, id))
    }

    fn search(&mut self, query: &str) -> Result<(), String> {
        let model = &mut self.session.model;
        let Query { words, place, from } = Query::parse(query);
        if words.is_empty() {
            return Err("/search needs search terms".to_owned());
        }
        if model.is_online() && !model.can(Cap::Search) {
            return Err("this server does not support search".to_owned());
        }
        let asked = model.search(&words, place.as_ref(), from.as_deref(), FOUND);
        asked.map(drop).map_err(|offline| offline.to_string())
    }

    fn found(&mut self, found: &[Said]) -> io::Result<()> {
        for said in found {
            let line = render::found(said, &self.screen.zone);
            self.screen.talk(&line)?;
        }
        self.screen.note(&match found.len() {
            0 => "no results".to_owned(),
            FOUND => format!("showing the latest {FOUND} results"),
            count => format!("{count} results"),
        });
        Ok(())
    }

    /// Returns the channel argument of a command, or else the current channel.
    fn meant(&self, channel: Option<ChannelName>) -> Result<ChannelName, String> {
        let here = || match &self.target {
            Some(Target::Channel(channel)) => Some(channel.clone()),
            _ => None,
        };
        channel
            .or_else(here)
            .ok_or_else(|| "no channel given, and none is the current conversation".to_owned())
    }
}
