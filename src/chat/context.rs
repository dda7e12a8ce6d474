//! What a command's handler works with.

use super::audience::SessionId;
use super::channel::Channel;
use super::effects::{Effects, Origin, Output};
use super::event::{Event, EventKind, RENDER_CAPS};
use super::people::Person;
use super::record::{AccountId, Topic};
use super::settings::SERVER_NAME;
use super::state::Chat;
use crate::wire::numeric::{RPL_ENDOFNAMES, RPL_NAMREPLY, RPL_TOPIC, RPL_TOPICWHOTIME};
use crate::wire::{CapSet, ChannelName, Millis, Nick, Reply};

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
        let line = reply.render(SERVER_NAME, self.member.nick.as_str());
        self.fx.outputs.push(Output::Line(self.member.session, line));
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

    /// Something that the member does now, that is not a message.
    pub fn event(&self, kind: EventKind) -> Option<Event> {
        self.me().map(|me| me.event(self.at, kind))
    }

    /// The member's session as the cause of an event that it gets too.
    pub fn origin(&self) -> Origin {
        Origin { session: self.member.session, echo: true, tag: None }
    }

    /// Shows an event to the sessions of a channel, the member's own among them.
    pub fn tell_channel(&mut self, name: &ChannelName, event: Event) {
        if let Some(channel) = self.channel(name) {
            let audience = channel.audience.clone();
            let origin = Some(self.origin());
            self.fx.outputs.push(Output::Fan { audience, event, origin });
        }
    }

    /// Ends the member's session.
    pub fn close(&mut self, reason: &str) {
        self.fx.outputs.push(Output::Close(self.member.session, reason.into()));
        self.chat.close(self.member.session, reason, self.at, self.fx);
    }

    /// Sends the topic, if there is one, and who is in the channel to a session of the member: what a client
    /// expects after JOIN.
    pub(super) fn introduce(&mut self, name: &ChannelName, to: SessionId) {
        let Some(channel) = self.chat.channels.named(name) else { return };
        let mut lines = Vec::new();
        let nick = self.member.nick.as_str();
        let mut add = |reply: Reply| lines.push(reply.render(SERVER_NAME, nick));
        for reply in topic(channel) {
            add(reply);
        }
        for reply in names(self.chat, channel) {
            add(reply);
        }
        self.fx.outputs.extend(lines.into_iter().map(|line| Output::Line(to, line)));
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

/// `RPL_NAMREPLY` with the members of a channel that are online, in as many lines as it takes, and `RPL_ENDOFNAMES`.
pub(super) fn names(chat: &Chat, channel: &Channel) -> Vec<Reply> {
    /// Room for names in a line of 512 bytes whose other parts are the longest they can be.
    const ROOM: usize = 380;
    let mut replies = Vec::new();
    let mut line = String::new();
    let mut flush = |line: &mut String| {
        if !line.is_empty() {
            let head = Reply::numeric(RPL_NAMREPLY).arg("=").arg(channel.name.as_str());
            replies.push(head.text(&*line));
            line.clear();
        }
    };
    for person in channel.members.iter().filter_map(|&id| chat.people.get(id)).filter(|p| p.is_online()) {
        if line.len() + 2 + person.nick().as_str().len() > ROOM {
            flush(&mut line);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(person.prefix());
        line.push_str(person.nick().as_str());
    }
    flush(&mut line);
    let end = Reply::numeric(RPL_ENDOFNAMES).arg(channel.name.as_str()).text("End of /NAMES list");
    replies.push(end);
    replies
}
