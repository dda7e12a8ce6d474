//! Replies in the form of the request: as a command or as `NickServ`.

use crate::core::effects::event::{Event, EventKind};
use crate::core::record::MessageKind;
use crate::core::request::account::ReplyForm;
use crate::core::request::settings::USER_HOST;
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

/// Replies in the form of the request. `context` is between the code and the text, for programs.
pub(in crate::core::commands) fn send_reply(
    cx: &mut Context<'_>,
    reply_form: ReplyForm,
    (kind, code): (&'static str, &str),
    context: &[&str],
    text: &str,
) {
    match reply_form {
        ReplyForm::Command(name) => {
            let reply = Reply::command(kind).arg(name).arg(code);
            cx.reply(context.iter().fold(reply, |reply, about| reply.arg(*about)).text(text));
        }
        ReplyForm::Service => send_service_notice(cx, text),
    }
}
