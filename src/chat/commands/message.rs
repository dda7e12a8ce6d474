//! PRIVMSG, NOTICE and TAGMSG (<https://modern.ircdocs.horse/#privmsg-message>,
//! [message tags](https://ircv3.net/specs/extensions/message-tags),
//! [echo-message](https://ircv3.net/specs/extensions/echo-message)).

use std::sync::Arc;

use super::targets::{self, Target, no_such_channel, no_such_nick};
use super::{Command, Spec};
use crate::chat::context::Context;
use crate::chat::effects::{Origin, Output};
use crate::chat::event::{Event, EventKind};
use crate::chat::people::ECHO_ID;
use crate::chat::record::{MessageKind, Place, Record, SendId, StoredMessage};
use crate::wire::numeric::{ERR_CANNOTSENDTOCHAN, ERR_NORECIPIENT, ERR_NOTEXTTOSEND, RPL_AWAY};
use crate::wire::{Cap, ChannelName, Message, MessageId, Nick, Reply};

/// PRIVMSG
pub const PRIVMSG: Spec = Spec { name: "PRIVMSG", least: 0, parse: |m| parse(m, Some(MessageKind::Privmsg)) };
/// NOTICE
pub const NOTICE: Spec = Spec { name: "NOTICE", least: 0, parse: |m| parse(m, Some(MessageKind::Notice)) };
/// TAGMSG
pub const TAGMSG: Spec = Spec { name: "TAGMSG", least: 0, parse: |m| parse(m, None) };

/// The tag with which a client gives a message an id of its own (capability `parlour/send-id`).
pub const SEND_ID_TAG: &str = "parlour/send-id";

/// Something that is said.
#[derive(Debug)]
pub struct Said {
    targets: Vec<Target>,
    /// None for TAGMSG.
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
    let targets: Vec<Target> = if list.contains(',') {
        targets::split(list)?.into_iter().map(Target::parse).collect()
    } else {
        vec![Target::parse(list)]
    };
    let send_id = match message.tags.get(SEND_ID_TAG) {
        Some(id) if id.is_empty() || id.len() > SendId::MAX || targets.len() > 1 => {
            let text = format!("A send id has 1 to {} bytes and goes with one target", SendId::MAX);
            return Err(Reply::fail(message.command, "INVALID_SEND_ID").text(text));
        }
        Some(id) => Some(SendId(id.as_ref().into())),
        None => None,
    };
    Ok(Command::Said(Said { targets, kind, text: text.into(), tags: client_only(message), send_id }))
}

/// The client-only tags, which are passed on as they are.
fn client_only(message: &Message<'_>) -> Arc<str> {
    let tags: Vec<&str> = message.tags.0.split(';').filter(|tag| tag.starts_with('+')).collect();
    if tags.is_empty() { Arc::default() } else { tags.join(";").into() }
}

impl Said {
    pub(super) fn run(self, cx: &mut Context<'_>) {
        for target in &self.targets {
            match target {
                Target::Channel(name) => self.to_channel(cx, name),
                Target::Person(nick) => self.to_person(cx, nick),
                Target::Nobody(text) => self.refuse(
                    cx,
                    if text.starts_with('#') { no_such_channel(text) } else { no_such_nick(text) },
                ),
            }
        }
    }

    /// NOTICE is never answered with an error, so that two programs cannot answer each other for ever
    /// (<https://modern.ircdocs.horse/#notice-message>). Clients that label what they send want to know.
    fn refuse(&self, cx: &mut Context<'_>, reply: Reply) {
        if self.kind != Some(MessageKind::Notice) || cx.member.caps.has(Cap::LabeledResponse) {
            cx.reply(reply);
        }
    }

    fn to_channel(&self, cx: &mut Context<'_>, name: &ChannelName) {
        let Some(channel) = cx.channel(name) else { return self.refuse(cx, no_such_channel(name.as_str())) };
        if !cx.is_in(channel) {
            let reply = Reply::numeric(ERR_CANNOTSENDTOCHAN).arg(name.as_str());
            return self.refuse(cx, reply.text("Join the channel before you speak in it"));
        }
        let (id, target, audience) = (channel.id, channel.name.shared(), channel.audience.clone());
        let Some(message) = self.keep(cx, Place::Channel(id), &target) else { return };
        if let Some(channel) = cx.chat.channels.get_mut(id).filter(|_| self.kind.is_some()) {
            channel.spoken_in = true;
        }
        let origin =
            Origin { session: cx.member.session, echo: cx.member.caps.has(Cap::EchoMessage), tag: None };
        let Some(event) = self.event(cx, target, message, false) else { return };
        cx.fx.outputs.push(Output::Fan { audience, event, origin: Some(origin) });
    }

    fn to_person(&self, cx: &mut Context<'_>, nick: &Nick) {
        let Some(person) = cx.chat.people.named(nick) else {
            return self.refuse(cx, no_such_nick(nick.as_str()));
        };
        let (id, target, seats, away) =
            (person.account.id, person.nick().shared(), person.seats.clone(), person.away.clone());
        let Some(message) = self.keep(cx, Place::direct(cx.member.account, id), &target) else { return };
        let origin = |echo| Some(Origin { session: cx.member.session, echo, tag: None });
        if id == cx.member.account {
            // To oneself: the sending session gets its echo, which carries the label, and each session gets
            // the message, which does not (labeled-response, "Tags").
            let Some(event) = self.event(cx, target, message, false) else { return };
            if cx.member.caps.has(Cap::EchoMessage) {
                cx.show(cx.member.session, event.clone());
            }
            cx.fx.outputs.push(Output::Fan { audience: seats, event, origin: None });
            return;
        }
        let own = cx.me().map(|me| me.seats.clone()).unwrap_or_default();
        let (Some(theirs), Some(mine)) =
            (self.event(cx, target.clone(), message, false), self.event(cx, target, message, true))
        else {
            return;
        };
        if !seats.seats().is_empty() {
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

    /// What `echo` says to what it is told.
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
            time: id.time(),
            id: Some(id),
            tags: Arc::default(),
            kind: EventKind::Message {
                kind: MessageKind::Privmsg,
                target: me.nick().shared(),
                text,
                own: false,
            },
        };
        let audience = me.seats.clone();
        cx.fx.outputs.push(Output::Fan { audience, event, origin: None });
    }

    /// Gives the message its id and asks for it to be kept. `None` where it was sent before: then the asker
    /// alone hears of it again, and nothing more is to be done.
    fn keep(&self, cx: &mut Context<'_>, place: Place, target: &Arc<str>) -> Option<MessageId> {
        let account = cx.member.account;
        if let Some(send) = &self.send_id
            && let Some(known) = cx.chat.sends.find(account, send)
        {
            let event = self.event(cx, target.clone(), known, true)?;
            cx.show(cx.member.session, event);
            return None;
        }
        let id = cx.chat.next_message(cx.at);
        if let Some(me) = cx.chat.people.get_mut(account) {
            me.active = cx.at;
        }
        // A TAGMSG is for now: typing notes and the like are not kept.
        if let Some(kind) = self.kind {
            if let Some(send) = &self.send_id {
                cx.chat.sends.remember(account, send.clone(), id);
            }
            cx.fx.records.push(Record::Message(StoredMessage {
                id,
                place,
                from: account,
                kind,
                text: self.text.clone(),
                tags: self.tags.clone(),
                send_id: self.send_id.clone(),
            }));
        }
        Some(id)
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
            time: id.time(),
            id: Some(id),
            tags: self.tags.clone(),
            kind,
        })
    }
}
