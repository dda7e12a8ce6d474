//! MARKREAD ([read-marker](https://ircv3.net/specs/extensions/read-marker)): queries or sets the read marker of a
//! conversation, which the account's sessions share.

use crate::core::commands::{Command, Spec};
use crate::core::effects::Output;
use crate::core::record::Record;
use crate::core::state::context::{Context, markread};
use crate::core::target::Target;
use crate::wire::{Cap, Message, Millis, Reply};

/// The MARKREAD command: queries or sets a read marker.
pub const SPEC: Spec = Spec { name: "MARKREAD", least: 0, parse };

/// A parsed MARKREAD: the target and, to set the marker, the time stamp.
#[derive(Debug)]
pub struct MarkRead {
    target: Target,
    name: Box<str>,
    read: Option<Millis>,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let fail = |code: &str| Reply::fail("MARKREAD", code);
    let Some(name) = message.param(0).filter(|name| !name.is_empty()) else {
        return Err(fail("NEED_MORE_PARAMS").text("Missing parameters"));
    };
    let read = match message.param(1) {
        None => None,
        Some(text) => {
            let time = text.strip_prefix("timestamp=").and_then(Millis::parse);
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
        let Some((place, written)) = cx.place(&self.target) else { return self.elsewhere(cx) };
        let now = cx.at;
        let Some(me) = cx.chat.people.get_mut(cx.member.account) else { return };
        let before = me.markers.get(&place).copied();
        // A marker moves only forward, and not beyond the present.
        let Some(read) =
            self.read.map(|read| read.min(now)).filter(|read| before.is_none_or(|before| *read > before))
        else {
            return cx.reply(markread(&written, before));
        };
        if before.is_none() && !me.may_mark() {
            return cx.reply(self.too_many());
        }
        me.markers.insert(place, read);
        cx.fx.records.push(Record::Marked { account: cx.member.account, place, read });
        Self::tell(cx, &written, read);
    }

    /// Handles a channel that the account is not in, which need not exist. Its marker is kept by name and applies from
    /// the JOIN on. Other targets have no marker.
    fn elsewhere(self, cx: &mut Context<'_>) {
        let Target::Channel(channel) = &self.target else {
            return match self.target {
                Target::Nobody(_) => {
                    let reply = Reply::fail("MARKREAD", "INVALID_PARAMS").arg(&*self.name);
                    cx.reply(reply.text("Invalid channel or nick"));
                }
                _ => cx.reply(markread(&self.name, None)),
            };
        };
        let (account, now) = (cx.member.account, cx.at);
        let Some(me) = cx.chat.people.get_mut(account) else { return };
        let before = me.early_markers.get(channel).copied();
        match self.read.map(|read| read.min(now)).filter(|read| before.is_none_or(|before| *read > before)) {
            None => cx.reply(markread(&self.name, before)),
            Some(read) => match me.mark_early(channel, read) {
                Some(record) => {
                    cx.fx.records.push(record);
                    Self::tell(cx, &self.name, read);
                }
                None => cx.reply(self.too_many()),
            },
        }
    }

    fn too_many(&self) -> Reply {
        let reply = Reply::fail("MARKREAD", "INTERNAL_ERROR").arg(&*self.name);
        reply.text("You have too many read markers")
    }

    /// Replies with the new marker and sends it to the account's other sessions.
    fn tell(cx: &mut Context<'_>, written: &str, read: Millis) {
        cx.reply(markread(written, Some(read)));
        let line = markread(written, Some(read))
            .render(cx.chat.settings.server_name.as_str(), cx.member.nick.as_str());
        for session in cx.my_sessions() {
            let wants = cx.chat.sessions.get(&session).is_some_and(|s| s.caps.has(Cap::ReadMarker));
            if wants && session != cx.member.session {
                cx.fx.outputs.push(Output::Line(session, line.clone()));
            }
        }
    }
}
