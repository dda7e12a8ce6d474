//! Asking for what the chat cannot do alone, and answering in the voice in which it was asked: as a command or as
//! `NickServ`.

use crate::chat::account::{Request, Voice};
use crate::chat::ask::Ask;
use crate::chat::context::Context;
use crate::chat::event::{Event, EventKind};
use crate::chat::record::MessageKind;
use crate::chat::settings::USER_HOST;
use crate::wire::Reply;

/// The name of the service. No account can have it.
pub const SERVICE: &str = "NickServ";

/// Asks for something that is to be done for the account.
pub(super) fn ask(cx: &mut Context<'_>, request: Request, voice: Voice) {
    let account = cx.member.account;
    let since = cx.chat.password_changes();
    cx.ask(Ask::Manage { account, request, voice, since });
}

/// What the service says, to the session that spoke to it alone.
pub(super) fn notice(cx: &mut Context<'_>, text: &str) {
    let to = cx.member.session;
    let event = Event {
        source: format!("{SERVICE}!{SERVICE}@{USER_HOST}").into(),
        ..Event::of_server(
            &cx.chat.settings.server_name,
            cx.at,
            EventKind::Message {
                kind: MessageKind::Notice,
                target: cx.member.nick.shared(),
                text: text.into(),
                own: false,
            },
        )
    };
    cx.show(to, event);
}

/// Answers in the voice in which it was asked. What it is about stands between the code and the text, for programs.
pub(super) fn say(
    cx: &mut Context<'_>,
    voice: Voice,
    (kind, code): (&'static str, &str),
    about: &[&str],
    text: &str,
) {
    match voice {
        Voice::Command(name) => {
            let reply = Reply::command(kind).arg(name).arg(code);
            cx.reply(about.iter().fold(reply, |reply, about| reply.arg(*about)).text(text));
        }
        Voice::Service => notice(cx, text),
    }
}
