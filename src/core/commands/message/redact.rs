//! REDACT ([message redaction](https://ircv3.net/specs/extensions/message-redaction)): removes a message. Accounts may
//! redact their own messages, half-ops and higher those in their channel, and admins those in all channels. The text is
//! erased from the database.

use std::sync::Arc;

use crate::core::commands::{Command, Spec};
use crate::core::effects::Output;
use crate::core::effects::ask::{Ask, Redaction};
use crate::core::effects::event::{Event, EventKind};
use crate::core::effects::history::Found;
use crate::core::record::ranks::Rank;
use crate::core::record::{MessageKind, Place, Record, StoredMessage};
use crate::core::request::settings::{Settings, clip};
use crate::core::state::context::Context;
use crate::core::target::Target;
use crate::wire::{Message, MessageId, Reply};

/// The REDACT command: removes a message.
pub const SPEC: Spec = Spec { name: "REDACT", least: 2, parse };

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
        reason: reason.map(|text| clip(text, Settings::REASON_BYTES).into()),
    }))
}

fn unknown(target: &str, id: &str) -> Reply {
    let reply = Reply::fail("REDACT", "UNKNOWN_MSGID").arg(target).arg(id);
    reply.text("This message does not exist or is too old")
}

fn not_there(target: &str) -> Reply {
    let reply = Reply::fail("REDACT", "INVALID_TARGET").arg(target);
    reply.text("You cannot delete messages from there")
}

/// Returns the conversation of a target if the account may redact there: where it reads, and for admins every channel.
fn reach(cx: &Context<'_>, target: &Target) -> Option<(Place, Arc<str>)> {
    let channel = match target {
        Target::Channel(name) if cx.is_admin() => cx.channel(name),
        _ => None,
    };
    let anywhere = channel.map(|channel| (Place::Channel(channel.id), channel.name.shared()));
    anywhere.or_else(|| cx.place(target))
}

impl Redact {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let Self { target, message, msgid, reason } = self;
        match (reach(cx, &Target::parse(&target)), message) {
            (None, _) => cx.reply(not_there(&target)),
            (Some(_), None) => cx.reply(unknown(&target, &msgid)),
            (Some((place, _)), Some(message)) => {
                cx.ask(Ask::Redact(Redaction { target, message, msgid, reason }, place));
            }
        }
    }
}

/// Continues a REDACT when its message was looked up.
pub(in crate::core) fn found(
    Redaction { target: name, message, msgid, reason }: Redaction,
    cx: &mut Context<'_>,
    place: Place,
    found: Option<Found>,
) {
    let kinds = [MessageKind::Privmsg, MessageKind::Notice, MessageKind::Tagmsg];
    let Some(found) = found.filter(|found| !found.redacted && kinds.contains(&found.kind)) else {
        return cx.reply(unknown(&name, &msgid));
    };
    let target = Target::parse(&name);
    // Memberships may have changed since the query.
    let Some((now, written)) = reach(cx, &target).filter(|(now, _)| *now == place) else {
        return cx.reply(not_there(&name));
    };
    let mine = found.from == cx.member.account;
    let channel = match now {
        Place::Channel(id) => cx.chat.channels.get(id),
        Place::Direct(..) => None,
    };
    let may = mine || channel.is_some_and(|channel| cx.power(channel).at_least(Rank::HalfOp));
    if !may {
        let reply = Reply::fail("REDACT", "REDACT_FORBIDDEN").arg(&*name);
        let reply = reply.arg(msgid);
        return cx.reply(reply.text("You are not authorised to delete this message"));
    }
    // An account that may not speak in the channel can't use the reason for it.
    let reason = reason.filter(|_| channel.is_none_or(|channel| !cx.is_silenced(channel)));
    let channel = channel.map(|channel| channel.name.clone());
    if !cx.chat.redact(message) {
        return cx.reply(unknown(&name, &msgid));
    }
    let (at, from) = (cx.at, cx.member.account);
    cx.fx.records.push(Record::Redacted { place, message });
    let id = cx.chat.next_message(at);
    let text = match &reason {
        Some(reason) => format!("{message} {reason}"),
        None => message.to_string(),
    };
    cx.fx.records.push(Record::Message(StoredMessage {
        id,
        place,
        from,
        kind: MessageKind::Redact,
        text: text.into(),
        tags: Arc::default(),
        send_id: None,
    }));
    if !mine {
        cx.audit("message redact", &written, &message.to_string());
    }
    let kind = EventKind::Redact { target: written, message, reason: reason.clone() };
    let Some(event) = cx.event(kind) else { return };
    let event = Event { id: Some(id), time: cx.chat.times.of(id), ..event };
    if let Some(name) = channel {
        return cx.tell_channel(&name, event);
    }
    let own = cx.me().map(|me| me.seats.snapshot()).unwrap_or_default();
    let origin = Some(cx.origin());
    if let Target::Person(nick) = &target
        && *nick != cx.member.nick
        && let Some(person) = cx.chat.people.named(nick)
    {
        let audience = person.seats.snapshot();
        cx.fx.outputs.push(Output::Fan { audience, event: event.clone(), origin: None });
    }
    cx.fx.outputs.push(Output::Fan { audience: own, event, origin });
}
