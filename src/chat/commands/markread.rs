//! MARKREAD ([read-marker](https://ircv3.net/specs/extensions/read-marker)): up to when the account has read what was said
//! somewhere, known to all of its sessions.

use super::{Command, Spec};
use crate::chat::context::{Context, markread};
use crate::chat::effects::Output;
use crate::chat::record::Record;
use crate::chat::settings::SERVER_NAME;
use crate::chat::target::Target;
use crate::wire::{Cap, Message, Millis, Reply};

/// MARKREAD
pub const SPEC: Spec = Spec { name: "MARKREAD", least: 0, parse };

/// Most places that an account has markers at: far more than anybody talks at, and a bound all the same.
const MOST: usize = 4096;

/// Where, and up to when where it is to be set.
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
    /// Does it set the marker?
    pub(super) fn sets(&self) -> bool {
        self.read.is_some()
    }

    pub(super) fn run(self, cx: &mut Context<'_>) {
        let Some((place, written)) = cx.place(&self.target) else {
            let reply = Reply::fail("MARKREAD", "INVALID_PARAMS").arg(&*self.name);
            return cx.reply(reply.text("You have no such channel or person to read"));
        };
        let now = cx.at;
        let Some(me) = cx.chat.people.get_mut(cx.member.account) else { return };
        let before = me.markers.get(&place).copied();
        // It only grows, and not into the future.
        let Some(read) =
            self.read.map(|read| read.min(now)).filter(|read| before.is_none_or(|before| *read > before))
        else {
            return cx.reply(markread(&written, before));
        };
        if before.is_none() && me.markers.len() >= MOST {
            let reply = Reply::fail("MARKREAD", "INTERNAL_ERROR").arg(&*self.name);
            return cx.reply(reply.text("You have markers at too many places"));
        }
        me.markers.insert(place, read);
        cx.fx.records.push(Record::Marked { account: cx.member.account, place, read });
        cx.reply(markread(&written, Some(read)));
        let line = markread(&written, Some(read)).render(SERVER_NAME, cx.member.nick.as_str());
        for session in cx.my_sessions() {
            let wants = cx.chat.sessions.get(&session).is_some_and(|s| s.caps.has(Cap::ReadMarker));
            if wants && session != cx.member.session {
                cx.fx.outputs.push(Output::Line(session, line.clone()));
            }
        }
    }
}
