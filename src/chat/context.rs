//! What a command's handler works with.

use super::ask::Ask;
use super::audience::SessionId;
use super::channel::Channel;
use super::effects::{Effects, Origin, Output};
use super::event::{Event, EventKind, RENDER_CAPS};
use super::people::Person;
use super::playback::Reader;
use super::power::Power;
use super::record::{AccountId, ChannelId, MessageKind, Place, Record, Topic};
use super::state::Chat;
use super::sync;
use super::target::Target;
use crate::wire::numeric::{
    ERR_CHANOPRIVSNEEDED, RPL_ENDOFNAMES, RPL_METADATASYNCLATER, RPL_NAMREPLY, RPL_TOPIC, RPL_TOPICWHOTIME,
};
use crate::wire::{Cap, CapSet, ChannelName, Millis, Nick, Reply};

/// Proof that a command comes from somebody who is logged in. Nobody but the chat can make one.
#[derive(Clone, Debug)]
#[expect(clippy::manual_non_exhaustive, reason = "the rest of this crate may not make one either")]
pub struct Member {
    /// The session that the command came from.
    pub session: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// The account's name.
    pub nick: Nick,
    /// What the session understands.
    pub caps: CapSet,
    _private: (),
}

/// A command being carried out: who gave it, when, the state, and the effects so far.
#[derive(Debug)]
pub struct Context<'a> {
    /// Who gave it.
    pub member: Member,
    /// When.
    pub at: Millis,
    pub(super) chat: &'a mut Chat,
    pub(super) fx: &'a mut Effects,
}

impl<'a> Context<'a> {
    /// For a command of a session; `None` when the session is gone.
    pub(super) fn of(
        chat: &'a mut Chat,
        session: SessionId,
        at: Millis,
        fx: &'a mut Effects,
    ) -> Option<Self> {
        let known = chat.sessions.get(&session)?;
        let nick = chat.people.get(known.account)?.nick().clone();
        let member = Member { session, account: known.account, nick, caps: known.caps, _private: () };
        Some(Self { member, at, chat, fx })
    }

    /// Answers the session that gave the command.
    #[expect(clippy::needless_pass_by_value, reason = "a reply is made to be sent")]
    pub fn reply(&mut self, reply: Reply) {
        let line = reply.render(self.chat.settings.server_name.as_str(), self.member.nick.as_str());
        self.fx.outputs.push(Output::Line(self.member.session, line));
    }

    /// Sends lines that are rendered to the session that gave the command.
    pub(super) fn lines(&mut self, lines: Vec<String>) {
        let to = self.member.session;
        self.fx.outputs.extend(lines.into_iter().map(|line| Output::Line(to, line)));
    }

    /// The member as a person.
    pub fn me(&self) -> Option<&Person> {
        self.chat.people.get(self.member.account)
    }

    /// The channel of a name.
    pub fn channel(&self, name: &ChannelName) -> Option<&Channel> {
        self.chat.channels.named(name)
    }

    /// Is the member in the channel?
    pub fn is_in(&self, channel: &Channel) -> bool {
        channel.members.contains(&self.member.account)
    }

    /// Does the member run the server, by its own role or by OPER?
    pub fn is_admin(&self) -> bool {
        self.admin_as().is_some()
    }

    /// The admin whose power the member has: himself, or whose password he gave to OPER.
    pub fn admin_as(&self) -> Option<AccountId> {
        if self.me().is_some_and(Person::is_admin) {
            return Some(self.member.account);
        }
        self.chat.sessions.get(&self.member.session)?.admin_by
    }

    /// How much the member may do in a channel.
    pub fn power(&self, channel: &Channel) -> Power {
        if self.is_admin() {
            return Power::Admin;
        }
        self.power_of(self.member.account, channel)
    }

    /// How much an account may do in a channel.
    pub fn power_of(&self, account: AccountId, channel: &Channel) -> Power {
        let is_admin = self.chat.people.get(account).is_some_and(Person::is_admin);
        Power::of(account, is_admin, channel)
    }

    /// Does the member get to know that the channel is there?
    pub fn can_see(&self, channel: &Channel) -> bool {
        !channel.modes.has(super::modes::Flag::Secret) || self.power(channel) > Power::Stranger
    }

    /// Returns whether the member may not speak in the channel. Then its topics, reasons and parting words are not taken
    /// there either.
    pub(super) fn is_silenced(&self, channel: &Channel) -> bool {
        self.me().is_some_and(|me| self.power(channel).silenced(me, channel).is_some())
    }

    /// The channel of a name, where the member gets to know that it is there.
    pub fn visible(&self, name: &ChannelName) -> Option<&Channel> {
        self.channel(name).filter(|channel| self.can_see(channel))
    }

    /// Something that the member does in a channel and that the history keeps. Its text there is `text`.
    pub(super) fn channel_event(
        &mut self,
        id: ChannelId,
        (kept, text): (MessageKind, std::sync::Arc<str>),
        kind: EventKind,
    ) -> Option<Event> {
        let me = self.member.account;
        let message = self.chat.keep_event((me, id), kept, text, self.at, self.fx);
        let event = self.event(kind)?;
        Some(Event { id: Some(message), time: self.chat.times.of(message), ..event })
    }

    /// Notes what a moderator or an admin did.
    pub(super) fn audit(&mut self, action: &'static str, target: &str, detail: &str) {
        let (at, actor) = (self.at, self.member.account);
        let (target, detail) = (target.into(), detail.into());
        self.fx.records.push(Record::Audit { at, actor, action, target, detail });
    }

    /// Has something found out for the session that gave the command.
    pub(super) fn ask(&mut self, ask: Ask) {
        let session = self.member.session;
        self.fx.outputs.push(Output::Ask { session, label: None, ask: Box::new(ask) });
    }

    /// The member's session as the reader of history.
    pub(super) fn reader(&self) -> Reader {
        let Member { account, nick, caps, .. } = self.member.clone();
        let (server, times) = (self.chat.settings.server_name.clone(), self.chat.times.clone());
        Reader { server, account, nick, caps, label: None, times }
    }

    /// The sessions of the member's account.
    pub(super) fn my_sessions(&self) -> Vec<SessionId> {
        self.me().map(|me| me.seats.seats().map(|seat| seat.session).collect()).unwrap_or_default()
    }

    /// Where the member and a person talk with each other, or a channel that the member is in, with the name as it
    /// is written.
    pub(super) fn place(&self, target: &Target) -> Option<(Place, std::sync::Arc<str>)> {
        match target {
            Target::Channel(name) => {
                let channel = self.channel(name).filter(|channel| self.is_in(channel))?;
                Some((Place::Channel(channel.id), channel.name.shared()))
            }
            Target::Person(nick) => {
                let person = self.chat.people.known(nick)?;
                Some((Place::direct(self.member.account, person.account.id), person.nick().shared()))
            }
            Target::Nobody(_) => None,
        }
    }

    /// Something that the member does now, that is not a message.
    pub fn event(&self, kind: EventKind) -> Option<Event> {
        self.me().map(|me| me.event(self.at, kind))
    }

    /// The member's session as the cause of an event that it gets too.
    pub fn origin(&self) -> Origin {
        Origin { session: self.member.session, echo: true, tag: None }
    }

    /// Shows an event to the sessions of a channel, the member's own among them; an admin who is not in it sees what he
    /// did there too.
    pub fn tell_channel(&mut self, name: &ChannelName, event: Event) {
        let Some(channel) = self.channel(name) else { return };
        let (audience, is_in) = (channel.audience.snapshot(), self.is_in(channel));
        let origin = Some(self.origin());
        self.fx.outputs.push(Output::Fan { audience, event: event.clone(), origin });
        if !is_in {
            self.show(self.member.session, event);
        }
    }

    /// Ends the member's session.
    pub fn close(&mut self, reason: &str) {
        self.fx.outputs.push(Output::Close(self.member.session, reason.into()));
        self.chat.close(self.member.session, reason, false, self.at, self.fx);
    }

    /// Sends the topic, if there is one, up to where its account has read, and who is in the channel to a session: what
    /// a client expects after JOIN.
    pub(super) fn introduce(&mut self, name: &ChannelName, to: SessionId) {
        let Some(channel) = self.chat.channels.named(name) else { return };
        let Some(session) = self.chat.sessions.get(&to) else { return };
        let Some(person) = self.chat.people.get(session.account) else { return };
        let caps = session.caps;
        let mut replies = topic(channel);
        let mut told = Vec::new();
        if caps.has(Cap::ReadMarker) {
            let read = person.markers.get(&Place::Channel(channel.id));
            replies.push(markread(channel.name.as_str(), read.copied()));
        }
        if !caps.has_any(&[Cap::NoImplicitNames, Cap::NoImplicitNamesDraft, Cap::NoImplicitNamesSoju]) {
            replies.extend(names(self.chat, channel, caps));
        }
        let is_told =
            caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) && session.account == self.member.account;
        let metadata = if is_told {
            sync::at_join(self.chat, (self.member.account, to), channel)
        } else {
            Some(Vec::new())
        };
        let server = &self.chat.settings.server_name;
        let nick = person.nick().as_str();
        match &metadata {
            Some(shown) => told.extend(shown.iter().map(|shown| shown.told_to(caps, (server, nick)))),
            None => replies.push(Reply::numeric(RPL_METADATASYNCLATER).arg(channel.name.as_str()).arg("0")),
        }
        let lines = replies.iter().map(|reply| reply.render(server.as_str(), nick)).chain(told);
        self.fx.outputs.extend(lines.map(|line| Output::Line(to, line)));
    }

    /// Shows an event to one session of the member.
    pub(super) fn show(&mut self, to: SessionId, event: Event) {
        let Some(session) = self.chat.sessions.get(&to) else { return };
        let caps = session.caps.and(RENDER_CAPS);
        self.fx.outputs.push(Output::Event { to, caps, event, tag: None });
    }
}

/// `RPL_TOPIC` and `RPL_TOPICWHOTIME` of a channel; nothing where it has no topic.
pub(super) fn topic(channel: &Channel) -> Vec<Reply> {
    let name = channel.name.as_str();
    let lines = |topic: &Topic| {
        let who = Reply::numeric(RPL_TOPICWHOTIME).arg(name).arg(topic.by.as_str());
        vec![Reply::numeric(RPL_TOPIC).arg(name).text(&topic.text), who.arg(topic.at.seconds().to_string())]
    };
    channel.topic.as_ref().map(lines).unwrap_or_default()
}

/// MARKREAD as the server says it ([read-marker](https://ircv3.net/specs/extensions/read-marker)).
pub(super) fn markread(target: &str, read: Option<Millis>) -> Reply {
    let reply = Reply::command("MARKREAD").arg(target);
    match read {
        Some(read) => reply.arg(format!("timestamp={read}")),
        None => reply.arg("*"),
    }
}

/// `ERR_CHANOPRIVSNEEDED`
pub(super) fn not_allowed(channel: &str, text: &str) -> Reply {
    Reply::numeric(ERR_CHANOPRIVSNEEDED).arg(channel).text(text)
}

/// `RPL_NAMREPLY` with the members of a channel that are online, in as many lines as it takes, and `RPL_ENDOFNAMES`.
pub(super) fn names(chat: &Chat, channel: &Channel, caps: CapSet) -> Vec<Reply> {
    /// Room for names in a line of 512 bytes whose other parts are the longest they can be.
    const ROOM: usize = 340;
    chat.look_at(channel.members.len());
    let userhost = caps.has(Cap::UserhostInNames);
    let mut replies = Vec::new();
    let mut line = String::new();
    let mut flush = |line: &mut String| {
        if !line.is_empty() {
            let kind = if channel.modes.has(super::modes::Flag::Secret) { "@" } else { "=" };
            let head = Reply::numeric(RPL_NAMREPLY).arg(kind).arg(channel.name.as_str());
            replies.push(head.text(&*line));
            line.clear();
        }
    };
    for person in channel.members.iter().filter_map(|&id| chat.people.get(id)).filter(|p| p.is_online()) {
        let name = if userhost { &*person.source } else { person.nick().as_str() };
        if line.len() + 5 + name.len() > ROOM {
            flush(&mut line);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(channel.ranks(person.account.id).prefixes(caps.has(Cap::MultiPrefix)));
        line.push_str(name);
    }
    flush(&mut line);
    let end = Reply::numeric(RPL_ENDOFNAMES).arg(channel.name.as_str()).text("End of /NAMES list");
    replies.push(end);
    replies
}
