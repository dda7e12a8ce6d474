//! Decoding of lines from the server. Nothing else in the client looks at a line's parameters and tags once the login
//! is over.

mod numerics;
#[cfg(test)]
mod tests;

use super::event::{Away, ChatMessage, Conversation, MessageKind, TypingStatus};
use super::event::{
    BatchKind, BatchStart, Caps, ChannelRename, ErrorCode, ErrorReply, Invite, Join, Kick, Metadata,
    ModeChange, NickChange, Origin, Part, Quit, ReactionChange, ReadMarker, Received, Redaction, ServerEvent,
    StandardNote, Topic, TypingChange,
};
use crate::client::model::event::shared_files::{FILES_TAG, SharedFile};
use crate::wire::message::unescape;
use crate::wire::numeric::Numeric;
use crate::wire::{ChannelName, Message, Nick, Timestamp};

/// Decodes a line that arrived at `now`, for the account with the nick `me`. A line that is unknown or malformed
/// becomes [`ServerEvent::Ignored`].
pub(super) fn decode(line: &Message<'_>, me: Option<&Nick>, now: Timestamp) -> Received {
    let origin = origin(line, me, now);
    let event = match line.command.parse() {
        Ok(code) => numerics::decode(Numeric(code), line),
        Err(_) => command(line, &origin, me),
    };
    Received { origin, event: event.unwrap_or(ServerEvent::Ignored) }
}

fn origin(line: &Message<'_>, me: Option<&Nick>, now: Timestamp) -> Origin {
    let sender = line.nick().and_then(|nick| Nick::parse_foreign(nick).ok());
    let mut origin = Origin {
        source: line.source.map(str::to_owned),
        mine: sender.is_some() && sender.as_ref() == me,
        sender,
        received_at: now,
        bytes: line.params().iter().map(|param| param.len() + 1).sum::<usize>() + line.tags.0.len(),
        ..Origin::default()
    };
    // Of several equal keys the last counts.
    for (key, value) in line.tags.iter() {
        let value = unescape(value);
        match key {
            "time" => origin.server_time = Timestamp::parse(&value),
            "msgid" => origin.msgid = (!value.is_empty()).then(|| value.into_owned()),
            "label" => origin.label = Some(value.into_owned()),
            "batch" => origin.batch = Some(value.into_owned()),
            "account" => origin.account = Some(value.into_owned()),
            "draft/chathistory-context" => origin.is_context = true,
            "draft/multiline-concat" => origin.is_continuation = true,
            _ => {
                origin.tags.insert(key.to_owned(), value.into_owned());
            }
        }
    }
    let reply = origin.tags.get("+draft/reply").or_else(|| origin.tags.get("+reply"));
    origin.reply_to = reply.filter(|id| !id.is_empty()).cloned();
    origin
}

/// Decodes a line whose command is a word. Returns `None` for one that is unknown or malformed.
#[allow(clippy::too_many_lines)] // A table.
fn command(line: &Message<'_>, origin: &Origin, me: Option<&Nick>) -> Option<ServerEvent> {
    let channel = |index: usize| ChannelName::parse_foreign(line.param(index)?).ok();
    let nick = |index: usize| Nick::parse_foreign(line.param(index)?).ok();
    let text = |index: usize| line.param(index).unwrap_or_default().to_owned();
    let sender = || origin.sender.clone();
    let by = || origin.nick().map(str::to_owned);
    Some(match line.command.to_ascii_uppercase().as_str() {
        command @ ("PRIVMSG" | "NOTICE") => message(line, command == "NOTICE", origin)?,
        "TAGMSG" => tag_message(conversation(line.param(0)?, origin)?, origin),
        "REDACT" => ServerEvent::Redaction(Redaction {
            conversation: conversation(line.param(0)?, origin)?,
            msgid: line.param(1)?.to_owned(),
            reason: text(2),
        }),
        "JOIN" => ServerEvent::Join(Join { channel: channel(0)?, nick: sender()? }),
        "PART" => ServerEvent::Part(Part { channel: channel(0)?, nick: sender()?, reason: text(1) }),
        "KICK" => {
            let nick = nick(1)?;
            let is_me = me == Some(&nick);
            ServerEvent::Kick(Kick { channel: channel(0)?, nick, is_me, by: by()?, reason: text(2) })
        }
        "QUIT" => ServerEvent::Quit(Quit { nick: sender()?, reason: text(0) }),
        "NICK" => ServerEvent::NickChange(NickChange { old: sender()?, new: nick(0)? }),
        "TOPIC" => ServerEvent::TopicChange(Topic { channel: channel(0)?, text: text(1) }),
        "MODE" => {
            sender()?;
            let args = line.params().iter().skip(2).map(|&arg| arg.to_owned()).collect();
            ServerEvent::ModeChange(ModeChange {
                channel: channel(0)?,
                letters: line.param(1)?.to_owned(),
                args,
            })
        }
        "RENAME" => {
            sender()?;
            ServerEvent::ChannelRename(ChannelRename { from: channel(0)?, to: channel(1)?, reason: text(2) })
        }
        "INVITE" => {
            let nick = nick(0)?;
            let is_me = me == Some(&nick);
            ServerEvent::Invite(Invite { nick, is_me, channel: channel(1)?, by: by()? })
        }
        "AWAY" => {
            let message = line.param(0).filter(|message| !message.is_empty()).map(str::to_owned);
            ServerEvent::Away(Away { nick: sender()?, message, is_reply: false })
        }
        "MARKREAD" => {
            let conversation = Conversation::from_server(line.param(0)?).ok()?;
            let time = match line.param(1)? {
                "*" => None,
                text => Some(Timestamp::parse(text.strip_prefix("timestamp=")?)?),
            };
            ServerEvent::ReadMarker(ReadMarker { conversation, time })
        }
        "METADATA" => metadata(line.params(), true)?,
        "CHATHISTORY" => {
            let time = Timestamp::parse(line.param(2)?)?;
            ServerEvent::HistoryTarget(Conversation::from_server(line.param(1)?).ok()?, time)
        }
        "BATCH" => batch(line, origin)?,
        "FAIL" => fail(line)?,
        "WARN" | "NOTE" => note(line)?,
        "WALLOPS" => ServerEvent::Notice(format!("{} to everybody: {}", by()?, text(0))),
        "CAP" if line.param(1) == Some("LS") => ServerEvent::Caps(Caps {
            tokens: line.params().last()?.split(' ').map(str::to_owned).collect(),
            is_last: line.params().len() < 4,
        }),
        "ACK" => ServerEvent::Ack,
        "PING" => ServerEvent::Ping(text(0)),
        "PONG" => ServerEvent::Pong((*line.params().last()?).to_owned()),
        "ERROR" => ServerEvent::Closing(text(0)),
        _ => return None,
    })
}

fn message(line: &Message<'_>, is_notice: bool, origin: &Origin) -> Option<ServerEvent> {
    let text = line.param(1)?;
    match chat_message(line.param(0)?, text, is_notice, origin) {
        Some(message) => Some(ServerEvent::Message(message)),
        None if !origin.is_from_user() => Some(ServerEvent::Notice(text.to_owned())),
        None => None,
    }
}

fn chat_message(target: &str, text: &str, is_notice: bool, origin: &Origin) -> Option<ChatMessage> {
    let action = text.strip_prefix("\u{1}ACTION ").filter(|_| !is_notice);
    let (kind, text) = match action {
        _ if is_notice => (MessageKind::Notice, text),
        Some(action) => (MessageKind::Action, action.strip_suffix('\u{1}').unwrap_or(action)),
        None => (MessageKind::Text, text),
    };
    Some(ChatMessage {
        conversation: conversation(target, origin)?,
        from: origin.sender.clone()?,
        mine: origin.mine,
        kind,
        text: text.to_owned(),
        time: origin.time(),
        msgid: origin.msgid.clone(),
        reply_to: origin.reply_to.clone(),
        files: origin.tags.get(FILES_TAG).map(|tag| SharedFile::parse_tag(tag)).unwrap_or_default(),
        ticket: None,
    })
}

/// Returns the conversation that a line to `target` belongs to.
fn conversation(target: &str, origin: &Origin) -> Option<Conversation> {
    let sender = origin.sender.clone()?;
    Some(match Conversation::from_server(target.trim_start_matches(['~', '&', '@', '%', '+'])).ok()? {
        Conversation::Direct(_) if !origin.mine => Conversation::Direct(sender),
        target => target,
    })
}

fn tag_message(conversation: Conversation, origin: &Origin) -> ServerEvent {
    let tag = |key: &str| origin.tags.get(key).cloned();
    if let Some(typing) = origin.tags.get("+typing") {
        let status = match typing.as_str() {
            "active" => TypingStatus::Active,
            "paused" => TypingStatus::Paused,
            _ => TypingStatus::Done,
        };
        return ServerEvent::Typing(TypingChange { conversation, status });
    }
    match (tag("+draft/react"), tag("+draft/unreact")) {
        (Some(emoji), _) => ServerEvent::Reaction(ReactionChange { conversation, emoji, removed: false }),
        (None, Some(emoji)) => ServerEvent::Reaction(ReactionChange { conversation, emoji, removed: true }),
        (None, None) => ServerEvent::Tags(conversation),
    }
}

/// Decodes `<target> <key> <visibility> [:<value>]`.
fn metadata(params: &[&str], is_set: bool) -> Option<ServerEvent> {
    let [target, key, rest @ ..] = params else { return None };
    let value = rest.get(1).filter(|_| is_set).map(ToString::to_string);
    Some(ServerEvent::Metadata(Metadata { target: (*target).to_owned(), key: (*key).to_owned(), value }))
}

/// Decodes `BATCH +reference type [parameters]` and `BATCH -reference`.
fn batch(line: &Message<'_>, origin: &Origin) -> Option<ServerEvent> {
    let reference = line.param(0)?;
    let Some(reference) = reference.strip_prefix('+') else {
        return Some(ServerEvent::BatchEnd(reference.strip_prefix('-')?.to_owned()));
    };
    let kind = match (line.param(1).unwrap_or_default(), line.param(2)) {
        ("chathistory", Some(target)) => {
            Conversation::from_server(target).map_or(BatchKind::Transparent, BatchKind::History)
        }
        ("draft/chathistory-targets", _) => BatchKind::HistoryTargets,
        ("soju.im/search", _) => BatchKind::Search,
        ("draft/multiline", Some(target)) => {
            BatchKind::Multiline(chat_message(target, "", false, origin).map(Box::new))
        }
        _ => BatchKind::Transparent,
    };
    Some(ServerEvent::BatchStart(BatchStart { reference: reference.to_owned(), kind }))
}

/// Decodes `FAIL <command> <code> [<context>...] <description>`.
fn fail(line: &Message<'_>) -> Option<ServerEvent> {
    let param = |index: usize| line.param(index).unwrap_or_default().to_owned();
    error(ErrorCode::Fail { command: param(0), code: param(1) }, line, 2)
}

/// Decodes an error whose context begins at this parameter.
fn error(code: ErrorCode, line: &Message<'_>, first: usize) -> Option<ServerEvent> {
    let (reason, before) = line.params().split_last()?;
    let context = before.iter().skip(first).map(|&param| param.to_owned()).collect();
    Some(ServerEvent::Error(ErrorReply { code, context, reason: (*reason).to_owned() }))
}

/// Decodes `NOTE <command> <code> [<context>...] <description>`.
fn note(line: &Message<'_>) -> Option<ServerEvent> {
    let [command, code, context @ .., text] = line.params() else { return None };
    let context = context.iter().map(|&param| param.to_owned()).collect();
    let [command, code, text] = [command, code, text].map(|&param| param.to_owned());
    Some(ServerEvent::Note(StandardNote { command, code, context, text }))
}
