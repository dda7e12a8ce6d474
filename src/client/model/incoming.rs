//! Handling of lines from the server, one at a time.

use super::batches::ClosedContent;
use super::confirmation::CONFIRM_PING_PREFIX;
use super::event::{ChatMessage, Event, HistoryPage, Ticket};
use super::event_parser::{self, line_time};
use super::queries::BACKGROUND_LABEL;
use super::received_line::ReceivedLine;
use super::{Line, Model};
use crate::wire::numeric::{self, Numeric};
use crate::wire::{Cap, ChannelName, Message, Nick, Timestamp};

impl Model {
    /// Handles a line from the server that arrived at `now`.
    pub fn handle(&mut self, line: &Message<'_>, now: Timestamp) {
        let count_before = self.unconfirmed.len();
        self.handle_line(line, now);
        // Each reply makes room for more messages.
        if self.unconfirmed.len() < count_before {
            self.write_unconfirmed();
        }
    }

    fn handle_line(&mut self, line: &Message<'_>, now: Timestamp) {
        if self.emits_raw_lines {
            self.events.push_back(Event::RawLine(Box::new(ReceivedLine::new(line, now))));
        }
        if let Some(batch) = line.tags.get("batch")
            && self.batches.add_line(&batch, line, self.me.as_ref(), now)
        {
            return;
        }
        let label = self.reply_label(line);
        if let Ok(code) = line.command.parse() {
            return self.handle_numeric(Numeric(code), line, label.as_deref(), now);
        }
        // Malformed lines are ignored.
        let _: Option<()> = match line.command.to_ascii_uppercase().as_str() {
            "PING" => {
                self.write_line(Line::new("PONG").trailing(line.param(0).unwrap_or_default()));
                Some(())
            }
            "PONG" => self.handle_pong(line, now),
            "PRIVMSG" | "NOTICE" => self.handle_message(line, label.as_deref(), now),
            "JOIN" => self.handle_join(line, now),
            "PART" | "KICK" => self.handle_part_or_kick(line, now),
            "QUIT" => self.handle_quit(line, now),
            "NICK" => self.handle_nick(line),
            "TOPIC" => self.handle_topic(line, now),
            "BATCH" => self.handle_batch(line, now),
            "ACK" if !self.caps.has(Cap::EchoMessage) => self.handle_ack(label.as_deref(), now),
            "ACK" => self.fail_labeled(label.as_deref(), "the server did not confirm it", false),
            "MODE" => self.handle_mode(line, now),
            "AWAY" => self.handle_away(line),
            "MARKREAD" => self.handle_markread(line),
            "METADATA" => self.handle_metadata(line, 0),
            "RENAME" => self.handle_rename(line, now),
            "INVITE" => self.handle_invite(line),
            "TAGMSG" | "REDACT" => {
                let event = event_parser::parse_event(line, self.me.as_ref(), now);
                self.events.extend(event);
                Some(())
            }
            "FAIL" => self.handle_fail(line, label.as_deref()),
            "WARN" | "NOTE" => {
                self.events.push_back(Event::Info(join_params(line, 2)));
                Some(())
            }
            "ERROR" => {
                self.events.push_back(Event::ServerError(line.param(0).unwrap_or_default().to_owned()));
                Some(())
            }
            // CAP, and everything else that the client did not ask for.
            _ => None,
        };
    }

    /// Returns the label of the command that this line replies to: its own, or that of the batch it is in.
    fn reply_label(&self, line: &Message<'_>) -> Option<String> {
        match line.tags.get("label") {
            Some(label) => Some(label.into_owned()),
            None => self.batches.label(line.tags.get("batch")?.as_ref()),
        }
    }

    fn handle_batch(&mut self, line: &Message<'_>, now: Timestamp) -> Option<()> {
        let reference = line.param(0)?;
        if let Some(reference) = reference.strip_prefix('+') {
            self.batches.open(reference, line, self.me.as_ref(), now);
            return Some(());
        }
        let closed = self.batches.close(reference.strip_prefix('-')?)?;
        let ticket = closed.label.as_deref().and_then(|label| label.parse().ok()).map(Ticket);
        match closed.content {
            ClosedContent::Transparent => return None,
            ClosedContent::Message(message) => self.emit_message(*message, closed.label.as_deref()),
            ClosedContent::History { place: conversation, events, lines, bytes, ends } => {
                let ticket = self.queries.close(ticket?)?;
                self.events.push_back(Event::History(HistoryPage {
                    ticket,
                    conversation,
                    events,
                    lines,
                    bytes,
                    bounds: ends,
                }));
            }
            ClosedContent::SearchResults(found) => {
                self.events.push_back(Event::SearchResults(self.queries.close(ticket?)?, found));
            }
            ClosedContent::Targets(targets) => {
                self.events.push_back(Event::Targets(self.queries.close(ticket?)?, targets));
            }
        }
        Some(())
    }

    fn handle_pong(&mut self, line: &Message<'_>, now: Timestamp) -> Option<()> {
        let token = line.params().last()?;
        if let Some(last) = token.strip_prefix(CONFIRM_PING_PREFIX) {
            return self.confirm_up_to(last, now);
        }
        let ticket = Ticket(token.parse().ok()?);
        if self.login_barrier != Some(ticket) {
            self.events.push_back(Event::Barrier(ticket));
            return Some(());
        }
        self.login_barrier = None;
        self.ready = true;
        for channel in self.channels.remove_stale() {
            self.events.push_back(Event::MembershipLost { channel });
        }
        self.events.push_back(Event::Ready { reconnected: self.was_ready });
        self.was_ready = true;
        Some(())
    }

    fn handle_message(&mut self, line: &Message<'_>, label: Option<&str>, now: Timestamp) -> Option<()> {
        let text = line.param(1)?;
        if line.source.is_none_or(|source| !source.contains('!')) {
            self.events.push_back(Event::Info(text.to_owned()));
            return Some(());
        }
        let message = event_parser::parse_message(line, text.to_owned(), self.me.as_ref(), now)?;
        if message.mine {
            self.own_source = line.source.map(str::to_owned);
        }
        self.emit_message(message, label);
        Some(())
    }

    /// Makes the events of a message that was sent just now, and confirms it if it is this session's.
    fn emit_message(&mut self, mut message: ChatMessage, label: Option<&str>) {
        let mut confirmed =
            label.filter(|_| message.mine).and_then(|label| self.unconfirmed.take_by_label(label));
        if message.mine && !self.caps.has(Cap::LabeledResponse) {
            confirmed = self.unconfirmed.take_by_echo(&message);
        }
        message.ticket = confirmed.as_ref().map(|pending| pending.ticket);
        if message.msgid.as_deref().is_none_or(|id| self.seen_ids.insert(id)) {
            self.events.push_back(Event::Message(message));
        }
        self.events.extend(confirmed.map(|pending| Event::Confirmed(pending.ticket)));
    }

    fn handle_join(&mut self, line: &Message<'_>, now: Timestamp) -> Option<()> {
        let channel = ChannelName::parse_foreign(line.param(0)?).ok()?;
        let nick = Nick::parse_foreign(line.nick()?).ok()?;
        let me = self.me.as_ref() == Some(&nick);
        if me {
            self.own_source = line.source.filter(|source| source.contains('!')).map(str::to_owned);
            if !self.channels.add_joined(&channel) {
                return Some(());
            }
        } else {
            self.channels.add_member(&channel, nick.clone())?;
        }
        self.events.push_back(Event::Joined { channel, nick, is_me: me, time: line_time(line, now) });
        Some(())
    }

    fn handle_part_or_kick(&mut self, line: &Message<'_>, now: Timestamp) -> Option<()> {
        let channel = ChannelName::parse_foreign(line.param(0)?).ok()?;
        let source = line.nick()?;
        let kicked = line.command.eq_ignore_ascii_case("KICK");
        let nick = Nick::parse_foreign(if kicked { line.param(1)? } else { source }).ok()?;
        let me = self.me.as_ref() == Some(&nick);
        if me {
            self.channels.joined.remove(&channel);
        } else {
            self.channels.joined.get_mut(&channel)?.members.remove(&nick);
        }
        let by = kicked.then(|| source.to_owned());
        let reason = line.param(if kicked { 2 } else { 1 }).unwrap_or_default().to_owned();
        self.events.push_back(Event::Left {
            channel,
            nick,
            is_me: me,
            by,
            reason,
            time: line_time(line, now),
        });
        Some(())
    }

    fn handle_quit(&mut self, line: &Message<'_>, now: Timestamp) -> Option<()> {
        let nick = Nick::parse_foreign(line.nick()?).ok()?;
        let joined = self.channels.joined.iter_mut();
        let left = joined.filter_map(|(name, channel)| channel.members.remove(&nick).map(|_| name.clone()));
        let channels = left.collect();
        let reason = line.param(0).unwrap_or_default().to_owned();
        self.events.push_back(Event::Quit { nick, channels, reason, time: line_time(line, now) });
        Some(())
    }

    fn handle_nick(&mut self, line: &Message<'_>) -> Option<()> {
        let (old, new) = (Nick::parse_foreign(line.nick()?).ok()?, Nick::parse_foreign(line.param(0)?).ok()?);
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

    fn handle_topic(&mut self, line: &Message<'_>, now: Timestamp) -> Option<()> {
        let channel = ChannelName::parse_foreign(line.param(0)?).ok()?;
        let text = line.param(1).unwrap_or_default().to_owned();
        self.channels.set_topic(&channel, &text);
        let by = line.nick().map(str::to_owned);
        self.events.push_back(Event::Topic { channel, by, text, time: line_time(line, now) });
        Some(())
    }

    /// Fails the message or query with this label. `temporary` is set if a query may succeed later.
    fn fail_labeled(&mut self, label: Option<&str>, reason: &str, temporary: bool) -> Option<()> {
        if label == Some(BACKGROUND_LABEL) {
            return Some(());
        }
        if let Some(ticket) = self.queries.close(Ticket(label?.parse().unwrap_or(0))) {
            self.events.push_back(Event::QueryFailed { ticket, reason: reason.to_owned(), temporary });
            return Some(());
        }
        let pending = self.unconfirmed.take_by_label(label?)?;
        let reason = reason.to_owned();
        self.events.push_back(Event::Failed { ticket: pending.ticket, target: pending.target, reason });
        Some(())
    }

    fn fail_join(&mut self, line: &Message<'_>, context: usize, reason: &str) -> Option<()> {
        let channel = ChannelName::parse_foreign(line.param(context)?).ok()?;
        self.channels.pending_joins.take(&channel)?;
        self.events.push_back(Event::JoinFailed { channel, reason: reason.to_owned() });
        Some(())
    }

    /// Handles `FAIL <command> <code> [<context>...] <description>`.
    fn handle_fail(&mut self, line: &Message<'_>, label: Option<&str>) -> Option<()> {
        let reason = line.params().last()?.to_string();
        let reported = self
            .fail_labeled(label, &reason, line.param(1).is_some_and(is_temporary))
            .or_else(|| self.fail_unlabeled(line, 2, &reason))
            .or_else(|| self.fail_join(line, 2, &reason));
        if reported.is_none() {
            self.events.push_back(Event::Error(join_params(line, 2)));
        }
        Some(())
    }

    fn handle_numeric(&mut self, code: Numeric, line: &Message<'_>, label: Option<&str>, now: Timestamp) {
        let channel = |index: usize| line.param(index).and_then(|name| ChannelName::parse_foreign(name).ok());
        match code {
            numeric::RPL_ISUPPORT => {
                line.params().iter().skip(1).for_each(|token| self.isupport.apply_token(token));
                self.batches.times_only = !self.isupport.msgid_refs;
            }
            numeric::RPL_NAMREPLY => {
                if let Some(channel) = channel(2) {
                    self.channels.collect_names(channel, line.param(3).unwrap_or_default());
                }
            }
            numeric::RPL_ENDOFNAMES => {
                if let Some(channel) = channel(1)
                    && let Some(names) = self.channels.finish_names(&channel, &self.isupport)
                {
                    self.events.push_back(Event::Names { channel, names });
                }
            }
            numeric::RPL_TOPIC | numeric::RPL_NOTOPIC => {
                let text =
                    line.param(2).filter(|_| code == numeric::RPL_TOPIC).unwrap_or_default().to_owned();
                if let Some(channel) = channel(1)
                    && self.channels.set_topic(&channel, &text)
                {
                    self.events.push_back(Event::Topic {
                        channel,
                        by: None,
                        text,
                        time: line_time(line, now),
                    });
                }
            }
            // Away status of an account (352, `RPL_WHOREPLY`; 301, `RPL_AWAY`).
            Numeric(352) => self.handle_whoreply(line),
            Numeric(301) => {
                let message = line.param(2).map(str::to_owned);
                // Without `away-notify` the user sees the away message when they write to the account.
                if !self.caps.has(Cap::AwayNotify) {
                    self.events.push_back(Event::Info(join_params(line, 1)));
                } else if let Some(nick) = line.param(1).and_then(|nick| Nick::parse_foreign(nick).ok()) {
                    self.record_away(nick, message);
                }
            }
            // MONITOR: nicks that went online (730) or offline (731).
            Numeric(code @ (730 | 731)) => {
                for nick in line.param(1).unwrap_or_default().split(',') {
                    if let Ok(nick) = Nick::parse_foreign(nick.split('!').next().unwrap_or_default()) {
                        self.events.push_back(Event::Presence { nick, online: code == 730 });
                    }
                }
            }
            // METADATA: a value (761), or none (766).
            Numeric(761 | 766) => {
                self.handle_metadata(line, 1);
            }
            // This account is back (305) or away (306).
            Numeric(305 | 306) => {
                if let Some(me) = self.me.clone() {
                    let message = (code.0 == 306).then(|| self.own_away_message.clone());
                    self.record_away(me, message);
                }
            }
            // Background commands have no visible refusal.
            Numeric(421) if line.param(1) == Some("MONITOR") => {}
            // Replies without news for the user: ends of lists, the channel's modes and age, the setter of the topic, a
            // missing MOTD, echoes of MONITOR and METADATA subscriptions.
            Numeric(315 | 324 | 329 | 333 | 422 | 732..=734 | 770..=774) => {}
            Numeric(400..=599) => {
                let reason = line.params().last().copied().unwrap_or_default();
                let reported = self
                    .fail_labeled(label, reason, false)
                    .or_else(|| self.fail_unlabeled(line, 1, reason))
                    .or_else(|| self.fail_join(line, 1, reason));
                if reported.is_none() {
                    self.events.push_back(Event::Error(join_params(line, 1)));
                }
            }
            // The numerics of the welcome are not shown. Later ones reply to the user.
            _ if self.ready => self.events.push_back(Event::Info(join_params(line, 1))),
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
fn join_params(line: &Message<'_>, first: usize) -> String {
    match line.params().get(first..) {
        Some([about @ .., text]) if !about.is_empty() => format!("{}: {text}", about.join(" ")),
        Some([text]) => (*text).to_owned(),
        _ => String::new(),
    }
}
