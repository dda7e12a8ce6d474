//! PRIVMSG, NOTICE and TAGMSG (<https://modern.ircdocs.horse/#privmsg-message>,
//! [message tags](https://ircv3.net/specs/extensions/message-tags),
//! [echo-message](https://ircv3.net/specs/extensions/echo-message)).
//!
//! The handlers here decide on the echo: the [`Origin`] of the event's broadcast says whether the sending session gets its
//! copy, which is its echo and carries the label. A session with echo-message that is not in the audience, such as the
//! sender to a channel that it is not in, gets the event by itself. Like every output of the command, the echo waits for
//! the commit of its record.

use std::sync::Arc;

use crate::core::commands::account::reply_form::SERVICE_NICK;
use crate::core::commands::account::services::is_service;
use crate::core::commands::targets::{self, no_such_channel, no_such_nick};
use crate::core::commands::{Command, Spec};
use crate::core::effects::event::{Event, EventKind};
use crate::core::effects::tags::{files_tag, join_tags};
use crate::core::effects::{Origin, Output};
use crate::core::model::accounts::ECHO_ACCOUNT_ID;
use crate::core::model::channel::Channel;
use crate::core::model::permission_level::PermissionLevel;
use crate::core::record::member_status::PrefixMode;
use crate::core::record::modes::ModeFlag;
use crate::core::record::{
    ChannelId, ContentHash, Conversation, LINE_BREAK, LINE_CONCAT, MessageKind, Record, SendId, StoredMessage,
};
use crate::core::request::target::Target;
use crate::core::state::context::Context;
use crate::invariants::MustExist as _;
use crate::wire::numeric::{
    ERR_CANNOTSENDTOCHAN, ERR_CANNOTSENDTOUSER, ERR_NORECIPIENT, ERR_NOTEXTTOSEND, RPL_AWAY,
};
use crate::wire::{Cap, ChannelName, Message, MessageId, Nick, Reply, Tags};

/// The PRIVMSG command: sends a message.
pub const PRIVMSG: Spec =
    Spec { name: "PRIVMSG", min_params: 0, parse: |m| parse(m, Some(MessageKind::Privmsg)) };
/// The NOTICE command: sends a message that gets no automatic reply.
pub const NOTICE: Spec =
    Spec { name: "NOTICE", min_params: 0, parse: |m| parse(m, Some(MessageKind::Notice)) };
/// The TAGMSG command: sends tags without a text.
pub const TAGMSG: Spec = Spec { name: "TAGMSG", min_params: 0, parse: |m| parse(m, None) };

/// Tag for the send id of a message (capability `parlour/send-id`).
pub const SEND_ID_TAG: &str = "parlour/send-id";

/// A parsed PRIVMSG, NOTICE or TAGMSG.
#[derive(Debug)]
pub struct SendMessage {
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
    let common = parse_common(message.command, message, list)?;
    Ok(Command::SendMessage(SendMessage { kind, text: text.into(), ..common }))
}

/// Parses a message without its text: the targets and the tags.
pub(in crate::core::commands) fn parse_common(
    command: &str,
    message: &Message<'_>,
    list: &str,
) -> Result<SendMessage, Reply> {
    let targets: Vec<Target> = if list.contains(',') {
        targets::split_targets(list)?.into_iter().map(Target::parse).collect()
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
    Ok(SendMessage { targets, kind: None, text: Arc::default(), tags: client_only_tags(message), send_id })
}

/// Returns the client-only tags, which are passed on unchanged
/// ([message tags](https://ircv3.net/specs/extensions/message-tags#client-only-tags)).
fn client_only_tags(message: &Message<'_>) -> Arc<str> {
    if message.tags.is_empty() { Arc::default() } else { message.tags.client_only_tags().into() }
}

/// Client-only tags of typing notifications, which the history does not keep.
const TYPING_TAGS: [&str; 2] = ["+typing", "+draft/typing"];

/// Parses `@#channel` (`STATUSMSG`): the members of this status or a higher one.
fn status_target(text: &str) -> Option<(PrefixMode, ChannelName)> {
    let prefix_mode = PrefixMode::from_prefix(text.chars().next()?)?;
    Some((prefix_mode, ChannelName::parse(text.get(1..)?).ok()?))
}

/// Returns whether the session is in the channel's audience.
fn is_in_audience(cx: &Context<'_>, id: ChannelId) -> bool {
    cx.core.channels.get(id).is_some_and(|channel| channel.audience.has(cx.sender.session))
}

impl SendMessage {
    /// Returns the message with the text of its lines.
    pub(in crate::core::commands) fn with_lines(self, kind: MessageKind, text: Arc<str>) -> Self {
        Self { kind: Some(kind), text, ..self }
    }

    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let caps = cx.sender.caps;
        if self.text.contains([LINE_BREAK, LINE_CONCAT])
            && !(caps.has(Cap::Multiline) && caps.has(Cap::Batch))
        {
            let reply = Reply::fail("BATCH", "MULTILINE_INVALID");
            return cx.reply(reply.text("Request the capabilities draft/multiline and batch first"));
        }
        for target in &self.targets {
            match target {
                Target::Channel(name) => self.send_to_channel(cx, name, None),
                Target::Nick(nick) if is_service(nick) => self.send_to_service(cx),
                Target::Nick(nick) => self.send_to_account(cx, nick),
                Target::Invalid(text) => match status_target(text) {
                    Some((status, name)) => self.send_to_channel(cx, &name, Some(status)),
                    None if text.starts_with('#') => self.reply_with_error(cx, no_such_channel(text)),
                    None => self.reply_with_error(cx, no_such_nick(text)),
                },
            }
        }
    }

    /// Sends an error reply, except for a NOTICE, so that two programs can't reply to each other endlessly
    /// (<https://modern.ircdocs.horse/#notice-message>). Clients that negotiated labels get it all the same.
    fn reply_with_error(&self, cx: &mut Context<'_>, reply: Reply) {
        if self.kind != Some(MessageKind::Notice) || cx.sender.caps.has(Cap::LabeledResponse) {
            cx.reply(reply);
        }
    }

    fn send_to_channel(&self, cx: &mut Context<'_>, name: &ChannelName, prefix_mode: Option<PrefixMode>) {
        let Some(channel) = cx.visible_channel(name) else {
            return self.reply_with_error(cx, no_such_channel(name.as_str()));
        };
        if let Some(reason) = self.send_refusal(cx, channel) {
            let reply = Reply::numeric(ERR_CANNOTSENDTOCHAN).arg(name.as_str());
            return self.reply_with_error(cx, reply.text(reason));
        }
        cx.core.count_scanned_rows(
            channel.lists.match_cost() + if prefix_mode.is_some() { 2 * channel.members.len() } else { 0 },
        );
        let (id, name, mut audience) = (channel.id, channel.name.clone(), channel.audience.snapshot());
        let mut target = name.shared();
        if let Some(mode) = prefix_mode {
            // STATUSMSG: only members of this status or a higher one, and the sender, get the message. It is not
            // stored, because the history does not know who may read it.
            let status_holders = channel.members.iter().filter(|&&member| {
                member == cx.sender.account || channel.member_status(member).at_least(mode)
            });
            let account_states = status_holders.filter_map(|&member| cx.core.accounts.get(member));
            audience = account_states
                .flat_map(|account_state| account_state.sessions.recipients())
                .copied()
                .collect();
            target = format!("{}{name}", mode.prefix()).into();
        }
        let conversation = if prefix_mode.is_some() { None } else { Some(Conversation::Channel(id)) };
        let Some(message) = self.record_message(cx, conversation, &target) else { return };
        // The store does the same: reactions alone do not keep an empty channel.
        let is_text = prefix_mode.is_none() && self.kind.is_some();
        if let Some(channel) = cx.core.channels.get_mut(id).filter(|_| is_text) {
            channel.has_messages = true;
        }
        let (wants_copy, is_in_audience) = (cx.sender.caps.has(Cap::EchoMessage), is_in_audience(cx, id));
        let origin = Origin::new(cx.sender.session, wants_copy && is_in_audience);
        let Some(event) = self.event(cx, target, message, false) else { return };
        cx.fx.push(Output::Broadcast { audience, event: event.clone(), origin: Some(origin) });
        if wants_copy && !is_in_audience {
            cx.send_event(cx.sender.session, event);
        }
    }

    /// Returns the reason for which the account may not send this to the channel, if there is one.
    fn send_refusal(&self, cx: &Context<'_>, channel: &Channel) -> Option<&'static str> {
        let level = cx.permission_level(channel);
        let is_in = cx.is_member(channel);
        if !is_in && (channel.modes.has(ModeFlag::MembersOnly) || level == PermissionLevel::Admin) {
            return Some("Cannot send to channel (+n): you are not in it");
        }
        cx.sender_account()
            .and_then(|me| level.silence_reason(me, channel))
            .or_else(|| self.ctcp_refusal(channel))
    }

    fn ctcp_refusal(&self, channel: &Channel) -> Option<&'static str> {
        let is_ctcp = |line: &str| {
            let word = line.strip_prefix('\u{1}').map(|rest| rest.split([' ', '\u{1}']).next());
            word.is_some_and(|word| word != Some("ACTION"))
        };
        let ctcp = self.text.split([LINE_BREAK, LINE_CONCAT]).any(is_ctcp);
        (ctcp && channel.modes.has(ModeFlag::NoCtcp)).then_some("Cannot send CTCP to channel (+C)")
    }

    /// Returns whether the history keeps the message. Of TAGMSGs it keeps reactions and a limited number of others, but
    /// no typing notifications.
    fn is_stored(&self, cx: &mut Context<'_>) -> bool {
        if self.kind.is_some() || StoredMessage::is_reaction(&self.tags) {
            return true;
        }
        let (account, now) = (cx.sender.account, cx.core.monotonic);
        Tags(&self.tags).iter().any(|(key, _)| !TYPING_TAGS.contains(&key))
            && cx.core.accounts.get_mut(account).is_some_and(|me| me.count_tagmsg(now))
    }

    fn send_to_account(&self, cx: &mut Context<'_>, nick: &Nick) {
        let Some(account_state) = cx.core.accounts.get_enabled_by_name(nick) else {
            return self.reply_with_error(cx, no_such_nick(nick.as_str()));
        };
        if account_state.is_hook {
            let reply = Reply::numeric(ERR_CANNOTSENDTOUSER).arg(account_state.nick().as_str());
            return self.reply_with_error(cx, reply.text("It is a hook: nobody reads messages to it"));
        }
        let (id, target, recipients, away) = (
            account_state.account.id,
            account_state.nick().shared(),
            account_state.sessions.snapshot(),
            account_state.away.clone(),
        );
        let Some(message) =
            self.record_message(cx, Some(Conversation::direct(cx.sender.account, id)), &target)
        else {
            return;
        };
        let origin = |echo| Some(Origin::new(cx.sender.session, echo));
        if id == cx.sender.account {
            // A message to oneself: the sending session gets its echo, which carries the label, and every session gets
            // the message, which does not (labeled-response, "Tags").
            let Some(event) = self.event(cx, target, message, false) else { return };
            if cx.sender.caps.has(Cap::EchoMessage) {
                cx.send_event(cx.sender.session, event.clone());
            }
            cx.fx.push(Output::Broadcast { audience: recipients, event, origin: None });
            return;
        }
        let own = cx.sender_account().map(|me| me.sessions.snapshot()).unwrap_or_default();
        let (Some(recipient_event), Some(own_event)) =
            (self.event(cx, target.clone(), message, false), self.event(cx, target, message, true))
        else {
            return;
        };
        if !recipients.is_empty() {
            cx.fx.push(Output::Broadcast { audience: recipients, event: recipient_event, origin: None });
        }
        let echo = cx.sender.caps.has(Cap::EchoMessage);
        cx.fx.push(Output::Broadcast { audience: own, event: own_event, origin: origin(echo) });
        if let Some(away) = away.filter(|_| self.kind == Some(MessageKind::Privmsg)) {
            cx.reply(Reply::numeric(RPL_AWAY).arg(nick.as_str()).text(away));
        }
        if id == ECHO_ACCOUNT_ID && self.kind == Some(MessageKind::Privmsg) {
            self.send_echo_reply(cx);
        }
    }

    /// Handles a message to the service, which is neither stored nor shown to other sessions.
    fn send_to_service(&self, cx: &mut Context<'_>) {
        if cx.sender.caps.has(Cap::EchoMessage)
            && let Some(event) = self.event(cx, SERVICE_NICK.into(), MessageId::default(), true)
        {
            cx.send_event(cx.sender.session, Event { id: None, time: cx.at, ..event });
        }
        if self.kind == Some(MessageKind::Privmsg) {
            crate::core::commands::account::services::run_service_message(cx, &self.text);
        }
    }

    /// Sends the reply of the built-in account `echo`.
    fn send_echo_reply(&self, cx: &mut Context<'_>) {
        let text: Arc<str> = format!("Server received your message: {}", self.text).into();
        let id = cx.core.next_message_id(cx.at);
        cx.fx.records.push(Record::Message(StoredMessage {
            id,
            conversation: Conversation::direct(cx.sender.account, ECHO_ACCOUNT_ID),
            from: ECHO_ACCOUNT_ID,
            kind: MessageKind::Privmsg,
            text: text.clone(),
            tags: Arc::default(),
            send_id: None,
        }));
        let echo = cx.core.accounts.get(ECHO_ACCOUNT_ID).must_exist("the account is built in");
        let (Some(echo), Some(me)) = (echo, cx.sender_account()) else { return };
        let event = Event {
            source: echo.source.clone(),
            account: Some(echo.nick().clone()),
            bot: true,
            time: cx.core.times.time_of(id),
            id: Some(id),
            tags: Arc::default(),
            kind: EventKind::Message {
                kind: MessageKind::Privmsg,
                target: me.nick().shared(),
                text,
                own_copy: false,
            },
        };
        let audience = me.sessions.snapshot();
        cx.fx.push(Output::Broadcast { audience, event, origin: None });
    }

    /// Gives the message its id and records it. Returns `None` for a message that was sent before under the same send
    /// id: its session alone gets the echo again, and the command is complete.
    fn record_message(
        &self,
        cx: &mut Context<'_>,
        conversation: Option<Conversation>,
        target: &Arc<str>,
    ) -> Option<MessageId> {
        let account = cx.sender.account;
        if let Some(send_id) = &self.send_id
            && let Some(known) = cx.core.send_ids.find(account, send_id)
        {
            if !known.matches_hash(self.content(conversation, target)) {
                // Its echo would confirm a message that is not stored.
                let text = "This send id was used for a different message";
                cx.reply(Reply::fail(self.command_name(), "INVALID_SEND_ID").text(text));
                return None;
            }
            let event = self.event(cx, target.clone(), known.message, true)?;
            cx.send_event(cx.sender.session, event);
            return None;
        }
        let bytes = self.text.len() + self.tags.len();
        let counts =
            conversation.is_some() && (self.kind.is_some() || StoredMessage::is_reaction(&self.tags));
        if counts
            && !cx.is_admin()
            && let Some(reason) = cx.core.quota_refusal(account, bytes, cx.at)
        {
            let is_channel = matches!(conversation, Some(Conversation::Channel(_)));
            let numeric = if is_channel { ERR_CANNOTSENDTOCHAN } else { ERR_CANNOTSENDTOUSER };
            self.reply_with_error(cx, Reply::numeric(numeric).arg(&**target).text(reason));
            return None;
        }
        let id = cx.core.next_message_id(cx.at);
        if counts {
            cx.core.count_sent(account, bytes, cx.at);
        }
        let is_visible = cx.core.sessions.get(&cx.sender.session).is_some_and(|session| session.is_visible);
        if let Some(me) = cx.core.accounts.get_mut(account).filter(|_| is_visible) {
            me.last_active = cx.at;
        }
        if let Some(conversation) = conversation
            && self.is_stored(cx)
        {
            if let Some(send_id) = &self.send_id {
                let content = self.content(Some(conversation), target);
                cx.core.send_ids.remember(account, send_id.clone(), id, Some(content));
            }
            cx.fx.records.push(Record::Message(StoredMessage {
                id,
                conversation,
                from: account,
                kind: self.stored_kind(),
                text: self.text.clone(),
                tags: self.tags.clone(),
                send_id: self.send_id.clone(),
            }));
            cx.core.share_files(account, conversation, id, &self.text, cx.fx);
        } else if let Some(send_id) = &self.send_id {
            cx.core.send_ids.remember_unstored(
                account,
                send_id.clone(),
                id,
                self.content(conversation, target),
            );
        }
        Some(id)
    }

    fn content(&self, conversation: Option<Conversation>, target: &str) -> ContentHash {
        ContentHash::of(conversation.ok_or(target), self.stored_kind(), &self.text, &self.tags)
    }

    fn stored_kind(&self) -> MessageKind {
        self.kind.unwrap_or(MessageKind::Tagmsg)
    }

    fn command_name(&self) -> &'static str {
        match self.kind {
            Some(MessageKind::Notice) => "NOTICE",
            Some(_) => "PRIVMSG",
            None => "TAGMSG",
        }
    }

    fn event(&self, cx: &Context<'_>, target: Arc<str>, id: MessageId, own: bool) -> Option<Event> {
        let me = cx.sender_account()?;
        let kind = match self.kind {
            Some(kind) => EventKind::Message { kind, target, text: self.text.clone(), own_copy: own },
            None => EventKind::Tagmsg { target, own_copy: own },
        };
        let tags = match files_tag(cx.core.files_shared_by(id)) {
            Some(files) => join_tags([&files, &self.tags]),
            None => self.tags.clone(),
        };
        Some(Event {
            source: me.source.clone(),
            account: Some(me.nick().clone()),
            bot: me.is_bot(),
            time: cx.core.times.time_of(id),
            id: Some(id),
            tags,
            kind,
        })
    }
}
