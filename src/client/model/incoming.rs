//! Handling of lines from the server, one at a time.

use super::asks::BY_THE_WAY;
use super::batches::Closed;
use super::elsewhere::HANDLED;
use super::event::{Event, Page, Said, Ticket};
use super::heard::Heard;
use super::past::{self, time};
use super::{Line, Model};
use crate::wire::numeric::{self, Numeric};
use crate::wire::{Cap, ChannelName, Message, Millis, Nick};

impl Model {
    /// Handles a line from the server that arrived at `now`.
    pub fn handle(&mut self, line: &Message<'_>, now: Millis) {
        let before = self.sends.len();
        self.take(line, now);
        // Each reply makes room for more messages.
        if self.sends.len() < before {
            self.write_sends();
        }
    }

    fn take(&mut self, line: &Message<'_>, now: Millis) {
        if self.tapped {
            self.events.push_back(Event::Line(Box::new(Heard::new(line, now))));
        }
        if let Some(batch) = line.tags.get("batch")
            && self.batches.keep(&batch, line, self.me.as_ref(), now)
        {
            return;
        }
        let label = self.label(line);
        if let Ok(code) = line.command.parse() {
            return self.numeric(Numeric(code), line, label.as_deref(), now);
        }
        // Malformed lines are ignored.
        let _: Option<()> = match line.command.to_ascii_uppercase().as_str() {
            "PING" => {
                self.write(Line::new("PONG").text(line.param(0).unwrap_or_default()));
                Some(())
            }
            "PONG" => self.pong(line, now),
            "PRIVMSG" | "NOTICE" => self.said(line, label.as_deref(), now),
            "JOIN" => self.joined(line, now),
            "PART" | "KICK" => self.left(line, now),
            "QUIT" => self.has_quit(line, now),
            "NICK" => self.renamed(line),
            "TOPIC" => self.topic_set(line, now),
            "BATCH" => self.batch(line, now),
            "ACK" if !self.caps.has(Cap::EchoMessage) => self.acknowledged(label.as_deref(), now),
            "ACK" => self.refused(label.as_deref(), "the server did not confirm it", false),
            "MODE" => self.mode(line, now),
            "AWAY" => self.away(line),
            "MARKREAD" => self.marker_line(line),
            "METADATA" => self.noted_line(line, 0),
            "RENAME" => self.channel_renamed(line, now),
            "INVITE" => self.invited(line),
            "TAGMSG" | "REDACT" => {
                let event = past::event(line, self.me.as_ref(), now);
                self.events.extend(event);
                Some(())
            }
            "FAIL" => self.fail(line, label.as_deref()),
            "WARN" | "NOTE" => {
                self.events.push_back(Event::Info(texts(line, 2)));
                Some(())
            }
            "ERROR" => {
                self.events.push_back(Event::Closing(line.param(0).unwrap_or_default().to_owned()));
                Some(())
            }
            // CAP, and everything else that the client did not ask for.
            _ => None,
        };
    }

    /// Returns the label of the command that this line replies to: its own, or that of the batch it is in.
    fn label(&self, line: &Message<'_>) -> Option<String> {
        match line.tags.get("label") {
            Some(label) => Some(label.into_owned()),
            None => self.batches.label(line.tags.get("batch")?.as_ref()),
        }
    }

    fn batch(&mut self, line: &Message<'_>, now: Millis) -> Option<()> {
        let reference = line.param(0)?;
        if let Some(reference) = reference.strip_prefix('+') {
            self.batches.open(reference, line, self.me.as_ref(), now);
            return Some(());
        }
        let closed = self.batches.close(reference.strip_prefix('-')?)?;
        let ticket = closed.label.as_deref().and_then(|label| label.parse().ok()).map(Ticket);
        match closed.what {
            Closed::Other => return None,
            Closed::Said(said) => self.tell(*said, closed.label.as_deref()),
            Closed::History { place, events, lines, bytes, ends } => {
                let ticket = self.asks.take(ticket?)?;
                self.events.push_back(Event::History(Page { ticket, place, events, lines, bytes, ends }));
            }
            Closed::Found(found) => self.events.push_back(Event::Found(self.asks.take(ticket?)?, found)),
            Closed::Targets(targets) => {
                self.events.push_back(Event::Targets(self.asks.take(ticket?)?, targets));
            }
        }
        Some(())
    }

    fn pong(&mut self, line: &Message<'_>, now: Millis) -> Option<()> {
        let word = line.params().last()?;
        if let Some(last) = word.strip_prefix(HANDLED) {
            return self.handled(last, now);
        }
        let ticket = Ticket(word.parse().ok()?);
        if self.first_barrier != Some(ticket) {
            self.events.push_back(Event::Barrier(ticket));
            return Some(());
        }
        self.first_barrier = None;
        self.ready = true;
        for channel in self.channels.drop_stale() {
            self.events.push_back(Event::Dropped { channel });
        }
        self.events.push_back(Event::Ready { again: self.been_ready });
        self.been_ready = true;
        Some(())
    }

    fn said(&mut self, line: &Message<'_>, label: Option<&str>, now: Millis) -> Option<()> {
        let text = line.param(1)?;
        if line.source.is_none_or(|source| !source.contains('!')) {
            self.events.push_back(Event::Info(text.to_owned()));
            return Some(());
        }
        let said = past::said(line, text.to_owned(), self.me.as_ref(), now)?;
        if said.mine {
            self.source = line.source.map(str::to_owned);
        }
        self.tell(said, label);
        Some(())
    }

    /// Makes the events of a message that was sent just now, and confirms it if it is this session's.
    fn tell(&mut self, mut said: Said, label: Option<&str>) {
        let mut confirmed = label.filter(|_| said.mine).and_then(|label| self.sends.answered(label));
        if said.mine && !self.caps.has(Cap::LabeledResponse) {
            confirmed = self.sends.echoed(&said);
        }
        said.ticket = confirmed.as_ref().map(|pending| pending.ticket);
        if said.msgid.as_deref().is_none_or(|id| self.seen.first_time(id)) {
            self.events.push_back(Event::Said(said));
        }
        self.events.extend(confirmed.map(|pending| Event::Confirmed(pending.ticket)));
    }

    fn joined(&mut self, line: &Message<'_>, now: Millis) -> Option<()> {
        let channel = ChannelName::heard(line.param(0)?).ok()?;
        let who = Nick::heard(line.nick()?).ok()?;
        let me = self.me.as_ref() == Some(&who);
        if me {
            self.source = line.source.filter(|source| source.contains('!')).map(str::to_owned);
            if !self.channels.entered(&channel) {
                return Some(());
            }
        } else {
            self.channels.came(&channel, who.clone())?;
        }
        self.events.push_back(Event::Joined { channel, who, me, time: time(line, now) });
        Some(())
    }

    fn left(&mut self, line: &Message<'_>, now: Millis) -> Option<()> {
        let channel = ChannelName::heard(line.param(0)?).ok()?;
        let source = line.nick()?;
        let kicked = line.command.eq_ignore_ascii_case("KICK");
        let who = Nick::heard(if kicked { line.param(1)? } else { source }).ok()?;
        let me = self.me.as_ref() == Some(&who);
        if me {
            self.channels.joined.remove(&channel);
        } else {
            self.channels.joined.get_mut(&channel)?.members.remove(&who);
        }
        let by = kicked.then(|| source.to_owned());
        let reason = line.param(if kicked { 2 } else { 1 }).unwrap_or_default().to_owned();
        self.events.push_back(Event::Left { channel, who, me, by, reason, time: time(line, now) });
        Some(())
    }

    fn has_quit(&mut self, line: &Message<'_>, now: Millis) -> Option<()> {
        let who = Nick::heard(line.nick()?).ok()?;
        let joined = self.channels.joined.iter_mut();
        let left = joined.filter_map(|(name, channel)| channel.members.remove(&who).map(|_| name.clone()));
        let channels = left.collect();
        let reason = line.param(0).unwrap_or_default().to_owned();
        self.events.push_back(Event::Quit { who, channels, reason, time: time(line, now) });
        Some(())
    }

    fn renamed(&mut self, line: &Message<'_>) -> Option<()> {
        let (old, new) = (Nick::heard(line.nick()?).ok()?, Nick::heard(line.param(0)?).ok()?);
        for channel in self.channels.joined.values_mut() {
            if let Some(rank) = channel.members.remove(&old) {
                channel.members.insert(new.clone(), rank);
            }
        }
        self.events.push_back(Event::Info(format!("{old} is now {new}")));
        if self.me.as_ref() == Some(&old) {
            self.me = Some(new);
        }
        Some(())
    }

    fn topic_set(&mut self, line: &Message<'_>, now: Millis) -> Option<()> {
        let channel = ChannelName::heard(line.param(0)?).ok()?;
        let text = line.param(1).unwrap_or_default().to_owned();
        self.channels.topic_is(&channel, &text);
        let by = line.nick().map(str::to_owned);
        self.events.push_back(Event::Topic { channel, by, text, time: time(line, now) });
        Some(())
    }

    /// Fails the message or query with this label. `temporary` is set if a query may succeed later.
    fn refused(&mut self, label: Option<&str>, reason: &str, temporary: bool) -> Option<()> {
        if label == Some(BY_THE_WAY) {
            return Some(());
        }
        if let Some(ticket) = self.asks.take(Ticket(label?.parse().unwrap_or(0))) {
            self.events.push_back(Event::NoHistory { ticket, reason: reason.to_owned(), temporary });
            return Some(());
        }
        let pending = self.sends.answered(label?)?;
        let reason = reason.to_owned();
        self.events.push_back(Event::Failed { ticket: pending.ticket, target: pending.target, reason });
        Some(())
    }

    fn join_refused(&mut self, line: &Message<'_>, context: usize, reason: &str) -> Option<()> {
        let channel = ChannelName::heard(line.param(context)?).ok()?;
        self.channels.wanted.take(&channel)?;
        self.events.push_back(Event::JoinFailed { channel, reason: reason.to_owned() });
        Some(())
    }

    /// Handles `FAIL <command> <code> [<context>...] <description>`.
    fn fail(&mut self, line: &Message<'_>, label: Option<&str>) -> Option<()> {
        let reason = line.params().last()?.to_string();
        let told = self
            .refused(label, &reason, line.param(1).is_some_and(is_temporary))
            .or_else(|| self.refused_elsewhere(line, 2, &reason))
            .or_else(|| self.join_refused(line, 2, &reason));
        if told.is_none() {
            self.events.push_back(Event::Error(texts(line, 2)));
        }
        Some(())
    }

    fn numeric(&mut self, code: Numeric, line: &Message<'_>, label: Option<&str>, now: Millis) {
        let channel = |index: usize| line.param(index).and_then(|name| ChannelName::heard(name).ok());
        match code {
            numeric::RPL_ISUPPORT => {
                line.params().iter().skip(1).for_each(|token| self.server.token(token));
                self.batches.by_time = !self.server.ids;
            }
            numeric::RPL_NAMREPLY => {
                if let Some(channel) = channel(2) {
                    self.channels.some_names(channel, line.param(3).unwrap_or_default());
                }
            }
            numeric::RPL_ENDOFNAMES => {
                if let Some(channel) = channel(1)
                    && let Some(names) = self.channels.names_ended(&channel, &self.server)
                {
                    self.events.push_back(Event::Names { channel, names });
                }
            }
            numeric::RPL_TOPIC | numeric::RPL_NOTOPIC => {
                let text =
                    line.param(2).filter(|_| code == numeric::RPL_TOPIC).unwrap_or_default().to_owned();
                if let Some(channel) = channel(1)
                    && self.channels.topic_is(&channel, &text)
                {
                    self.events.push_back(Event::Topic { channel, by: None, text, time: time(line, now) });
                }
            }
            // Away status of an account (352, `RPL_WHOREPLY`; 301, `RPL_AWAY`).
            Numeric(352) => self.who_line(line),
            Numeric(301) => {
                let words = line.param(2).map(str::to_owned);
                // Without `away-notify` the user sees the away message when they write to the account.
                if !self.caps.has(Cap::AwayNotify) {
                    self.events.push_back(Event::Info(texts(line, 1)));
                } else if let Some(who) = line.param(1).and_then(|nick| Nick::heard(nick).ok()) {
                    self.is_away(who, words);
                }
            }
            // MONITOR: nicks that went online (730) or offline (731).
            Numeric(code @ (730 | 731)) => {
                for who in line.param(1).unwrap_or_default().split(',') {
                    if let Ok(who) = Nick::heard(who.split('!').next().unwrap_or_default()) {
                        self.events.push_back(Event::Online { who, here: code == 730 });
                    }
                }
            }
            // METADATA: a value (761), or none (766).
            Numeric(761 | 766) => {
                self.noted_line(line, 1);
            }
            // This account is back (305) or away (306).
            Numeric(305 | 306) => {
                if let Some(me) = self.me.clone() {
                    let words = (code.0 == 306).then(|| self.away_words.clone());
                    self.is_away(me, words);
                }
            }
            // Background commands have no visible refusal.
            Numeric(421) if line.param(1) == Some("MONITOR") => {}
            // Replies without news for the user: ends of lists, the channel's modes and age, the setter of the topic, a
            // missing MOTD, echoes of MONITOR and METADATA subscriptions.
            Numeric(315 | 324 | 329 | 333 | 422 | 732..=734 | 770..=774) => {}
            Numeric(400..=599) => {
                let reason = line.params().last().copied().unwrap_or_default();
                let told = self
                    .refused(label, reason, false)
                    .or_else(|| self.refused_elsewhere(line, 1, reason))
                    .or_else(|| self.join_refused(line, 1, reason));
                if told.is_none() {
                    self.events.push_back(Event::Error(texts(line, 1)));
                }
            }
            // The numerics of the welcome are not shown. Later ones reply to the user.
            _ if self.ready => self.events.push_back(Event::Info(texts(line, 1))),
            _ => {}
        }
    }
}

/// Returns whether a `FAIL` with this code may not come again for the same command: not one for the command's form or
/// for what it names, but a rate limit or a disturbance of the server
/// ([standard replies](https://ircv3.net/specs/extensions/standard-replies)).
fn is_temporary(code: &str) -> bool {
    !code.starts_with("INVALID_")
        && !["NEED_MORE_PARAMS", "UNKNOWN_COMMAND", "UNKNOWN_MSGID", "ACCOUNT_REQUIRED"].contains(&code)
}

/// Joins the parameters from `first` on to a sentence: the context, then the description.
fn texts(line: &Message<'_>, first: usize) -> String {
    match line.params().get(first..) {
        Some([about @ .., text]) if !about.is_empty() => format!("{}: {text}", about.join(" ")),
        Some([text]) => (*text).to_owned(),
        _ => String::new(),
    }
}
