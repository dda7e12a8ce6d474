//! The welcome: the replies to a session after its login.

use std::sync::Arc;

use crate::core::commands;
use crate::core::effects::event::{EventKind, RENDER_CAPS};
use crate::core::effects::isupport;
use crate::core::effects::{Effects, EventTo, Output};
use crate::core::login::Login;
use crate::core::model::audience::SessionId;
use crate::core::model::metadata::{self, MetadataEntry, Visibility};
use crate::core::record::{Conversation, MetadataOwner};
use crate::core::settings::{USER_HOST, VERSION};
use crate::core::state::Core;
use crate::core::state::context::Context;
use crate::invariants::MustExist as _;
use crate::wire::numeric::{ERR_ERRONEUSNICKNAME, RPL_CREATED, RPL_MYINFO, RPL_WELCOME, RPL_YOURHOST};
use crate::wire::{Cap, CapSet, Reply, Tagging, Timestamp};

/// Returns the account's own metadata as a batch, even an empty one, for clients that negotiated metadata.
fn own_metadata(cx: &Context<'_>, caps: CapSet) -> Vec<Reply> {
    let (true, Some(me)) = (caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]), cx.sender_account()) else {
        return Vec::new();
    };
    let name = me.nick().shared();
    let shown =
        me.metadata.iter().map(|(key, value)| MetadataEntry::new(&name, key, value).announcement(caps));
    metadata::batch(&name, shown)
}

impl Core {
    /// Sends the registration burst (<https://modern.ircdocs.horse/#connection-registration>), then the channels of the
    /// account as if it had just joined them.
    pub(in crate::core) fn send_welcome(
        &mut self,
        session: SessionId,
        login: &Login,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        let cx = Context::for_session(self, session, at, fx).must_exist("the session has just begun");
        let Some(mut cx) = cx else { return };
        let nick = cx.sender.nick.clone();
        let network = cx.core.settings.network.clone();
        let started = cx.core.settings.started;
        let server = cx.core.settings.server_name.clone();
        cx.reply(
            Reply::numeric(RPL_WELCOME).text(format!("Welcome to {network}, {nick}!{nick}@{USER_HOST}")),
        );
        cx.reply(
            Reply::numeric(RPL_YOURHOST).text(format!("Your host is {server}, running version {VERSION}")),
        );
        cx.reply(Reply::numeric(RPL_CREATED).text(format!("This server was started at {started}")));
        cx.reply(
            Reply::numeric(RPL_MYINFO)
                .arg(server.as_str())
                .arg(VERSION)
                .arg("Bo")
                .arg("CIbehiklmnoqstv")
                .arg("Ibehkloqv"),
        );
        cx.replies(isupport::replies(&cx.core.settings, login.caps));
        if login.caps.has(Cap::Whoami)
            && let Some(event) =
                cx.sender_account().map(|me| me.event(at, EventKind::Setname(me.realname.clone())))
        {
            // A client with whoami understands SETNAME, whether it negotiated that or not.
            let caps = login.caps.intersection(RENDER_CAPS).with(Cap::Setname);
            cx.fx.push(Output::Event(EventTo { to: session, caps, event, tagging: Tagging::None }));
        }
        if login.metadata.clears_public {
            let own = cx
                .sender_account()
                .map(|me| me.metadata.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>());
            let is_public = |key: &Arc<str>| metadata::visibility_of_key(key) == Visibility::Public;
            for key in own.unwrap_or_default().into_iter().filter(is_public) {
                cx.set_pre_login_metadata(&key, None);
            }
        }
        for (key, value) in &login.metadata.values {
            cx.set_pre_login_metadata(key, value.as_ref());
        }
        cx.replies(own_metadata(&cx, login.caps));
        commands::info::lusers::send_lusers(&mut cx);
        commands::info::motd::send_motd(&mut cx);
        if cx.is_admin()
            && let Some(warning) = cx.core.settings.certificate.and_then(|it| it.warning(at))
        {
            cx.reply(Reply::command("NOTICE").arg(nick.as_str()).text(warning));
        }
        if let Some(requested) = &login.requested_nick
            && !requested.eq_ignore_ascii_case(nick.as_str())
        {
            cx.reply(
                Reply::numeric(ERR_ERRONEUSNICKNAME)
                    .arg(requested)
                    .text(format!("Nick changes are not possible: your nick is your account's name, {nick}")),
            );
        }
        let Some(me) = cx.sender_account() else { return };
        if me.is_bot() {
            // The mode belongs to the account: an earlier session set it.
            let event = me.event(at, EventKind::Mode { target: me.nick().shared(), changes: "+B".into() });
            cx.send_event(session, event);
        }
        let Some(me) = cx.sender_account() else { return };
        let (channels, realname) = (me.channels.clone(), me.realname.clone());
        for &id in &channels {
            let channel = cx.core.channels.get(id).must_exist("the account is in the channel");
            let Some(name) = channel.map(|channel| channel.name.clone()) else { continue };
            if let Some(event) = cx.event(EventKind::Join(name.clone(), realname.clone())) {
                cx.send_event(session, event);
                cx.send_join_replies(&name, session);
            }
        }
        cx.replay_missed(&channels);
    }
}

impl Context<'_> {
    /// Sets a key that the client set before its login, if the limits allow it.
    fn set_pre_login_metadata(&mut self, key: &Arc<str>, value: Option<&Arc<str>>) {
        let Some(me) = self.sender_account() else { return };
        let has_room = value.is_none() || me.metadata.get(key).is_some() || me.metadata.has_room();
        let visibility = metadata::visibility_of_key(key);
        let change =
            MetadataEntry { name: me.nick().shared(), key: key.clone(), value: value.cloned(), visibility };
        let me = self.sender.account;
        let subject = match visibility {
            Visibility::Public => MetadataOwner::Account(me),
            Visibility::Private => MetadataOwner::Private(me, Conversation::direct(me, me)),
        };
        if has_room && self.core.writable {
            self.set_metadata(subject, &change);
        }
    }
}
