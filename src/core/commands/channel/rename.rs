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
use crate::core::model::power::Power;
use crate::core::record::ranks::Rank;
use crate::core::record::{ChannelId, MessageKind, Record};
use crate::core::request::settings::{Settings, clip};
use crate::core::state::context::{Context, NamesOf, not_allowed};
use crate::wire::{Cap, ChannelName, Message, Reply};

/// The RENAME command: renames a channel.
pub const SPEC: Spec = Spec { name: "RENAME", least: 2, parse };

/// A parsed RENAME.
#[derive(Debug)]
pub struct RenameChannel {
    old: ChannelName,
    new: ChannelName,
    reason: Arc<str>,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let (old, new) = (message.param(0).unwrap_or_default(), message.param(1).unwrap_or_default());
    let cannot = |why: &dyn std::fmt::Display| {
        let reply = Reply::fail("RENAME", "CANNOT_RENAME").arg(old).arg(new);
        reply.text(format!("Invalid channel name: {why}"))
    };
    Ok(Command::RenameChannel(RenameChannel {
        old: ChannelName::parse(old).map_err(|_| no_such_channel(old))?,
        new: ChannelName::parse(new).map_err(|why| cannot(&why))?,
        reason: clip(message.param(2).unwrap_or_default(), Settings::REASON_BYTES).into(),
    }))
}

impl RenameChannel {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        if let Err(reply) = self.rename(cx) {
            cx.reply(reply);
        }
    }

    fn rename(&self, cx: &mut Context<'_>) -> Result<(), Reply> {
        let channel = cx.visible(&self.old).ok_or_else(|| no_such_channel(self.old.as_str()))?;
        let (id, old) = (channel.id, channel.name.clone());
        match cx.power(channel) {
            Power::Stranger => return Err(not_on_channel(old.as_str())),
            power if !power.at_least(Rank::Founder) => {
                return Err(not_allowed(old.as_str(), "Only the channel's founder can rename it"));
            }
            _ => {}
        }
        let same = old == self.new;
        if old.as_str() == self.new.as_str() {
            let reply = Reply::fail("RENAME", "CANNOT_RENAME").arg(old.as_str()).arg(self.new.as_str());
            return Err(reply.text("The channel has this name already"));
        }
        let leads_elsewhere = |channel: &Channel| channel.id != id;
        let is_taken = cx.channel(&self.new).is_some()
            || cx.chat.channels.renamed(&self.new, cx.at).is_some_and(leads_elsewhere);
        if !same && is_taken {
            let reply = Reply::fail("RENAME", "CHANNEL_NAME_IN_USE").arg(old.as_str());
            return Err(reply.arg(self.new.as_str()).text("The channel name is already taken"));
        }
        let (new, reason) = (self.new.clone(), self.reason.clone());
        cx.chat.channels.rename(id, &new, cx.at);
        let record = Record::ChannelRenamed { id, old: old.clone(), new: new.clone(), at: cx.at };
        cx.fx.records.push(record);
        let text = format!("{old} {new} {reason}");
        let kept = (MessageKind::Rename, text.trim_end().into());
        let kind = EventKind::Rename(old.clone(), new.clone(), reason.clone());
        if let Some(event) = cx.channel_event(id, kept, kind) {
            cx.tell_channel(&new, event);
        }
        if !same {
            self.fall_back(cx, id, &old);
        }
        cx.audit("channel rename", old.as_str(), new.as_str());
        Ok(())
    }

    /// Sends a PART and a JOIN to sessions without channel-rename (section "Fallback" of the specification).
    fn fall_back(&self, cx: &mut Context<'_>, id: ChannelId, old: &ChannelName) {
        let Some(channel) = cx.chat.channels.get(id) else { return };
        let audience = channel.audience.snapshot();
        let lacks = |seat: &&_| {
            let seat: &crate::core::model::audience::Seat = seat;
            !seat.caps.has(Cap::ChannelRename)
        };
        let seats: Vec<_> = audience.seats().filter(lacks).copied().collect();
        let reason = Some(self.reason.clone()).filter(|reason| !reason.is_empty());
        let mut names = NamesOf::default();
        for seat in seats {
            let account = cx.chat.sessions.get(&seat.session).map(|session| session.account);
            let Some(person) = account.and_then(|account| cx.chat.people.get(account)) else { continue };
            let part = person.event(cx.at, EventKind::Part(old.clone(), reason.clone()));
            let join = person.event(cx.at, EventKind::Join(self.new.clone(), person.realname.clone()));
            for event in [part, join] {
                let audience: Audience = std::iter::once(seat).collect();
                cx.fx.outputs.push(Output::Fan { audience, event, origin: None });
            }
            cx.introduce_with(&self.new, seat.session, &mut names);
        }
    }
}
