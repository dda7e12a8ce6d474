//! Replies in the form of the request: as a command or as `NickServ`.

use crate::core::effects::event::{Event, EventKind};
use crate::core::record::MessageKind;
use crate::core::request::reply_form::ReplyForm;
use crate::core::settings::USER_HOST;
use crate::core::state::context::Context;
use crate::wire::Reply;

/// Name of the service. No account can have it.
pub const SERVICE_NICK: &str = "NickServ";

/// Reply to a request that changes something while the store fails.
pub(in crate::core::commands) const UNAVAILABLE: &str =
    "The server cannot store anything right now; nothing was changed, try again later";

/// Sends a NOTICE of the service to the session that wrote to it.
pub(in crate::core::commands) fn send_service_notice(cx: &mut Context<'_>, text: &str) {
    let to = cx.sender.session;
    let event = Event {
        source: format!("{SERVICE_NICK}!{SERVICE_NICK}@{USER_HOST}").into(),
        ..Event::from_server(
            &cx.core.settings.server_name,
            cx.at,
            EventKind::Message {
                kind: MessageKind::Notice,
                target: cx.sender.nick.shared(),
                text: text.into(),
                own_copy: false,
            },
        )
    };
    cx.send_event(to, event);
}

/// Kind and code of a reply to a command, for programs
/// ([standard replies](https://ircv3.net/specs/extensions/standard-replies)).
#[derive(Clone, Copy, Debug)]
pub(in crate::core::commands) enum StandardReply<'a> {
    /// The request failed.
    Fail(&'a str),
    /// The request was carried out, or a part of its answer.
    Note(&'a str),
}

/// Replies in the form of the request. `context` is between the code and the text, for programs.
pub(in crate::core::commands) fn send_reply(
    cx: &mut Context<'_>,
    reply_form: ReplyForm,
    standard_reply: StandardReply<'_>,
    context: &[&str],
    text: &str,
) {
    match reply_form {
        ReplyForm::Command(name) => {
            let reply = match standard_reply {
                StandardReply::Fail(code) => Reply::fail(name, code),
                StandardReply::Note(code) => Reply::command("NOTE").arg(name).arg(code),
            };
            cx.reply(context.iter().fold(reply, |reply, about| reply.arg(*about)).text(text));
        }
        ReplyForm::Service => send_service_notice(cx, text),
    }
}
