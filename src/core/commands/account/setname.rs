//! SETNAME ([setname](https://ircv3.net/specs/extensions/setname)): changes the account's real name.

use std::sync::Arc;

use crate::core::commands::{Command, Spec, need_more_params};
use crate::core::effects::event::EventKind;
use crate::core::settings::Settings;
use crate::core::state::Core;
use crate::core::state::context::Context;
use crate::wire::{Message, Reply, chars};

/// The SETNAME command: changes the real name.
pub const SPEC: Spec = Spec { name: "SETNAME", min_params: 0, parse };

/// A parsed SETNAME: the new real name.
#[derive(Debug)]
pub struct SetName(Arc<str>);

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let name = message.param(0).ok_or_else(|| need_more_params("SETNAME"))?;
    if name.is_empty() || name.len() > Settings::MAX_REALNAME_BYTES {
        let text = format!("A real name has 1 to {} bytes", Settings::MAX_REALNAME_BYTES);
        return Err(Reply::fail("SETNAME", "INVALID_REALNAME").text(text));
    }
    if let Some(bad) = chars::find_refused_char(name) {
        let text = format!("A real name may not contain {bad:?}");
        return Err(Reply::fail("SETNAME", "INVALID_REALNAME").text(text));
    }
    Ok(Command::SetName(SetName(name.into())))
}

impl SetName {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let account = cx.sender.account;
        let Some(me) = cx.sender_account_mut() else { return };
        me.realname = self.0.clone();
        let Some(event) = cx.event(EventKind::Setname(self.0)) else { return };
        // The session's own copy is the reply, with the label.
        let mut audiences =
            cx.core.split_silenced_audience(account, cx.core.channel_and_monitor_audiences(account)).full;
        let own_index = audiences
            .iter()
            .position(|a| a.recipients().any(|recipient| recipient.session == cx.sender.session));
        if let Some(own_index) = own_index {
            let audience = audiences.swap_remove(own_index);
            let origin = Some(cx.origin());
            cx.fx.push(crate::core::Output::Broadcast { audience, event: event.clone(), origin });
        }
        Core::send_to_audiences(audiences, &event, cx.fx);
    }
}
