//! REDACT ([message redaction](https://ircv3.net/specs/extensions/message-redaction)): removes a message. Accounts may
//! redact their own messages, half-ops and higher those in their channel, and admins those in all channels. The text is
//! erased from the database.

use std::sync::Arc;

use crate::core::commands::{Command, Spec};
use crate::core::effects::Output;
use crate::core::effects::event::{Event, EventKind};
use crate::core::effects::history::RedactionTarget;
use crate::core::effects::query::{Query, RedactionQuery};
use crate::core::record::member_status::PrefixMode;
use crate::core::record::{Conversation, MessageKind, Record, StoredMessage};
use crate::core::request::target::Target;
use crate::core::settings::{Settings, truncate_str};
use crate::core::state::context::Context;
use crate::wire::{Message, MessageId, Reply};

/// The REDACT command: removes a message.
pub const SPEC: Spec = Spec { name: "REDACT", min_params: 2, parse };

/// A parsed REDACT.
///
/// The target is checked before the msgid: an invalid msgid is an error only if the conversation exists.
#[derive(Debug)]
pub struct Redact {
    target: Box<str>,
    /// The message id; `None` if the msgid is not valid.
    message: Option<MessageId>,
    /// The msgid as the client wrote it, for errors.
    msgid: Box<str>,
    reason: Option<Arc<str>>,
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let (name, id) = (message.param(0).unwrap_or_default(), message.param(1).unwrap_or_default());
    let reason = message.param(2).filter(|text| !text.is_empty());
    Ok(Command::Redact(Redact {
        target: name.into(),
        message: id.parse().ok(),
        msgid: id.into(),
        reason: reason.map(|text| truncate_str(text, Settings::MAX_REASON_BYTES).into()),
    }))
}

fn unknown_msgid(target: &str, id: &str) -> Reply {
    let reply = Reply::fail("REDACT", "UNKNOWN_MSGID").arg(target).arg(id);
    reply.text("This message does not exist or is too old")
}

fn invalid_target(target: &str) -> Reply {
    let reply = Reply::fail("REDACT", "INVALID_TARGET").arg(target);
    reply.text("You cannot delete messages from there")
}

/// Returns the conversation of a target if the account may redact there: where it reads, and for admins every channel.
fn redactable_conversation(cx: &Context<'_>, target: &Target) -> Option<(Conversation, Arc<str>)> {
    let channel = match target {
        Target::Channel(name) if cx.is_admin() => cx.channel(name),
        _ => None,
    };
    let admin_conversation =
        channel.map(|channel| (Conversation::Channel(channel.id), channel.name.shared()));
    admin_conversation.or_else(|| cx.resolve_conversation(target))
}

impl Redact {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let Self { target, message, msgid, reason } = self;
        match (redactable_conversation(cx, &Target::parse(&target)), message) {
            (None, _) => cx.reply(invalid_target(&target)),
            (Some(_), None) => cx.reply(unknown_msgid(&target, &msgid)),
            (Some((conversation, _)), Some(message)) => {
                cx.query(Query::Redaction(RedactionQuery { target, conversation, message, msgid, reason }));
            }
        }
    }
}

/// Continues a REDACT when its message was looked up.
pub(in crate::core) fn complete_redaction(
    cx: &mut Context<'_>,
    RedactionQuery { target: name, conversation, message, msgid, reason }: RedactionQuery,
    message_facts: Option<RedactionTarget>,
) {
    let kinds = [MessageKind::Privmsg, MessageKind::Notice, MessageKind::Tagmsg];
    let Some(found) = message_facts.filter(|found| !found.redacted && kinds.contains(&found.kind)) else {
        return cx.reply(unknown_msgid(&name, &msgid));
    };
    let target = Target::parse(&name);
    // Memberships may have changed since the query.
    let Some((current, own_name)) =
        redactable_conversation(cx, &target).filter(|(now, _)| *now == conversation)
    else {
        return cx.reply(invalid_target(&name));
    };
    let is_own_message = found.from == cx.sender.account;
    let channel = match current {
        Conversation::Channel(id) => cx.core.channels.get(id),
        Conversation::Direct(..) => None,
    };
    let is_allowed = is_own_message
        || channel.is_some_and(|channel| cx.permission_level(channel).at_least(PrefixMode::HalfOp));
    if !is_allowed {
        let reply = Reply::fail("REDACT", "REDACT_FORBIDDEN").arg(&*name);
        let reply = reply.arg(msgid);
        return cx.reply(reply.text("You are not authorised to delete this message"));
    }
    // An account that may not speak in the channel can't use the reason for it.
    let reason = reason.filter(|_| channel.is_none_or(|channel| !cx.is_silenced(channel)));
    let channel = channel.map(|channel| channel.name.clone());
    if !cx.core.mark_redacted(message) {
        return cx.reply(unknown_msgid(&name, &msgid));
    }
    let (at, from) = (cx.at, cx.sender.account);
    cx.fx.records.push(Record::Redacted { conversation, message });
    cx.core.unshare_files(message, cx.fx);
    let id = cx.core.next_message_id(at);
    let text = match &reason {
        Some(reason) => format!("{message} {reason}"),
        None => message.to_string(),
    };
    cx.fx.records.push(Record::Message(StoredMessage {
        id,
        conversation,
        from,
        kind: MessageKind::Redact,
        text: text.into(),
        tags: Arc::default(),
        send_id: None,
    }));
    if !is_own_message {
        cx.audit("message redact", &own_name, &message.to_string());
    }
    let kind = EventKind::Redact { target: own_name, message, reason: reason.clone() };
    let Some(event) = cx.event(kind) else { return };
    let event = Event { id: Some(id), time: cx.core.times.time_of(id), ..event };
    if let Some(name) = channel {
        return cx.send_to_channel(&name, event);
    }
    let own = cx.sender_account().map(|me| me.sessions.snapshot()).unwrap_or_default();
    let origin = Some(cx.origin());
    if let Target::Nick(nick) = &target
        && *nick != cx.sender.nick
        && let Some(account_state) = cx.core.accounts.get_enabled_by_name(nick)
    {
        let audience = account_state.sessions.snapshot();
        cx.fx.push(Output::Broadcast { audience, event: event.clone(), origin: None });
    }
    cx.fx.push(Output::Broadcast { audience: own, event, origin });
}
