//! RENAME ([channel rename](https://ircv3.net/specs/extensions/channel-rename)): renames a channel. Founders and admins
//! may. Sessions without channel-rename see a PART and a JOIN.

use std::sync::Arc;

use super::part::not_on_channel;
use crate::core::commands::targets::no_such_channel;
use crate::core::commands::{Command, Spec};
use crate::core::effects::Output;
use crate::core::effects::event::EventKind;
use crate::core::model::audience::Audience;
use crate::core::model::channel::Channel;
use crate::core::model::permission_level::PermissionLevel;
use crate::core::record::member_status::PrefixMode;
use crate::core::record::{ChannelId, MessageKind, Record};
use crate::core::settings::{Settings, truncate_str};
use crate::core::state::context::{Context, NamesCache, chanop_privs_needed};
use crate::invariants::MustExist as _;
use crate::wire::{Cap, ChannelName, Message, Reply};

/// The RENAME command: renames a channel.
pub const SPEC: Spec = Spec { name: "RENAME", min_params: 2, parse };

/// A parsed RENAME.
#[derive(Debug)]
pub struct RenameChannel {
    old: ChannelName,
    new: ChannelName,
    reason: Arc<str>,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let (old, new) = (message.param(0).unwrap_or_default(), message.param(1).unwrap_or_default());
    let invalid_name = |error: &dyn std::fmt::Display| {
        let reply = Reply::fail("RENAME", "CANNOT_RENAME").arg(old).arg(new);
        reply.text(format!("Invalid channel name: {error}"))
    };
    Ok(Command::RenameChannel(RenameChannel {
        old: ChannelName::parse(old).map_err(|_| no_such_channel(old))?,
        new: ChannelName::parse(new).map_err(|error| invalid_name(&error))?,
        reason: truncate_str(message.param(2).unwrap_or_default(), Settings::MAX_REASON_BYTES).into(),
    }))
}

impl RenameChannel {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        if let Err(reply) = self.rename(cx) {
            cx.reply(reply);
        }
    }

    fn rename(&self, cx: &mut Context<'_>) -> Result<(), Reply> {
        let channel = cx.visible_channel(&self.old).ok_or_else(|| no_such_channel(self.old.as_str()))?;
        let (id, old) = (channel.id, channel.name.clone());
        match cx.permission_level(channel) {
            PermissionLevel::NonMember => return Err(not_on_channel(old.as_str())),
            level if !level.at_least(PrefixMode::Founder) => {
                return Err(chanop_privs_needed(old.as_str(), "Only the channel's founder can rename it"));
            }
            _ => {}
        }
        let is_same_name = old == self.new;
        if old.as_str() == self.new.as_str() {
            let reply = Reply::fail("RENAME", "CANNOT_RENAME").arg(old.as_str()).arg(self.new.as_str());
            return Err(reply.text("The channel has this name already"));
        }
        let is_other_channel = |channel: &Channel| channel.id != id;
        let is_taken = cx.channel(&self.new).is_some()
            || cx.core.channels.get_by_old_name(&self.new, cx.at).is_some_and(is_other_channel);
        if !is_same_name && is_taken {
            let reply = Reply::fail("RENAME", "CHANNEL_NAME_IN_USE").arg(old.as_str());
            return Err(reply.arg(self.new.as_str()).text("The channel name is already taken"));
        }
        let (new, reason) = (self.new.clone(), self.reason.clone());
        cx.core.channels.rename(id, &new, cx.at);
        let record = Record::ChannelRenamed { id, old: old.clone(), new: new.clone(), at: cx.at };
        cx.fx.records.push(record);
        let text = format!("{old} {new} {reason}");
        let stored = (MessageKind::Rename, text.trim_end().into());
        let kind = EventKind::Rename { old: old.clone(), new: new.clone(), reason: reason.clone() };
        if let Some(event) = cx.record_channel_event(id, stored, kind) {
            cx.send_to_channel(&new, event);
        }
        if !is_same_name {
            self.send_part_and_join(cx, id, &old);
        }
        cx.audit("channel rename", old.as_str(), new.as_str());
        Ok(())
    }

    /// Sends a PART and a JOIN to sessions without channel-rename (section "Fallback" of the specification).
    fn send_part_and_join(&self, cx: &mut Context<'_>, id: ChannelId, old: &ChannelName) {
        let channel = cx.core.channels.get(id).must_exist("the channel was renamed");
        let Some(channel) = channel else { return };
        let audience = channel.audience.snapshot();
        let lacks_rename = |recipient: &&_| {
            let recipient: &crate::core::model::audience::Recipient = recipient;
            !recipient.caps.has(Cap::ChannelRename)
        };
        let recipients: Vec<_> = audience.recipients().filter(lacks_rename).copied().collect();
        let reason = Some(self.reason.clone()).filter(|reason| !reason.is_empty());
        let mut names = NamesCache::default();
        for recipient in recipients {
            let account = cx.core.sessions.get(&recipient.session).map(|session| session.account);
            let account_state = account.and_then(|account| cx.core.accounts.get(account));
            let Some(account_state) = account_state.must_exist("an audience consists of sessions") else {
                continue;
            };
            let part = account_state.event(cx.at, EventKind::Part(old.clone(), reason.clone()));
            let join =
                account_state.event(cx.at, EventKind::Join(self.new.clone(), account_state.realname.clone()));
            for event in [part, join] {
                let audience: Audience = std::iter::once(recipient).collect();
                cx.fx.push(Output::Broadcast { audience, event, origin: None });
            }
            cx.send_join_replies_with(&self.new, recipient.session, &mut names);
        }
    }
}
