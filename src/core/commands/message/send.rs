//! PRIVMSG, NOTICE and TAGMSG (<https://modern.ircdocs.horse/#privmsg-message>,
//! [message tags](https://ircv3.net/specs/extensions/message-tags),
//! [echo-message](https://ircv3.net/specs/extensions/echo-message)).

use std::sync::Arc;

use crate::core::commands::account::reply_form::SERVICE;
use crate::core::commands::account::requests::is_service;
use crate::core::commands::targets::{self, no_such_channel, no_such_nick};
use crate::core::commands::{Command, Spec};
use crate::core::effects::event::{Event, EventKind};
use crate::core::effects::{Origin, Output};
use crate::core::model::channel::Channel;
use crate::core::model::people::ECHO_ID;
use crate::core::model::power::Power;
use crate::core::model::sends::print;
use crate::core::record::modes::Flag;
use crate::core::record::ranks::Rank;
use crate::core::record::{
    ChannelId, LINE_BREAK, LINE_JOIN, MessageKind, Place, Record, SendId, StoredMessage,
};
use crate::core::state::context::Context;
use crate::core::target::Target;
use crate::wire::numeric::{ERR_CANNOTSENDTOCHAN, ERR_NORECIPIENT, ERR_NOTEXTTOSEND, RPL_AWAY};
use crate::wire::{Cap, ChannelName, Message, MessageId, Nick, Reply, Tags};

/// The PRIVMSG command: sends a message.
pub const PRIVMSG: Spec = Spec { name: "PRIVMSG", least: 0, parse: |m| parse(m, Some(MessageKind::Privmsg)) };
/// The NOTICE command: sends a message that gets no automatic reply.
pub const NOTICE: Spec = Spec { name: "NOTICE", least: 0, parse: |m| parse(m, Some(MessageKind::Notice)) };
/// The TAGMSG command: sends tags without a text.
pub const TAGMSG: Spec = Spec { name: "TAGMSG", least: 0, parse: |m| parse(m, None) };

/// Tag for the send id of a message (capability `parlour/send-id`).
pub const SEND_ID_TAG: &str = "parlour/send-id";

/// A parsed PRIVMSG, NOTICE or TAGMSG.
#[derive(Debug)]
pub struct Said {
    targets: Vec<Target>,
    /// The command; `None` for TAGMSG.
    kind: Option<MessageKind>,
    text: Arc<str>,
    tags: Arc<str>,
    send_id: Option<SendId>,
}

fn parse(message: &Message<'_>, kind: Option<MessageKind>) -> Result<Command, Reply> {
    let Some(list) = message.param(0).filter(|list| !list.is_empty()) else {
        let text = format!("No recipient given ({})", message.command.to_ascii_uppercase());
        return Err(Reply::numeric(ERR_NORECIPIENT).text(text));
    };
    let text = message.param(1).unwrap_or_default();
    if kind.is_some() && text.is_empty() {
        return Err(Reply::numeric(ERR_NOTEXTTOSEND).text("No text to send"));
    }
    let said = begin(message.command, message, list)?;
    Ok(Command::Said(Said { kind, text: text.into(), ..said }))
}

/// Parses a message without its text: the targets and the tags.
pub(in crate::core::commands) fn begin(
    command: &str,
    message: &Message<'_>,
    list: &str,
) -> Result<Said, Reply> {
    let targets: Vec<Target> = if list.contains(',') {
        targets::split(list)?.into_iter().map(Target::parse).collect()
    } else {
        vec![Target::parse(list)]
    };
    let send_id = match message.tags.get(SEND_ID_TAG) {
        Some(id) if id.is_empty() || id.len() > SendId::MAX || targets.len() > 1 => {
            let text = format!("Invalid send id: 1 to {} bytes, and only one target", SendId::MAX);
            return Err(Reply::fail(command, "INVALID_SEND_ID").text(text));
        }
        Some(id) => Some(SendId(id.as_ref().into())),
        None => None,
    };
    Ok(Said { targets, kind: None, text: Arc::default(), tags: client_only(message), send_id })
}

/// Returns the client-only tags, which are passed on unchanged
/// ([message tags](https://ircv3.net/specs/extensions/message-tags#client-only-tags)).
fn client_only(message: &Message<'_>) -> Arc<str> {
    if message.tags.is_empty() { Arc::default() } else { message.tags.client_only().into() }
}

/// Client-only tags of typing notifications, which the history does not keep.
const TYPING: [&str; 2] = ["+typing", "+draft/typing"];

/// Parses `@#channel` (`STATUSMSG`): the members of this status or a higher one.
fn status_target(text: &str) -> Option<(Rank, ChannelName)> {
    let rank = Rank::of_prefix(text.chars().next()?)?;
    Some((rank, ChannelName::parse(text.get(1..)?).ok()?))
}

/// Returns whether the session is in the channel's audience.
fn audience_has(cx: &Context<'_>, id: ChannelId) -> bool {
    cx.chat.channels.get(id).is_some_and(|channel| channel.audience.has(cx.member.session))
}

impl Said {
    /// Returns the message with the text of its lines.
    pub(in crate::core::commands) fn with_lines(self, kind: MessageKind, text: Arc<str>) -> Self {
        Self { kind: Some(kind), text, ..self }
    }

    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let caps = cx.member.caps;
        if self.text.contains([LINE_BREAK, LINE_JOIN]) && !(caps.has(Cap::Multiline) && caps.has(Cap::Batch))
        {
            let reply = Reply::fail("BATCH", "MULTILINE_INVALID");
            return cx.reply(reply.text("Request the capabilities draft/multiline and batch first"));
        }
        for target in &self.targets {
            match target {
                Target::Channel(name) => self.to_channel(cx, name, None),
                Target::Person(nick) if is_service(nick) => self.to_service(cx),
                Target::Person(nick) => self.to_person(cx, nick),
                Target::Nobody(text) => match status_target(text) {
                    Some((rank, name)) => self.to_channel(cx, &name, Some(rank)),
                    None if text.starts_with('#') => self.refuse(cx, no_such_channel(text)),
                    None => self.refuse(cx, no_such_nick(text)),
                },
            }
        }
    }

    /// Sends an error reply, except for a NOTICE, so that two programs can't reply to each other endlessly
    /// (<https://modern.ircdocs.horse/#notice-message>). Clients that negotiated labels get it all the same.
    fn refuse(&self, cx: &mut Context<'_>, reply: Reply) {
        if self.kind != Some(MessageKind::Notice) || cx.member.caps.has(Cap::LabeledResponse) {
            cx.reply(reply);
        }
    }

    fn to_channel(&self, cx: &mut Context<'_>, name: &ChannelName, status: Option<Rank>) {
        let Some(channel) = cx.visible(name) else { return self.refuse(cx, no_such_channel(name.as_str())) };
        if let Some(why) = self.silenced(cx, channel) {
            let reply = Reply::numeric(ERR_CANNOTSENDTOCHAN).arg(name.as_str());
            return self.refuse(cx, reply.text(why));
        }
        cx.chat
            .look_at(channel.lists.weight() + if status.is_some() { 2 * channel.members.len() } else { 0 });
        let (id, name, mut audience) = (channel.id, channel.name.clone(), channel.audience.snapshot());
        let mut target = name.shared();
        if let Some(rank) = status {
            // STATUSMSG: only members of this status or a higher one, and the sender, get the message. It is not
            // stored, because the history does not know who may read it.
            let ranked = channel
                .members
                .iter()
                .filter(|&&member| member == cx.member.account || channel.ranks(member).at_least(rank));
            let people = ranked.filter_map(|&member| cx.chat.people.get(member));
            audience = people.flat_map(|person| person.seats.seats()).copied().collect();
            target = format!("{}{name}", rank.prefix()).into();
        }
        let kept = if status.is_some() { None } else { Some(Place::Channel(id)) };
        let Some(message) = self.keep(cx, kept, &target) else { return };
        // The store does the same: reactions alone do not keep an empty channel.
        let spoken = status.is_none() && self.kind.is_some();
        if let Some(channel) = cx.chat.channels.get_mut(id).filter(|_| spoken) {
            channel.spoken_in = true;
        }
        let origin =
            Origin { session: cx.member.session, echo: cx.member.caps.has(Cap::EchoMessage), tag: None };
        let Some(event) = self.event(cx, target, message, false) else { return };
        let outside = origin.echo && !audience_has(cx, id);
        cx.fx.outputs.push(Output::Fan { audience, event: event.clone(), origin: Some(origin) });
        if outside {
            cx.show(cx.member.session, event);
        }
    }

    /// Returns the reason for which the account may not send this to the channel, if there is one.
    fn silenced(&self, cx: &Context<'_>, channel: &Channel) -> Option<&'static str> {
        let power = cx.power(channel);
        let is_in = cx.is_in(channel);
        if !is_in && (channel.modes.has(Flag::MembersOnly) || power == Power::Admin) {
            return Some("Cannot send to channel (+n): you are not in it");
        }
        cx.me().and_then(|me| power.silenced(me, channel)).or_else(|| self.bad_ctcp(channel))
    }

    fn bad_ctcp(&self, channel: &Channel) -> Option<&'static str> {
        let is_ctcp = |line: &str| {
            let word = line.strip_prefix('\u{1}').map(|rest| rest.split([' ', '\u{1}']).next());
            word.is_some_and(|word| word != Some("ACTION"))
        };
        let ctcp = self.text.split([LINE_BREAK, LINE_JOIN]).any(is_ctcp);
        (ctcp && channel.modes.has(Flag::NoCtcp)).then_some("Cannot send CTCP to channel (+C)")
    }

    /// Returns whether the history keeps the message. Of TAGMSGs it keeps reactions and a limited number of others, but
    /// no typing notifications.
    fn is_kept(&self, cx: &mut Context<'_>) -> bool {
        if self.kind.is_some() || StoredMessage::is_reaction(&self.tags) {
            return true;
        }
        let (account, now) = (cx.member.account, cx.chat.steady);
        Tags(&self.tags).iter().any(|(key, _)| !TYPING.contains(&key))
            && cx.chat.people.get_mut(account).is_some_and(|me| me.may_signal(now))
    }

    fn to_person(&self, cx: &mut Context<'_>, nick: &Nick) {
        let Some(person) = cx.chat.people.named(nick) else {
            return self.refuse(cx, no_such_nick(nick.as_str()));
        };
        let (id, target, seats, away) =
            (person.account.id, person.nick().shared(), person.seats.snapshot(), person.away.clone());
        let Some(message) = self.keep(cx, Some(Place::direct(cx.member.account, id)), &target) else {
            return;
        };
        let origin = |echo| Some(Origin { session: cx.member.session, echo, tag: None });
        if id == cx.member.account {
            // A message to oneself: the sending session gets its echo, which carries the label, and every session gets
            // the message, which does not (labeled-response, "Tags").
            let Some(event) = self.event(cx, target, message, false) else { return };
            if cx.member.caps.has(Cap::EchoMessage) {
                cx.show(cx.member.session, event.clone());
            }
            cx.fx.outputs.push(Output::Fan { audience: seats, event, origin: None });
            return;
        }
        let own = cx.me().map(|me| me.seats.snapshot()).unwrap_or_default();
        let (Some(theirs), Some(mine)) =
            (self.event(cx, target.clone(), message, false), self.event(cx, target, message, true))
        else {
            return;
        };
        if !seats.is_empty() {
            cx.fx.outputs.push(Output::Fan { audience: seats, event: theirs, origin: None });
        }
        let echo = cx.member.caps.has(Cap::EchoMessage);
        cx.fx.outputs.push(Output::Fan { audience: own, event: mine, origin: origin(echo) });
        if let Some(away) = away.filter(|_| self.kind == Some(MessageKind::Privmsg)) {
            cx.reply(Reply::numeric(RPL_AWAY).arg(nick.as_str()).text(away));
        }
        if id == ECHO_ID && self.kind == Some(MessageKind::Privmsg) {
            self.answer(cx);
        }
    }

    /// Handles a message to the service, which is neither stored nor shown to other sessions.
    fn to_service(&self, cx: &mut Context<'_>) {
        if cx.member.caps.has(Cap::EchoMessage)
            && let Some(event) = self.event(cx, SERVICE.into(), MessageId::default(), true)
        {
            cx.show(cx.member.session, Event { id: None, time: cx.at, ..event });
        }
        if self.kind == Some(MessageKind::Privmsg) {
            crate::core::commands::account::requests::told(cx, &self.text);
        }
    }

    /// Sends the reply of the built-in account `echo`.
    fn answer(&self, cx: &mut Context<'_>) {
        let text: Arc<str> = format!("Server received your message: {}", self.text).into();
        let id = cx.chat.next_message(cx.at);
        cx.fx.records.push(Record::Message(StoredMessage {
            id,
            place: Place::direct(cx.member.account, ECHO_ID),
            from: ECHO_ID,
            kind: MessageKind::Privmsg,
            text: text.clone(),
            tags: Arc::default(),
            send_id: None,
        }));
        let (Some(echo), Some(me)) = (cx.chat.people.get(ECHO_ID), cx.me()) else { return };
        let event = Event {
            source: echo.source.clone(),
            account: Some(echo.nick().clone()),
            bot: true,
            time: cx.chat.times.of(id),
            id: Some(id),
            tags: Arc::default(),
            kind: EventKind::Message {
                kind: MessageKind::Privmsg,
                target: me.nick().shared(),
                text,
                own: false,
            },
        };
        let audience = me.seats.snapshot();
        cx.fx.outputs.push(Output::Fan { audience, event, origin: None });
    }

    /// Gives the message its id and records it. Returns `None` for a message that was sent before under the same send
    /// id: its session alone gets the echo again, and the command is complete.
    fn keep(&self, cx: &mut Context<'_>, place: Option<Place>, target: &Arc<str>) -> Option<MessageId> {
        let account = cx.member.account;
        if let Some(send) = &self.send_id
            && let Some(known) = cx.chat.sends.find(account, send)
        {
            if !known.is(self.print(place, target)) {
                // Confirming this message would confirm one that is not stored.
                let text = "This send id was used for a different message";
                cx.reply(Reply::fail(self.command(), "INVALID_SEND_ID").text(text));
                return None;
            }
            let event = self.event(cx, target.clone(), known.message, true)?;
            cx.show(cx.member.session, event);
            return None;
        }
        let id = cx.chat.next_message(cx.at);
        if let Some(me) = cx.chat.people.get_mut(account) {
            me.active = cx.at;
        }
        if let Some(place) = place
            && self.is_kept(cx)
        {
            if let Some(send) = &self.send_id {
                let print = self.print(Some(place), target);
                cx.chat.sends.remember(account, send.clone(), id, Some(print));
            }
            cx.fx.records.push(Record::Message(StoredMessage {
                id,
                place,
                from: account,
                kind: self.kind.unwrap_or(MessageKind::Tagmsg),
                text: self.text.clone(),
                tags: self.tags.clone(),
                send_id: self.send_id.clone(),
            }));
        } else if let Some(send) = &self.send_id {
            cx.chat.sends.remember_unstored(account, send.clone(), id, self.print(place, target));
        }
        Some(id)
    }

    fn print(&self, place: Option<Place>, target: &str) -> u64 {
        print(place.ok_or(target), self.kind, &self.text)
    }

    fn command(&self) -> &'static str {
        match self.kind {
            Some(MessageKind::Notice) => "NOTICE",
            Some(_) => "PRIVMSG",
            None => "TAGMSG",
        }
    }

    fn event(&self, cx: &Context<'_>, target: Arc<str>, id: MessageId, own: bool) -> Option<Event> {
        let me = cx.me()?;
        let kind = match self.kind {
            Some(kind) => EventKind::Message { kind, target, text: self.text.clone(), own },
            None => EventKind::Tagmsg { target, own },
        };
        Some(Event {
            source: me.source.clone(),
            account: Some(me.nick().clone()),
            bot: me.is_bot(),
            time: cx.chat.times.of(id),
            id: Some(id),
            tags: self.tags.clone(),
            kind,
        })
    }
}
