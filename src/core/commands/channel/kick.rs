//! KICK (<https://modern.ircdocs.horse/#kick-message>): ends an account's membership. Needs half-op, also for a kick of
//! oneself. Members of a higher status and, below op, of an equal one are protected from others. Server admins are
//! protected from all but admins, whatever their status in the channel, and may kick anyone, also without being in the
//! channel.

use std::sync::Arc;

use super::part::not_on_channel;
use crate::core::commands::targets::{self, no_such_channel, no_such_nick};
use crate::core::commands::{Command, Spec, need_more_params};
use crate::core::effects::event::EventKind;
use crate::core::model::permission_level::PermissionLevel;
use crate::core::record::MessageKind;
use crate::core::record::member_status::PrefixMode;
use crate::core::settings::{Settings, truncate_str};
use crate::core::state::context::{Context, chanop_privs_needed};
use crate::wire::numeric::ERR_USERNOTINCHANNEL;
use crate::wire::{ChannelName, Message, Nick, Reply};

/// The KICK command: removes members from a channel.
pub const SPEC: Spec = Spec { name: "KICK", min_params: 2, parse };

/// A parsed KICK.
#[derive(Debug)]
pub struct Kick {
    targets: Vec<KickTarget>,
    reason: Arc<str>,
}

/// A channel and an account of its members, as the client wrote them.
#[derive(Debug)]
struct KickTarget {
    channel: Box<str>,
    nick: Box<str>,
}

/// Parses one channel with any number of nicks, or as many nicks as channels
/// ([RFC 2812, section 3.2.8](https://www.rfc-editor.org/rfc/rfc2812#section-3.2.8)).
fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let words = |index: usize| {
        let list = message.param(index).unwrap_or_default();
        list.split(',').filter(|word| !word.is_empty()).collect::<Vec<&str>>()
    };
    let (channels, nicks) = (words(0), words(1));
    if let Some(extra) = nicks.get(Settings::MAX_TARGETS) {
        return Err(targets::too_many_targets(extra));
    }
    let pairs: Vec<(&str, &str)> = match channels.as_slice() {
        [channel] => nicks.iter().map(|nick| (*channel, *nick)).collect(),
        _ if channels.len() == nicks.len() => channels.into_iter().zip(nicks).collect(),
        _ => return Err(need_more_params("KICK")),
    };
    let mut targets: Vec<KickTarget> = Vec::new();
    for (channel, nick) in pairs {
        let is_same = |known: &KickTarget| {
            known.channel.eq_ignore_ascii_case(channel) && known.nick.eq_ignore_ascii_case(nick)
        };
        if !targets.iter().any(is_same) {
            targets.push(KickTarget { channel: channel.into(), nick: nick.into() });
        }
    }
    let reason = message.param(2).unwrap_or_default();
    Ok(Command::Kick(Kick { targets, reason: truncate_str(reason, Settings::MAX_REASON_BYTES).into() }))
}

impl Kick {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        for KickTarget { channel: name, nick } in &self.targets {
            if let Err(reply) = self.kick(cx, name, nick) {
                cx.reply(reply);
            }
        }
    }

    fn kick(&self, cx: &mut Context<'_>, name: &str, nick: &str) -> Result<(), Reply> {
        let known = ChannelName::parse(name).ok();
        let channel =
            known.and_then(|name| cx.visible_channel(&name)).ok_or_else(|| no_such_channel(name))?;
        let level = cx.permission_level(channel);
        if !cx.is_member(channel) && !level.at_least(PrefixMode::HalfOp) {
            return Err(not_on_channel(name));
        }
        if !level.at_least(PrefixMode::HalfOp) {
            return Err(chanop_privs_needed(
                name,
                "You're not channel operator (half-op or higher required)",
            ));
        }
        let known = Nick::parse(nick).ok().and_then(|nick| cx.core.accounts.get_enabled_by_name(&nick));
        let account_state = known.ok_or_else(|| no_such_nick(nick))?;
        let (target, nick) = (account_state.account.id, account_state.nick().clone());
        if !channel.members.contains(&target) {
            let reply = Reply::numeric(ERR_USERNOTINCHANNEL).arg(nick.as_str()).arg(name);
            return Err(reply.text("They aren't on that channel"));
        }
        let target_level = cx.permission_level_of(target, channel);
        if target != cx.sender.account && !level.may_act_on(target_level) {
            let reason = match target_level {
                PermissionLevel::Admin => "they are an admin of the server",
                PermissionLevel::NonMember | PermissionLevel::Member | PermissionLevel::PrefixMode(_) => {
                    "their status in the channel is not below yours"
                }
            };
            return Err(chanop_privs_needed(name, &format!("You can't kick {nick}: {reason}")));
        }
        let (id, name) = (channel.id, channel.name.clone());
        let reason = if self.reason.is_empty() { cx.sender.nick.shared() } else { self.reason.clone() };
        let stored = (MessageKind::Kick, format!("{nick} {reason}").into());
        let kind = EventKind::Kick(name.clone(), nick.clone(), reason.clone());
        if let Some(event) = cx.record_channel_event(id, stored, kind) {
            cx.send_to_channel(&name, event);
        }
        cx.core.leave_channel(target, id, cx.fx);
        cx.audit("channel kick", nick.as_str(), &format!("{name}: {reason}"));
        Ok(())
    }
}
