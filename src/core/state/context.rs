//! Context of a command's handler: the sender, the state and the effects.

use super::Chat;
use super::sync;
use crate::core::effects::ask::Ask;
use crate::core::effects::event::{Event, EventKind, RENDER_CAPS};
use crate::core::effects::playback::Reader;
use crate::core::effects::{Effects, Origin, Output};
use crate::core::model::audience::SessionId;
use crate::core::model::channel::Channel;
use crate::core::model::people::Person;
use crate::core::model::power::Power;
use crate::core::record::{AccountId, Actor, ChannelId, MessageKind, Place, Topic};
use crate::core::target::Target;
use crate::wire::numeric::{
    ERR_CHANOPRIVSNEEDED, RPL_ENDOFNAMES, RPL_METADATASYNCLATER, RPL_NAMREPLY, RPL_TOPIC, RPL_TOPICWHOTIME,
};
use crate::wire::{Cap, CapSet, ChannelName, Millis, Nick, Reply};

/// Proof that a command comes from a logged-in session: the session and its account. Only the core can make one.
#[derive(Clone, Debug)]
pub struct Member {
    /// The session that sent the command.
    pub session: SessionId,
    /// The account of that session.
    pub account: AccountId,
    /// The account's name.
    pub nick: Nick,
    /// Capabilities of the session.
    pub caps: CapSet,
    _private: (),
}

/// A command that is being run: its sender, its time, the state, and the effects so far.
#[derive(Debug)]
pub struct Context<'a> {
    /// The session that sent it, with its account.
    pub member: Member,
    /// The server's time.
    pub at: Millis,
    pub(in crate::core) chat: &'a mut Chat,
    pub(in crate::core) fx: &'a mut Effects,
}

impl<'a> Context<'a> {
    /// Creates the context of a session's command. Returns `None` if the session has ended.
    pub(in crate::core) fn of(
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

    /// Sends a reply to the session that sent the command.
    #[expect(clippy::needless_pass_by_value, reason = "a reply is made to be sent")]
    pub fn reply(&mut self, reply: Reply) {
        let line = reply.render(self.chat.settings.server_name.as_str(), self.member.nick.as_str());
        self.fx.outputs.push(Output::Line(self.member.session, line));
    }

    /// Sends rendered lines to the session that sent the command.
    pub(in crate::core) fn lines(&mut self, lines: Vec<String>) {
        let to = self.member.session;
        self.fx.outputs.extend(lines.into_iter().map(|line| Output::Line(to, line)));
    }

    /// Returns the state of the sender's account.
    pub fn me(&self) -> Option<&Person> {
        self.chat.people.get(self.member.account)
    }

    /// Returns the channel of a name.
    pub fn channel(&self, name: &ChannelName) -> Option<&Channel> {
        self.chat.channels.named(name)
    }

    /// Returns whether the sender's account is in the channel.
    pub fn is_in(&self, channel: &Channel) -> bool {
        channel.members.contains(&self.member.account)
    }

    /// Returns whether the sender has the admin role, by the account's own role or by OPER.
    pub fn is_admin(&self) -> bool {
        self.admin_as().is_some()
    }

    /// Returns the admin account by which the sender has the admin role: its own, or the one whose password it gave to
    /// OPER.
    pub fn admin_as(&self) -> Option<AccountId> {
        if self.me().is_some_and(Person::is_admin) {
            return Some(self.member.account);
        }
        self.chat.sessions.get(&self.member.session)?.admin_by
    }

    /// Returns the sender's permissions in a channel. Admins have all of them.
    pub fn power(&self, channel: &Channel) -> Power {
        if self.is_admin() {
            return Power::Admin;
        }
        self.power_of(self.member.account, channel)
    }

    /// Returns an account's permissions in a channel.
    pub fn power_of(&self, account: AccountId, channel: &Channel) -> Power {
        let is_admin = self.chat.people.get(account).is_some_and(Person::is_admin);
        Power::of(account, is_admin, channel)
    }

    /// Returns whether the sender may know that the channel exists (+s hides it).
    pub fn can_see(&self, channel: &Channel) -> bool {
        !channel.modes.has(crate::core::record::modes::Flag::Secret) || self.power(channel) > Power::Stranger
    }

    /// Returns whether the sender may not speak in the channel. Its topics, reasons and part messages are then refused
    /// there too.
    pub(in crate::core) fn is_silenced(&self, channel: &Channel) -> bool {
        self.me().is_some_and(|me| self.power(channel).silenced(me, channel).is_some())
    }

    /// Returns the channel of a name, if the sender may know that it exists.
    pub fn visible(&self, name: &ChannelName) -> Option<&Channel> {
        self.channel(name).filter(|channel| self.can_see(channel))
    }

    /// Records an action of the sender in a channel for the history, with `text` as its stored text, and returns its
    /// event.
    pub(in crate::core) fn channel_event(
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

    /// Records an action of a moderator or an admin in the audit log.
    pub(in crate::core) fn audit(&mut self, action: &'static str, target: &str, detail: &str) {
        Chat::note(self.by(), action, (target, detail), self.fx);
    }

    /// Returns the time and the author of the command, for the audit log.
    pub(in crate::core) fn by(&self) -> (Millis, Actor) {
        (self.at, Actor::Account(self.member.account))
    }

    /// Starts a query for the session that sent the command.
    pub(in crate::core) fn ask(&mut self, ask: Ask) {
        let session = self.member.session;
        self.fx.outputs.push(Output::Ask { session, label: None, ask: Box::new(ask) });
    }

    /// Returns the sender's session as the reader of a history query.
    pub(in crate::core) fn reader(&self) -> Reader {
        let Member { account, nick, caps, .. } = self.member.clone();
        let (server, times) = (self.chat.settings.server_name.clone(), self.chat.times.clone());
        Reader { server, account, nick, caps, label: None, times }
    }

    /// Returns all sessions of the sender's account.
    pub(in crate::core) fn my_sessions(&self) -> Vec<SessionId> {
        self.me().map(|me| me.seats.seats().map(|seat| seat.session).collect()).unwrap_or_default()
    }

    /// Returns the conversation of a target and its name in its own spelling: the sender's direct conversation with an
    /// account, or a channel that the sender is in.
    pub(in crate::core) fn place(&self, target: &Target) -> Option<(Place, std::sync::Arc<str>)> {
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

    /// Creates an event that the sender causes now and that is not a message.
    pub fn event(&self, kind: EventKind) -> Option<Event> {
        self.me().map(|me| me.event(self.at, kind))
    }

    /// Returns the sender's session as the origin of an event of which it gets a copy.
    pub fn origin(&self) -> Origin {
        Origin { session: self.member.session, echo: true, tag: None }
    }

    /// Sends an event to the sessions of a channel, including the sender's. An admin who is not in the channel gets the
    /// event too.
    pub fn tell_channel(&mut self, name: &ChannelName, event: Event) {
        let Some(channel) = self.channel(name) else { return };
        let (audience, is_in) = (channel.audience.snapshot(), self.is_in(channel));
        let origin = Some(self.origin());
        self.fx.outputs.push(Output::Fan { audience, event: event.clone(), origin });
        if !is_in {
            self.show(self.member.session, event);
        }
    }

    /// Ends the sender's session.
    pub fn close(&mut self, reason: &str) {
        self.fx.outputs.push(Output::Close(self.member.session, reason.into()));
        self.chat.close(self.member.session, reason, false, self.at, self.fx);
    }

    /// Sends a session the replies that clients expect after JOIN: the topic, if there is one, the read marker, the
    /// names, and the metadata.
    pub(in crate::core) fn introduce(&mut self, name: &ChannelName, to: SessionId) {
        self.introduce_with(name, to, &mut NamesOf::default());
    }

    /// [`introduce`](Self::introduce) to one of many sessions, which share the names.
    pub(in crate::core) fn introduce_with(&mut self, name: &ChannelName, to: SessionId, known: &mut NamesOf) {
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
        let wants_names =
            !caps.has_any(&[Cap::NoImplicitNames, Cap::NoImplicitNamesDraft, Cap::NoImplicitNamesSoju]);
        let names = if wants_names { known.of(self.chat, channel, caps) } else { &[] };
        let is_told =
            caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) && session.account == self.member.account;
        let metadata = if is_told {
            sync::at_join(self.chat, (self.member.account, to), channel)
        } else {
            Some(Vec::new())
        };
        let server = &self.chat.settings.server_name;
        let nick = person.nick().as_str();
        let mut later = None;
        match &metadata {
            Some(shown) => told.extend(shown.iter().map(|shown| shown.told_to(caps, (server, nick)))),
            None => later = Some(Reply::numeric(RPL_METADATASYNCLATER).arg(channel.name.as_str()).arg("0")),
        }
        let replies = replies.iter().chain(names).chain(&later);
        let lines = replies.map(|reply| reply.render(server.as_str(), nick)).chain(told);
        self.fx.outputs.extend(lines.map(|line| Output::Line(to, line)));
    }

    /// Sends an event to one session.
    pub(in crate::core) fn show(&mut self, to: SessionId, event: Event) {
        let Some(session) = self.chat.sessions.get(&to) else { return };
        let caps = session.caps.and(RENDER_CAPS);
        self.fx.outputs.push(Output::Event { to, caps, event, tag: None });
    }
}

/// The members of one channel as NAMES shows them, made once for all sessions that are shown the same.
#[derive(Debug, Default)]
pub(in crate::core) struct NamesOf(Vec<(CapSet, Vec<Reply>)>);

impl NamesOf {
    fn of(&mut self, chat: &Chat, channel: &Channel, caps: CapSet) -> &[Reply] {
        let caps = caps.and(NAMES_CAPS);
        let known = self.0.iter().position(|(known, _)| *known == caps).unwrap_or_else(|| {
            self.0.push((caps, names(chat, channel, caps)));
            self.0.len() - 1
        });
        self.0.get(known).map(|(_, replies)| replies.as_slice()).unwrap_or_default()
    }
}

/// The capabilities that change what [`names`] makes.
const NAMES_CAPS: CapSet = CapSet::of(&[Cap::UserhostInNames, Cap::MultiPrefix]);

/// Returns `RPL_TOPIC` and `RPL_TOPICWHOTIME` of a channel, or nothing if it has no topic.
pub(in crate::core) fn topic(channel: &Channel) -> Vec<Reply> {
    let name = channel.name.as_str();
    let lines = |topic: &Topic| {
        let who = Reply::numeric(RPL_TOPICWHOTIME).arg(name).arg(topic.by.as_str());
        vec![Reply::numeric(RPL_TOPIC).arg(name).text(&topic.text), who.arg(topic.at.seconds().to_string())]
    };
    channel.topic.as_ref().map(lines).unwrap_or_default()
}

/// Creates the server's MARKREAD line ([read-marker](https://ircv3.net/specs/extensions/read-marker)).
pub(in crate::core) fn markread(target: &str, read: Option<Millis>) -> Reply {
    let reply = Reply::command("MARKREAD").arg(target);
    match read {
        Some(read) => reply.arg(format!("timestamp={read}")),
        None => reply.arg("*"),
    }
}

/// Creates `ERR_CHANOPRIVSNEEDED` with the given text.
pub(in crate::core) fn not_allowed(channel: &str, text: &str) -> Reply {
    Reply::numeric(ERR_CHANOPRIVSNEEDED).arg(channel).text(text)
}

/// Returns `RPL_NAMREPLY` with the members of a channel that are online, in as many lines as needed, and
/// `RPL_ENDOFNAMES`.
pub(in crate::core) fn names(chat: &Chat, channel: &Channel, caps: CapSet) -> Vec<Reply> {
    /// Bytes of names that fit a line of 512 bytes whose other parts have their maximum lengths.
    const ROOM: usize = 340;
    chat.look_at(channel.members.len());
    let userhost = caps.has(Cap::UserhostInNames);
    let mut replies = Vec::new();
    let mut line = String::new();
    let mut flush = |line: &mut String| {
        if !line.is_empty() {
            let kind = if channel.modes.has(crate::core::record::modes::Flag::Secret) { "@" } else { "=" };
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
