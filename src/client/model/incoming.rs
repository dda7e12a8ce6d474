//! Handling of lines from the server, one at a time: changes of the model's state, and events.

use super::batches::{self, Closed, Collected};
use super::decode::decode;
use super::event::{
    Away, BatchResult, ChatMessage, ErrorCode, ErrorReply, Event, HistoryPage, Join, NickChange,
    NumericReply, Origin, Quit, Received, ResultKind, ServerEvent, Ticket, Topic,
};
use super::queries::BACKGROUND_LABEL;
use super::requests::{LineRole, ServerRequest};
use super::state_updates::is_motd;
use super::unconfirmed::other_servers::CONFIRM_PING_PREFIX;
use super::{DISPLAY_NAME_KEY, Line, Model};
use crate::wire::numeric;
use crate::wire::{Cap, ChannelName, Message, Nick, Timestamp};

impl Model {
    /// Handles a line from the server that arrived at `now`.
    pub fn handle(&mut self, line: &Message<'_>, now: Timestamp) {
        let count_before = self.unconfirmed.len();
        let received = decode(line, self.me.as_ref(), now);
        self.receive(received);
        // Each reply makes room for more messages.
        if self.unconfirmed.len() < count_before {
            self.write_unconfirmed();
        }
    }

    /// Collects a line that is in a batch, and handles any other.
    fn receive(&mut self, received: Received) {
        let label = self.batches.label(&received);
        let requested = batches::ticket(label.as_deref());
        let ticket = batches::ticket(label.as_deref()).filter(|_| self.emits_received);
        let Received { origin, event } = received;
        let received = match event {
            ServerEvent::BatchStart(start) => {
                self.batches.open(start, origin);
                return self.progress(ticket);
            }
            ServerEvent::BatchEnd(reference) => {
                self.progress(ticket);
                if let Some(ticket) = requested {
                    self.finish_request(ticket);
                }
                return match self.batches.close(&reference) {
                    Closed::Nothing => {}
                    Closed::Message(received) => self.receive(*received),
                    Closed::Result(result) => self.finish(*result),
                };
            }
            event => self.batches.collect(Received { origin, event }),
        };
        match received {
            Collected::Kept => self.progress(ticket),
            Collected::Oversized(ticket) => {
                if let Some(ticket) = ticket.filter(|_| self.emits_received)
                    && self.queries.close(ticket).is_some()
                {
                    self.events.push_back(Event::Oversized(ticket));
                }
            }
            Collected::Apart(received) => {
                if self.emits_received {
                    let received = Box::new(received.clone());
                    self.events.push_back(Event::Received { received, ticket });
                }
                // A single reply has the label itself; several are in a batch, which has it.
                let completes = requested.filter(|_| received.origin.label.is_some());
                // Without labels the refusal of a message may come while a request waits.
                let refuses_message = requested.is_none()
                    && self.unconfirmed.len() > 0
                    && matches!(&received.event, ServerEvent::Error(error) if error.refuses_message());
                if refuses_message || self.requests.collect(&received, requested) != LineRole::Part {
                    self.apply(received, label.as_deref());
                }
                if let Some(ticket) = completes {
                    self.finish_request(ticket);
                }
            }
        }
    }

    /// Completes a line of a request, and emits the answer if it was the last one. Returns whether a request was waiting
    /// for it.
    fn finish_request(&mut self, ticket: Ticket) -> bool {
        if !self.requests.is_waiting_for(ticket) {
            return false;
        }
        let Some(answered) = self.requests.finish(ticket) else { return true };
        if let Event::Answered { request, replies } = &answered {
            self.note_answer(request, replies);
        }
        self.events.push_back(answered);
        true
    }

    /// Takes note of what an answer tells about this account.
    fn note_answer(&mut self, request: &ServerRequest, replies: &[ServerEvent]) {
        let is_oper_reply = |reply: &ServerEvent| matches!(reply, ServerEvent::Reply(reply) if reply.code == numeric::RPL_YOUREOPER);
        self.has_opered |= replies.iter().any(is_oper_reply);
        if *request == ServerRequest::Devices {
            let devices = replies.iter().filter_map(|reply| match reply {
                ServerEvent::Note(note) if note.code == "CERT" => note.context.first().cloned(),
                _ => None,
            });
            self.listed_devices = devices.collect();
        }
    }

    fn progress(&mut self, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket
            && self.events.back() != Some(&Event::Progress(ticket))
        {
            self.events.push_back(Event::Progress(ticket));
        }
    }

    /// Emits a complete result, if its query is open.
    fn finish(&mut self, result: BatchResult) {
        let Some(ticket) = result.ticket.and_then(|ticket| self.queries.close(ticket)) else { return };
        if self.emits_received && result.kind != ResultKind::HistoryTargets {
            self.events.push_back(Event::Result(Box::new(result)));
            return;
        }
        let BatchResult { lines, bytes, bounds, .. } = result;
        self.events.push_back(match result.kind {
            ResultKind::History(conversation) => {
                let events = result.received.into_iter().filter_map(Received::into_event).collect();
                Event::History(HistoryPage { ticket, conversation, events, lines, bytes, bounds })
            }
            ResultKind::Search => {
                let messages = result.received.into_iter().filter_map(|received| match received.event {
                    ServerEvent::Message(message) => Some(message),
                    _ => None,
                });
                Event::SearchResults(ticket, messages.collect())
            }
            ResultKind::HistoryTargets => {
                let targets = result.received.into_iter().filter_map(|received| match received.event {
                    ServerEvent::HistoryTarget(target, time) => Some((target, time)),
                    _ => None,
                });
                Event::Targets(ticket, targets.collect())
            }
        });
    }

    /// Applies an event to the state, and emits what the user may want to see of it. `label` is that of the command
    /// which it replies to.
    #[allow(clippy::too_many_lines)] // A table.
    fn apply(&mut self, received: Received, label: Option<&str>) {
        let Received { origin, event } = &received;
        match event {
            ServerEvent::Message(message) if !origin.is_from_user() => {
                self.events.push_back(Event::Info(message.text.clone()));
            }
            ServerEvent::Message(message) => self.handle_message(message.clone(), origin, label),
            ServerEvent::Notice(text) => self.events.push_back(Event::Info(text.clone())),
            ServerEvent::Note(note)
                if note.command == "SEARCH" && note.code == "INCOMPLETE" && !self.emits_received =>
            {
                self.events.extend(batches::ticket(label).map(Event::SearchIncomplete));
            }
            ServerEvent::Note(note) => self.events.push_back(Event::Info(note.sentence())),
            ServerEvent::Typing(_) | ServerEvent::Reaction(_) | ServerEvent::Redaction(_) => {
                self.events.extend(received.into_event());
            }
            ServerEvent::Join(join) => {
                if self.handle_join(join, origin) {
                    self.events.extend(received.into_event());
                }
            }
            ServerEvent::Part(part) => {
                if self.remove_member(&part.channel, &part.nick) {
                    self.events.extend(received.into_event());
                }
            }
            ServerEvent::Kick(kick) => {
                if self.remove_member(&kick.channel, &kick.nick) {
                    self.events.extend(received.into_event());
                }
            }
            ServerEvent::Quit(quit) => self.handle_quit(quit, origin.time()),
            ServerEvent::NickChange(change) => self.handle_nick(change),
            ServerEvent::TopicChange(Topic { channel, text }) => {
                self.channels.set_topic(channel, text);
                self.events.extend(received.into_event());
            }
            ServerEvent::TopicReply(Topic { channel, text }) => {
                if self.channels.set_topic(channel, text) {
                    self.events.extend(received.into_event());
                }
            }
            ServerEvent::ModeChange(change) => {
                if self.handle_mode(change, origin) {
                    self.events.extend(received.into_event());
                }
            }
            ServerEvent::ChannelRename(rename) => {
                if let Some(channel) = self.channels.joined.remove(&rename.from) {
                    self.channels.joined.insert(rename.to.clone(), channel);
                }
                self.events.extend(received.into_event());
            }
            ServerEvent::Invite(invite) => self.handle_invite(invite),
            // Without `away-notify` the user sees the away message when they write to the account.
            ServerEvent::Away(Away { nick, message, is_reply: true }) if !self.caps.has(Cap::AwayNotify) => {
                let message = message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
                self.events.push_back(Event::Info(format!("{nick}{message}")));
            }
            ServerEvent::Away(Away { nick, message, .. }) => self.record_away(nick.clone(), message.clone()),
            ServerEvent::OwnAway(away) => self.handle_own_away(*away),
            ServerEvent::Presence(presence) => {
                let online = presence.online;
                let nicks = presence.nicks.iter().cloned();
                self.events.extend(nicks.map(|nick| Event::Presence { nick, online }));
            }
            ServerEvent::ReadMarker(marker) => {
                let (conversation, time) = (marker.conversation.clone(), marker.time);
                self.events.push_back(Event::ReadMarker { conversation, time });
            }
            ServerEvent::Metadata(metadata) => {
                batches::ticket(label).and_then(|ticket| self.queries.close(ticket));
                let metadata = metadata.clone();
                let (target, key, value) = (metadata.target, metadata.key, metadata.value);
                if key == DISPLAY_NAME_KEY
                    && (target == "*" || self.me.as_ref().is_some_and(|me| me.as_str().eq_ignore_ascii_case(&target)))
                {
                    self.own_display_name.clone_from(&value);
                }
                self.events.push_back(Event::Metadata { target, key, value });
            }
            ServerEvent::MetadataSync(target) => self.sync_metadata(target),
            ServerEvent::UserModes(modes) => {
                self.is_oper = modes.contains('o');
                self.events.push_back(Event::UserModes(modes.clone()));
            }
            ServerEvent::Isupport(tokens) => {
                for token in tokens {
                    self.isupport.apply_token(token);
                }
                self.batches.times_only = !self.isupport.msgid_refs;
            }
            ServerEvent::Names(names) => self.channels.collect_names(names.channel.clone(), &names.names),
            ServerEvent::NamesEnd(channel) => {
                if let Some(names) = self.channels.finish_names(channel, &self.isupport) {
                    self.events.push_back(Event::Names { channel: channel.clone(), names });
                }
            }
            ServerEvent::WhoReply(reply) => self.handle_who_reply(reply),
            // Background commands have no visible refusal.
            ServerEvent::Error(error) if error.is_unknown_command("MONITOR") => {}
            // `<limit> <nicks>`
            ServerEvent::Error(error) if error.code == ErrorCode::Numeric(numeric::ERR_MONLISTFULL) => {
                let names = error.context.get(1).map(String::as_str).unwrap_or_default().split(',');
                let nicks = names.filter_map(|name| Nick::parse_foreign(name).ok()).collect();
                self.events.push_back(Event::MonitorFull { nicks });
            }
            ServerEvent::Error(error) => self.handle_error(error, label),
            ServerEvent::Ack if self.caps.has(Cap::EchoMessage) => {
                self.fail_labeled(label, "the server did not confirm it", false);
            }
            ServerEvent::Ack => self.confirm_by_ack(label, origin.received_at),
            ServerEvent::Ping(token) => self.write_line(Line::new("PONG").trailing(token)),
            ServerEvent::Pong(token) => self.handle_pong(token, origin.received_at),
            ServerEvent::Closing(reason) => self.events.push_back(Event::ServerError(reason.clone())),
            // The numerics of the welcome are not shown. Later ones reply to the user.
            ServerEvent::Reply(reply) if !self.ready && is_motd(reply) => self.collect_motd(reply),
            ServerEvent::Reply(reply) if self.ready && !reply.is_silent() => {
                self.events.push_back(Event::Info(describe_reply(reply)));
            }
            ServerEvent::ListReply(reply) => self.listings.add_channel(label, reply),
            ServerEvent::WhoxReply(reply) => self.listings.add_account(label, reply),
            ServerEvent::ListEnd | ServerEvent::WhoEnd => {
                self.finish_listing(label, matches!(event, ServerEvent::ListEnd));
            }
            ServerEvent::Reply(_)
            | ServerEvent::Ignored
            | ServerEvent::Tags(_)
            | ServerEvent::Caps(_)
            // Outside of its batch it belongs to no query.
            | ServerEvent::HistoryTarget(..) => {}
            ServerEvent::BatchStart(_) | ServerEvent::BatchEnd(_) => {
                debug_assert!(false, "batches are handled before");
            }
        }
    }

    fn handle_message(&mut self, message: ChatMessage, origin: &Origin, label: Option<&str>) {
        if message.mine {
            self.own_source.clone_from(&origin.source);
        }
        self.emit_message(message, label);
    }

    /// Emits a message that was sent just now, and confirms it if it is this session's.
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

    /// Returns whether the user should see the JOIN.
    fn handle_join(&mut self, join: &Join, origin: &Origin) -> bool {
        if !origin.mine {
            return self.channels.add_member(&join.channel, join.nick.clone()).is_some();
        }
        self.own_source = origin.source.clone().filter(|_| origin.is_from_user());
        self.channels.add_joined(&join.channel)
    }

    /// Removes an account from a channel. Returns whether the user should see it.
    fn remove_member(&mut self, channel: &ChannelName, nick: &Nick) -> bool {
        if self.me.as_ref() == Some(nick) {
            self.channels.joined.remove(channel);
            return true;
        }
        let Some(channel) = self.channels.joined.get_mut(channel) else { return false };
        channel.members.remove(nick);
        true
    }

    fn handle_quit(&mut self, quit: &Quit, time: Timestamp) {
        let joined = self.channels.joined.iter_mut();
        let left =
            joined.filter_map(|(name, channel)| channel.members.remove(&quit.nick).map(|_| name.clone()));
        let channels = left.collect();
        let (nick, reason) = (quit.nick.clone(), quit.reason.clone());
        self.events.push_back(Event::Quit { nick, channels, reason, time });
    }

    fn handle_nick(&mut self, NickChange { old, new }: &NickChange) {
        for channel in self.channels.joined.values_mut() {
            if let Some(ranks) = channel.members.remove(old) {
                channel.members.insert(new.clone(), ranks);
            }
        }
        if let Some(message) = self.away_messages.remove(old) {
            self.away_messages.insert(new.clone(), message);
        }
        self.events.push_back(Event::Info(format!("{old} is now {new}")));
        self.events.push_back(Event::NickChanged { old: old.clone(), new: new.clone() });
        if self.me.as_ref() == Some(old) {
            self.me = Some(new.clone());
        }
    }

    fn handle_pong(&mut self, token: &str, now: Timestamp) {
        if let Some(last) = token.strip_prefix(CONFIRM_PING_PREFIX) {
            if let Ok(last) = last.parse() {
                self.confirm_up_to(Ticket(last), now);
            }
            return;
        }
        let Ok(ticket) = token.parse().map(Ticket) else { return };
        if self.finish_request(ticket) {
            return;
        }
        if self.login_barrier != Some(ticket) {
            self.events.push_back(Event::Barrier(ticket));
            return;
        }
        self.login_barrier = None;
        self.ready = true;
        for channel in self.channels.remove_stale() {
            self.events.push_back(Event::MembershipLost { channel });
        }
        self.events.push_back(Event::Ready { reconnected: self.was_ready });
        self.was_ready = true;
        self.write_unconfirmed();
    }

    fn handle_error(&mut self, error: &ErrorReply, label: Option<&str>) {
        let is_reported = self.fail_labeled(label, &self.reason(error), error.is_temporary())
            || self.fail_unlabeled(error)
            || self.fail_join(error);
        if !is_reported {
            let text = if self.emits_received { error.text() } else { error.explain() };
            self.events.push_back(Event::Error(text));
        }
    }

    /// Returns the reason of a refusal. Scripts get the server's words, because the remedies are commands of the chat.
    pub(super) fn reason(&self, error: &ErrorReply) -> String {
        if self.emits_received { error.reason.clone() } else { error.explain_reason() }
    }

    /// Fails the message or query with this label. `temporary` is set if a query may succeed later. Returns whether
    /// there is one.
    fn fail_labeled(&mut self, label: Option<&str>, reason: &str, temporary: bool) -> bool {
        let Some(label) = label else { return false };
        if label == BACKGROUND_LABEL {
            return true;
        }
        let reason = reason.to_owned();
        if let Some(ticket) = batches::ticket(Some(label)).and_then(|ticket| self.queries.close(ticket)) {
            self.listings.cancel(ticket);
            self.events.push_back(Event::QueryFailed { ticket, reason, temporary });
            return true;
        }
        let Some(pending) = self.unconfirmed.take_by_label(label) else { return false };
        let text = pending.text();
        self.events.push_back(Event::Failed { ticket: pending.ticket, target: pending.target, text, reason });
        true
    }

    /// Fails the pending JOIN of the channel that an error names. Returns whether there is one.
    fn fail_join(&mut self, error: &ErrorReply) -> bool {
        let Ok(channel) = ChannelName::parse_foreign(error.subject()) else { return false };
        let is_pending = self.channels.pending_joins.remove(&channel);
        if is_pending {
            self.events.push_back(Event::JoinFailed { channel, reason: self.reason(error) });
        }
        is_pending
    }
}

/// Describes a reply that no request of the user waits for.
fn describe_reply(reply: &NumericReply) -> String {
    // `<channel> <source> :<text>`
    if reply.code == numeric::RPL_KNOCK {
        let (channel, nick) = (reply.param(0), reply.param(1).split('!').next().unwrap_or_default());
        let text = reply.param(2);
        return format!("{nick} asks to join {channel} ({text}): /invite {nick} {channel}");
    }
    reply.text()
}
