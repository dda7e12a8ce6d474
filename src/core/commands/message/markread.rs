//! MARKREAD ([read-marker](https://ircv3.net/specs/extensions/read-marker)): queries or sets the read marker of a
//! conversation, which the account's sessions share.

use crate::core::commands::{Command, Spec};
use crate::core::record::Record;
use crate::core::request::target::Target;
use crate::core::state::context::{Context, markread_reply};
use crate::wire::{Cap, Message, Reply, Timestamp};

/// The MARKREAD command: queries or sets a read marker.
pub const SPEC: Spec = Spec { name: "MARKREAD", min_params: 0, parse };

/// A parsed MARKREAD: the target and, to set the marker, the time stamp.
#[derive(Debug)]
pub struct MarkRead {
    target: Target,
    name: Box<str>,
    read: Option<Timestamp>,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let fail = |code: &str| Reply::fail("MARKREAD", code);
    let Some(name) = message.param(0).filter(|name| !name.is_empty()) else {
        return Err(fail("NEED_MORE_PARAMS").text("Missing parameters"));
    };
    let read = match message.param(1) {
        None => None,
        Some(text) => {
            let time = text.strip_prefix("timestamp=").and_then(Timestamp::parse);
            let invalid = || fail("INVALID_PARAMS").arg(name).arg(text).text("Invalid timestamp");
            Some(time.ok_or_else(invalid)?)
        }
    };
    Ok(Command::MarkRead(MarkRead { target: Target::parse(name), name: name.into(), read }))
}

impl MarkRead {
    /// Returns whether it sets the marker.
    pub(in crate::core::commands) fn sets(&self) -> bool {
        self.read.is_some()
    }

    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let Some((conversation, own_name)) = cx.resolve_conversation(&self.target) else {
            return self.mark_channel_not_joined(cx);
        };
        let now = cx.at;
        let Some(me) = cx.sender_account_mut() else { return };
        let before = me.markers.get(&conversation).copied();
        // A marker moves only forward, and not beyond the present.
        let Some(read) =
            self.read.map(|read| read.min(now)).filter(|read| before.is_none_or(|before| *read > before))
        else {
            return cx.reply(markread_reply(&own_name, before));
        };
        if before.is_none() && !me.has_marker_room() {
            return cx.reply(self.too_many_markers());
        }
        me.markers.insert(conversation, read);
        cx.fx.records.push(Record::ReadMarkerSet { account: cx.sender.account, conversation, read });
        Self::send_marker(cx, &own_name, read);
    }

    /// Handles a channel that the account is not in, which need not exist. Its marker is kept by name and applies from
    /// the JOIN on. Other targets have no marker.
    fn mark_channel_not_joined(self, cx: &mut Context<'_>) {
        let Target::Channel(channel) = &self.target else {
            return match self.target {
                Target::Invalid(_) => {
                    let reply = Reply::fail("MARKREAD", "INVALID_PARAMS").arg(&*self.name);
                    cx.reply(reply.text("Invalid channel or nick"));
                }
                _ => cx.reply(markread_reply(&self.name, None)),
            };
        };
        let now = cx.at;
        let Some(me) = cx.sender_account_mut() else { return };
        let before = me.early_markers.get(channel).copied();
        match self.read.map(|read| read.min(now)).filter(|read| before.is_none_or(|before| *read > before)) {
            None => cx.reply(markread_reply(&self.name, before)),
            Some(read) => match me.set_early_marker(channel, read) {
                Some(record) => {
                    cx.fx.records.push(record);
                    Self::send_marker(cx, &self.name, read);
                }
                None => cx.reply(self.too_many_markers()),
            },
        }
    }

    fn too_many_markers(&self) -> Reply {
        let reply = Reply::fail("MARKREAD", "INTERNAL_ERROR").arg(&*self.name);
        reply.text("You have too many read markers")
    }

    /// Replies with the new marker and sends it to the account's other sessions.
    fn send_marker(cx: &mut Context<'_>, own_name: &str, read: Timestamp) {
        cx.reply(markread_reply(own_name, Some(read)));
        for session in cx.sender_sessions() {
            let wants = cx.core.sessions.get(&session).is_some_and(|s| s.caps.has(Cap::ReadMarker));
            if wants && session != cx.sender.session {
                let to = cx.core.addressee(session);
                cx.core.send(&to, markread_reply(own_name, Some(read)), cx.fx);
            }
        }
    }
}
