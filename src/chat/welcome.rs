//! What a session gets when it has logged in.

use super::audience::SessionId;
use super::context::Context;
use super::effects::Effects;
use super::event::EventKind;
use super::login::Login;
use super::settings::{SERVER_NAME, USER_HOST, VERSION};
use super::state::Chat;
use super::{commands, isupport};
use crate::wire::numeric::{ERR_ERRONEUSNICKNAME, RPL_CREATED, RPL_MYINFO, RPL_WELCOME, RPL_YOURHOST};
use crate::wire::{Millis, Reply};

impl Chat {
    /// The burst of <https://modern.ircdocs.horse/#connection-registration>, then the channels of the account
    /// as if it had just joined them.
    pub(super) fn welcome(&mut self, session: SessionId, login: &Login, at: Millis, fx: &mut Effects) {
        let Some(mut cx) = Context::of(self, session, at, fx) else { return };
        let nick = cx.member.nick.clone();
        let network = cx.chat.settings.network.clone();
        let started = cx.chat.settings.started;
        cx.reply(
            Reply::numeric(RPL_WELCOME).text(format!("Welcome to {network}, {nick}!{nick}@{USER_HOST}")),
        );
        cx.reply(
            Reply::numeric(RPL_YOURHOST)
                .text(format!("Your host is {SERVER_NAME}, running version {VERSION}")),
        );
        cx.reply(Reply::numeric(RPL_CREATED).text(format!("This server was started at {started}")));
        cx.reply(Reply::numeric(RPL_MYINFO).arg(SERVER_NAME).arg(VERSION).arg("o").arg("bno").arg("bo"));
        for reply in isupport::replies(&cx.chat.settings) {
            cx.reply(reply);
        }
        commands::lusers::run(&mut cx);
        commands::motd::run(&mut cx);
        if let Some(asked) = &login.asked_nick
            && !asked.eq_ignore_ascii_case(nick.as_str())
        {
            cx.reply(
                Reply::numeric(ERR_ERRONEUSNICKNAME)
                    .arg(asked)
                    .text(format!("Here the nick is the account's name: you are {nick}")),
            );
        }
        let channels = cx.me().map(|me| me.channels.clone()).unwrap_or_default();
        for id in channels {
            let Some(name) = cx.chat.channels.get(id).map(|channel| channel.name.clone()) else { continue };
            if let Some(event) = cx.event(EventKind::Join(name.clone())) {
                cx.show(session, event);
                cx.introduce(&name, session);
            }
        }
    }
}
