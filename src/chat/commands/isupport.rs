//! ISUPPORT ([extended-isupport](https://ircv3.net/specs/extensions/extended-isupport)): what the server can do, told
//! again.

use super::{Command, Spec};
use crate::chat::context::Context;
use crate::chat::isupport;

/// ISUPPORT
pub const SPEC: Spec = Spec { name: "ISUPPORT", least: 0, parse: |_| Ok(Command::Isupport(Isupport)) };

/// The list is asked for.
#[derive(Debug)]
pub struct Isupport;

impl Isupport {
    #[expect(clippy::unused_self, reason = "the shape of every command")]
    pub(super) fn run(self, cx: &mut Context<'_>) {
        let lines = isupport::lines(&cx.chat.settings, cx.member.caps, cx.member.nick.as_str());
        cx.lines(lines);
    }
}
