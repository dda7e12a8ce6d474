//! Context of a command's handler: the sender, the state and the effects.

use super::metadata_sync;
use super::{Addressee, Attribution, AuditedAction, Core, SessionState};
use crate::core::effects::event::{Event, EventKind, RENDER_CAPS};
use crate::core::effects::playback::HistoryReader;
use crate::core::effects::query::Query;
use crate::core::effects::{Effects, EventTo, Origin, Output};
use crate::core::model::accounts::AccountState;
use crate::core::model::audience::SessionId;
use crate::core::model::channel::Channel;
use crate::core::model::permission_level::PermissionLevel;
use crate::core::record::{AccountId, Actor, ChannelId, Conversation, MessageKind, Topic};
use crate::core::request::target::Target;
use crate::invariants::MustExist as _;
use crate::wire::numeric::{
    ERR_CHANOPRIVSNEEDED, RPL_ENDOFNAMES, RPL_METADATASYNCLATER, RPL_NAMREPLY, RPL_TOPIC, RPL_TOPICWHOTIME,
};
use crate::wire::{Cap, CapSet, ChannelName, Nick, Reply, Tagging, Timestamp};

/// Proof that a command comes from a logged-in session: the session and its account. Only the core can make one.
#[derive(Clone, Debug)]
pub struct Sender {
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
    pub sender: Sender,
    /// The server's time.
    pub at: Timestamp,
    pub(in crate::core) core: &'a mut Core,
    pub(in crate::core) fx: &'a mut Effects,
}

impl<'a> Context<'a> {
    /// Creates the context of a session's command. Returns `None` if the session has ended.
    pub(in crate::core) fn for_session(
        core: &'a mut Core,
        session: SessionId,
        at: Timestamp,
        fx: &'a mut Effects,
    ) -> Option<Self> {
        let known = core.sessions.get(&session)?;
        let nick = core.accounts.get(known.account).must_exist("a session has an account")?.nick().clone();
        let sender = Sender { session, account: known.account, nick, caps: known.caps, _private: () };
        Some(Self { sender, at, core, fx })
    }

    /// Sends a reply to the session that sent the command.
    pub fn reply(&mut self, reply: Reply) {
        let Sender { session, nick, caps, .. } = &self.sender;
        let to = Addressee { session: *session, nick: nick.shared(), caps: *caps };
        self.core.send(&to, reply, self.fx);
    }

    /// Sends replies to the session that sent the command.
    pub(in crate::core) fn replies(&mut self, replies: impl IntoIterator<Item = Reply>) {
        replies.into_iter().for_each(|reply| self.reply(reply));
    }

    /// Returns the state of the sender's account, which exists: no command removes an account.
    pub fn sender_account(&self) -> Option<&AccountState> {
        self.core.accounts.get(self.sender.account).must_exist("the sender has an account")
    }

    /// Returns the state of the sender's account, for a change.
    pub(in crate::core) fn sender_account_mut(&mut self) -> Option<&mut AccountState> {
        self.core.accounts.get_mut(self.sender.account).must_exist("the sender has an account")
    }

    /// Returns the state of the sender's session, for a change, in a command that cannot have ended it.
    pub(in crate::core) fn sender_session_mut(&mut self) -> Option<&mut SessionState> {
        let session = self.core.sessions.get_mut(&self.sender.session);
        session.map(|session| &mut **session).must_exist("the command did not end its session")
    }

    /// Returns the channel of a name.
    pub fn channel(&self, name: &ChannelName) -> Option<&Channel> {
        self.core.channels.get_by_name(name)
    }

    /// Returns whether the sender's account is in the channel.
    pub fn is_member(&self, channel: &Channel) -> bool {
        channel.members.contains(&self.sender.account)
    }

    /// Returns whether the sender has the admin role, by the account's own role or by OPER.
    pub fn is_admin(&self) -> bool {
        self.admin_account().is_some()
    }

    /// Returns the admin account by which the sender has the admin role: its own, or the one whose password it gave to
    /// OPER.
    pub fn admin_account(&self) -> Option<AccountId> {
        if self.sender_account().is_some_and(AccountState::is_admin) {
            return Some(self.sender.account);
        }
        // A message to `NickServ` may have ended the session, and the command may have further targets.
        self.core.sessions.get(&self.sender.session)?.oper_account
    }

    /// Returns the sender's permissions in a channel. Admins have all of them.
    pub fn permission_level(&self, channel: &Channel) -> PermissionLevel {
        if self.is_admin() {
            return PermissionLevel::Admin;
        }
        self.permission_level_of(self.sender.account, channel)
    }

    /// Returns an account's permissions in a channel.
    pub fn permission_level_of(&self, account: AccountId, channel: &Channel) -> PermissionLevel {
        let is_admin = self.core.accounts.get(account).is_some_and(AccountState::is_admin);
        PermissionLevel::for_account(account, is_admin, channel)
    }

    /// Returns whether the sender may know that the channel exists (+s hides it).
    pub fn can_see(&self, channel: &Channel) -> bool {
        !channel.modes.has(crate::core::record::modes::ModeFlag::Secret)
            || self.permission_level(channel) > PermissionLevel::NonMember
    }

    /// Returns whether the sender may not speak in the channel. Its topics, reasons and part messages are then refused
    /// there too.
    pub(in crate::core) fn is_silenced(&self, channel: &Channel) -> bool {
        self.sender_account()
            .is_some_and(|me| self.permission_level(channel).silence_reason(me, channel).is_some())
    }

    /// Returns the channel of a name, if the sender may know that it exists.
    pub fn visible_channel(&self, name: &ChannelName) -> Option<&Channel> {
        self.channel(name).filter(|channel| self.can_see(channel))
    }

    /// Records an action of the sender in a channel for the history, with `text` as its stored text, and returns its
    /// event.
    pub(in crate::core) fn record_channel_event(
        &mut self,
        id: ChannelId,
        (message_kind, text): (MessageKind, std::sync::Arc<str>),
        kind: EventKind,
    ) -> Option<Event> {
        let me = self.sender.account;
        let message = self.core.record_event((me, id), message_kind, text, self.at, self.fx);
        let event = self.event(kind)?;
        Some(Event { id: Some(message), time: self.core.times.time_of(message), ..event })
    }

    /// Records an action of a moderator or an admin in the audit log.
    pub(in crate::core) fn audit(&mut self, action: &'static str, target: &str, detail: &str) {
        let audited = AuditedAction { action, target, detail };
        Core::record_audit(self.attribution(), audited, self.fx);
    }

    /// Returns the time and the author of the command, for the audit log.
    pub(in crate::core) fn attribution(&self) -> Attribution {
        Attribution { at: self.at, actor: Actor::Account(self.sender.account) }
    }

    /// Starts a query for the session that sent the command.
    pub(in crate::core) fn query(&mut self, query: Query) {
        let session = self.sender.session;
        self.fx.push(Output::Query { session, label: None, query: Box::new(query) });
    }

    /// Returns the sender's session as the reader of a history query.
    pub(in crate::core) fn reader(&self) -> HistoryReader {
        let Sender { account, nick, caps, .. } = self.sender.clone();
        let (server, times) = (self.core.settings.server_name.clone(), self.core.times.clone());
        HistoryReader { server, account, nick, caps, times }
    }

    /// Returns all sessions of the sender's account.
    pub(in crate::core) fn sender_sessions(&self) -> Vec<SessionId> {
        self.sender_account()
            .map(|me| me.sessions.recipients().map(|recipient| recipient.session).collect())
            .unwrap_or_default()
    }

    /// Returns the conversation of a target and its name in its own spelling: the sender's direct conversation with an
    /// account, or a channel that the sender is in.
    pub(in crate::core) fn resolve_conversation(
        &self,
        target: &Target,
    ) -> Option<(Conversation, std::sync::Arc<str>)> {
        match target {
            Target::Channel(name) => {
                let channel = self.channel(name).filter(|channel| self.is_member(channel))?;
                Some((Conversation::Channel(channel.id), channel.name.shared()))
            }
            Target::Nick(nick) => {
                let account_state = self.core.accounts.get_by_name(nick)?;
                Some((
                    Conversation::direct(self.sender.account, account_state.account.id),
                    account_state.nick().shared(),
                ))
            }
            Target::Invalid(_) => None,
        }
    }

    /// Creates an event that the sender causes now and that is not a message.
    pub fn event(&self, kind: EventKind) -> Option<Event> {
        self.sender_account().map(|me| me.event(self.at, kind))
    }

    /// Returns the sender's session as the origin of an event of which it gets a copy.
    pub fn origin(&self) -> Origin {
        Origin::new(self.sender.session, true)
    }

    /// Sends an event to the sessions of a channel, including the sender's. An admin who is not in the channel gets the
    /// event too.
    pub fn send_to_channel(&mut self, name: &ChannelName, event: Event) {
        let Some(channel) = self.channel(name).must_exist("the handler found the channel") else { return };
        let (audience, is_member) = (channel.audience.snapshot(), self.is_member(channel));
        let origin = Some(Origin::new(self.sender.session, is_member));
        self.fx.push(Output::Broadcast { audience, event: event.clone(), origin });
        if !is_member {
            self.send_event(self.sender.session, event);
        }
    }

    /// Ends the sender's session.
    pub fn close_session(&mut self, reason: &str) {
        self.fx.push(Output::Close(self.sender.session, reason.into()));
        self.core.close_session(self.sender.session, reason, false, self.at, self.fx);
    }

    /// Sends a session the replies that clients expect after JOIN: the topic, if there is one, the read marker, the
    /// names, and the metadata.
    pub(in crate::core) fn send_join_replies(&mut self, name: &ChannelName, to: SessionId) {
        self.send_join_replies_with(name, to, &mut NamesCache::default());
    }

    /// [`send_join_replies`](Self::send_join_replies) to one of many sessions, which share the names.
    pub(in crate::core) fn send_join_replies_with(
        &mut self,
        name: &ChannelName,
        to: SessionId,
        names_cache: &mut NamesCache,
    ) {
        let account = self.sender.account;
        self.core.send_join_replies(name, to, account, names_cache, self.fx);
    }

    /// Sends an event to one session, unless the command has ended it.
    pub(in crate::core) fn send_event(&mut self, to: SessionId, event: Event) {
        let Some(session) = self.core.sessions.get(&to) else { return };
        let caps = session.caps.intersection(RENDER_CAPS);
        self.fx.push(Output::Event(EventTo { to, caps, event, tagging: Tagging::None }));
    }
}

impl Core {
    /// Sends a session what clients expect after JOIN, as [`Context::send_join_replies`]. The metadata is for sessions
    /// of `joining` alone.
    pub(in crate::core) fn send_join_replies(
        &self,
        name: &ChannelName,
        to: SessionId,
        joining: AccountId,
        names_cache: &mut NamesCache,
        fx: &mut Effects,
    ) {
        let channel = self.channels.get_by_name(name).must_exist("the account is in the channel");
        let session = self.sessions.get(&to).must_exist("the account has the session");
        let (Some(channel), Some(session)) = (channel, session) else { return };
        let account_state = self.accounts.get(session.account);
        let Some(account_state) = account_state.must_exist("a session has an account") else { return };
        let caps = session.caps;
        let mut replies = topic_replies(channel);
        if caps.has(Cap::ReadMarker) {
            let read = account_state.markers.get(&Conversation::Channel(channel.id));
            replies.push(markread_reply(channel.name.as_str(), read.copied()));
        }
        let wants_names =
            !caps.has_any(&[Cap::NoImplicitNames, Cap::NoImplicitNamesDraft, Cap::NoImplicitNamesSoju]);
        let names = if wants_names { names_cache.get_or_render(self, channel, caps) } else { &[] };
        let sends_metadata = caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) && session.account == joining;
        let metadata = if sends_metadata {
            metadata_sync::join_metadata(self, (joining, to), channel)
        } else {
            Some(Vec::new())
        };
        replies.extend_from_slice(names);
        match metadata {
            Some(shown) => replies.extend(shown.iter().map(|shown| shown.announcement(caps))),
            None => replies.push(Reply::numeric(RPL_METADATASYNCLATER).arg(channel.name.as_str()).arg("0")),
        }
        let to = Addressee { session: to, nick: account_state.nick().shared(), caps };
        for reply in replies {
            self.send(&to, reply, fx);
        }
    }
}

/// The members of one channel as NAMES shows them, made once for all sessions that are shown the same.
#[derive(Debug, Default)]
pub(in crate::core) struct NamesCache(Vec<(CapSet, Vec<Reply>)>);

impl NamesCache {
    fn get_or_render(&mut self, core: &Core, channel: &Channel, caps: CapSet) -> &[Reply] {
        let caps = caps.intersection(NAMES_CAPS);
        let known = self.0.iter().position(|(known, _)| *known == caps).unwrap_or_else(|| {
            self.0.push((caps, names_replies(core, channel, caps)));
            self.0.len() - 1
        });
        self.0.get(known).map(|(_, replies)| replies.as_slice()).unwrap_or_default()
    }
}

/// The capabilities that change the result of [`names_replies`].
const NAMES_CAPS: CapSet = CapSet::from_caps(&[Cap::UserhostInNames, Cap::MultiPrefix]);

/// Returns `RPL_TOPIC` and `RPL_TOPICWHOTIME` of a channel, or nothing if it has no topic.
pub(in crate::core) fn topic_replies(channel: &Channel) -> Vec<Reply> {
    let name = channel.name.as_str();
    let lines = |topic: &Topic| {
        let set_by = Reply::numeric(RPL_TOPICWHOTIME).arg(name).arg(topic.by.as_str());
        vec![
            Reply::numeric(RPL_TOPIC).arg(name).text(&topic.text),
            set_by.arg(topic.at.as_seconds().to_string()),
        ]
    };
    channel.topic.as_ref().map(lines).unwrap_or_default()
}

/// Creates the server's MARKREAD line ([read-marker](https://ircv3.net/specs/extensions/read-marker)).
pub(in crate::core) fn markread_reply(target: &str, read: Option<Timestamp>) -> Reply {
    let reply = Reply::command("MARKREAD").arg(target);
    match read {
        Some(read) => reply.arg(format!("timestamp={read}")),
        None => reply.arg("*"),
    }
}

/// Creates `ERR_CHANOPRIVSNEEDED` with the given text.
pub(in crate::core) fn chanop_privs_needed(channel: &str, text: &str) -> Reply {
    Reply::numeric(ERR_CHANOPRIVSNEEDED).arg(channel).text(text)
}

/// Returns `RPL_NAMREPLY` with the members of a channel that are online, in as many lines as needed, and
/// `RPL_ENDOFNAMES`.
pub(in crate::core) fn names_replies(core: &Core, channel: &Channel, caps: CapSet) -> Vec<Reply> {
    /// Bytes of names that fit a line of 512 bytes whose other parts have their maximum lengths.
    const MAX_NAMES_BYTES: usize = 340;
    core.count_scanned_rows(channel.members.len());
    let userhost = caps.has(Cap::UserhostInNames);
    let mut replies = Vec::new();
    let mut line = String::new();
    let mut flush = |line: &mut String| {
        if !line.is_empty() {
            let kind =
                if channel.modes.has(crate::core::record::modes::ModeFlag::Secret) { "@" } else { "=" };
            let head = Reply::numeric(RPL_NAMREPLY).arg(kind).arg(channel.name.as_str());
            replies.push(head.text(&*line));
            line.clear();
        }
    };
    for account_state in
        channel.members.iter().filter_map(|&id| core.accounts.get(id)).filter(|p| p.is_online())
    {
        let name = if userhost { &*account_state.source } else { account_state.nick().as_str() };
        if line.len() + 5 + name.len() > MAX_NAMES_BYTES {
            flush(&mut line);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(channel.member_status(account_state.account.id).prefixes(caps.has(Cap::MultiPrefix)));
        line.push_str(name);
    }
    flush(&mut line);
    let end = Reply::numeric(RPL_ENDOFNAMES).arg(channel.name.as_str()).text("End of /NAMES list");
    replies.push(end);
    replies
}
